// SPDX-License-Identifier: BSD-2-Clause
// picture: the page of the picture: heading with controls, panes of others, frames, and the bar
// below with what the pointer is on. It takes the place of the static drawing, whose measures it
// reads, and is drawn anew for each change of the state, from the data and not from the drawing.

const PICTURE_MIN_WIDTH = 300, PICTURE_ASIDE_LEAST = 200; // pixels
const PICTURE_ASIDE_SHARE = 0.35; // of a window that is too narrow for that

const picture = {
	drawing: null, labels: null,
	width: 0, inner: 0, top: 0, height: 0, rows: 0, // pixels; rows: how many there is room for
	margin: 10, rowHeight: 17, barHeight: 52, indent: 3, baseline: 12,
	head: null, bar: null, details: null, atRest: "",
	fitted: [], // {text, words, labels}: lines that may be too long for the window
	tools: null, // {element, box}: HTML in the heading
	panes: { above: [], aside: [] },
	isReady: false, // all is there that is to be drawn
	current: null, // box that has the keyboard: {node, depth, index}
	view: null,
};

// Measures of the static drawing, in pixels.
function readMeasures() {
	const number = (name, otherwise) => {
		const value = parseFloat(app.svg.getAttribute("data-" + name));
		return Number.isFinite(value) ? value : otherwise;
	};
	for (const [key, name] of [["margin", "margin"], ["rowHeight", "row"], ["barHeight", "bar"],
		["indent", "indent"], ["baseline", "baseline"]])
		picture[key] = number(name, picture[key]);
	picture.headHeight = number("top", 38);
	picture.boxHeight = number("box", picture.rowHeight - 1);
	picture.minWidth = number("minwidth", 0.1);
	picture.width = parseFloat(app.svg.getAttribute("width")) || 1200;
	picture.staticHeight = parseFloat(app.svg.getAttribute("height")) || 0;
}

function viewHeight() {
	return document.documentElement.clientHeight || window.innerHeight;
}

// --- panes of others -----------------------------------------------------------------------------

// A place beside the frames ("aside") or between the controls and them ("above"). size: pixels,
// 0 hides it. Returns {g, setSize(size), onPlace(f)}: f({width, height}) is called when it is
// placed anew; g is a group of SVG whose origin is the place's upper left corner.
function addPane(where, size) {
	const pane = { g: svgElement("g", { class: "pane" }), size, where, listeners: [] };
	picture.panes[where].push(pane);
	app.svg.append(pane.g);
	return {
		g: pane.g,
		setSize(pixels) {
			if (pane.size === pixels)
				return;
			pane.size = pixels;
			layOut();
		},
		onPlace(f) {
			pane.listeners.push(f);
		},
	};
}

function paneSum(where) {
	return picture.panes[where].reduce((sum, pane) => sum + pane.size, 0);
}

function placePane(pane, x, y, width, height) {
	pane.g.setAttribute("transform", `translate(${x} ${y})`);
	pane.g.setAttribute("display", pane.size ? "inline" : "none");
	if (pane.size && (pane.width !== width || pane.height !== height)) {
		pane.width = width;
		pane.height = height;
		for (const f of pane.listeners)
			f({ width, height });
	}
}

// --- layout of the page --------------------------------------------------------------------------

function rowY(depth) {
	const row = app.state.icicle ? depth : picture.rows - 1 - depth;
	return picture.top + row * picture.rowHeight;
}

// Beside a table the frames must stay wide enough to be read.
function asideWidth() {
	const least = Math.min(PICTURE_ASIDE_LEAST, PICTURE_ASIDE_SHARE * picture.width);
	const most = picture.width - 2 * picture.margin - least;
	return Math.max(0, Math.min(paneSum("aside"), most));
}

function setHeight() {
	const content = picture.top + picture.rows * picture.rowHeight + picture.barHeight;
	picture.contentHeight = content;
	picture.height = Math.max(content, app.alone ? viewHeight() : picture.staticHeight);
	if (picture.paper)
		picture.paper.setAttribute("height", picture.height);
	setAttributes(app.svg, {
		width: picture.width, height: picture.height,
		viewBox: `0 0 ${picture.width} ${picture.height}`,
	});
}

// Heading, panes and bar stay in sight when the picture is taller than the window.
function stick() {
	const up = app.alone ? Math.max(0, Math.min(window.scrollY,
		picture.height - viewHeight())) : 0;
	const seen = app.alone ? viewHeight() : picture.height;
	const down = Math.min(picture.contentHeight, up + seen) - picture.barHeight;
	let y = up + picture.top - picture.below - paneSum("above");
	picture.head.setAttribute("transform", `translate(0 ${up})`);
	picture.bar.setAttribute("transform", `translate(0 ${down})`);
	for (const pane of picture.panes.above) {
		placePane(pane, picture.margin, y, picture.width - 2 * picture.margin, pane.size);
		y += pane.size;
	}
	let x = picture.width - picture.margin - asideWidth();
	for (const pane of picture.panes.aside) {
		placePane(pane, x + picture.margin, up + picture.top,
			Math.min(pane.size, asideWidth()) - picture.margin,
			Math.max(0, seen - picture.top - picture.barHeight));
		x += pane.size;
	}
}

function placeHead() {
	const { tools, head } = picture;
	for (const text of head.querySelectorAll("text"))
		text.setAttribute("x", picture.width / 2);
	tools.box.setAttribute("width", picture.width);
	tools.box.setAttribute("height", 1000);
	const height = tools.element.offsetHeight || 50;
	tools.box.setAttribute("height", height);
	picture.below = 4;
	picture.top = picture.headHeight - 6 + height + paneSum("above") + picture.below;
	const paper = head.querySelector(".paper");
	if (paper)
		paper.setAttribute("height", picture.top);
}

function fitLines() {
	for (const { text, words, labels } of picture.fitted) {
		const said = labels.fit(words, picture.width - 2 * picture.margin);
		if (text.textContent !== said)
			text.textContent = said;
	}
}

function placeBar() {
	const legend = picture.bar.querySelector(".legend");
	if (!legend)
		return;
	const fits = legend.getBBox().width <= picture.width - 2 * picture.margin;
	legend.setAttribute("display", fits ? "inline" : "none");
}

function measureWidth() {
	if (app.alone && app.svg.hasAttribute("data-fluid"))
		picture.width = Math.max(PICTURE_MIN_WIDTH,
			document.documentElement.clientWidth || window.innerWidth);
}

// Everything anew: the window has another size, or a pane has.
function layOut() {
	if (!picture.isReady)
		return;
	measureWidth();
	app.svg.setAttribute("width", picture.width);
	picture.inner = picture.width - 2 * picture.margin - asideWidth();
	fitLines();
	placeHead();
	placeBar();
	updateCrumbs();
	drawFrames();
	showDetails(null);
}

// --- frames --------------------------------------------------------------------------------------

function colorOf(box) {
	const { data, tree } = picture.view, frame = tree.frame[box.node];
	if (box.hidden || tree.rest[box.node])
		return isDelta(data) ? DELTA_PRUNED : data.frameColor[0] || "#d9d9de";
	return isDelta(data) ? deltaColor(data, tree, box.node, picture.view.isCallers) :
		data.frameColor[frame];
}

// Of what changed only through what it calls.
function outlineOf(box) {
	const { data, tree, isCallers } = picture.view;
	return isDelta(data) && !box.hidden && box.w >= BOX_GAP_FROM ?
		deltaOutline(data, tree, box.node, isCallers) : null;
}

function drawFrames() {
	const { data, tree, zoomed, whole, state } = app;
	const inPlace = Boolean(data.header.chart) && !state.callers && state.sort === "name";
	const boxes = boxesOf(tree, zoomed, picture.inner, nodeWeights(data, tree), app.found,
		inPlace);
	const view = picture.view = { data, tree, zoomed, whole, boxes, isCallers: state.callers,
		colorOf, outlineOf };
	const rows = boxes.length ? boxes[boxes.length - 1].depth + 1 : 1;
	const grown = zoomed ? Math.max(0, rows - picture.rows) : 0;
	picture.rows = zoomed ? Math.max(rows, picture.rows) : rows;
	const { group } = picture.drawing, hadFocus = group.contains(document.activeElement);
	group.classList.toggle("searched", app.found !== null);
	picture.drawing.draw(view, boxes, picture.margin, rowY);
	setHeight();
	// The root's row, at the bottom, must not run away from the pointer.
	if (grown && app.alone && !state.icicle)
		window.scrollBy(0, grown * picture.rowHeight);
	stick();
	findCurrent(boxes);
	if (hadFocus && picture.current)
		picture.current.g.focus({ preventScroll: true });
}

// The same frame keeps the keyboard, or else what is zoomed.
function findCurrent(boxes) {
	const node = picture.current ? picture.current.node : -1;
	if (picture.current && picture.current.g)
		picture.current.g.classList.remove("current");
	const box = boxes.find((b) => b.node === node && !b.hidden) ||
		boxes.find((b) => b.node === app.zoomed && !b.hidden) || boxes[0];
	picture.current = box || null;
	for (const b of boxes)
		b.g.setAttribute("tabindex", b === box ? "0" : "-1");
}

// --- details -------------------------------------------------------------------------------------

// At rest: what is zoomed, or what all of it is, or all of a range of time.
function detailsText(box, room) {
	const { labels, view, atRest } = picture;
	if (!box)
		return labels.fit(atRest, room);
	const said = describeBox(view, box), name = said.name + (said.where ? ` (${said.where})` : "");
	const amounts = ` \u2014 ${said.lines.join("; ")}`, left = room - labels.width(amounts);
	return left > 150 ? labels.fit(name, left) + amounts : labels.fit(name + amounts, room);
}

function showDetails(box) {
	const { details, drawing, view, width, margin } = picture;
	const rest = view.zoomed || app.state.range ?
		view.boxes.find((b) => !b.hidden && b.node === view.zoomed) : null;
	const text = detailsText(box || rest, width - 2 * margin);
	if (box)
		drawing.write(box);
	if (details.textContent !== text)
		details.textContent = text;
}

// --- focus ---------------------------------------------------------------------------------------

// The row must be between heading and bar.
function reveal(box) {
	const y = rowY(box.depth), seen = viewHeight();
	const isCovered = y < window.scrollY + picture.top ||
		y + picture.rowHeight > window.scrollY + seen - picture.barHeight;
	if (app.alone && isCovered)
		window.scrollTo(0, y - (seen + picture.top - picture.barHeight) / 2);
}

function toRoot() {
	if (app.alone)
		window.scrollTo(0, app.state.icicle ? 0 : picture.height);
	stick();
}

// One frame at a time is a stop of the Tab key; arrows lead to the others. While a search is typed
// the field keeps the keyboard and the frame is only marked.
function focusBox(box, keepsFocus) {
	if (!box)
		return;
	if (picture.current && picture.current.g) {
		picture.current.g.setAttribute("tabindex", "-1");
		picture.current.g.classList.remove("current");
	}
	picture.current = box;
	picture.drawing.write(box);
	box.g.setAttribute("tabindex", "0");
	if (keepsFocus)
		box.g.classList.add("current");
	else
		box.g.focus({ preventScroll: true });
	reveal(box);
	showDetails(box);
}

// A frame's own click, or Enter on it. What stands for many opens what it is in, or the widest.
function zoomInto(box) {
	const { drawing } = picture;
	if (!box.hidden)
		return app.zoom(box.node);
	if (box.node !== app.zoomed)
		return app.zoom(box.node);
	const shown = new Set(drawing.boxes().filter((b) => !b.hidden).map((b) => b.node));
	app.zoom(widestHidden(app.tree, nodeWeights(app.data, app.tree), box.node, shown));
}

function listenToFrames() {
	const { group, boxAt } = picture.drawing;
	group.addEventListener("click", (event) => {
		const box = boxAt(event.target);
		if (!box)
			return;
		focusBox(box, false);
		zoomInto(box);
	});
	group.addEventListener("mouseover", (event) => showDetails(boxAt(event.target)));
	group.addEventListener("mouseleave", () => showDetails(null));
	group.addEventListener("focusin", (event) => {
		const box = boxAt(event.target);
		if (box)
			focusBox(box, true);
	});
	if (!app.alone)
		return;
	window.addEventListener("scroll", stick, { passive: true });
	window.addEventListener("resize", layOut);
}

// --- start ---------------------------------------------------------------------------------------

// The static frames go, a group for those of the script comes in their place.
function takeOver() {
	const { svg } = app, group = svgElement("g", {});
	const old = [...svg.querySelectorAll("g.rows,g.pane-names")];
	picture.paper = svg.querySelector(".paper");
	picture.head = svg.querySelector(".head");
	picture.bar = svg.querySelector(".bar");
	picture.details = picture.bar.querySelector(".details");
	picture.atRest = picture.details.textContent;
	old[0].before(group);
	for (const g of old)
		g.remove();
	return group;
}

function labelsOf(text) {
	const { fontSize, fontFamily } = getComputedStyle(text);
	return newLabels(`${fontSize} ${fontFamily}`);
}

function startPicture() {
	readMeasures();
	const group = takeOver();
	group.setAttribute("aria-label", "Call tree: arrow keys lead from frame to frame");
	addStyle(app.svg, [], []);
	picture.labels = labelsOf(picture.details);
	picture.fitted = [...picture.head.querySelectorAll("text"),
		...picture.bar.querySelectorAll("text.faint")].map((text) => ({ text,
		words: text.textContent, labels: labelsOf(text) }));
	picture.drawing = newDrawing(group, picture);
	picture.tools = addTools();
	app.onChange((changed) => {
		if (!picture.isReady)
			return;
		updateTools();
		placeHead();
		drawFrames();
		showDetails(null);
		if (changed.has("icicle") || changed.has("callers"))
			toRoot();
	});
}
