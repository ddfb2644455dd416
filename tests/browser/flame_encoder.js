// SPDX-License-Identifier: BSD-2-Clause
// flame_encoder: call trees for tests in the format of flame_data.h, made from plain lists of stacks
// and in no way that the code under test shares.
"use strict";
const zlib = require("zlib");

function varint(out, value) {
	for (; value >= 128; value = Math.floor(value / 128))
		out.push(value % 128 + 128);
	out.push(value);
}

const varints = (values) => {
	const out = [];
	for (const value of values)
		varint(out, value);
	return Uint8Array.from(out);
};

const section = (name, bytes) => `${name} ${zlib.deflateSync(bytes).toString("base64")}`;

/*
 * Stacks are { frames: [index of 'functions', root first], value, before, slot }; functions are
 * { name, module, kind }. Returns the root of a tree of { frame, kids: Map, self, before, total,
 * stacks }.
 */
function treeOf(stacks) {
	const make = (frame) => ({ frame, kids: new Map(), self: 0, before: 0, total: 0, stacks: [] });
	const root = make(-1);
	for (const stack of stacks) {
		let node = root;
		root.total += Math.max(stack.value, stack.before || 0);
		for (const frame of stack.frames) {
			if (!node.kids.has(frame))
				node.kids.set(frame, make(frame));
			node = node.kids.get(frame);
			node.total += Math.max(stack.value, stack.before || 0);
		}
		node.self += stack.value;
		node.before += stack.before || 0;
		node.stacks.push(stack);
	}
	return root;
}

// All nodes of a subtree, parents first.
function allOf(node) {
	const list = [node];
	for (let i = 0; i < list.length; i++)
		list.push(...list[i].kids.values());
	return list;
}

// Children that are narrower than 'least' become a rest. Returns sums by function of what is in rests.
function prune(root, least) {
	const inside = new Map(), self = new Map();
	const grow = (map, key, stack) => {
		const sum = map.get(key) || [0, 0];
		map.set(key, [sum[0] + stack.value, sum[1] + (stack.before || 0)]);
	};
	for (const todo = [[root, 0]]; todo.length;) {
		const [node, depth] = todo.pop();
		const narrow = [...node.kids.values()].filter((kid) => kid.total < least);
		for (const kid of node.kids.values())
			if (!narrow.includes(kid))
				todo.push([kid, depth + 1]);
		if (!narrow.length)
			continue;
		const rest = { frame: -1, kids: new Map(), self: 0, before: 0, stacks: [], count: 0 };
		for (const kid of narrow) {
			node.kids.delete(kid.frame);
			for (const hidden of allOf(kid)) {
				rest.count++;
				rest.self += hidden.self;
				rest.before += hidden.before;
				rest.stacks.push(...hidden.stacks);
			}
		}
		for (const stack of rest.stacks) {
			const above = new Set(stack.frames.slice(0, depth));
			grow(self, stack.frames[stack.frames.length - 1], stack);
			for (const frame of new Set(stack.frames.slice(depth)))
				if (!above.has(frame))
					grow(inside, frame, stack);
		}
		node.kids.set("rest", rest);
	}
	return { inside, self };
}

function encode(functions, stacks, options = {}) {
	const hasBefore = stacks.some((stack) => stack.before !== undefined);
	const hasTime = stacks.some((stack) => stack.slot !== undefined);
	const root = treeOf(stacks), allNodes = allOf(root).length;
	const rests = prune(root, options.least || 0);
	const byName = (a, b) => Buffer.compare(Buffer.from(functions[a.frame].name),
		Buffer.from(functions[b.frame].name)) || a.frame - b.frame;
	const nodes = [], numbers = new Map([[-1, 0]]), below = new Map();
	const shape = [], edges = [], self = [], before = [], counts = [];
	const numberOf = (frame) => {
		if (!numbers.has(frame))
			numbers.set(frame, numbers.size);
		return numbers.get(frame);
	};
	for (const todo = [[root, null]]; todo.length;) {
		const [node, above] = todo.pop(), kids = [...node.kids.values()];
		const sortedKids = [...kids.filter((kid) => kid.count === undefined).sort(byName),
			...kids.filter((kid) => kid.count !== undefined)];
		const hasSelf = node.self || node.before ? 1 : 0, frame = numberOf(node.frame);
		node.index = nodes.length;
		nodes.push(node);
		shape.push(2 * kids.length + hasSelf);
		if (hasSelf) {
			self.push(node.self);
			before.push(node.before);
		}
		if (node.count !== undefined)
			counts.push(node.count);
		if (above !== null) {
			const list = below.get(above) || [];
			const at = list.indexOf(frame);
			below.set(above, list);
			edges.push(at + 1);
			if (at < 0) {
				edges.push(frame);
				list.push(frame);
			}
		}
		for (const kid of sortedKids.reverse())
			todo.push([kid, frame]);
	}
	for (const frame of rests.inside.keys())
		numberOf(frame);
	for (const frame of rests.self.keys())
		numberOf(frame);
	return sectionsOf({ functions, nodes, numbers, shape, edges, self, before, counts, rests,
		hasBefore, hasTime, allNodes, total: root.total, options });
}

function sectionsOf(made) {
	const { functions, nodes, numbers, rests, hasBefore, hasTime, options } = made;
	const frames = [...numbers.keys()].map((frame) => frame < 0 ?
		{ name: "all", module: "", kind: 4 } : functions[frame]);
	const modules = [...new Set(["", ...frames.map((frame) => frame.module)])];
	const header = {
		schema: "fathom.flame/1", title: "T", subtitle: "", value: "samples", unit: "count",
		count_name: "samples", name_type: "", nodes: nodes.length, frames: frames.length,
		all_nodes: made.allNodes, total: made.total, chart: false, icicle: false, negate: false,
		provenance: [["host", "h"]], ...(hasBefore ? { scales: [1, 1], delta_by: "value" } : {}),
		...(hasTime ? { time: { slot_ns: 1e7, slots: options.slots, start_ns: 0 } } : {}),
		...options.header,
	};
	const text = (lines) => Buffer.from(lines.map((line) => line + "\n").join(""));
	const lines = [
		section("header", Buffer.from(JSON.stringify(header))),
		section("names", text(frames.map((frame) => frame.name))),
		section("modules", text(modules)),
		section("frames", Uint8Array.from(frames.flatMap((frame, i) =>
			[...varints([modules.indexOf(frame.module)]), frame.kind, i % 256, 128, 255]))),
		section("shape", varints(made.shape)),
		section("edges", varints(made.edges)),
		section("self", varints(made.self)),
	];
	if (hasBefore)
		lines.push(section("before", varints(made.before)));
	if (made.counts.length) {
		lines.push(section("rests", varints(made.counts)));
		lines.push(section("rest_frames", varints(restFrameRows(numbers, rests, hasBefore))));
	}
	if (hasTime)
		lines.push(section("time", varints(timeRows(nodes))));
	return { text: lines.join("\n") + "\n", numbers };
}

function restFrameRows(numbers, { inside, self }, hasBefore) {
	const rows = [];
	let last = 0;
	const frames = [...new Set([...inside.keys(), ...self.keys()])].sort((a, b) =>
		numbers.get(a) - numbers.get(b));
	for (const frame of frames) {
		const [in1, in0] = inside.get(frame) || [0, 0], [self1, self0] = self.get(frame) || [0, 0];
		rows.push(numbers.get(frame) - last, in1, self1, ...(hasBefore ? [in0, self0] : []));
		last = numbers.get(frame);
	}
	return rows;
}

function timeRows(nodes) {
	const moments = [], rows = [];
	let last = 0;
	for (const node of nodes)
		for (const stack of node.stacks)
			moments.push([stack.slot, node.index, stack.value]);
	moments.sort((a, b) => a[0] - b[0]);
	for (const [slot, node, value] of moments) {
		rows.push(slot - last, node, value);
		last = slot;
	}
	return rows;
}

module.exports = { encode, varints, section };
