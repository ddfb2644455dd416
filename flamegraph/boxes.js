// SPDX-License-Identifier: BSD-2-Clause
// boxes: the boxes of a layout as objects, for those who draw them and lead from one to another.

// How wide nodes are, in the unit of the values. Of two profiles that is what they are now, as they
// are compared; a frame that has vanished is as wide as it was.
function nodeWeights(data, tree) {
	if (!tree.totalBefore)
		return tree.total;
	if (tree.weights)
		return tree.weights;
	const [before, after] = deltaScales(data), weights = new Float64Array(tree.n);
	for (let i = tree.n - 1; i >= 0; i--) {
		weights[i] += isVanished(tree, i) ? tree.selfBefore[i] * before : tree.self[i] * after;
		if (i)
			weights[tree.parent[i]] += weights[i];
	}
	tree.weights = weights;
	return weights;
}

// What a box that stands for narrow siblings leads to: the widest of them. 'shown': nodes that have
// a box of their own.
function widestHidden(tree, weights, parent, shown) {
	let widest = parent;
	for (let c = parent + 1; c < tree.end[parent]; c = tree.end[c])
		if (!shown.has(c) && (widest === parent || weights[c] > weights[widest]))
			widest = c;
	return widest;
}

// {index, node, depth, x, w, hidden, weight, hit, above, parent, g}: row by row, left to right.
// 'hidden' is how many frames the box stands for, 0 for a frame of its own; its node is then the
// parent of them and 'weight' what they come to. 'above' are those that the zoomed one is in. 'g'
// is the element when it is drawn. found: as search() has it, or null; inPlace: siblings are in the
// order of time.
function boxesOf(tree, zoomed, width, weight, found, inPlace) {
	const hit = found && found.hit, { minWidth } = picture;
	const layout = layoutBoxes(tree, zoomed, width, { minWidth, weight, hit, inPlace });
	const boxes = new Array(layout.n);
	for (let i = 0; i < layout.n; i++) {
		const hidden = layout.hidden[i], node = layout.node[i];
		boxes[i] = {
			index: i, node, depth: layout.depth[i], x: layout.x[i], w: layout.w[i],
			hidden, weight: layout.hiddenWeight[i], above: i < layout.above,
			hit: Boolean(hidden ? layout.hiddenHits[i] : hit && hit[node]),
			parent: layout.parent[i] < 0 ? null : boxes[layout.parent[i]], g: null,
		};
	}
	return boxes;
}
