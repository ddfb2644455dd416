// SPDX-License-Identifier: BSD-2-Clause
// panel: the table of functions beside the frames: what each spent itself and with all that it
// calls, once for each stack. A search chooses its rows; a row leads to its callers and callees.

const PANEL_WIDTH = 440, PANEL_WIDTH_OF_TWO = 560; // pixels; of two profiles there is more to say
const PANEL_SLIM = 400, PANEL_SLIM_OF_TWO = 500; // pixels: below, shares have no room
const PANEL_ROWS = 100; // that are shown at first

const PANEL_STYLE = [
	[".panel", "height:100%;display:flex;flex-direction:column;border-left:1px solid #d4d4da;" +
		"padding-left:8px"],
	[".panel .about", "padding:2px 0 6px;flex:none;white-space:nowrap;overflow:hidden;" +
		"text-overflow:ellipsis"],
	[".panel .scrolled", "overflow:auto;flex:1 1 auto;min-height:0"],
	[".panel table", "border-collapse:collapse;width:100%;table-layout:fixed"],
	[".panel thead th", "position:sticky;top:0;background:#fff;padding:0;text-align:right;" +
		"z-index:2"],
	[".panel th.number", "width:108px"],
	[".panel th.find", "width:24px"],
	[".panel thead button", "border:none;width:100%;text-align:inherit;font-weight:bold;" +
		"padding:2px 4px"],
	[".panel thead th.name", "text-align:left"],
	[".panel td", "padding:0 4px;height:21px;overflow:hidden;white-space:nowrap;" +
		"text-overflow:ellipsis;border-top:1px solid #ececf0"],
	[".panel td.number", "text-align:right;font-variant-numeric:tabular-nums"],
	[".panel td button", "border:none;background:none;padding:0;height:19px;max-width:100%;" +
		"overflow:hidden;text-overflow:ellipsis;text-align:left;color:#2456b0"],
	[".panel td.find button", "padding:0 3px;color:inherit"],
	[".panel tr.chosen td", "background:#dbe6fb"],
	[".panel .share", "color:#5c5c66;display:inline-block;width:48px"],
	[".panel .named", "display:flex;align-items:center;height:20px"],
	[".panel .named button", "flex:0 1 auto;min-width:60px"],
	[".panel .where", "color:#5c5c66;margin-left:6px;flex:1 1 0;min-width:44px;" +
		"overflow:hidden;text-overflow:ellipsis"],
	[".panel.slim th.number", "width:62px"],
	[".panel.slim .share", "display:none"],
	[".panel .more", "margin:6px 4px;flex:none"],
];

const PANEL_STYLE_DARK = [
	[".panel", "border-left-color:#44444d"],
	[".panel thead th", "background:#1b1b1f"],
	[".panel td", "border-top-color:#303037"],
	[".panel td button", "background:none;color:#8db4ff"],
	[".panel td.find button", "color:inherit"],
	[".panel thead button", "background:none"],
	[".panel tr.chosen td", "background:#2d4573"],
	[".panel .share,.panel .where", "color:#a9a9b4"],
];

const panel = {
	pane: null, box: null, about: null, head: null, body: null, more: null,
	columns: [], sortBy: null, isTurned: false,
	table: null, range: undefined, // functions() of the range
	shared: null, // Set of the names that several of these have
	shown: PANEL_ROWS,
};

// What one function's name finds, and no other's.
function exactPattern(name) {
	return `^${name.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")}$`;
}

// Of counts that are too long for a column the first digits; the whole is in the tooltip.
function shortAmount(value) {
	const { unit } = app.data.header, size = Math.abs(value);
	if (unit === "nanoseconds" || unit === "bytes")
		return formatReal(value, unit, "");
	if (size < 1e6)
		return formatReal(value, "count", "");
	const [scale, letter] = size < 1e9 ? [1e6, "M"] : size < 1e12 ? [1e9, "G"] : [1e12, "T"];
	return `${(value / scale).toFixed(2)} ${letter}`;
}

function numberCell(value, whole, isChange) {
	const { data } = app, cell = htmlElement("td", { class: "number" });
	const text = shortAmount(value);
	cell.append(document.createTextNode(isChange && value > 0 ? `+${text}` : text));
	cell.append(htmlElement("span", { class: "share" }, formatShare(value, whole)));
	cell.title = amountText(data, value);
	return cell;
}

// What tells functions of the same name apart: the beginning of it, as there is little room.
function whereMark(frame) {
	const { data } = app, module = data.modules[data.frameModule[frame]] || "";
	if (data.frameKind[frame] === KIND_INLINED)
		return module ? `inlined, ${module}` : "inlined";
	return frameWhere(data, frame) || "no file";
}

function sharedNames(table) {
	const once = new Set(), shared = new Set();
	for (const frame of table.frame) {
		const name = app.data.names[frame] || "[empty]";
		(once.has(name) ? shared : once).add(name);
	}
	return shared;
}

function nameCell(frame) {
	const { data } = app, cell = htmlElement("td", { class: "name" });
	const name = data.names[frame] || "[empty]", where = frameWhere(data, frame);
	const title = [name, where, "Show its callers and callees"].filter(Boolean).join("\n");
	const button = htmlElement("button", { type: "button", title }, name);
	button.addEventListener("click", () => app.set({ function: functionId(data, frame) }));
	if (!panel.shared.has(name)) {
		cell.append(button);
		return cell;
	}
	const named = htmlElement("div", { class: "named" });
	named.append(button, htmlElement("span", { class: "where", title }, whereMark(frame)));
	cell.append(named);
	return cell;
}

function findCell(frame) {
	const cell = htmlElement("td", { class: "find" }), name = app.data.names[frame];
	cell.append(newButton("\u2315", `Search for ${name}`, () =>
		app.set({ search: exactPattern(name), matchCase: true })));
	return cell;
}

function newRow(i, chosen) {
	const { table, columns } = panel, frame = table.frame[i];
	const row = htmlElement("tr", frame === chosen ? { class: "chosen" } : {});
	for (const column of columns)
		row.append(column.key === "name" ? nameCell(frame) :
			numberCell(column.value(table, i), app.whole, column.isChange));
	row.append(findCell(frame));
	return row;
}

function sortPanel(column) {
	panel.isTurned = column === panel.sortBy && !panel.isTurned;
	panel.sortBy = column;
	panel.shown = PANEL_ROWS;
	fillPanel();
}

function fillHead() {
	const row = htmlElement("tr", {});
	for (const column of panel.columns) {
		const isSorted = column === panel.sortBy;
		const isUp = panel.isTurned === (column.key !== "name");
		const th = htmlElement("th", { scope: "col",
			class: column.key === "name" ? "name" : "number",
			"aria-sort": !isSorted ? "none" : isUp ? "ascending" : "descending" });
		th.append(newButton(column.title + (!isSorted ? "" : isUp ? " \u2191" : " \u2193"),
			`Sort by ${column.title.toLowerCase()}`, () => sortPanel(column)));
		row.append(th);
	}
	row.append(htmlElement("th", { class: "find" }));
	panel.head.replaceChildren(row);
}

function fillPanel() {
	const { table, sortBy, isTurned } = panel, { data, state } = app;
	const rows = functionRows(table, sortBy, isTurned, app.hitByFrame);
	const chosen = state.function ? findFunction(data, state.function) : -1;
	const few = rows.slice(0, panel.shown);
	fillHead();
	panel.body.replaceChildren(...few.map((i) => newRow(i, chosen)));
	panel.more.hidden = few.length === rows.length;
	panel.more.textContent =
		`Show more: there are ${(rows.length - few.length).toLocaleString("en-US")}`;
	panel.about.textContent = `${rows.length.toLocaleString("en-US")} ` +
		(rows.length === 1 ? "function" : "functions") + (app.hitByFrame ? " found" : "") +
		(table.unknown ? `; up to ${amountText(data, table.unknown)} more is in frames ` +
			"that were too narrow to be kept" : "");
	panel.about.title = panel.about.textContent;
}

function showPanel(changed) {
	const { panel: isShown, range } = app.state;
	panel.pane.setSize(!isShown ? 0 : isDelta(app.data) ? PANEL_WIDTH_OF_TWO : PANEL_WIDTH);
	if (!isShown)
		return;
	if (JSON.stringify(range) !== panel.range) {
		panel.table = functions(app.data, { range });
		panel.shared = sharedNames(panel.table);
		panel.range = JSON.stringify(range);
	}
	if (!changed || ["panel", "range", "search", "matchCase", "function"].some((key) =>
		changed.has(key)))
		fillPanel();
}

function startPanel() {
	const element = htmlElement("div", { class: "ui panel" });
	const table = htmlElement("table", { "aria-label": "Functions" });
	const scrolled = htmlElement("div", { class: "scrolled", tabindex: "-1" });
	panel.pane = addPane("aside", 0);
	panel.box = svgElement("foreignObject", { width: PANEL_WIDTH, height: 100 });
	panel.about = htmlElement("div", { class: "about", role: "status" });
	panel.head = htmlElement("thead", {});
	panel.body = htmlElement("tbody", {});
	panel.more = newButton("", "Show more rows", () => {
		panel.shown *= 4;
		fillPanel();
	});
	panel.more.className = "more";
	table.append(panel.head, panel.body);
	scrolled.append(table, panel.more);
	element.append(panel.about, scrolled);
	panel.box.append(element);
	panel.pane.g.append(panel.box);
	const slim = isDelta(app.data) ? PANEL_SLIM_OF_TWO : PANEL_SLIM;
	panel.columns = functionColumns(app.data);
	panel.sortBy = panel.columns[0];
	panel.pane.onPlace((size) => {
		setAttributes(panel.box, size);
		element.classList.toggle("slim", size.width < slim);
	});
	addToggle("panel", "Table", "Table of functions", "t");
	app.onChange(showPanel);
}
