// SPDX-License-Identifier: BSD-2-Clause
// delta: what differs between two profiles, and its colour: blue is less, orange is more, at a
// lightness for everyone's eyes; grey is no function, or a change that may be noise.

const DELTA_LESS = ["#deebf7", "#b9d8f0", "#8fc1ea", "#66a9e2"];
const DELTA_MORE = ["#fde3d3", "#fcc3a1", "#faa274", "#f5844f"];
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
	if (!data.header.verdicts || !data.header.verdicts.length)
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

// A caller's share in what it calls for: seen from the leaf, all of a node is what changed.
function deltaColor(data, tree, node, isCallers) {
	const verdicts = deltaVerdicts(data), verdict = verdicts && verdicts.get(tree.frame[node]);
	const change = changeOf(data, tree, node), all = changeOf(data, tree, 0);
	const before = isCallers ? change.before : change.selfBefore;
	const after = isCallers ? change.after : change.selfAfter;
	const difference = after - before;
	if (!isFunction(data, tree, node) || (verdicts && !(verdict && verdict.isSignificant)))
		return DELTA_GREY;
	let shade = data.header.delta_by === "percent" ?
		deltaShade(difference, before, DELTA_BY_PERCENT) :
		deltaShade(difference, Math.max(all.before, all.after), DELTA_BY_VALUE);
	// What is significant is never without a colour: a function may change in many places.
	if (!shade && verdicts && difference)
		shade = 1;
	if (!shade)
		return DELTA_SAME;
	return ((difference < 0) !== Boolean(data.header.negate) ? DELTA_LESS : DELTA_MORE)[shade - 1];
}
