// SPDX-License-Identifier: BSD-2-Clause
// trees: each view of a tree has the sums that its stacks come to.
"use strict";
const assert = require("assert");
const { encode } = require("../flame_encoder");
const {
	flame, random, makeStacks, makeCase, sum, pathSums, withoutRecursion, nodePaths, checkTree, same,
	inRange, makeRange, full, check, many,
} = require("./cases");

module.exports = async () => {
	await check("a tree is read as it was written", many(100, async () => {
		const test = await makeCase();
		same(test, test.data.tree, pathSums(test.stacks.map((s) => s.frames), test.stacks));
		for (const [frame, number] of test.numbers) {
			if (frame < 0)
				continue;
			assert.equal(test.data.names[number], test.functions[frame].name);
			assert.equal(test.data.modules[test.data.frameModule[number]],
				test.functions[frame].module);
			assert.equal(test.data.frameKind[number], test.functions[frame].kind);
			assert.match(test.data.frameColor[number], /^#[0-9a-f]{2}80ff$/);
		}
	}));
	await check("both values of two profiles are read", many(50, async () => {
		const test = await makeCase("before");
		const { tree } = test.data, paths = test.stacks.map((s) => s.frames);
		const before = { ...tree, self: tree.selfBefore, total: tree.totalBefore };
		same(test, tree, pathSums(paths, test.stacks));
		same(test, before, pathSums(paths, test.stacks, "before"));
	}));
	await check("a narrow frame is in a rest, and nothing is lost", many(100, async () => {
		const test = await makeCase("", 1 + random(150));
		const { tree, header } = test.data;
		checkTree(tree);
		let n = 0;
		for (let i = 0; i < tree.n; i++)
			n += tree.rest[i] || 1;
		assert.equal(tree.total[0], test.all);
		assert.equal(n, header.all_nodes);
	}));
	await check("callers are the stacks from the other end", many(100, async () => {
		const test = await makeCase();
		const paths = test.stacks.map((s) => [...s.frames].reverse());
		for (const sort of ["name", "weight"])
			same(test, flame.viewTree(test.data, { callers: true, sort, ...full }),
				pathSums(paths, test.stacks));
	}));
	await check("callers of two profiles have both values", many(50, async () => {
		const test = await makeCase("before");
		const tree = flame.viewTree(test.data, { callers: true, ...full });
		const paths = test.stacks.map((s) => [...s.frames].reverse());
		same(test, tree, pathSums(paths, test.stacks));
		same(test, { ...tree, self: tree.selfBefore, total: tree.totalBefore },
			pathSums(paths, test.stacks, "before"));
	}));
	await check("functions at the root of callers are exact with rests", many(100, async () => {
		const test = await makeCase("", 1 + random(150));
		const tree = flame.viewTree(test.data, { callers: true, ...full });
		checkTree(tree);
		assert.equal(tree.total[0], test.all);
		for (let c = 1; c < tree.n; c = tree.end[c]) {
			const frame = [...test.numbers.keys()][tree.frame[c]];
			const ends = test.stacks.filter((s) => s.frames[s.frames.length - 1] === frame);
			assert(tree.frame[c], "no rest is at the root");
			assert.equal(tree.total[c], sum(ends));
		}
	}));
	await check("narrow callers are joined, wide ones and those in focus are not", many(100, async () => {
		const test = await makeCase();
		const minShare = 1 / (3.14159 + random(30)), truth = pathSums(
			test.stacks.map((s) => [...s.frames].reverse()), test.stacks);
		const focus = nodePaths(test, flame.viewTree(test.data, { callers: true, ...full }));
		const chosen = focus[random(focus.length)], share = truth.get(chosen.join(" ")).total;
		const tree = flame.viewTree(test.data, { callers: true, minShare,
			focus: chosen.map((frame) => test.numbers.get(frame)) });
		const shown = new Set(nodePaths(test, tree).map((frames) => frames.join(" ")));
		checkTree(tree);
		assert.equal(tree.total[0], test.all);
		for (const [name, { total }] of truth) {
			const isIn = chosen.length > 0 && (name + " ").startsWith(chosen.join(" ") + " ");
			const isAbove = (chosen.join(" ") + " ").startsWith(name + " ");
			const isWide = total >= minShare * (isIn ? share : test.all) - 1e-9;
			if (name && total)
				assert.equal(shown.has(name), isWide || isAbove, name);
		}
	}));
	await check("merged recursion has no function below itself and all its own values", many(100, async () => {
		const test = await makeCase();
		const short = test.stacks.map((s) => withoutRecursion(s.frames));
		same(test, flame.viewTree(test.data, { merge: true }), pathSums(short, test.stacks));
		same(test, flame.viewTree(test.data, { merge: true, callers: true, ...full }),
			pathSums(short.map((frames) => [...frames].reverse()), test.stacks));
	}));
	await check("in a flame chart siblings stay in order of time and apart", many(50, async () => {
		const { functions, stacks } = makeStacks();
		const { text, numbers } = encode(functions, stacks, { header: { chart: true } });
		const data = await flame.decodeFlame(text), short = stacks.map((s) =>
			withoutRecursion(s.frames));
		const tree = flame.viewTree(data, { merge: true }), sums = new Map();
		checkTree(tree);
		nodePaths({ numbers }, tree).forEach((frames, i) => {
			const name = frames.join(" ");
			sums.set(name, (sums.get(name) || 0) + tree.total[i]);
		});
		for (const [name, { total }] of pathSums(short, stacks))
			assert.equal(sums.get(name), total, name);
		const came = new Map(); // when the first of each node's came
		tree.owner.forEach((node, i) => came.set(node, came.has(node) ? came.get(node) : i));
		for (let c = 1, next; c < tree.n; c = next) {
			next = tree.end[c];
			assert(next === tree.n || came.get(c) < came.get(next));
		}
		const ids = new Set(Array.from({ length: tree.n }, (none, i) =>
			flame.nodeId(data, tree, i)));
		assert.equal(ids.size, tree.n);
	}));
	await check("siblings are in the order asked for", many(50, async () => {
		const test = await makeCase("", random(2) * random(100));
		for (const merge of [false, true]) {
			const byName = flame.viewTree(test.data, { merge, sort: "name" });
			const byWeight = flame.viewTree(test.data, { merge, sort: "weight" });
			assert.equal(byName.n, byWeight.n);
			for (const tree of [byName, byWeight])
				for (let i = 0; i < tree.n; i++)
					for (let a = i + 1, b = tree.end[a]; b < tree.end[i]; [a, b] = [b, tree.end[b]]) {
						const names = [a, b].map((c) => Buffer.from(test.data.names[tree.frame[c]]));
						assert(tree.frame[a], "a rest is the last");
						if (!tree.frame[b])
							continue;
						assert(tree === byWeight ? tree.total[a] >= tree.total[b] :
							Buffer.compare(...names) <= 0);
					}
		}
	}));
	await check("a range of time has its samples only", many(100, async () => {
		const test = await makeCase("time"), range = makeRange();
		const some = test.stacks.filter(inRange(range));
		const truth = pathSums(some.map((s) => s.frames), some);
		truth.set("", truth.get("") || { total: 0, self: 0 });
		const tree = flame.viewTree(test.data, { range });
		checkTree(tree);
		nodePaths(test, tree).forEach((frames, i) => {
			const wants = truth.get(frames.join(" ")) || { total: 0, self: 0 };
			assert.equal(tree.total[i], wants.total);
			assert.equal(tree.self[i], wants.self);
		});
		if (some.length)
			same(test, flame.viewTree(test.data, { range, callers: true, ...full }),
				pathSums(some.map((s) => [...s.frames].reverse()), some));
	}));
	await check("a sandwich has every stack with the function once on each side", many(100, async () => {
		const test = await makeCase();
		for (const merge of [false, true]) {
			const frames = test.stacks.map((s) => merge ? withoutRecursion(s.frames) : s.frames);
			const f = [...test.numbers.keys()][1 + random(test.numbers.size - 1)];
			const kept = frames.map((list, i) => [list, i]).filter(([list]) => list.includes(f));
			if (!kept.length)
				continue;
			const stacks = kept.map(([, i]) => test.stacks[i]);
			const { callers, callees } = flame.sandwich(test.data, test.numbers.get(f),
				{ merge, ...full });
			same(test, callees, pathSums(kept.map(([list]) => list.slice(list.indexOf(f) + 1)), stacks));
			same(test, callers, pathSums(kept.map(([list]) =>
				list.slice(0, list.indexOf(f)).reverse()), stacks));
			assert.equal(callers.frame[0], test.numbers.get(f));
			assert.equal(callees.frame[0], test.numbers.get(f));
		}
	}));
	await check("both sides of a sandwich are the function's total with rests, too", many(100, async () => {
		const test = await makeCase("", 1 + random(150));
		for (const [frame, number] of test.numbers) {
			if (frame < 0)
				continue;
			const has = sum(test.stacks.filter((s) => s.frames.includes(frame)));
			const { callers, callees } = flame.sandwich(test.data, number, full);
			checkTree({ ...callers, frame: callers.frame.map((f, i) => i ? f : 0) });
			assert.equal(callers.total[0], has);
			assert.equal(callees.total[0], has);
		}
	}));
};
