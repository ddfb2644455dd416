// SPDX-License-Identifier: BSD-2-Clause
// merge: nodes of a tree joined into fewer: recursion that is one frame, subtrees that become one.

// --- joining -------------------------------------------------------------------------------------

// Of each node the list of its children, as kids[first[i]] up to kids[first[i + 1]]. A node that is
// its own parent is in no list.
function linksOf(parent) {
	const n = parent.length, first = new Uint32Array(n + 1), kids = new Uint32Array(n);
	for (let i = 1; i < n; i++)
		if (parent[i] !== i)
			first[parent[i] + 1]++;
	for (let i = 0; i < n; i++)
		first[i + 1] += first[i];
	const fill = first.slice(0, n);
	for (let i = 1; i < n; i++)
		if (parent[i] !== i)
			kids[fill[parent[i]]++] = i;
	return { first, kids };
}

/*
 * The nodes become the root, of that frame; below it children of one frame become one, unless they
 * are to stay apart. Children are as 'links' says. Returns {raw, owner}: the nodes made, and of
 * each node of 'base' the one that it became.
 */
function joinNodes(data, base, { frame, nodes, links, areApart = false }) {
	const raw = new Growing(base.selfBefore !== null, base.n + 2);
	const sums = new FrameSums(data.names.length), { first, kids } = links;
	const owner = new Uint32Array(base.n).fill(NOBODY);
	// Of each node made: its part of 'items', nodes of 'base'.
	const items = new Uint32Array(base.n), from = new Uint32Array(base.n + 2);
	const to = new Uint32Array(base.n + 2), todo = [raw.add(frame, 0)];
	let filled = nodes.length;
	const addNode = (f, above, count) => {
		const node = raw.add(f, above);
		from[node] = to[node] = filled;
		filled += count;
		todo.push(node);
		return node;
	};
	items.set(nodes);
	to[0] = filled;
	// Depth first: what is near in the tree is near in memory.
	while (todo.length) {
		const node = todo.pop();
		sums.start();
		for (let k = from[node]; k < to[node]; k++) {
			const i = items[k];
			owner[i] = node;
			raw.addSelf(node, base.self[i], base.selfBefore ? base.selfBefore[i] : 0);
			raw.rest[node] += base.rest[i];
			for (let c = first[i]; !areApart && c < first[i + 1]; c++)
				sums.add(base.frame[kids[c]], 0, 0, 1);
		}
		for (const f of sums.met)
			sums.node[f] = addNode(f, node, sums.count[f]);
		for (let k = from[node]; k < to[node]; k++)
			for (let i = items[k], c = first[i]; c < first[i + 1]; c++) {
				const f = base.frame[kids[c]];
				const child = areApart ? addNode(f, node, 1) : sums.node[f];
				items[to[child]++] = kids[c];
			}
	}
	return { raw, owner };
}

// --- recursion -----------------------------------------------------------------------------------

/*
 * The stack of merged frames while the tree is walked. A frame that is on it already cuts it back
 * to there. Each node of the tree is one change, noted by its depth, so that the stack of any node
 * above is had again by undoing.
 */
class MergedStack {
	constructor(nFrames, maxDepth) {
		const array = () => new Int32Array(maxDepth + 2);
		this.length = 0;
		this.nodes = array();
		this.frames = array();
		this.where = new Int32Array(nFrames).fill(-1); // where a frame is, if it is there
		this.changes = 0;
		this.undo = { length: array(), frame: array(), where: array(), node: array(),
			below: array() };
	}

	find(frame) {
		const at = this.where[frame];
		return at >= 0 && at < this.length && this.frames[at] === frame ? at : -1;
	}

	cut(length) {
		const change = this.changes++;
		this.undo.length[change] = this.length;
		this.undo.frame[change] = -1;
		this.length = length;
	}

	push(node, frame) {
		const at = this.length++, change = this.changes++, { undo } = this;
		undo.length[change] = at;
		undo.frame[change] = frame;
		undo.where[change] = this.where[frame];
		undo.node[change] = this.nodes[at];
		undo.below[change] = this.frames[at];
		this.where[frame] = at;
		this.nodes[at] = node;
		this.frames[at] = frame;
	}

	// Undoes all but the first n changes.
	back(n) {
		const { undo } = this;
		while (this.changes > n) {
			const change = --this.changes, frame = undo.frame[change];
			this.length = undo.length[change];
			if (frame < 0)
				continue;
			this.where[frame] = undo.where[change];
			this.nodes[this.length] = undo.node[change];
			this.frames[this.length] = undo.below[change];
		}
	}
}

// Of each node: itself, or the one above it whose frame it calls again.
function firstCalls(data, base) {
	const { n, frame, depth } = base, calls = new Uint32Array(n);
	const deepest = depth.reduce((most, d) => Math.max(most, d), 0);
	const stack = new MergedStack(data.names.length, deepest);
	for (let i = 0; i < n; i++) {
		stack.back(depth[i]);
		const at = frame[i] ? stack.find(frame[i]) : -1;
		calls[i] = at < 0 ? i : stack.nodes[at];
		if (at < 0)
			stack.push(i, frame[i]);
		else
			stack.cut(at + 1);
	}
	return calls;
}

/*
 * Recursion merged: a function that is called again below itself, directly or not, goes on where it
 * was met first, and what was between is left out. So no function is below itself, every pair of
 * caller and callee is a real one, and what a function spent itself stays its own.
 */
function merged(data, base, sort) {
	const calls = firstCalls(data, base);
	const parent = calls.map((first, i) => first === i ? calls[base.parent[i]] : i);
	const { raw, owner } = joinNodes(data, base, { frame: 0, nodes: [0], links: linksOf(parent),
		areApart: Boolean(data.header.chart) });
	for (let i = 0; i < base.n; i++) {
		if (calls[i] === i)
			continue;
		owner[i] = owner[calls[i]];
		raw.addSelf(owner[i], base.self[i], base.selfBefore ? base.selfBefore[i] : 0);
	}
	return finishView(data, raw.finished(), sort, base, owner);
}
