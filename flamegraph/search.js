// SPDX-License-Identifier: BSD-2-Clause
// search: what stacks with a matching frame come to, totals of functions, and names of nodes and
// functions that stay the same in other pictures. What was left out of the picture's tree is
// counted: flame_data.h says what is known of functions in rests.

// --- search -------------------------------------------------------------------------------------

// Of each node of the picture's tree: 1 if its frame matches or one above it.
function coveredNodes(tree, hitByFrame) {
	const { n, frame, parent } = tree, covered = new Uint8Array(n);
	for (let i = 1; i < n; i++)
		covered[i] = covered[parent[i]] | (frame[i] && hitByFrame[frame[i]] ? 1 : 0);
	return covered;
}

// What rests may have of the frames that match: {sum, most, frame} of 'inside'; 'frame' has the
// most.
function hiddenHits(restFrames, hitByFrame) {
	const hidden = { sum: 0, most: 0, frame: 0 };
	for (let i = 0; i < restFrames.frame.length; i++) {
		const inside = hitByFrame[restFrames.frame[i]] ? restFrames.inside[i] : 0;
		hidden.sum += inside;
		if (inside > hidden.most) {
			hidden.most = inside;
			hidden.frame = restFrames.frame[i];
		}
	}
	return hidden;
}

// Rests below another matching frame than the one given: 'inside' of it may count these, too.
function coveredByOthers(data, covered, weight, frame) {
	const only = new Uint8Array(data.names.length);
	only[frame] = 1;
	const byFrame = coveredNodes(data.tree, only);
	let sum = 0;
	for (let i = 1; i < data.tree.n; i++)
		if (data.tree.rest[i] && covered[i] && !byFrame[i])
			sum += weight[i];
	return sum;
}

// Functions in rests that had no room in the list have names that nobody knows: any may match. What
// they have at most is known of the largest.
function unlistedMost({ header: { unlisted } }) {
	return unlisted ? unlisted.frames * unlisted.inside : 0;
}

// What is to be added to what was found: bounds of what matches in rests below no frame that does.
function hiddenBounds(data, view, hitByFrame, covered, open, openElsewhere) {
	if (!open)
		return { low: 0, high: 0 };
	if (!data.restFrames)
		return { low: 0, high: open };
	const hidden = hiddenHits(data.restFrames, hitByFrame);
	const high = Math.min(open, hidden.sum + unlistedMost(data));
	if (view.isRange || !hidden.most)
		return { low: 0, high };
	const others = coveredByOthers(data, covered, view.weight, hidden.frame);
	return { low: Math.min(high, Math.max(0, hidden.most - others - openElsewhere)), high };
}

function hitNodes(tree, hitByFrame) {
	const hit = new Uint8Array(tree.n);
	for (let i = 0; i < tree.n; i++)
		hit[i] = tree.frame[i] && hitByFrame[tree.frame[i]] ? 1 : 0;
	return hit;
}

/*
 * What all stacks at and below 'root' (a node of 'tree', which is a view of the data) come to that
 * have a matching frame anywhere: each stack once, and whatever the view shows of it. low and high
 * are the same unless rests leave it open. 'hit' says which nodes have a frame that matches.
 */
function search(data, tree, hitByFrame, root = 0) {
	const base = data.tree, { owner = null, weight = tree.self, isWhole = true } = tree;
	const hit = hitNodes(tree, hitByFrame), isAll = root === 0 && isWhole;
	const end = tree.end[root];
	for (let i = root; ; i = tree.parent[i]) {
		if (hit[i])
			return { low: tree.total[root], high: tree.total[root], hit };
		if (!i)
			break;
	}
	const covered = coveredNodes(base, hitByFrame);
	let found = 0, open = 0, openElsewhere = 0, unplaced = 0;
	for (let i = 0; i < base.n; i++) {
		if (!weight[i])
			continue;
		const node = owner ? owner[i] : i, isIn = isAll || (node >= root && node < end);
		if (covered[i])
			found += isIn ? weight[i] : 0;
		else if (base.rest[i] && isIn)
			open += weight[i];
		else if (base.rest[i])
			openElsewhere += weight[i];
	}
	if (tree.unplaced && !isAll)
		for (let i = root; i < end; i++)
			unplaced += tree.unplaced[i];
	const add = hiddenBounds(data, { weight, isRange: tree.isRange }, hitByFrame, covered, open,
		openElsewhere);
	return { low: found + add.low, high: found + add.high + unplaced, hit };
}

// --- functions ----------------------------------------------------------------------------------

// What stacks with the frame come to, each once: what is below the outermost of it.
function frameTotals(tree, nFrames, totals) {
	const sums = new Float64Array(nFrames), openUntil = new Uint32Array(nFrames);
	for (let i = 1; i < tree.n; i++) {
		const f = tree.frame[i];
		if (i < openUntil[f])
			continue;
		openUntil[f] = tree.end[i];
		sums[f] += totals[i];
	}
	return sums;
}

function frameSelves(tree, nFrames, selves) {
	const sums = new Float64Array(nFrames);
	for (let i = 1; i < tree.n; i++)
		sums[tree.frame[i]] += selves[i];
	return sums;
}

/*
 * All functions that are there: frame, self, total (and selfBefore, totalBefore, or null), in the
 * order of frames. 'unknown' is what is in rests of which functions are not known: 0 unless it is
 * of a range of time or there are too many of them; self and total may be less than the truth by
 * that.
 */
function functions(data, { range = null } = {}) {
	const view = baseView(data, range), n = data.names.length;
	const hidden = view.isRange ? null : data.restFrames;
	const columns = { self: frameSelves(view, n, view.self), selfBefore: null,
		total: frameTotals(view, n, view.total), totalBefore: null };
	if (view.selfBefore) {
		columns.selfBefore = frameSelves(view, n, view.selfBefore);
		columns.totalBefore = frameTotals(view, n, view.totalBefore);
	}
	const known = hidden ? hidden.self.reduce((sum, self) => sum + self, 0) : 0;
	const unknown = hidden && !data.header.unlisted ? 0 : Math.max(0, columns.self[0] - known);
	for (let i = 0; hidden && i < hidden.frame.length; i++) {
		const f = hidden.frame[i];
		columns.self[f] += hidden.self[i];
		columns.total[f] += hidden.inside[i];
		if (columns.selfBefore) {
			columns.selfBefore[f] += hidden.selfBefore[i];
			columns.totalBefore[f] += hidden.insideBefore[i];
		}
	}
	const frame = Uint32Array.from({ length: n - 1 }, (none, i) => i + 1).filter((f) =>
		columns.total[f] || (columns.totalBefore && columns.totalBefore[f]));
	const picked = (column) => column && Float64Array.from(frame, (f) => column[f]);
	return { frame, unknown, self: picked(columns.self), total: picked(columns.total),
		selfBefore: picked(columns.selfBefore), totalBefore: picked(columns.totalBefore) };
}

// --- stable names -------------------------------------------------------------------------------

function mixed(a, b) {
	let h = Math.imul(a ^ b, 0x85ebca6b);
	h = Math.imul(h ^ (h >>> 13) ^ (a << 7), 0xc2b2ae35);
	return (h ^ (h >>> 16)) >>> 0;
}

function textHash(text, seed) {
	let h = seed;
	for (let i = 0; i < text.length; i++)
		h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
	return mixed(h, text.length);
}

// Of each frame: two hashes of its name, module and kind.
function frameHashes(data) {
	const ofSeed = (seed) => Uint32Array.from(data.names, (name, f) => {
		const module = textHash(data.modules[data.frameModule[f]], seed);
		return f ? mixed(mixed(textHash(name, seed), module), data.frameKind[f]) : seed;
	});
	data.hashes = data.hashes || [ofSeed(0x811c9dc5), ofSeed(0x2545f491)];
	return data.hashes;
}

// Finds numbers by pairs of numbers.
class PairMap {
	constructor(most) {
		let size = 16;
		while (size < 2 * most)
			size *= 2;
		this.mask = size - 1;
		this.keys = new Uint32Array(2 * size);
		this.values = new Int32Array(size).fill(-1);
	}

	// The index of the pair: in 'values' it has -1 if it is new.
	at(a, b) {
		let i = (Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b)) >>> 0;
		for (i = (i ^ i >>> 15) & this.mask; this.values[i] >= 0; i = (i + 1) & this.mask)
			if (this.keys[2 * i] === a && this.keys[2 * i + 1] === b)
				return i;
		this.keys[2 * i] = a;
		this.keys[2 * i + 1] = b;
		return i;
	}
}

// In a flame chart siblings may be of one frame: they are told apart by their order.
function ordinals(data, tree) {
	const ordinal = new Uint32Array(tree.n), seen = new PairMap(tree.n);
	for (let i = 1; i < tree.n; i++) {
		const at = seen.at(tree.parent[i], tree.frame[i]);
		ordinal[i] = ++seen.values[at];
	}
	return ordinal;
}

function nodeHashes(data, tree) {
	if (tree.hashes)
		return tree.hashes;
	const frames = frameHashes(data), ordinal = data.header.chart ? ordinals(data, tree) : null;
	tree.hashes = frames.map((ofFrame) => {
		const hashes = new Uint32Array(tree.n);
		hashes[0] = ofFrame[tree.frame[0]];
		for (let i = 1; i < tree.n; i++) {
			hashes[i] = mixed(hashes[tree.parent[i]], ofFrame[tree.frame[i]]);
			if (ordinal && ordinal[i])
				hashes[i] = mixed(hashes[i], ordinal[i]);
		}
		return hashes;
	});
	return tree.hashes;
}

// 53 bits of two hashes.
function idOf([high, low], i) {
	return (high[i] * 2 ** 21 + (low[i] >>> 11)).toString(36);
}

function findId([high, low], id) {
	const number = parseInt(id, 36), top = Math.floor(number / 2 ** 21);
	const bottom = number % 2 ** 21;
	for (let i = 0; i < high.length; i++)
		if (high[i] === top && low[i] >>> 11 === bottom)
			return i;
	return -1;
}

// Names of a node, by the names on the way to it, and of a function; -1 if there is none of an ID.
const nodeId = (data, tree, node) => idOf(nodeHashes(data, tree), node);
const findNode = (data, tree, id) => findId(nodeHashes(data, tree), id);
const functionId = (data, frame) => idOf(frameHashes(data), frame);
const findFunction = (data, id) => Math.max(0, findId(frameHashes(data), id)) || -1;
