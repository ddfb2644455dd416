// SPDX-License-Identifier: BSD-2-Clause
// flame: what the picture does where scripts may run: zoom, search, flip, keyboard. All it knows is
// read from the drawing, and names only ever become text nodes. The state is kept in the address
// (#zoom=12&search=alloc&icicle=1), so that a view can be sent to somebody.
(() => {
"use strict";
const SVG = "http://www.w3.org/2000/svg", XHTML = "http://www.w3.org/1999/xhtml";
const script = document.currentScript;
const svg = (script && script.closest("svg")) || document.documentElement;
const alone = svg === document.documentElement;
const number = (name) => +svg.getAttribute("data-" + name);
const margin = number("margin"), indent = number("indent"), rowHeight = number("row");
const top = number("top"), barHeight = number("bar"), baseline = number("baseline");
const height = +svg.getAttribute("height");
const rows = [...svg.querySelectorAll(".row")];
const area = svg.querySelector(".rows"), head = svg.querySelector(".head");
const bar = svg.querySelector(".bar");
const detailsText = bar.querySelector(".details"), legend = bar.querySelector(".legend");
const atRest = detailsText.textContent;

let width = +svg.getAttribute("width"), inner = width - 2 * margin;
let icicle = svg.hasAttribute("data-icicle");
let zoomed, focused; // frames
let pattern = "", matched = null; // matched: what the search found, null if there is none
let input, output, reset; // controls

// --- the frames: one object for each box of the drawing, row by row, left to right -------------

const frames = [], rowStart = [], frameOf = new Map();

function readFrames() {
	rows.forEach((row, depth) => {
		rowStart.push(frames.length);
		let above = depth ? rowStart[depth - 1] : -1;
		for (const g of row.children) {
			const x = +g.getAttribute("data-x"), w = +g.getAttribute("data-w");
			while (depth && frames[above].x + frames[above].w <= x)
				above++;
			const lines = g.querySelector("title").textContent.split("\n");
			const frame = {
				index: frames.length, g, depth, x, w,
				rect: g.querySelector("rect"), text: g.querySelector("text"),
				parent: depth ? frames[above] : null,
				name: lines[0], where: lines.length > 2 ? lines[1] : "",
				amount: lines[lines.length - 1],
				few: g.classList.contains("few"),
				shown: true, hit: false,
			};
			frameOf.set(g, frame);
			frames.push(frame);
		}
	});
	rowStart.push(frames.length);
	zoomed = frames[0];
}

// --- drawing -----------------------------------------------------------------------------------

const canvas = document.createElementNS(XHTML, "canvas").getContext("2d");
const charWidths = new Map();

function charWidth(c) {
	let w = charWidths.get(c);
	if (w === undefined) {
		w = canvas ? canvas.measureText(c).width : 9;
		charWidths.set(c, w);
	}
	return w;
}

// As much of the text as there is room for; from its end if 'tail'.
function fit(text, room, tail) {
	const dots = charWidth("\u2026");
	const chars = tail ? [...text].reverse() : text;
	let used = 0, kept = "";
	if (room < 12)
		return "";
	for (const c of chars) {
		used += charWidth(c);
		if (used > room) {
			kept = [...kept];
			while (kept.length && used - charWidth(c) + dots > room)
				used -= charWidth(kept.pop());
			if (kept.length < 3)
				return "";
			return tail ? "\u2026" + kept.reverse().join("") : kept.join("") + "\u2026";
		}
		kept += c;
	}
	return text;
}

function show(frame, left, w) {
	const x = margin + left;
	frame.shown = true;
	frame.g.removeAttribute("display");
	frame.rect.setAttribute("x", x.toFixed(2));
	frame.rect.setAttribute("width", (w >= 3 ? w - 0.5 : w).toFixed(2));
	const label = fit(frame.name, w - 2 * indent, false);
	if (!frame.text) {
		if (!label)
			return;
		frame.text = document.createElementNS(SVG, "text");
		frame.text.setAttribute("y", baseline);
		frame.g.append(frame.text);
	}
	frame.text.setAttribute("x", (x + indent).toFixed(2));
	if (frame.text.textContent !== label)
		frame.text.textContent = label;
}

function draw() {
	const scale = inner / zoomed.w;
	for (const frame of frames) {
		const above = frame.depth < zoomed.depth;
		const end = frame.x + frame.w;
		const w = above ? inner : frame.w * scale;
		if (end <= zoomed.x || frame.x >= zoomed.x + zoomed.w || w < 0.03) {
			frame.shown = false;
			frame.g.setAttribute("display", "none");
			continue;
		}
		frame.g.classList.toggle("above", above);
		show(frame, above ? 0 : (frame.x - zoomed.x) * scale, w);
	}
}

function placeRows() {
	rows.forEach((row, depth) => {
		const y = top + (icicle ? depth : rows.length - 1 - depth) * rowHeight;
		row.setAttribute("transform", `translate(0 ${y})`);
	});
}

// Heading and bar stay in sight when the picture is taller than the window.
function stick() {
	const view = document.documentElement.clientHeight || window.innerHeight;
	if (!alone)
		return;
	const up = Math.max(0, Math.min(window.scrollY, height - view));
	const down = Math.min(height, up + view) - barHeight;
	head.setAttribute("transform", `translate(0 ${up})`);
	bar.setAttribute("transform", `translate(0 ${down})`);
}

function toRoot() {
	if (alone)
		window.scrollTo(0, icicle ? 0 : height);
	stick();
}

function resize() {
	const box = bar.querySelector("foreignObject");
	if (alone && svg.hasAttribute("data-fluid")) {
		width = Math.max(300, document.documentElement.clientWidth || window.innerWidth);
		inner = width - 2 * margin;
		svg.setAttribute("width", width);
		svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
		for (const text of svg.querySelectorAll(".head text"))
			text.setAttribute("x", width / 2);
	}
	const legendWidth = legend.getBBox().width;
	const beside = inner - legendWidth > 420;
	legend.setAttribute("display", beside ? "inline" : "none");
	const room = beside ? inner - legendWidth - 20 : inner;
	box.setAttribute("x", width - margin - room);
	box.setAttribute("width", room);
	draw();
	stick();
	details(null);
}

// --- details -------------------------------------------------------------------------------------

function percent(part, whole) {
	const share = whole ? 100 * part / whole : 0;
	return share > 0 && share < 0.005 ? "< 0.01%" : share.toFixed(2) + "%";
}

function path(frame) {
	const names = [];
	for (let f = frame; f; f = f.parent)
		names.unshift(f.name);
	return names.join(" \u203a ");
}

function details(frame) {
	let text = atRest;
	if (frame) {
		const name = frame.name + (frame.where ? ` (${frame.where})` : "");
		let room = inner;
		text = ` \u2014 ${frame.amount}`;
		if (frame.parent && frame.parent !== frames[0])
			text += `, ${percent(frame.w, frame.parent.w)} of its caller`;
		if (zoomed !== frames[0] && frame.depth > zoomed.depth)
			text += `, ${percent(frame.w, zoomed.w)} of the zoomed`;
		for (const c of text)
			room -= charWidth(c);
		text = room > 150 ? fit(name, room, false) + text : fit(name + text, inner, false);
	} else if (zoomed !== frames[0]) {
		text = fit(`${path(zoomed)} \u2014 ${zoomed.amount}`, inner, true);
	}
	detailsText.textContent = text;
}

// --- zoom, flip, keyboard focus ------------------------------------------------------------------

function zoom(frame) {
	zoomed = frame;
	draw();
	details(null);
	report();
	keepState();
}

function flip() {
	icicle = !icicle;
	placeRows();
	toRoot();
	keepState();
}

function reveal(frame) {
	const y = top + (icicle ? frame.depth : rows.length - 1 - frame.depth) * rowHeight;
	const view = document.documentElement.clientHeight || window.innerHeight;
	const covered = y < window.scrollY + top ||
		y + rowHeight > window.scrollY + view - barHeight;
	if (alone && covered)
		window.scrollTo(0, y - view / 2);
}

// One frame at a time is a stop of the Tab key; arrows lead to the others. While a search is typed
// the field keeps the keyboard and the frame is only marked.
function focus(frame) {
	if (!frame)
		return;
	focused.g.setAttribute("tabindex", "-1");
	focused.g.classList.remove("current");
	focused = frame;
	frame.g.setAttribute("tabindex", "0");
	if (document.activeElement === input)
		frame.g.classList.add("current");
	else
		frame.g.focus({ preventScroll: true });
	reveal(frame);
	details(frame);
}

function beside(frame, step) {
	for (let i = frame.index + step; i >= rowStart[frame.depth] && i < rowStart[frame.depth + 1];
	     i += step)
		if (frames[i].shown)
			return frames[i];
	return null;
}

function widestChild(frame) {
	let widest = null;
	if (frame.depth + 1 >= rows.length)
		return null;
	for (let i = rowStart[frame.depth + 1]; i < rowStart[frame.depth + 2]; i++)
		if (frames[i].parent === frame && frames[i].shown && (!widest || frames[i].w > widest.w))
			widest = frames[i];
	return widest;
}

function nextHit(step) {
	let i = focused.index;
	for (let n = 0; n < frames.length; n++) {
		i = (i + step + frames.length) % frames.length;
		if (frames[i].hit && frames[i].shown)
			return focus(frames[i]);
	}
}

// --- search --------------------------------------------------------------------------------------

let hidden = null; // what pruned boxes hide: the format is described in hidden.h

function readHidden() {
	const lines = svg.querySelector(".hidden").textContent.split("\n");
	const n = +lines[0];
	let line = n + 1;
	hidden = { names: lines.slice(1, n + 1).map((text) => text.split("\t")), trees: new Map() };
	for (const frame of frames)
		if (frame.few)
			hidden.trees.set(frame, lines[line++]);
}

// What matching nodes and all below them come to in one pruned box.
function sumHidden(tree, hits) {
	let depth = 0, cover = -1, sum = 0;
	for (const [token, name, self] of tree.matchAll(/([0-9a-z]+)(?:\.([0-9a-z]+))?|[()]/g)) {
		if (token === "(") {
			depth++;
		} else if (token === ")") {
			depth--;
		} else {
			if (depth <= cover)
				cover = -1;
			if (cover < 0 && hits[parseInt(name, 36)])
				cover = depth;
			if (cover >= 0 && self)
				sum += parseInt(self, 36);
		}
	}
	return sum;
}

// A frame below a frame that matched adds nothing: what matches is counted once.
function find(expression) {
	if (!hidden)
		readHidden();
	const known = new Map();
	const test = (name, where) => {
		const key = name + "\t" + where;
		if (!known.has(key))
			known.set(key, expression.test(name) || expression.test(where));
		return known.get(key);
	};
	const hits = hidden.names.map(([name, where]) => test(name, where));
	for (const frame of frames) {
		const covered = frame.parent !== null && frame.parent.covered;
		frame.sum = 0; // newly found here
		frame.unknown = 0;
		if (frame.few) {
			const tree = hidden.trees.get(frame);
			frame.sum = tree === "?" ? 0 : sumHidden(tree, hits);
			frame.hit = frame.sum > 0;
			frame.unknown = tree === "?" && !covered ? frame.w : 0;
			if (covered)
				frame.sum = 0;
			frame.covered = covered;
		} else {
			frame.hit = test(frame.name, frame.where);
			frame.covered = covered || frame.hit;
			frame.sum = frame.hit && !covered ? frame.w : 0;
		}
	}
}

// Of all frames, or of those at and above the zoomed one.
function total(root) {
	let sum = 0, unknown = 0;
	if (root.parent && root.parent.covered)
		return { sum: root.w, unknown };
	for (const frame of frames) {
		if (frame.depth < root.depth || frame.x < root.x || frame.x >= root.x + root.w)
			continue;
		sum += frame.sum;
		unknown += frame.unknown;
	}
	return { sum, unknown };
}

function shareText({ sum, unknown }, whole) {
	const text = percent(sum, whole);
	return unknown ? `${text} to ${percent(sum + unknown, whole)}` : text;
}

function report() {
	let text = "";
	if (matched) {
		text = "Matched: " + shareText(total(frames[0]), frames[0].w);
		if (zoomed !== frames[0])
			text += ` (${shareText(total(zoomed), zoomed.w)} of the zoomed)`;
	}
	output.textContent = text;
	reset.disabled = !matched && zoomed === frames[0];
}

function search(text) {
	pattern = text;
	matched = null;
	input.setCustomValidity("");
	if (text) {
		try {
			// As in many tools: lower case means that case does not matter.
			const exact = /[A-Z]/.test(text.replace(/\\./g, ""));
			matched = new RegExp(text, exact ? "" : "i");
		} catch (error) {
			input.setCustomValidity("not a regular expression");
		}
	}
	if (matched)
		find(matched);
	for (const frame of frames)
		frame.g.classList.toggle("hit", matched !== null && frame.hit);
	area.classList.toggle("searched", matched !== null);
	report();
	keepState();
}

// --- state, controls, events -----------------------------------------------------------------------

function keepState() {
	const state = new URLSearchParams();
	if (!alone)
		return;
	if (zoomed !== frames[0])
		state.set("zoom", zoomed.index);
	if (pattern)
		state.set("search", pattern);
	if (icicle !== svg.hasAttribute("data-icicle"))
		state.set("icicle", icicle ? 1 : 0);
	try {
		history.replaceState(null, "", "#" + state);
	} catch (error) {
		// Some viewers have no history: the state is then not kept.
	}
}

function restoreState() {
	if (!alone)
		return;
	const state = new URLSearchParams(location.hash.slice(1));
	const index = +state.get("zoom"), text = state.get("search") || "";
	if (state.has("icicle"))
		icicle = state.get("icicle") === "1";
	if (Number.isInteger(index) && index > 0 && index < frames.length)
		zoomed = frames[index];
	if (text) {
		input.value = text;
		search(text);
	}
}

function resetAll() {
	input.value = "";
	input.blur();
	focused.g.classList.remove("current");
	zoomed = frames[0];
	search("");
	zoom(frames[0]);
}

function element(name, text, title) {
	const e = document.createElementNS(XHTML, name);
	if (text)
		e.textContent = text;
	e.title = title;
	return e;
}

function addTools() {
	const box = document.createElementNS(SVG, "foreignObject");
	const tools = element("div", "", "");
	const turn = element("button", "Flip", "Root at the top or at the bottom (i)");
	output = element("output", "", "Share of all that has a matching frame in its stack");
	reset = element("button", "Reset", "Show everything, search for nothing (Escape)");
	input = element("input", "", "Regular expression for functions and files; case matters if it " +
		"has a capital letter. Enter: next match, Shift-Enter: previous");
	input.placeholder = "Search (Ctrl-F)";
	input.setAttribute("aria-label", "Search");
	input.spellcheck = false;
	tools.className = "tools";
	tools.append(output, input, reset, turn);
	box.setAttribute("y", 26);
	box.setAttribute("height", 24);
	box.append(tools);
	bar.append(box);
	input.addEventListener("input", () => search(input.value));
	reset.addEventListener("click", resetAll);
	turn.addEventListener("click", flip);
}

const frameAt = (event) => {
	const g = event.target.closest && event.target.closest(".row > g");
	return (g && frameOf.get(g)) || null;
};

function onKey(event) {
	const typing = event.target === input;
	const current = focused.shown ? focused : zoomed;
	const inward = () => widestChild(current), outward = () => current.parent;
	if ((event.ctrlKey || event.metaKey) && event.key === "f" && !typing) {
		input.focus();
		input.select();
	} else if (event.ctrlKey || event.metaKey || event.altKey) {
		return;
	} else if (event.key === "Escape") {
		resetAll();
	} else if (typing) {
		if (event.key !== "Enter")
			return;
		nextHit(event.shiftKey ? -1 : 1);
	} else if (event.target.localName === "button") {
		return;
	} else if (event.key === "/") {
		input.focus();
	} else if (event.key === "n" || event.key === "N") {
		nextHit(event.key === "n" ? 1 : -1);
	} else if (event.key === "i") {
		flip();
	} else if (event.key === "Enter" || event.key === " ") {
		zoom(current);
	} else if (event.key === "ArrowUp") {
		focus(icicle ? outward() : inward());
	} else if (event.key === "ArrowDown") {
		focus(icicle ? inward() : outward());
	} else if (event.key === "ArrowLeft") {
		focus(beside(current, -1));
	} else if (event.key === "ArrowRight") {
		focus(beside(current, 1));
	} else {
		return;
	}
	event.preventDefault();
}

function listen() {
	area.addEventListener("click", (event) => {
		const frame = frameAt(event);
		if (!frame)
			return;
		input.blur();
		focus(frame);
		zoom(frame);
	});
	area.addEventListener("mouseover", (event) => details(frameAt(event)));
	area.addEventListener("mouseleave", () => details(null));
	area.addEventListener("focusin", (event) => {
		focused = frameAt(event) || focused;
		details(focused);
	});
	(alone ? window : svg).addEventListener("keydown", onKey);
	if (!alone)
		return;
	window.addEventListener("scroll", stick, { passive: true });
	window.addEventListener("resize", resize);
}

readFrames();
if (canvas)
	canvas.font = getComputedStyle(detailsText).fontSize + " " +
		getComputedStyle(detailsText).fontFamily;
addTools();
focused = frames[0];
focused.g.setAttribute("tabindex", "0");
restoreState();
placeRows();
resize();
toRoot();
report();
listen();
})();
