// SPDX-License-Identifier: BSD-2-Clause
// callers: views from the callees' side. A node stands for all stacks that end with its path; which
// functions called it is found level by level, and only where a node is wide enough to be looked
// at: those that are narrower than 'minShare' of all are joined into a rest. Its number of nodes is
// then of those that were met: there may be more above them ('isRestLeast').
//	minShare	the share of all below which a node is joined; 0: the default
//	focus		frames from the root's children on: what is below that path is looked at as
//			if it were all

const CALLERS_MIN_SHARE = 1 / 20000;
const CALLERS_MOST_STEPS = 3e7, CALLERS_MOST_NODES = 400000;

// Sums by frame, for one node after the other.
class FrameSums {
	constructor(nFrames) {
		this.mark = new Uint32Array(nFrames);
		this.round = 0;
		this.sum = new Float64Array(nFrames);
		this.before = new Float64Array(nFrames);
		this.count = new Uint32Array(nFrames);
		this.node = new Uint32Array(nFrames);
		this.fill = new Uint32Array(nFrames);
		this.met = [];
	}

	start() {
		this.round++;
		this.met = [];
	}

	add(frame, value, before, count) {
		if (this.mark[frame] !== this.round) {
			this.mark[frame] = this.round;
			this.sum[frame] = this.before[frame] = this.count[frame] = 0;
			this.met.push(frame);
		}
		this.sum[frame] += value;
		this.before[frame] += before;
		this.count[frame] += count;
	}
}

/*
 * Follows stacks towards their root. A stack is the node of 'base' where it begins (leaf), what it
 * weighs (by that node) and the node whose frame is next (at); stacks of one node of the view are
 * next to each other.
 */
class CallerWalk {
	constructor(data, base, stacks, options) {
		const { weight, weightBefore } = stacks;
		this.base = base;
		this.weight = weight;
		this.weightBefore = weightBefore;
		this.hidden = stacks.hidden; // functions in rests, at the root's children; or null
		this.raw = new Growing(weightBefore !== null);
		this.owner = new Uint32Array(base.n).fill(NOBODY);
		this.sums = new FrameSums(data.names.length);
		this.leaf = stacks.leaf;
		this.at = stacks.at;
		this.nextLeaf = new Uint32Array(this.leaf.length);
		this.nextAt = new Uint32Array(this.leaf.length);
		this.steps = 0;
		this.share = options.minShare || CALLERS_MIN_SHARE;
		this.focus = options.focus || [];
		this.raw.add(stacks.frame, 0);
	}

	before(leaf) {
		return this.weightBefore ? this.weightBefore[leaf] : 0;
	}

	total() {
		let total = this.raw.self[0]; // stacks without any frame
		for (const leaf of this.leaf)
			total += Math.max(this.weight[leaf], this.before(leaf));
		if (this.hidden)
			for (let i = 0; i < this.hidden.frame.length; i++)
				total += this.hidden.self[i];
		return total;
	}

	run() {
		// 'path': how much of the focus leads here, -1 if this is beside it
		let level = [{ node: 0, from: 0, to: this.leaf.length, path: 0,
			least: this.share * this.total() }];
		while (level.length) {
			const next = [];
			this.filled = 0;
			for (const group of level)
				this.expand(group, next);
			[this.leaf, this.nextLeaf] = [this.nextLeaf, this.leaf];
			[this.at, this.nextAt] = [this.nextAt, this.at];
			level = next;
		}
	}

	give(leaf, node) {
		this.owner[leaf] = node;
		this.raw.addSelf(node, this.weight[leaf], this.before(leaf));
	}

	// Stacks that begin here are the node's own, the others go to its callers.
	expand(group, next) {
		const { sums, leaf, at } = this, frame = this.base.frame;
		const isHidden = this.hidden !== null && group.node === 0;
		sums.start();
		for (let k = group.from; k < group.to; k++)
			if (at[k])
				sums.add(frame[at[k]], this.weight[leaf[k]],
					this.before(leaf[k]), 1);
			else
				this.give(leaf[k], group.node);
		if (isHidden)
			this.addHidden();
		this.steps += group.to - group.from;
		const rest = this.addChildren(group, next);
		for (let k = group.from; k < group.to; k++) {
			if (!at[k])
				continue;
			const f = frame[at[k]], node = sums.node[f];
			if (node === rest) {
				this.give(leaf[k], node);
				continue;
			}
			this.nextLeaf[sums.fill[f]] = leaf[k];
			this.nextAt[sums.fill[f]++] = this.base.parent[at[k]];
		}
		if (isHidden)
			this.placeHidden(rest);
	}

	// A node for each wide frame, a rest for all others: that is returned, 0: there is none.
	addChildren(group, next) {
		const { sums, raw } = this;
		const isOver = this.steps > CALLERS_MOST_STEPS || raw.n > CALLERS_MOST_NODES;
		const isInFocus = group.path === this.focus.length;
		let rest = 0;
		for (const f of sums.met) {
			const size = Math.max(sums.sum[f], sums.before[f]);
			const isOnPath = group.path >= 0 && !isInFocus &&
				this.focus[group.path] === f;
			if (!isOnPath && (isOver || size < group.least)) {
				rest = rest || raw.add(0, group.node);
				raw.rest[rest]++;
				sums.node[f] = rest;
				continue;
			}
			const path = isOnPath ? group.path + 1 : isInFocus ? group.path : -1;
			const isFocus = isOnPath && path === this.focus.length;
			sums.node[f] = raw.add(f, group.node);
			sums.fill[f] = this.filled;
			this.filled += sums.count[f];
			next.push({ node: sums.node[f], from: sums.fill[f], to: this.filled, path,
				least: isFocus ? this.share * size : group.least });
		}
		return rest;
	}

	addHidden() {
		const { frame, self, selfBefore } = this.hidden;
		for (let i = 0; i < frame.length; i++)
			if (self[i] || (selfBefore && selfBefore[i]))
				this.sums.add(frame[i], self[i], selfBefore ? selfBefore[i] : 0, 0);
	}

	placeHidden(rest) {
		const { frame, self, selfBefore } = this.hidden, { raw, sums } = this;
		for (let i = 0; i < frame.length; i++) {
			const before = selfBefore ? selfBefore[i] : 0;
			if (!self[i] && !before)
				continue;
			if (sums.node[frame[i]] === rest)
				raw.growUnplaced(rest, self[i], before);
			else
				raw.addUnplaced(sums.node[frame[i]], self[i], before);
		}
	}
}

// True if what functions spent in rests is all that is in rests.
function restsAddUp(data, base) {
	const { tree, restFrames } = data;
	if (!restFrames || base.isRange)
		return false;
	const sum = (values) => values ? values.reduce((a, b) => a + b, 0) : 0;
	const inRests = (values) => sum(values && values.filter((value, i) => tree.rest[i]));
	return sum(restFrames.self) === inRests(tree.self) &&
		sum(restFrames.selfBefore) === inRests(tree.selfBefore);
}

function callersView(data, base, options) {
	const { self, selfBefore, frame } = base, leaf = [];
	const isKnown = restsAddUp(data, base);
	for (let i = 1; i < base.n; i++)
		if (frame[i] && (self[i] || (selfBefore && selfBefore[i])))
			leaf.push(i);
	const walk = new CallerWalk(data, base, {
		leaf: Uint32Array.from(leaf), at: Uint32Array.from(leaf), frame: 0,
		weight: self, weightBefore: selfBefore, hidden: isKnown ? data.restFrames : null,
	}, options);
	walk.give(0, 0);
	walk.run();
	if (!isKnown)
		addUnknownLeaves(walk, base);
	return finishCallers(data, walk, base, options);
}

// Rests of which nothing is known become one at the root.
function addUnknownLeaves(walk, base) {
	let node = -1;
	for (let i = 1; i < base.n; i++) {
		if (!base.rest[i])
			continue;
		if (node < 0)
			node = walk.raw.restOf(0);
		walk.raw.rest[node] += base.rest[i];
		walk.give(i, node);
	}
}

function finishCallers(data, walk, base, options) {
	const tree = finishView(data, walk.raw.finished(), options.sort, base, walk.owner);
	return Object.assign(tree, { isRestLeast: true });
}

// --- around one function ------------------------------------------------------------------------

// Nodes of the frame that are not below another of it.
function outermost(base, frame) {
	const nodes = [];
	for (let i = 1; i < base.n;) {
		if (base.frame[i] === frame)
			nodes.push(i);
		i = base.frame[i] === frame ? base.end[i] : i + 1;
	}
	return nodes;
}

function callersOf(data, base, frame, nodes, options) {
	const leaf = Uint32Array.from(nodes);
	const walk = new CallerWalk(data, base, {
		leaf, at: leaf.map((node) => base.parent[node]), frame,
		weight: base.total, weightBefore: base.totalBefore, hidden: null,
	}, options);
	walk.run();
	// What is below goes with its outermost call.
	for (const node of nodes)
		walk.owner.fill(walk.owner[node], node, base.end[node]);
	return walk;
}

/*
 * Who calls a function, and what it calls: two trees with that function as root; callers are below
 * it in theirs. Each stack is in both once: recursive calls are below the outermost. Options are
 * those of viewTree().
 */
function sandwich(data, frame, options) {
	const { range = null, merge = false, sort = "name" } = options;
	let base = baseView(data, range);
	if (merge)
		base = merged(data, base, "name");
	base = { ...base, isWhole: false };
	const nodes = outermost(base, frame);
	const down = joinNodes(data, base, { frame, nodes, links: linksOf(base.parent) });
	const up = callersOf(data, base, frame, nodes, options);
	const hidden = base.isRange || !data.restFrames ? -1 : data.restFrames.frame.indexOf(frame);
	if (hidden >= 0) {
		const { inside, insideBefore } = data.restFrames;
		const before = insideBefore ? insideBefore[hidden] : 0;
		for (const raw of inside[hidden] || before ? [down.raw, up.raw] : [])
			raw.growUnplaced(raw.restOf(0), inside[hidden], before);
	}
	return {
		callers: finishCallers(data, up, base, { ...options, sort }),
		callees: finishView(data, down.raw.finished(), sort, base, down.owner),
	};
}
