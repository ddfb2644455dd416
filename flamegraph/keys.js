// SPDX-License-Identifier: BSD-2-Clause
// keys: the keyboard. All that it does there is a control for, too.

const KEYS_HELP = [
	["Click, Enter", "zoom into a frame; the root shows all again"],
	["Backspace", "back to the view before"],
	["Escape", "show everything, search for nothing"],
	["\u2190 \u2191 \u2193 \u2192", "to the frame beside, to its caller, to what it calls most"],
	["Home, End", "to the first and last frame of the row"],
	["/, Ctrl-F", "search for functions and files by a regular expression"],
	["n, N", "to the next and previous match (in the field: Enter, Shift-Enter)"],
	["i", "root at the top or at the bottom"],
	["r", "callers: stacks from the function that ran on, up to who called it"],
	["m", "merge recursion: a function within itself is one frame"],
	["s", "sort by weight or by name"],
	["c", "copy the stack"],
	["?", "this help"],
];

function moveBeside(box, step) {
	const row = picture.drawing.rowOf(box.depth);
	return row[row.indexOf(box) + step] || null;
}

function moveInward(box) {
	let widest = null;
	for (const b of picture.drawing.rowOf(box.depth + 1))
		if (b.parent === box && (!widest || b.w > widest.w))
			widest = b;
	return widest;
}

function moveToEnd(box, isLast) {
	const row = picture.drawing.rowOf(box.depth);
	return row[isLast ? row.length - 1 : 0];
}

// To the next box that matches, round and round; the field keeps the keyboard if it has it.
function moveToHit(step) {
	const boxes = picture.drawing.boxes();
	let i = picture.current ? picture.current.index : 0;
	for (let n = 0; n < boxes.length; n++) {
		i = (i + step + boxes.length) % boxes.length;
		if (boxes[i].hit && !boxes[i].above)
			return focusBox(boxes[i], document.activeElement !== picture.current.g);
	}
}

const KEY_ACTS = {
	"/": () => focusSearch(),
	n: () => moveToHit(1),
	N: () => moveToHit(-1),
	i: () => app.set({ icicle: !app.state.icicle }),
	r: () => app.set({ callers: !app.state.callers }),
	m: () => app.set({ merge: !app.state.merge }),
	s: () => app.set({ sort: app.state.sort === "weight" ? "name" : "weight" }),
	c: () => copyStack(),
	"?": () => toggleHelp(),
	Backspace: () => app.back(),
};

// In the frames only: in a field, a table or on a button these keys have a meaning of their own.
const KEY_MOVES = {
	ArrowUp: (box) => focusBox(app.state.icicle ? box.parent : moveInward(box)),
	ArrowDown: (box) => focusBox(app.state.icicle ? moveInward(box) : box.parent),
	ArrowLeft: (box) => focusBox(moveBeside(box, -1)),
	ArrowRight: (box) => focusBox(moveBeside(box, 1)),
	Home: (box) => focusBox(moveToEnd(box, false)),
	End: (box) => focusBox(moveToEnd(box, true)),
	Enter: (box) => zoomInto(box),
	" ": (box) => zoomInto(box),
};

function onKey(event) {
	const { target, key } = event;
	const isField = /^(input|textarea|select)$/.test(target.localName || "");
	const isElsewhere = target.closest && target.closest(".ui,.pane") !== null;
	const isChord = event.ctrlKey || event.metaKey || event.altKey;
	if (event.defaultPrevented)
		return;
	if ((event.ctrlKey || event.metaKey) && key === "f" && !isField)
		focusSearch();
	else if (isChord)
		return;
	else if (key === "Escape")
		escape();
	else if (target === tools.input && key === "Enter")
		moveToHit(event.shiftKey ? -1 : 1);
	else if (isField)
		return;
	else if (Object.hasOwn(KEY_MOVES, key) && !isElsewhere && picture.current)
		KEY_MOVES[key](picture.current);
	else if (Object.hasOwn(KEY_ACTS, key))
		KEY_ACTS[key]();
	else
		return;
	event.preventDefault();
}

// A key of others, with its line in the help.
function addKey(letter, title, act) {
	KEY_ACTS[letter] = act;
	KEYS_HELP.splice(KEYS_HELP.length - 2, 0, [letter, title[0].toLowerCase() + title.slice(1)]);
}

function startKeys() {
	(app.alone ? window : app.svg).addEventListener("keydown", onKey);
}
