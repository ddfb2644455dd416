// SPDX-License-Identifier: BSD-2-Clause
// sandwich: one function between all who call it, above, and all that it calls, below. It stands
// between the controls and the frames, and is scrolled by itself: both sides may be deep.

const SANDWICH_HEAD = 26, SANDWICH_GAP = 8; // pixels
const SANDWICH_SHARE = 0.42; // of the window, at most

const BETWEEN_KEYS = ["range", "merge", "sort", "search", "matchCase"]; // that it depends on

const SANDWICH_STYLE = [
	[".between", "height:100%;display:flex;flex-direction:column"],
	[".between .about", "display:flex;align-items:center;gap:6px;height:26px;flex:none;" +
		"white-space:nowrap"],
	[".between .said", "flex:0 1 auto;overflow:hidden;text-overflow:ellipsis"],
	[".between .said b", "font-size:12px"],
	[".between .scrolled", "overflow-y:auto;overflow-x:hidden;flex:1 1 auto;min-height:0;" +
		"border:1px solid #d4d4da;border-radius:4px"],
	[".between svg", "display:block"],
	[".between .rows text", "pointer-events:none;white-space:pre"],
];

const SANDWICH_STYLE_DARK = [
	[".between .scrolled", "border-color:#44444d"],
];

const between = {
	pane: null, box: null, said: null, scrolled: null, svg: null,
	up: null, down: null, // drawings
	frame: -1, width: 0, rows: 0, middle: 0, // pixels but for 'rows'
	isPlaced: false,
	trees: null, key: "", // sandwich() as it was asked for
};

// What is above and below of what is chosen now: computed anew if anything of it has changed.
function betweenTrees() {
	const { range, merge, sort, function: id } = app.state;
	const key = JSON.stringify([range, merge, sort, id]);
	if (key !== between.key)
		between.trees = sandwich(app.data, between.frame, { range, merge, sort });
	between.key = key;
	return between.trees;
}

function betweenView(tree, isCallers) {
	const { data } = app;
	const view = { data, tree, zoomed: 0, whole: app.whole, isCallers };
	view.colorOf = (box) => {
		if (box.hidden || (box.node && tree.rest[box.node]))
			return isDelta(data) ? DELTA_PRUNED : data.frameColor[0] || "#d9d9de";
		return isDelta(data) ? deltaColor(data, tree, box.node, isCallers) :
			data.frameColor[tree.frame[box.node]];
	};
	return view;
}

function betweenBoxes(tree) {
	const found = app.hitByFrame ? search(app.data, tree, app.hitByFrame, 0) : null;
	return boxesOf(tree, 0, between.width - 12, nodeWeights(app.data, tree), found);
}

function drawBetween() {
	const { callers, callees } = betweenTrees(), { rowHeight } = picture;
	const above = betweenBoxes(callers);
	const below = betweenBoxes(callees).filter((box) => box.depth);
	const last = (boxes) => boxes.length ? boxes[boxes.length - 1].depth : 0;
	const middle = last(above) * rowHeight + 1;
	between.rows = last(above) + last(below) + 1;
	between.middle = middle;
	between.up.draw(betweenView(callers, true), above, 0,
		(depth) => middle - depth * rowHeight);
	between.down.draw(betweenView(callees, false), below, 0,
		(depth) => middle + depth * rowHeight);
	for (const box of above.concat(below))
		box.g.setAttribute("tabindex", "-1");
	setAttributes(between.svg, { width: Math.max(1, between.width - 12),
		height: between.rows * rowHeight + 2 });
}

function sayBetween() {
	const { data, whole } = app, { callers } = between.trees, amount = callers.total[0];
	const name = data.names[between.frame] || "[empty]";
	const where = frameWhere(data, between.frame);
	const [before, after] = deltaScales(data);
	const amounts = isDelta(data) ?
		sidesText(data, callers.totalBefore[0] * before, amount * after) :
		`${amountText(data, amount)}, ${formatShare(amount, whole)} of all`;
	between.said.replaceChildren(htmlElement("b", {}, name), document.createTextNode(
		`${where && ` (${where})`} \u2014 ${amounts}: callers above, callees below`));
	between.said.title = between.said.textContent;
}

// As much of the window as both sides need, but never all of it.
function betweenHeight() {
	const most = Math.max(120, Math.floor(viewHeight() * SANDWICH_SHARE));
	const wants = SANDWICH_HEAD + between.rows * picture.rowHeight + 6;
	return Math.min(most, wants) + SANDWICH_GAP;
}

function showMiddle() {
	const { scrolled, middle } = between;
	scrolled.scrollTop = middle - (scrolled.clientHeight - picture.rowHeight) / 2;
}

function showBetween(changed) {
	const { state, data } = app, wasShown = between.frame >= 0;
	const frame = state.function ? findFunction(data, state.function) : -1;
	const isOther = frame !== between.frame;
	between.frame = frame;
	if (frame < 0) {
		between.pane.setSize(0);
	} else if (isOther || BETWEEN_KEYS.some((key) => changed.has(key))) {
		// How high its place must be is only known when it is drawn: as wide as it will be.
		measureWidth();
		between.width = picture.width - 2 * picture.margin;
		drawBetween();
		sayBetween();
		between.pane.setSize(betweenHeight());
	}
	if (isOther && frame >= 0)
		showMiddle();
	// The frames have another place now. An address may say so before they have any.
	if (picture.isReady && wasShown !== frame >= 0)
		toRoot();
}

function placeBetween({ width, height }) {
	const isFirst = !between.isPlaced;
	between.width = width;
	setAttributes(between.box, { width, height: height - SANDWICH_GAP });
	if (between.frame < 0)
		return;
	drawBetween();
	sayBetween();
	between.isPlaced = true;
	if (isFirst)
		showMiddle();
}

// A click on a frame puts its function in the middle.
function chooseFunction(drawing, event) {
	const box = drawing.boxAt(event.target), { data } = app;
	if (!box || box.hidden)
		return;
	const frame = between.trees[drawing === between.up ? "callers" : "callees"].frame[box.node];
	if (frame)
		app.set({ function: functionId(data, frame) });
}

function newBetweenDrawing(label) {
	const group = svgElement("g", { "aria-label": label });
	const drawing = newDrawing(group, picture);
	between.svg.append(group);
	group.addEventListener("click", (event) => chooseFunction(drawing, event));
	return drawing;
}

// The function of the frame that is chosen, from the keyboard.
function chooseCurrent() {
	const box = picture.current, frame = box && !box.hidden ? app.tree.frame[box.node] : 0;
	if (frame)
		app.set({ function: functionId(app.data, frame) });
}

function startSandwich() {
	const element = htmlElement("div", { class: "ui between" });
	const about = htmlElement("div", { class: "about" });
	between.pane = addPane("above", 0);
	between.box = svgElement("foreignObject", { width: 100, height: 100 });
	between.said = htmlElement("span", { class: "said", role: "status" });
	between.scrolled = htmlElement("div", { class: "scrolled", tabindex: "0", role: "region",
		"aria-label": "Callers and callees" });
	// Labels are measured in the font of the picture's.
	const { fontSize, fontFamily } = getComputedStyle(picture.details);
	between.svg = svgElement("svg", { "font-size": fontSize, "font-family": fontFamily });
	about.append(between.said, newButton("Search", "Search for this function", () =>
		app.set({ search: exactPattern(app.data.names[between.frame]), matchCase: true })),
	newButton("\u00d7", "Close callers and callees", () => app.set({ function: "" })));
	between.scrolled.append(between.svg);
	element.append(about, between.scrolled);
	between.box.append(element);
	between.pane.g.append(between.box);
	between.up = newBetweenDrawing("Callers");
	between.down = newBetweenDrawing("Callees");
	between.pane.onPlace(placeBetween);
	addKey("f", "Callers and callees of the frame's function", chooseCurrent);
	app.onChange(showBetween);
}
