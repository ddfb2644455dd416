// SPDX-License-Identifier: BSD-2-Clause
// label: as much of a text as there is room for, in the font that the picture has here.

const LABEL_DOTS = "\u2026", LABEL_LEAST = 12; // pixels: below it nothing is legible

// newLabels("12px Verdana"): widths are of that font, measured once for each character.
function newLabels(font) {
	const canvas = htmlElement("canvas", {});
	const context = canvas.getContext && canvas.getContext("2d");
	const widths = new Map();
	if (context)
		context.font = font;

	function charWidth(c) {
		let w = widths.get(c);
		if (w === undefined) {
			w = context ? context.measureText(c).width : 9;
			widths.set(c, w);
		}
		return w;
	}

	function width(text) {
		let sum = 0;
		for (const c of text)
			sum += charWidth(c);
		return sum;
	}

	// The beginning of the text with an ellipsis if it must be cut; "" for less than 3 letters.
	function fit(text, room) {
		if (room < LABEL_LEAST)
			return "";
		const left = room - charWidth(LABEL_DOTS);
		let used = 0, cut = 0, kept = 0, i = 0;
		for (const c of text) {
			if (used <= left && i) {
				cut = i;
				kept++;
			}
			used += charWidth(c);
			if (used > room)
				return kept < 3 ? "" : text.slice(0, cut) + LABEL_DOTS;
			i += c.length;
		}
		return text;
	}

	return { width, fit };
}
