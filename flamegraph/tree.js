// SPDX-License-Identifier: BSD-2-Clause
// tree: views of the call tree: of a range of time, with recursion merged, from the callees' side,
// around one function, in another order. A view is a tree like the one in the picture (preorder,
// see data.js) and knows more:
//	owner		of each node of the picture's tree: the node of the view that has what it
//			spent itself (NOBODY: none), or null if they are the same nodes
//	weight, weightBefore	of each node of the picture's tree: what it spent itself here
//	unplaced	of each node of the view, or null: what its own value has of stacks that are
//			in rests of the picture's tree, of which only one function is known: they
//			have no owner
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
	constructor(hasBefore, room = 1024) {
		this.n = 0;
		this.room = room;
		this.frame = new Uint32Array(room);
		this.parent = new Uint32Array(room);
		this.rest = new Uint32Array(room);
		this.self = new Float64Array(room);
		this.selfBefore = hasBefore ? new Float64Array(room) : null;
		this.unplaced = null; // by node
	}

	grow() {
		this.room *= 2;
		for (const key of ["frame", "parent", "rest", "self", "selfBefore"]) {
			const old = this[key];
			if (!old)
				continue;
			this[key] = new old.constructor(this.room);
			this[key].set(old);
		}
	}

	add(frame, parent, rest = 0) {
		if (this.n === this.room)
			this.grow();
		this.frame[this.n] = frame;
		this.parent[this.n] = parent;
		this.rest[this.n] = rest;
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
		this.unplaced = this.unplaced || new Map();
		this.unplaced.set(rest, (this.unplaced.get(rest) || 0) + value);
		this.rest[rest] = Math.max(1, this.rest[rest]);
		this.addSelf(rest, value, before);
	}

	addUnplaced(parent, value, before) {
		this.growUnplaced(this.add(0, parent, 1), value, before);
	}

	finished() {
		const cut = (values) => values && values.subarray(0, this.n);
		const raw = { n: this.n, frame: cut(this.frame), parent: cut(this.parent),
			rest: cut(this.rest), self: cut(this.self),
			selfBefore: cut(this.selfBefore),
			unplaced: this.unplaced && new Float64Array(this.n) };
		if (this.unplaced)
			for (const [node, value] of this.unplaced)
				raw.unplaced[node] = value;
		return raw;
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

/*
 * The view that is asked for:
 *	range		null, or slots of time [from, to)
 *	merge		recursion merged
 *	callers		stacks from the callees' side: the children of the root are the functions
 *			that spent something, below them who called them
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
