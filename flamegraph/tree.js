// SPDX-License-Identifier: BSD-2-Clause
// tree: views of the call tree: of a range of time, with recursion merged, from the callees' side,
// around one function, in another order. A view is a tree like the one in the picture (preorder, see
// data.js) and knows more:
//	owner	of each node of the picture's tree: the node of the view that has what it spent itself
//		(NOBODY: none), or null if they are the same nodes
//	weight, weightBefore	of each node of the picture's tree: what it spent itself, in this view
//	unplaced	of each node of the view, or null: what its own value has of stacks that are in
//		rests of the picture's tree, of which only one function is known: they have no owner
//	isWhole, isRange	all stacks are in it; only those of a range of time are
// Nothing here is recursive: stacks may have thousands of frames.

const NOBODY = 0xffffffff;

// --- order --------------------------------------------------------------------------------------

// Bytewise order of UTF-8, which is the order of code points and not that of UTF-16.
function compareNames(a, b) {
	const n = Math.min(a.length, b.length);
	let i = 0;
	while (i < n && a.charCodeAt(i) === b.charCodeAt(i))
		i++;
	if (i === n)
		return a.length - b.length;
	const ca = a.charCodeAt(i), cb = b.charCodeAt(i);
	const pairA = (ca & 0xf800) === 0xd800, pairB = (cb & 0xf800) === 0xd800;
	return pairA === pairB ? ca - cb : pairA ? 1 : -1;
}

// Of each frame: its place among all by name. Frame 0, a rest, is the last.
function frameRanks(data) {
	if (data.ranks)
		return data.ranks;
	const { names, modules, frameModule, frameKind } = data;
	const order = Uint32Array.from(names, (name, i) => i).subarray(1);
	order.sort((a, b) => compareNames(names[a], names[b]) ||
		compareNames(modules[frameModule[a]], modules[frameModule[b]]) ||
		frameKind[a] - frameKind[b]);
	data.ranks = new Uint32Array(names.length).fill(names.length);
	order.forEach((frame, rank) => {
		data.ranks[frame] = rank;
	});
	return data.ranks;
}

// Sorts kids[from..to) so that key(kid) grows; equal ones stay in order.
function sortKids(kids, from, to, less) {
	if (to - from > 24) {
		kids.subarray(from, to).sort((a, b) => less(a, b) ? -1 : less(b, a) ? 1 : a - b);
		return;
	}
	for (let i = from + 1; i < to; i++) {
		const kid = kids[i];
		let k = i;
		for (; k > from && less(kid, kids[k - 1]); k--)
			kids[k] = kids[k - 1];
		kids[k] = kid;
	}
}

function orderOf(data, raw, sort) {
	const { frame, total, totalBefore } = raw;
	const weight = (i) => totalBefore ? Math.max(total[i], totalBefore[i]) : total[i];
	if (sort === "weight")
		return (a, b) => frame[a] && frame[b] ? weight(a) > weight(b) : frame[a] > frame[b];
	if (data.header.chart)
		return (a, b) => frame[a] !== 0 && frame[b] === 0;
	const ranks = frameRanks(data);
	return (a, b) => ranks[frame[a]] < ranks[frame[b]];
}

/*
 * A tree in preorder from nodes that come in any order with parents before children: 'raw' has n,
 * frame, parent, self, selfBefore, rest, unplaced. Siblings get the order asked for ("as they are":
 * raw is in preorder), rests are last; nodes without any value are left out: NOBODY in 'place'.
 */
function arrange(data, raw, sort) {
	const { n, parent } = raw;
	raw.total = new Float64Array(n);
	raw.totalBefore = raw.selfBefore ? new Float64Array(n) : null;
	sumUp(raw);
	const size = new Uint32Array(n), place = new Uint32Array(n);
	for (let i = n - 1; i >= 0; i--) {
		if (i && !size[i] && !raw.total[i] && !(raw.totalBefore && raw.totalBefore[i]))
			continue;
		size[i]++;
		if (i)
			size[parent[i]] += size[i];
	}
	if (sort === "as they are")
		for (let i = 0, at = 0; i < n; i++)
			place[i] = size[i] ? at++ : NOBODY;
	else
		placeKids(raw, size, place, orderOf(data, raw, sort));
	return { tree: placed(raw, place, size), place };
}

function placeKids({ n, parent }, size, place, less) {
	const first = new Uint32Array(n + 1), kids = new Uint32Array(n);
	for (let i = 1; i < n; i++)
		first[parent[i] + 1]++;
	for (let i = 0; i < n; i++)
		first[i + 1] += first[i];
	const fill = first.slice(0, n);
	for (let i = 1; i < n; i++)
		kids[fill[parent[i]]++] = i;
	for (let i = 0; i < n; i++) {
		let next = place[i] + 1;
		if (!size[i])
			place[i] = NOBODY;
		if (first[i + 1] - first[i] > 1)
			sortKids(kids, first[i], first[i + 1], less);
		for (let k = first[i]; k < first[i + 1]; k++) {
			place[kids[k]] = next;
			next += size[kids[k]];
		}
	}
}

function placed(raw, place, size) {
	const tree = emptyTree(size[0], raw.selfBefore !== null);
	tree.unplaced = raw.unplaced ? new Float64Array(tree.n) : null;
	const keys = ["frame", "self", "total", "rest", "selfBefore", "totalBefore", "unplaced"];
	for (const [to, from] of keys.map((key) => [tree[key], raw[key]])) {
		if (!from)
			continue;
		for (let i = 0; i < raw.n; i++)
			if (size[i])
				to[place[i]] = from[i];
	}
	for (let i = 0; i < raw.n; i++) {
		const at = place[i];
		if (!size[i])
			continue;
		tree.end[at] = at + size[i];
		tree.parent[at] = place[raw.parent[i]];
		// Parents come first.
		tree.depth[at] = i ? tree.depth[tree.parent[at]] + 1 : 0;
	}
	return tree;
}

// 'owner' leads from nodes of 'base' to those of 'raw'; it may be null if they are the same.
function finishView(data, raw, sort, base, owner) {
	const { tree, place } = arrange(data, raw, sort);
	const n = base.weight.length;
	tree.owner = new Uint32Array(n);
	for (let i = 0; i < n; i++) {
		const node = base.owner ? base.owner[i] : i;
		const to = owner && node !== NOBODY ? owner[node] : node;
		tree.owner[i] = to === NOBODY ? NOBODY : place[to];
	}
	const { weight, weightBefore, isRange, isWhole } = base;
	return Object.assign(tree, { weight, weightBefore, isRange, isWhole });
}

// Nodes of a view while it is made: arrays that grow.
class Growing {
	constructor(hasBefore) {
		this.n = 0;
		this.frame = [];
		this.parent = [];
		this.self = [];
		this.selfBefore = hasBefore ? [] : null;
		this.rest = [];
		this.unplaced = null;
	}

	add(frame, parent, rest = 0) {
		this.frame.push(frame);
		this.parent.push(parent);
		this.self.push(0);
		if (this.selfBefore)
			this.selfBefore.push(0);
		this.rest.push(rest);
		return this.n++;
	}

	addSelf(node, value, before) {
		this.self[node] += value;
		if (this.selfBefore)
			this.selfBefore[node] += before;
	}

	// The rest below a node, made if there is none.
	restOf(node) {
		for (let i = node + 1; i < this.n; i++)
			if (this.parent[i] === node && !this.frame[i])
				return i;
		return this.add(0, node);
	}

	// What is in a rest of the picture's tree, in a function that is known.
	growUnplaced(rest, value, before) {
		this.unplaced = this.unplaced || [];
		this.unplaced[rest] = (this.unplaced[rest] || 0) + value;
		this.rest[rest] = Math.max(1, this.rest[rest]);
		this.addSelf(rest, value, before);
	}

	addUnplaced(parent, value, before) {
		this.growUnplaced(this.add(0, parent, 1), value, before);
	}

	finished() {
		const values = (from) => from && Float64Array.from(from);
		return {
			n: this.n, frame: Uint32Array.from(this.frame), parent: Uint32Array.from(this.parent),
			self: values(this.self), selfBefore: values(this.selfBefore),
			rest: Uint32Array.from(this.rest),
			unplaced: this.unplaced && Float64Array.from({ length: this.n },
				(none, i) => this.unplaced[i] || 0),
		};
	}
}

// --- a range of time, another order, recursion --------------------------------------------------

// The tree itself, or the same nodes with what was spent in slots [from, to).
function baseView(data, range) {
	const { tree, time } = data;
	const view = { ...tree, owner: null, weight: tree.self, weightBefore: tree.selfBefore,
		unplaced: null, isRange: false, isWhole: true };
	if (!range || !time)
		return view;
	view.self = new Float64Array(tree.n);
	view.selfBefore = view.totalBefore = view.weightBefore = null;
	view.weight = view.self;
	view.isRange = true;
	for (let i = 0; i < time.node.length; i++)
		if (time.slot[i] >= range[0] && time.slot[i] < range[1])
			view.self[time.node[i]] += time.value[i];
	return finishView(data, view, "as they are", { ...view }, null);
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

/*
 * The stack of merged frames while the tree is walked. A frame that is on it already cuts it back
 * to there. Every change is noted, so that the stack of any node above is had again by undoing.
 */
class MergedStack {
	constructor(nFrames) {
		this.nodes = []; // of the view
		this.frames = [];
		this.length = 0;
		this.where = new Int32Array(nFrames).fill(-1); // where a frame is, if it is there
		this.undo = [];
	}

	find(frame) {
		const at = this.where[frame];
		return at >= 0 && at < this.length && this.frames[at] === frame ? at : -1;
	}

	cut(length) {
		this.undo.push(this.length, -1, 0, 0, 0);
		this.length = length;
	}

	push(node, frame) {
		const at = this.length++;
		this.undo.push(at, frame, this.where[frame], this.nodes[at], this.frames[at]);
		this.where[frame] = at;
		this.nodes[at] = node;
		this.frames[at] = frame;
	}

	// Undoes all but the first n changes.
	back(n) {
		const undo = this.undo;
		while (undo.length > 5 * n) {
			const oldFrame = undo.pop(), oldNode = undo.pop(), where = undo.pop();
			const frame = undo.pop(), length = undo.pop();
			this.length = length;
			if (frame < 0)
				continue;
			this.where[frame] = where;
			this.nodes[length] = oldNode;
			this.frames[length] = oldFrame;
		}
	}
}

/*
 * Recursion merged: a function that is called again below itself, directly or not, goes on where it
 * was met first, and what was between is left out. So no function is below itself, every pair of
 * caller and callee is a real one, and what a function spent itself stays its own.
 */
function mergedRaw(data, base) {
	const { n, frame, depth } = base;
	const raw = { n: 0, frame: new Uint32Array(n), parent: new Uint32Array(n),
		self: new Float64Array(n), selfBefore: base.selfBefore && new Float64Array(n),
		rest: new Uint32Array(n), unplaced: null };
	const owner = new Uint32Array(n), known = new PairMap(n);
	const stack = new MergedStack(data.names.length);
	for (let i = 0; i < n; i++) {
		stack.back(depth[i]); // a node is one change
		const above = i ? stack.nodes[stack.length - 1] : 0;
		const at = i && frame[i] ? stack.find(frame[i]) : -1;
		let node;
		if (at >= 0) {
			node = stack.nodes[at];
			stack.cut(at + 1);
		} else {
			const slot = i && !data.header.chart ? known.at(above, frame[i]) : -1;
			node = slot >= 0 && known.values[slot] >= 0 ? known.values[slot] : raw.n++;
			if (slot >= 0)
				known.values[slot] = node;
			raw.frame[node] = frame[i];
			raw.parent[node] = above;
			stack.push(node, frame[i]);
		}
		owner[i] = node;
		raw.self[node] += base.self[i];
		if (raw.selfBefore)
			raw.selfBefore[node] += base.selfBefore[i];
		raw.rest[node] += base.rest[i];
	}
	for (const key of ["frame", "parent", "self", "selfBefore", "rest"])
		raw[key] = raw[key] && raw[key].subarray(0, raw.n);
	return { raw, owner };
}

function merged(data, base, sort) {
	const { raw, owner } = mergedRaw(data, base);
	return finishView(data, raw, sort, base, owner);
}

/*
 * The view that is asked for:
 *	range		null, or slots of time [from, to)
 *	merge		recursion merged
 *	callers		stacks from the callees' side: the children of the root are the functions that
 *			spent something, below them who called them
 *	sort		"name" (a flame chart: order of time) or "weight"
 *	minShare, focus	with callers: see callers.js
 */
function viewTree(data, options) {
	const { range = null, merge = false, callers = false, sort = "name" } = options;
	const base = baseView(data, range);
	if (callers)
		return callersView(data, merge ? merged(data, base, "name") : base, options);
	if (merge)
		return merged(data, base, sort);
	return sort === "weight" ? finishView(data, { ...base }, sort, base, null) : base;
}
