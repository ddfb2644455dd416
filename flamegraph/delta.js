// SPDX-License-Identifier: BSD-2-Clause
// delta: what differs between two profiles, and its colour: blue is less, orange is more, at a
// lightness for everyone's eyes; grey is no function, or a change that may be noise.

const DELTA_LESS = ["#deebf7", "#b9d8f0", "#8fc1ea", "#66a9e2"];
const DELTA_MORE = ["#fde3d3", "#fcc3a1", "#faa274", "#f5844f"];
const DELTA_LESS_OUTLINE = "#1d6fb8", DELTA_MORE_OUTLINE = "#c2410c", DELTA_OUTLINE_FROM = 0.01;
const DELTA_SAME = "#f6f1e4", DELTA_GREY = "#d0d0d6", DELTA_PRUNED = "#ececf0";
// From these shares on a change has the next shade: of all, or of what the frame itself had.
const DELTA_BY_VALUE = [0.001, 0.01, 0.03, 0.1];
const DELTA_BY_PERCENT = [0.01, 0.05, 0.2, 0.5];

const KIND_KERNEL = 1, KIND_INLINED = 2, KIND_INTERPRETED = 3, KIND_SYNTHETIC = 4;

function isDelta(data) {
	return Boolean(data.tree.selfBefore);
}

// Values times these are compared.
function deltaScales(data) {
	return data.header.scales || [1, 1];
}

// Map of frames to {p, isSignificant}; null if nothing was judged.
function deltaVerdicts(data) {
	if (!data.header.verdicts)
		return null;
	if (!data.verdictByFrame) {
		data.verdictByFrame = new Map();
		for (const [frame, p, isSignificant] of data.header.verdicts)
			data.verdictByFrame.set(frame, { p, isSignificant: Boolean(isSignificant) });
	}
	return data.verdictByFrame;
}

// Before and after of a node, as they are compared.
function changeOf(data, tree, node) {
	const [before, after] = deltaScales(data);
	return {
		before: tree.totalBefore[node] * before, after: tree.total[node] * after,
		selfBefore: tree.selfBefore[node] * before, selfAfter: tree.self[node] * after,
	};
}

function isVanished(tree, node) {
	return node > 0 && tree.totalBefore !== null && tree.total[node] === 0 &&
		tree.totalBefore[node] > 0;
}

// Not all of it, nor a process's or thread's name right above it.
function isFunction(data, tree, node) {
	return tree.depth[node] > 1 ||
		(tree.depth[node] === 1 && data.frameKind[tree.frame[node]] !== KIND_SYNTHETIC);
}

function deltaShade(difference, whole, from) {
	const share = whole > 0 ? Math.abs(difference) / whole : difference ? Infinity : 0;
	let shade = from.length;
	while (shade && !(share >= from[shade - 1]))
		shade--;
	return shade;
}

// What is coloured: what the frame spent itself. Seen from the leaf, all of a node is that.
function ownChange(data, tree, node, isCallers) {
	const { before, after, selfBefore, selfAfter } = changeOf(data, tree, node);
	return isCallers ? { before, after } : { before: selfBefore, after: selfAfter };
}

function deltaWhole(data, tree) {
	const all = changeOf(data, tree, 0);
	return Math.max(all.before, all.after);
}

function isNoise(data, tree, node) {
	const verdicts = deltaVerdicts(data), verdict = verdicts && verdicts.get(tree.frame[node]);
	return verdicts !== null && !(verdict && verdict.isSignificant);
}

function isLess(data, difference) {
	return (difference < 0) !== Boolean(data.header.negate);
}

function deltaColor(data, tree, node, isCallers) {
	const { before, after } = ownChange(data, tree, node, isCallers);
	const isPercent = data.header.delta_by === "percent";
	if (!isFunction(data, tree, node) || isNoise(data, tree, node))
		return DELTA_GREY;
	let shade = deltaShade(after - before, isPercent ? before : deltaWhole(data, tree),
		isPercent ? DELTA_BY_PERCENT : DELTA_BY_VALUE);
	// What is significant is never without a colour: a function may change in many places.
	if (!shade && deltaVerdicts(data) && after !== before)
		shade = 1;
	if (!shade)
		return DELTA_SAME;
	return (isLess(data, after - before) ? DELTA_LESS : DELTA_MORE)[shade - 1];
}

// Of each node: the changes at and below it that are significant.
function significantChanges(data, tree) {
	if (tree.significant)
		return tree.significant;
	tree.significant = new Float64Array(tree.n);
	for (let i = tree.n - 1; i > 0; i--) {
		const { before, after } = ownChange(data, tree, i, false);
		if (isFunction(data, tree, i) && !isNoise(data, tree, i))
			tree.significant[i] += after - before;
		tree.significant[tree.parent[i]] += tree.significant[i];
	}
	return tree.significant;
}

// A frame that changed only through what it calls would look like noise: it has an outline, of what
// is significant below it if that is known. null: none.
function deltaOutline(data, tree, node, isCallers) {
	const { before, after } = changeOf(data, tree, node);
	const difference = deltaVerdicts(data) ? significantChanges(data, tree)[node] : after - before;
	const color = deltaColor(data, tree, node, isCallers);
	if (!isFunction(data, tree, node) || ![DELTA_GREY, DELTA_SAME].includes(color) ||
	    !difference || Math.abs(difference) < DELTA_OUTLINE_FROM * deltaWhole(data, tree))
		return null;
	return isLess(data, difference) ? DELTA_LESS_OUTLINE : DELTA_MORE_OUTLINE;
}
