// SPDX-License-Identifier: BSD-2-Clause
// boxes: the boxes of a layout as objects, for those who draw them and lead from one to another.

// What a box that stands for narrow siblings leads to: the widest of them.
function widestHidden(tree, parent, shown) {
	const weight = tree.totalBefore ? (i) => Math.max(tree.total[i], tree.totalBefore[i]) :
		(i) => tree.total[i];
	let widest = -1;
	for (let c = parent + 1; c < tree.end[parent]; c = tree.end[c])
		if (!shown.has(c) && (widest < 0 || weight(c) > weight(widest)))
			widest = c;
	return widest < 0 ? parent : widest;
}

// {node, depth, x, w, hidden, weight, above, hit}: row by row, left to right. 'hidden' is how many
// frames the box stands for, 0 for a frame of its own; its node is then the parent of them.
function boxesOf(tree, zoomed, width) {
	const layout = layoutBoxes(tree, zoomed, width, { minWidth: picture.minWidth });
	const boxes = new Array(layout.n);
	for (let i = 0; i < layout.n; i++)
		boxes[i] = {
			index: i, node: layout.node[i], depth: layout.depth[i], x: layout.x[i], w: layout.w[i],
			hidden: layout.hiddenCount[i], weight: layout.hiddenWeight[i],
			above: layout.depth[i] < tree.depth[zoomed], hit: false, g: null,
		};
	return boxes;
}

// A box matches if its frame does, or one that it stands for.
function markHits(tree, found, boxes) {
	if (!found)
		return;
	const upTo = new Uint32Array(tree.n + 1); // matching nodes before each node
	const shown = new Set();
	for (let i = 0; i < tree.n; i++)
		upTo[i + 1] = upTo[i] + (found.hit[i] ? 1 : 0);
	for (const box of boxes)
		if (!box.hidden)
			shown.add(box.node);
	for (const box of boxes) {
		box.hit = Boolean(found.hit[box.node]);
		if (!box.hidden)
			continue;
		box.hit = false;
		for (let c = box.node + 1; c < tree.end[box.node] && !box.hit; c = tree.end[c])
			box.hit = !shown.has(c) && upTo[tree.end[c]] > upTo[c];
	}
}
