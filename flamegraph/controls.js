// SPDX-License-Identifier: BSD-2-Clause
// controls: what can be pressed above the frames: back, reset, search, the views, help; and below
// it the path to the zoomed frame, each part of which leads back to it.

const CRUMB_GAP = 18, CRUMB_MOST = 254; // pixels

const tools = {
	back: null, reset: null, input: null, matchCase: null, previous: null, next: null,
	output: null, toggles: {}, copy: null, crumbs: null, live: null, dialog: null,
};

function newToggle(text, title, act) {
	const button = newButton(text, title, act);
	button.setAttribute("aria-pressed", "false");
	return button;
}

function newGroup(label, parts) {
	const group = htmlElement("span", { class: "group", role: "group", "aria-label": label });
	group.append(...parts);
	return group;
}

function newSearch() {
	tools.input = htmlElement("input", {
		type: "text", placeholder: "Search (Ctrl-F)", "aria-label": "Search", spellcheck: false,
		autocomplete: "off", title: "Regular expression for functions and files; case matters if " +
			"it has a capital letter. Enter: next match, Shift-Enter: previous",
	});
	tools.matchCase = newToggle("Aa", "Case matters", () =>
		app.set({ matchCase: !app.state.matchCase }));
	tools.previous = newButton("\u2039", "Previous match (N)", () => moveToHit(-1));
	tools.next = newButton("\u203a", "Next match (n)", () => moveToHit(1));
	tools.input.addEventListener("input", () => app.set({ search: tools.input.value }));
	return newGroup("Search", [tools.input, tools.matchCase, tools.previous, tools.next]);
}

function newViews() {
	const flip = (key) => () => app.set({ [key]: !app.state[key] });
	tools.toggles = {
		icicle: newToggle("Icicle", "Root at the top (i)", flip("icicle")),
		callers: newToggle("Callers", "Stacks from the function that ran, below it who called it (r)",
			flip("callers")),
		merge: newToggle("Merge", "Merge recursion: a function within itself is one frame (m)",
			flip("merge")),
		sort: newToggle("By weight", "Sort by weight, not by name (s)", KEY_ACTS.s),
	};
	return newGroup("Views", Object.values(tools.toggles));
}

// The controls are HTML in the heading of the drawing.
function addTools() {
	const element = htmlElement("div", { class: "ui" });
	const bar = htmlElement("div", { class: "tools", role: "toolbar", "aria-label": "Flame graph" });
	const box = svgElement("foreignObject", { x: 0, y: picture.headHeight - 6, height: 50,
		width: picture.width });
	tools.back = newButton("\u2190 Back", "The view before (Backspace)", app.back);
	tools.reset = newButton("Reset", "Show everything, search for nothing (Escape)", resetAll);
	tools.output = htmlElement("output", { "aria-live": "off",
		title: "Share of all that has a matching frame in its stack" });
	tools.live = htmlElement("div", { class: "unseen", role: "status", "aria-live": "polite" });
	tools.copy = newButton("Copy", "Copy the stack of the frame that is chosen or zoomed (c)",
		copyStack);
	tools.help = newButton("?", "Keys and help (?)", toggleHelp);
	tools.crumbs = htmlElement("nav", { class: "crumbs", "aria-label": "Path to the zoomed frame" });
	bar.append(newGroup("History", [tools.back, tools.reset]), newSearch(), tools.output,
		htmlElement("span", { class: "space" }), newViews(),
		newGroup("More", [tools.copy, tools.help]));
	element.append(bar, tools.crumbs, tools.live);
	box.append(element);
	picture.head.append(box);
	return { element, box };
}

// A switch of others for a flag of the state, such as that of a table; at the end of the views.
// letter: its key.
function addToggle(key, text, title, letter) {
	const flip = () => app.set({ [key]: !app.state[key] });
	const toggle = newToggle(text, `${title} (${letter})`, flip);
	tools.toggles.sort.parentNode.append(toggle);
	tools.toggles[key] = toggle;
	addKey(letter, title, flip);
}

// --- what they say -------------------------------------------------------------------------------

function boundsText({ low, high }, whole) {
	const text = formatShare(low, whole), most = formatShare(high, whole);
	return text === most ? text : `${text} to ${most}`;
}

function matchedText() {
	const { tree, found, foundZoomed, zoomed, whole } = app;
	if (app.badPattern)
		return "not a regular expression";
	if (!found)
		return "";
	const all = `Matched: ${boundsText(found, whole)}`;
	return !foundZoomed ? all :
		`${all} (${boundsText(foundZoomed, tree.total[zoomed])} of the zoomed)`;
}

// As many parts from the zoomed frame on as there is room for, and the root.
function fittingCrumbs(path) {
	const width = (node) => CRUMB_GAP + Math.min(CRUMB_MOST,
		picture.labels.width(nodeName(app, node)));
	let room = picture.width - 2 * picture.margin - width(0) - 2 * CRUMB_GAP;
	let from = path.length;
	while (from > 1 && (from === path.length || width(path[from - 1]) <= room))
		room -= width(path[--from]);
	return from;
}

function newCrumb(node, text, title) {
	const part = newButton(text, title, () => app.zoom(node));
	if (node === app.zoomed)
		part.setAttribute("aria-current", "true");
	return part;
}

function updateCrumbs() {
	const path = [], parts = [];
	for (let node = app.zoomed; node > 0; node = app.tree.parent[node])
		path.unshift(node);
	path.unshift(0);
	const from = fittingCrumbs(path);
	parts.push(newCrumb(0, nodeName(app, 0), "Zoom to all"));
	if (from > 1)
		parts.push(newCrumb(path[from - 1], LABEL_DOTS, `Zoom to ${nodeName(app, path[from - 1])} ` +
			`(${framesText(from - 1)} have no room here)`));
	for (const node of path.slice(from))
		parts.push(newCrumb(node, nodeName(app, node), `Zoom to ${nodeName(app, node)}`));
	tools.crumbs.replaceChildren(...parts.flatMap((part, i) => !i ? [part] :
		[htmlElement("span", { "aria-hidden": "true" }, "\u203a"), part]));
}

function updateTools() {
	const { state } = app, hasHits = app.found !== null && app.found.high > 0;
	const text = matchedText();
	tools.back.disabled = !app.past.length;
	tools.reset.disabled = app.isReset();
	tools.previous.disabled = tools.next.disabled = !hasHits;
	tools.matchCase.setAttribute("aria-pressed", state.matchCase);
	for (const key in tools.toggles)
		tools.toggles[key].setAttribute("aria-pressed",
			key === "sort" ? state.sort === "weight" : Boolean(state[key]));
	if (tools.input.value !== state.search)
		tools.input.value = state.search;
	tools.input.setCustomValidity(app.badPattern ? "not a regular expression" : "");
	if (tools.output.textContent !== text) {
		tools.output.textContent = text;
		tools.live.textContent = text;
	}
	updateCrumbs();
}

// --- what they do --------------------------------------------------------------------------------

function focusSearch() {
	tools.input.focus();
	tools.input.select();
}

function resetAll() {
	tools.input.blur();
	app.reset();
}

function escape() {
	if (tools.dialog)
		closeDialog();
	else
		resetAll();
}

// --- help, copying -------------------------------------------------------------------------------

function openDialog(label, parts) {
	const width = Math.min(560, picture.width - 20);
	const most = (app.alone ? viewHeight() : picture.height) - 20;
	const before = document.activeElement;
	const box = svgElement("foreignObject", { x: (picture.width - width) / 2, width,
		y: (app.alone ? window.scrollY : 0) + 10, height: most });
	const element = htmlElement("div", { class: "ui dialog", role: "dialog", "aria-modal": "false",
		"aria-label": label, tabindex: "-1" });
	closeDialog();
	element.append(htmlElement("h2", {}, label), ...parts,
		newButton("Close", "Close (Escape)", closeDialog));
	box.append(element);
	app.svg.append(box);
	box.setAttribute("height", Math.min(most, element.offsetHeight));
	element.style.height = "100%";
	element.focus({ preventScroll: true });
	tools.dialog = { box, before };
}

function closeDialog() {
	if (!tools.dialog)
		return;
	const { box, before } = tools.dialog;
	tools.dialog = null;
	box.remove();
	if (before && before.focus)
		before.focus({ preventScroll: true });
}

function toggleHelp() {
	if (tools.dialog)
		return closeDialog();
	const table = htmlElement("table", {});
	for (const [keys, text] of KEYS_HELP) {
		const row = htmlElement("tr", {});
		row.append(htmlElement("td", {}), htmlElement("td", {}, text));
		row.firstChild.append(htmlElement("b", {}, keys));
		table.append(row);
	}
	openDialog("Flame graph: keys", [
		htmlElement("p", {}, "A frame is as wide as its share: of what was measured in the function " +
			"and in all that it called. What it called stands next to it, away from the root. The " +
			"address keeps the view: copy it to show somebody what you see."), table]);
}

// As folded stacks have it: from the root, with semicolons between.
async function copyStack() {
	const box = picture.current;
	const node = box && !box.hidden && box.node ? box.node : app.zoomed;
	const text = stackOf(picture.view, node).join(";");
	try {
		await navigator.clipboard.writeText(text);
		tools.live.textContent = "Stack copied";
		picture.details.textContent = picture.labels.fit(`Copied: ${text}`, picture.inner);
	} catch (error) {
		// No clipboard for this page: the text is selected, for the reader to copy.
		const area = htmlElement("textarea", { readonly: "", "aria-label": "Stack" }, text);
		openDialog("Copy the stack: press Ctrl-C", [area]);
		area.focus();
		area.select();
	}
}
