// SPDX-License-Identifier: BSD-2-Clause
// drawing: the boxes of a tree in a group of SVG: a group for each row, in it one for each box with
// its tooltip, rectangle and label, as the static picture has them. Elements are used again by the
// next drawing, since making them is what costs time.

const BOX_GAP = 0.5, BOX_GAP_FROM = 3; // pixels
const VANISHED = { stroke: "#3f3f46", "stroke-dasharray": "3 2", "fill-opacity": ".55" };

// look: {rowHeight, boxHeight, baseline, indent, labels}
function newDrawing(group, look) {
	const rows = []; // {g, boxes: elements, used}
	const boxOf = new Map(); // element of a group -> box
	let boxes = [], rowStart = [0];

	group.classList.add("rows");
	setAttributes(group, { role: "tree" });

	function rowAt(depth) {
		while (rows.length <= depth) {
			const g = svgElement("g", { class: "row", role: "none" });
			rows.push({ g, elements: [], used: 0 });
			group.append(g);
		}
		return rows[depth];
	}

	function newElements(row) {
		const g = svgElement("g", { tabindex: -1, role: "treeitem" });
		const title = svgElement("title", {}, ""), rect = svgElement("rect", {
			height: look.boxHeight });
		g.append(title, rect);
		row.g.append(g);
		return { g, title: title.firstChild || title.appendChild(document.createTextNode("")),
			rect, text: null };
	}

	function put(element, name, value) {
		if (value === null)
			element.removeAttribute(name);
		else if (element.getAttribute(name) !== String(value))
			element.setAttribute(name, value);
	}

	function label(elements, text, x) {
		if (!elements.text) {
			if (!text)
				return;
			elements.text = svgElement("text", { y: look.baseline }, "");
			elements.g.append(elements.text);
		}
		put(elements.text, "x", x.toFixed(2));
		if (elements.text.textContent !== text)
			elements.text.textContent = text;
	}

	function drawBox(view, box, row, left) {
		const elements = row.elements[row.used] || (row.elements[row.used] = newElements(row));
		const { g, rect } = elements, x = left + box.x;
		const isGone = !box.hidden && isVanished(view.tree, box.node);
		const said = describeBox(view, box), lines = [said.where, ...said.lines].filter(Boolean);
		const classes = [box.above && "above", box.hidden && "few", box.hit && "hit"]
			.filter(Boolean).join(" ");
		row.used++;
		box.g = g;
		boxOf.set(g, box);
		put(g, "class", classes || null);
		put(g, "display", null);
		put(g, "aria-level", box.depth + 1);
		put(g, "aria-label", [said.name, ...lines].join("; "));
		elements.title.data = [said.name, ...lines].join("\n");
		put(rect, "x", x.toFixed(2));
		put(rect, "width", (box.w >= BOX_GAP_FROM ? box.w - BOX_GAP : box.w).toFixed(2));
		put(rect, "fill", view.colorOf(box));
		for (const name in VANISHED)
			put(rect, name, isGone ? VANISHED[name] : null);
		label(elements, look.labels.fit(said.name, box.w - 2 * look.indent), x + look.indent);
	}

	// view: as describeBox() wants it, with colorOf(box); list: boxes row by row, left to right;
	// rowY(depth): pixels; left: where x = 0 is.
	function draw(view, list, left, rowY) {
		boxes = list;
		boxOf.clear();
		rowStart = [];
		for (const row of rows)
			row.used = 0;
		for (let i = 0; i < list.length; i++) {
			const box = list[i];
			while (rowStart.length <= box.depth)
				rowStart.push(i);
			box.index = i;
			drawBox(view, box, rowAt(box.depth), left);
		}
		rowStart.push(list.length);
		rows.forEach((row, depth) => {
			put(row.g, "transform", `translate(0 ${rowY(depth)})`);
			for (const elements of row.elements.splice(row.used))
				elements.g.remove();
		});
	}

	return {
		group, draw,
		boxes: () => boxes,
		rows: () => rowStart.length - 1,
		boxAt: (element) => (element && boxOf.get(element.closest(".row>g"))) || null,
		rowOf: (depth) => boxes.slice(rowStart[depth] || 0, rowStart[depth + 1] || 0),
		placeRows: (rowY) => rows.forEach((row, depth) =>
			put(row.g, "transform", `translate(0 ${rowY(depth)})`)),
	};
}
