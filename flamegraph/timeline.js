// SPDX-License-Identifier: BSD-2-Clause
// timeline: the heat map of samples over time between the controls and the frames. What is marked
// in it, with the pointer or with Shift and the arrow keys, is the range of time of all frames.

const TIMELINE_CELL = 3, TIMELINE_ROW = 2; // least width and height of a cell, pixels
const TIMELINE_HEAD = 22, TIMELINE_AXIS = 16, TIMELINE_MOST_HEIGHT = 100; // pixels
const TIMELINE_TICK = 90; // least distance of times on the axis, pixels
const TIMELINE_WAIT_MS = 120; // after a key, as more of them may follow

const TIMELINE_STYLE = [
	[".heat", "outline:none"],
	[".heat .cells", "cursor:crosshair;touch-action:none"],
	[".heat .ground", "fill:#f4f4f6"],
	[".heat .shade", "fill:#b3440b;pointer-events:none"],
	[".heat .mark", "fill:#2f6fde;fill-opacity:.12;stroke:#2f6fde;stroke-width:1.5;" +
		"pointer-events:none"],
	[".heat .cursor", "fill:none;stroke:#111113;pointer-events:none"],
	[".heat text", "font:10px Verdana,DejaVu Sans,sans-serif;fill:#4a4a52"],
	[".heat:not(:focus-visible) .cursor", "display:none"],
	[".heat:focus-visible .ground", "stroke:#2f6fde;stroke-width:2"],
	[".heatbar", "display:flex;align-items:center;gap:8px;height:22px;white-space:nowrap;" +
		"overflow:hidden"],
	[".heatbar .said", "flex:1 1 0;overflow:hidden;text-overflow:ellipsis"],
	[".heatbar .scale", "display:flex;align-items:center;gap:6px"],
	[".heatbar button", "height:20px;padding:0 7px"],
];

const TIMELINE_STYLE_DARK = [
	[".heat .ground", "fill:#26262b"],
	[".heat .shade", "fill:#ff9d5c"],
	[".heat .cursor", "stroke:#fff"],
	[".heat text", "fill:#b9b9c4"],
];

const timeline = {
	pane: null, heat: null, cells: null, ground: null, shades: [], mark: null, cursor: null,
	axis: null,
	said: null, legend: null, all: null, box: null,
	grid: null, width: 0, height: 0, // pixels of the cells
	anchor: 0, at: 0, // cells: where marking began, and where it is
	isMarking: false, timer: 0,
};

// --- drawing -------------------------------------------------------------------------------------

function timelineHeight() {
	return Math.min(TIMELINE_MOST_HEIGHT, HEAT_MOST_ROWS * TIMELINE_ROW);
}

// Left and right, top and bottom of a cell, in pixels.
function cellPlace(cell) {
	const { grid, width, height } = timeline;
	const column = Math.floor(cell / grid.rows), row = grid.rows - 1 - cell % grid.rows;
	return { x: column * width / grid.columns, y: row * height / grid.rows,
		w: width / grid.columns, h: height / grid.rows };
}

const rectPath = (x, y, w, h) =>
	`M${x.toFixed(2)} ${y.toFixed(2)}h${w.toFixed(2)}v${h.toFixed(2)}h${(-w).toFixed(2)}z`;

// One path for all cells of a shade: thousands of elements would be slow.
function drawCells() {
	const { grid, shades } = timeline, paths = shades.map(() => []);
	for (let cell = 0; cell < grid.cells.length; cell++) {
		const shade = heatShade(grid, cell);
		if (!shade)
			continue;
		const { x, y, w, h } = cellPlace(cell);
		const gap = w > 2 * TIMELINE_CELL ? 0.5 : 0;
		paths[shade - 1].push(rectPath(x, y, w - gap, h - (gap && h > 3 ? 0.5 : 0)));
	}
	paths.forEach((path, i) => shades[i].setAttribute("d", path.join("")));
}

// Times below the columns, as far apart as they can be read.
function drawAxis() {
	const { grid, axis, width, height } = timeline, time = app.data.time;
	const every = Math.max(1, Math.ceil(TIMELINE_TICK / (width / grid.columns)));
	axis.replaceChildren();
	for (let column = 0; column < grid.columns; column += every) {
		const x = column * width / grid.columns;
		axis.append(svgElement("text", { x: x.toFixed(2), y: height + 11 },
			heatTime(time, column * grid.columnSlots)));
	}
}

// The marked cells: a range begins and ends within a column.
function drawMark(range) {
	const { grid, mark, height } = timeline;
	if (!range) {
		mark.setAttribute("d", "");
		return;
	}
	const first = heatCell(grid, range[0]);
	const last = heatCell(grid, Math.max(range[0], range[1] - 1));
	const from = cellPlace(first), to = cellPlace(last), bottom = from.y + from.h;
	const right = to.x + to.w;
	if (from.x === to.x) {
		mark.setAttribute("d", rectPath(from.x, to.y, from.w, bottom - to.y));
		return;
	}
	// Up from the first cell, and up to the last one.
	const left = first % grid.rows > 0 ? from.x + from.w : from.x;
	mark.setAttribute("d", `M${from.x} ${bottom}V0H${to.y > 0 ? to.x : right}V${to.y}H${right}` +
		`V${height}H${left}V${bottom}z`);
}

function drawCursor() {
	const { x, y, w, h } = cellPlace(timeline.at);
	setAttributes(timeline.cursor, { x: x - 1, y: y - 1, width: w + 2, height: h + 2 });
}

function rangeText([from, to]) {
	return `${heatTime(app.data.time, from)} to ${heatTime(app.data.time, to)}`;
}

function sayRange() {
	const { said, all, grid, heat } = timeline, { data } = app, { range } = app.state;
	const span = heatTime(data.time, data.time.slots);
	const text = range ? `${rangeText(range)} of ${span}: ` +
		amountText(data, app.tree.total[0]) :
		`Samples over ${span}: drag to see the frames of a range of time`;
	said.textContent = text;
	all.disabled = !range;
	heat.setAttribute("aria-label", `${text}. Arrow keys move, with Shift they mark a range. ` +
		`Columns are ${heatTime(data.time, grid.columnSlots)}.`);
}

function drawTimeline() {
	const { time } = app.data;
	timeline.grid = heatGrid(time, Math.max(1, Math.floor(timeline.width / TIMELINE_CELL)));
	timeline.at = Math.min(timeline.at, timeline.grid.cells.length - 1);
	timeline.anchor = Math.min(timeline.anchor, timeline.grid.cells.length - 1);
	setAttributes(timeline.ground, { width: timeline.width, height: timeline.height });
	timeline.legend.lastChild.textContent =
		`${amountText(app.data, timeline.grid.most)} in ` +
		heatTime(time, timeline.grid.rowSlots);
	drawCells();
	drawAxis();
	drawMark(app.state.range);
	drawCursor();
	sayRange();
}

// --- marking -------------------------------------------------------------------------------------

function cellAt(event) {
	const { grid, ground } = timeline, box = ground.getBoundingClientRect();
	const part = (at, size, n) => Math.max(0, Math.min(n - 1, Math.floor(n * at / size)));
	const column = part(event.clientX - box.left, box.width, grid.columns);
	const row = grid.rows - 1 - part(event.clientY - box.top, box.height, grid.rows);
	const cell = column * grid.rows + row;
	return Math.min(cell, heatCell(grid, grid.slots - 1));
}

// A range without any sample has no frames to be shown.
function hasSamples([from, to]) {
	const { slot } = app.data.time;
	let low = 0, high = slot.length;
	while (low < high) {
		const middle = (low + high) >> 1;
		if (slot[middle] < from)
			low = middle + 1;
		else
			high = middle;
	}
	return low < slot.length && slot[low] < to;
}

function markRange() {
	const range = heatRange(timeline.grid, timeline.anchor, timeline.at);
	drawCursor();
	if (hasSamples(range))
		app.set({ range });
}

function startMarking(event) {
	if (event.button)
		return;
	timeline.isMarking = true;
	timeline.at = cellAt(event);
	if (!event.shiftKey)
		timeline.anchor = timeline.at;
	timeline.cells.setPointerCapture(event.pointerId);
	timeline.heat.focus({ preventScroll: true });
	previewMark();
	event.preventDefault();
}

// While the pointer moves only the mark follows; the frames do when it is let go.
function previewMark() {
	const range = heatRange(timeline.grid, timeline.anchor, timeline.at);
	drawMark(range);
	drawCursor();
	timeline.said.textContent = rangeText(range);
}

function moveMarking(event) {
	if (!timeline.isMarking)
		return;
	timeline.at = cellAt(event);
	previewMark();
}

function endMarking() {
	if (!timeline.isMarking)
		return;
	timeline.isMarking = false;
	markRange();
	drawMark(app.state.range);
	sayRange();
}

const TIMELINE_MOVES = {
	ArrowLeft: (grid) => -grid.rows, ArrowRight: (grid) => grid.rows,
	ArrowUp: () => 1, ArrowDown: () => -1,
	Home: () => -Infinity, End: () => Infinity,
};

function onTimelineKey(event) {
	const { grid } = timeline;
	const isChord = event.ctrlKey || event.metaKey || event.altKey;
	if (!Object.hasOwn(TIMELINE_MOVES, event.key) || isChord)
		return;
	const last = heatCell(grid, grid.slots - 1);
	const to = timeline.at + TIMELINE_MOVES[event.key](grid);
	timeline.at = Math.max(0, Math.min(last, to));
	if (event.shiftKey) {
		previewMark();
		window.clearTimeout(timeline.timer);
		timeline.timer = window.setTimeout(endOfKeys, TIMELINE_WAIT_MS);
	} else {
		timeline.anchor = timeline.at;
	}
	drawCursor();
	event.preventDefault();
	event.stopPropagation();
}

function endOfKeys() {
	markRange();
	drawMark(app.state.range);
	sayRange();
}

// --- start ---------------------------------------------------------------------------------------

function addHeatLegend() {
	const legend = svgElement("svg", { width: HEAT_SHADES * 10, height: 10,
		"aria-hidden": "true" });
	for (let i = 1; i <= HEAT_SHADES; i++)
		legend.append(svgElement("rect", { class: "shade", x: (i - 1) * 10, width: 10,
			height: 10, "fill-opacity": shadeOpacity(i) }));
	const group = htmlElement("span", { class: "scale heat" });
	group.append(htmlElement("span", {}, "0"), legend, htmlElement("span", {}));
	return group;
}

// Steps that look alike: from what is just seen to the full colour.
function shadeOpacity(shade) {
	return (0.1 + 0.9 * ((shade - 1) / (HEAT_SHADES - 1)) ** 1.3).toFixed(3);
}

function addTimelineHead(pane) {
	const head = htmlElement("div", { class: "ui heatbar" });
	timeline.box = svgElement("foreignObject", { height: TIMELINE_HEAD, width: 100 });
	timeline.said = htmlElement("span", { class: "said" });
	timeline.legend = addHeatLegend();
	timeline.all = newButton("All time", "Show the frames of all time",
		() => app.set({ range: null }));
	head.append(timeline.said, timeline.legend, timeline.all);
	timeline.box.append(head);
	pane.g.append(timeline.box);
}

function addCells(pane) {
	timeline.heat = svgElement("g", { class: "heat", tabindex: 0, role: "application",
		"aria-roledescription": "heat map", transform: `translate(0 ${TIMELINE_HEAD})` });
	timeline.cells = svgElement("g", { class: "cells" });
	timeline.ground = svgElement("rect", { class: "ground" });
	timeline.shades = Array.from({ length: HEAT_SHADES }, (none, i) => svgElement("path", {
		class: "shade", "fill-opacity": shadeOpacity(i + 1) }));
	timeline.mark = svgElement("path", { class: "mark" });
	timeline.cursor = svgElement("rect", { class: "cursor" });
	timeline.axis = svgElement("g", { "aria-hidden": "true" });
	timeline.cells.append(timeline.ground, ...timeline.shades, timeline.mark, timeline.cursor);
	timeline.heat.append(timeline.cells, timeline.axis);
	pane.g.append(timeline.heat);
}

function startTimeline() {
	const { time } = app.data;
	if (!time || !time.slot.length)
		return;
	timeline.height = timelineHeight();
	timeline.pane = addPane("above", TIMELINE_HEAD + timeline.height + TIMELINE_AXIS);
	addTimelineHead(timeline.pane);
	addCells(timeline.pane);
	timeline.pane.onPlace(({ width }) => {
		timeline.width = width;
		timeline.box.setAttribute("width", width);
		drawTimeline();
	});
	timeline.heat.addEventListener("keydown", onTimelineKey);
	timeline.cells.addEventListener("pointerdown", startMarking);
	timeline.cells.addEventListener("pointermove", moveMarking);
	timeline.cells.addEventListener("pointerup", endMarking);
	timeline.cells.addEventListener("pointercancel", endMarking);
	app.onChange((changed) => {
		if (!timeline.grid || timeline.isMarking)
			return;
		if (changed.has("range"))
			drawMark(app.state.range);
		sayRange();
	});
}
