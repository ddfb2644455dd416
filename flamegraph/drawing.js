// SPDX-License-Identifier: BSD-2-Clause
// drawing: the boxes of a tree in a group of SVG: a group for each row, in it one for each box with
// its tooltip, rectangle and label, as the static picture has them. Elements are used again by the
// next drawing, since making them is what costs time; texts that nobody sees yet are written when
// there is nothing else to do.

const BOX_GAP = 0.5, BOX_GAP_FROM = 3; // pixels
const VANISHED = { stroke: "#3f3f46", dashes: "3 2", opacity: ".55" };

// Where there is no idle time to ask for, a little is taken now and then.
function whenIdle(f) {
	const take = (deadline) => {
		const end = performance.now() + 8;
		f(deadline && !deadline.didTimeout ? deadline :
			{ timeRemaining: () => end - performance.now() });
	};
	if (window.requestIdleCallback)
		return window.requestIdleCallback(take, { timeout: 200 });
	return window.setTimeout(take, 30);
}

// look: {rowHeight, boxHeight, baseline, indent, labels}
function newDrawing(group, look) {
	const rows = []; // {g, boxes: elements, used}
	const boxOf = new Map(); // element of a group -> box
	let boxes = [], rowStart = [0], view = null, written = 0, writer = 0;

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
		const title = svgElement("title", {}), rect = svgElement("rect", {
			height: look.boxHeight });
		const words = document.createTextNode("");
		title.append(words);
		g.append(title, rect);
		row.g.append(g);
		return { g, words, rect, text: null, has: {} };
	}

	// 'has': what was put there before, to be asked for less.
	function put(element, has, name, value) {
		if (has[name] === value || (value === null && has[name] === undefined))
			return;
		has[name] = value;
		if (value === null)
			element.removeAttribute(name);
		else
			element.setAttribute(name, value);
	}

	function label(elements, text, x) {
		const { has } = elements;
		if (!elements.text) {
			if (!text)
				return;
			elements.text = svgElement("text", { y: look.baseline }, "");
			elements.g.append(elements.text);
		}
		if (has.label !== text)
			elements.text.textContent = has.label = text;
		if (text && has.labelX !== x)
			elements.text.setAttribute("x", has.labelX = x);
	}

	function drawBox(box, row, left) {
		const elements = row.elements[row.used] || (row.elements[row.used] = newElements(row));
		const { g, rect, has } = elements, x = left + box.x;
		const isGone = !box.hidden && isVanished(view.tree, box.node);
		const outline = isGone ? VANISHED.stroke : view.outlineOf ? view.outlineOf(box) : null;
		row.used++;
		box.g = g;
		box.words = elements.words;
		boxOf.set(g, box);
		put(g, has, "class", `${box.above ? "above " : ""}${box.hidden ? "few " : ""}` +
			`${box.hit ? "hit" : ""}`);
		put(rect, has, "x", x.toFixed(2));
		put(rect, has, "width", (box.w >= BOX_GAP_FROM ? box.w - BOX_GAP : box.w).toFixed(2));
		put(rect, has, "fill", view.colorOf(box));
		put(rect, has, "stroke", outline);
		put(rect, has, "stroke-dasharray", isGone ? VANISHED.dashes : null);
		put(rect, has, "fill-opacity", isGone ? VANISHED.opacity : null);
		label(elements, box.w < LABEL_LEAST + 2 * look.indent ? "" :
			look.labels.fit(boxLabel(view, box), box.w - 2 * look.indent),
		(x + look.indent).toFixed(2));
	}

	function write(box) {
		const said = describeBox(view, box), lines = [said.where, ...said.lines].filter(Boolean);
		box.words.data = [said.name, ...lines].join("\n");
		setAttributes(box.g, { "aria-level": box.depth + 1,
			"aria-label": [said.name, ...lines].join("; ") });
	}

	// Tooltips, and what a screen reader says.
	function writeSome(deadline) {
		for (; written < boxes.length && deadline.timeRemaining() > 2; written++)
			write(boxes[written]);
		writer = written < boxes.length ? whenIdle(writeSome) : 0;
		if (!writer)
			group.removeAttribute("aria-busy");
	}

	// view: {data, tree, whole, zoomed, isCallers, colorOf(box), and perhaps outlineOf(box)};
	// list: of boxesOf(); left: where x = 0 is; rowY(depth): pixels.
	function draw(ofView, list, left, rowY) {
		view = { ...ofView, boxes: list };
		boxes = list;
		boxOf.clear();
		rowStart = [];
		for (const row of rows)
			row.used = 0;
		for (let i = 0; i < list.length; i++) {
			while (rowStart.length <= list[i].depth)
				rowStart.push(i);
			drawBox(list[i], rowAt(list[i].depth), left);
		}
		rowStart.push(list.length);
		rows.forEach((row, depth) => {
			row.g.setAttribute("transform", `translate(0 ${rowY(depth)})`);
			for (const elements of row.elements.splice(row.used))
				elements.g.remove();
		});
		written = 0;
		group.setAttribute("aria-busy", "true");
		writer = writer || whenIdle(writeSome);
	}

	return {
		group, draw,
		boxes: () => boxes,
		rows: () => rowStart.length - 1,
		boxAt: (element) => (element && boxOf.get(element.closest(".row>g"))) || null,
		rowOf: (depth) => boxes.slice(rowStart[depth] || 0, rowStart[depth + 1] || 0),
		write,
	};
}
