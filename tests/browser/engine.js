// SPDX-License-Identifier: BSD-2-Clause
// engine: the parts of a flame graph's script that need no document, under node: trees of random
// stacks and their views, compared with what the plain list of stacks says. Prints TAP.
//	node tests/browser/engine.js [SEED]
"use strict";
const fs = require("fs");
const path = require("path");
const vm = require("vm");
const assert = require("assert");
const { encode, varints, section } = require("./flame_encoder.js");

const folder = path.join(__dirname, "..", "..", "flamegraph");
const files = ["data", "tree", "callers", "search", "layout"];
const source = files.map((name) => fs.readFileSync(path.join(folder, name + ".js"), "utf8")).join("");
const wanted = ["decodeFlame", "viewTree", "sandwich", "functions", "search", "layoutBoxes",
	"nodeId", "findNode", "functionId", "findFunction", "formatAmount", "formatReal", "formatShare",
	"compareNames"];
const flame = vm.runInThisContext(`(() => { "use strict";\n${source}\nreturn { ${wanted} }; })()`);

// --- random stacks --------------------------------------------------------------------------------

let state = (+process.argv[2] || 1) >>> 0;
function random(n) { // 0..n-1; mulberry32
	state = (state + 0x6d2b79f5) >>> 0;
	let t = Math.imul(state ^ state >>> 15, state | 1);
	t ^= t + Math.imul(t ^ t >>> 7, t | 61);
	return ((t ^ t >>> 14) >>> 0) % n;
}

const SLOTS = 50;
const odd = ["a b", "é", "\u{1f525}", "\uff5e", "<script>", "x;y", "0"];

function makeFunctions(n) {
	return Array.from({ length: n }, (none, i) => ({
		name: i % 5 === 4 ? odd[i % odd.length] + i : "f" + i,
		module: i % 3 ? "lib" + i % 4 : "", kind: i % 5,
	}));
}

// { functions, stacks }; 'kind': what the stacks have.
function makeStacks(kind) {
	const functions = makeFunctions(2 + random(14)), n = 1 + random(60), depth = 1 + random(12);
	const stacks = [];
	for (let i = 0; i < n; i++) {
		const frames = [];
		for (let d = 1 + random(depth); d > 0; d--)
			frames.push(Math.min(random(functions.length), random(functions.length)));
		const stack = { frames, value: 1 + random(20) * random(20) };
		if (kind === "before") {
			stack.before = random(3) ? random(200) : 0;
			stack.value = random(3) || !stack.before ? stack.value : 0;
		}
		if (kind === "time")
			stack.slot = random(SLOTS);
		stacks.push(stack);
	}
	if (random(10) === 0)
		stacks.push({ ...stacks[0], frames: [] });
	return { functions, stacks };
}

async function makeCase(kind, least = 0) {
	const { functions, stacks } = makeStacks(kind);
	const { text, numbers } = encode(functions, stacks, { least, slots: SLOTS });
	const data = await flame.decodeFlame(text);
	return { functions, stacks, data, numbers, all: sum(stacks) };
}

const sum = (stacks, key = "value") => stacks.reduce((a, stack) => a + stack[key], 0);

// --- the truth: sums by path ----------------------------------------------------------------------

function pathSums(paths, stacks, key = "value") {
	const sums = new Map();
	paths.forEach((frames, i) => {
		for (let n = 0; n <= frames.length; n++) {
			const name = frames.slice(0, n).join(" ");
			const at = sums.get(name) || { total: 0, self: 0 };
			at.total += stacks[i][key];
			at.self += n === frames.length ? stacks[i][key] : 0;
			sums.set(name, at);
		}
	});
	return sums;
}

function withoutRecursion(frames) {
	const short = [];
	for (const frame of frames) {
		const at = short.indexOf(frame);
		if (at >= 0)
			short.length = at + 1;
		else
			short.push(frame);
	}
	return short;
}

// Path of each node of a tree, in the numbers of 'functions'.
function nodePaths(test, tree) {
	const frames = [...test.numbers.keys()], paths = [[]];
	for (let i = 1; i < tree.n; i++)
		paths[i] = [...paths[tree.parent[i]], tree.frame[i] ? frames[tree.frame[i]] : "rest"];
	return paths;
}

// Every number of a tree that can be computed from others.
function checkTree(tree) {
	const kids = new Float64Array(tree.n);
	assert.equal(tree.end[0], tree.n);
	assert.equal(tree.depth[0], 0);
	for (let i = tree.n - 1; i > 0; i--) {
		const p = tree.parent[i];
		assert(p < i && tree.end[i] > i && tree.end[i] <= tree.end[p], "a child is in its parent");
		assert.equal(tree.depth[i], tree.depth[p] + 1);
		assert.equal(tree.frame[i] === 0, tree.rest[i] > 0);
		assert(!tree.rest[i] || tree.end[i] === i + 1, "a rest has no children");
		kids[p] += tree.total[i];
	}
	for (let i = 0; i < tree.n; i++)
		assert.equal(tree.total[i], tree.self[i] + kids[i]);
	for (let i = 0; i < tree.n; i++)
		for (let c = i + 1, next; c < tree.end[i]; c = next) {
			next = tree.end[c];
			assert.equal(tree.parent[c], i);
		}
}

function same(test, tree, truth) {
	const paths = nodePaths(test, tree);
	checkTree(tree);
	assert.equal(new Set(paths.map((frames) => frames.join(" "))).size, tree.n);
	paths.forEach((frames, i) => {
		const wants = truth.get(frames.join(" "));
		assert(wants, `${frames} is no path`);
		assert.equal(tree.total[i], wants.total, `total of ${frames}`);
		assert.equal(tree.self[i], wants.self, `self of ${frames}`);
	});
	const left = [...truth.values()].filter((at) => at.total).length;
	assert.equal(tree.total.filter((total) => total).length, left, "no path is left out");
}

const inRange = (range) => (stack) => stack.slot >= range[0] && stack.slot < range[1];

function makeRange() {
	const from = random(SLOTS);
	return [from, from + 1 + random(SLOTS - from)];
}

const full = { minShare: 1e-12 };

// --- tests ----------------------------------------------------------------------------------------

const tests = [];
const check = (name, f) => tests.push([name, f]);
const many = (n, f) => async () => {
	for (let i = 0; i < n; i++) {
		const before = state;
		try {
			await f(i);
		} catch (error) {
			error.stack += `\ncase ${i}, seed ${before}`;
			throw error;
		}
	}
};

check("a tree is read as it was written", many(100, async () => {
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

check("both values of two profiles are read", many(50, async () => {
	const test = await makeCase("before");
	const { tree } = test.data, paths = test.stacks.map((s) => s.frames);
	const before = { ...tree, self: tree.selfBefore, total: tree.totalBefore };
	same(test, tree, pathSums(paths, test.stacks));
	same(test, before, pathSums(paths, test.stacks, "before"));
}));

check("a narrow frame is in a rest, and nothing is lost", many(100, async () => {
	const test = await makeCase("", 1 + random(150));
	const { tree, header } = test.data;
	checkTree(tree);
	let n = 0;
	for (let i = 0; i < tree.n; i++)
		n += tree.rest[i] || 1;
	assert.equal(tree.total[0], test.all);
	assert.equal(n, header.all_nodes);
}));

check("callers are the stacks from the other end", many(100, async () => {
	const test = await makeCase();
	const paths = test.stacks.map((s) => [...s.frames].reverse());
	for (const sort of ["name", "weight"])
		same(test, flame.viewTree(test.data, { callers: true, sort, ...full }),
			pathSums(paths, test.stacks));
}));

check("callers of two profiles have both values", many(50, async () => {
	const test = await makeCase("before");
	const tree = flame.viewTree(test.data, { callers: true, ...full });
	const paths = test.stacks.map((s) => [...s.frames].reverse());
	same(test, tree, pathSums(paths, test.stacks));
	same(test, { ...tree, self: tree.selfBefore, total: tree.totalBefore },
		pathSums(paths, test.stacks, "before"));
}));

check("functions at the root of callers are exact with rests", many(100, async () => {
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

check("narrow callers are joined, wide ones and those in focus are not", many(100, async () => {
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

check("merged recursion has no function below itself and all its own values", many(100, async () => {
	const test = await makeCase();
	const short = test.stacks.map((s) => withoutRecursion(s.frames));
	same(test, flame.viewTree(test.data, { merge: true }), pathSums(short, test.stacks));
	same(test, flame.viewTree(test.data, { merge: true, callers: true, ...full }),
		pathSums(short.map((frames) => [...frames].reverse()), test.stacks));
}));

check("siblings are in the order asked for", many(50, async () => {
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

check("a range of time has its samples only", many(100, async () => {
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

check("a sandwich has every stack with the function once on each side", many(100, async () => {
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

check("both sides of a sandwich are the function's total with rests, too", many(100, async () => {
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

for (const kind of ["", "before"])
	check(`functions are exact with rests${kind ? ", of two profiles" : ""}`, many(100, async () => {
		const test = await makeCase(kind, random(150));
		const table = flame.functions(test.data), frames = [...test.numbers.keys()];
		const of = (f, key) => [
			sum(test.stacks.filter((s) => s.frames.includes(f)), key),
			sum(test.stacks.filter((s) => s.frames[s.frames.length - 1] === f), key)];
		assert.equal(table.unknown, 0);
		assert.equal(table.frame.length, frames.filter((f) => f >= 0 &&
			(of(f, "value")[0] || (kind && of(f, "before")[0]))).length);
		table.frame.forEach((number, i) => {
			const f = frames[number];
			assert.deepEqual([table.total[i], table.self[i]], of(f, "value"));
			if (kind)
				assert.deepEqual([table.totalBefore[i], table.selfBefore[i]], of(f, "before"));
		});
	}));

check("functions of a range miss no more than is in rests", many(100, async () => {
	const test = await makeCase("time", random(100)), range = makeRange();
	const table = flame.functions(test.data, { range }), frames = [...test.numbers.keys()];
	const some = test.stacks.filter(inRange(range));
	frames.forEach((f, number) => {
		const has = sum(some.filter((s) => s.frames.includes(f)));
		const at = table.frame.indexOf(number), says = at < 0 ? 0 : table.total[at];
		assert(f < 0 || (says <= has && has <= says + table.unknown));
	});
}));

// --- search ---

function someFrames(test, n) {
	const chosen = new Set(), numbers = [...test.numbers.keys()].filter((f) => f >= 0);
	const hit = new Uint8Array(test.data.names.length);
	while (numbers.length && chosen.size < Math.min(n, numbers.length))
		chosen.add(numbers[random(numbers.length)]);
	for (const frame of chosen)
		hit[test.numbers.get(frame)] = 1;
	return { hit, matches: (stack) => stack.frames.some((f) => chosen.has(f)) };
}

check("a search sums each stack once in every view and below every node", many(100, async () => {
	const test = await makeCase();
	const { hit, matches } = someFrames(test, 1 + random(4));
	for (const [merge, callers, sort] of [[false, false, "name"], [false, false, "weight"],
		[true, false, "name"], [false, true, "name"], [true, true, "weight"]]) {
		const tree = flame.viewTree(test.data, { merge, callers, sort, ...full });
		const paths = nodePaths(test, tree);
		const lists = test.stacks.map((s) => merge ? withoutRecursion(s.frames) : s.frames)
			.map((list) => callers ? [...list].reverse() : list);
		for (let i = 0; i < tree.n; i++) {
			const isBelow = (list) => paths[i].every((f, k) => list[k] === f);
			const wants = sum(test.stacks.filter((s, k) => isBelow(lists[k]) && matches(s)));
			const says = flame.search(test.data, tree, hit, i);
			assert.equal(says.low, wants);
			assert.equal(says.high, wants);
			assert.equal(says.hit[i], hit[tree.frame[i]]);
		}
	}
}));

check("a search for one function is exact with rests", many(200, async () => {
	const test = await makeCase("", 1 + random(150));
	const { hit, matches } = someFrames(test, 1);
	for (const callers of [false, true]) {
		const tree = flame.viewTree(test.data, { callers });
		const { low, high } = flame.search(test.data, tree, hit);
		assert.deepEqual([low, high], [sum(test.stacks.filter(matches)), low]);
	}
}));

let bounded = 0, exact = 0;
check("a search for many has bounds that hold, below every node", many(300, async () => {
	const test = await makeCase(random(2) ? "time" : "", 1 + random(150));
	const { hit, matches } = someFrames(test, 2 + random(4));
	const range = test.data.time && random(2) ? makeRange() : null;
	const stacks = range ? test.stacks.filter(inRange(range)) : test.stacks;
	for (const callers of [false, true]) {
		const tree = flame.viewTree(test.data, { range, callers, ...full });
		const paths = nodePaths(test, tree);
		for (let i = 0; i < tree.n; i++) {
			const { low, high } = flame.search(test.data, tree, hit, i);
			const lists = stacks.map((s) => callers ? [...s.frames].reverse() : s.frames);
			const isBelow = (list) => paths[i].every((f, k) => list[k] === f);
			const wants = sum(stacks.filter((s, k) => isBelow(lists[k]) && matches(s)));
			assert(high <= tree.total[i], "not more than there is");
			// What calls functions in rests is not known.
			if (paths[i].includes("rest") || (callers && i && (range || tree.depth[i] > 1)))
				continue;
			assert(low <= wants && wants <= high, `${low} <= ${wants} <= ${high}`);
			exact += low === high;
			bounded += low < high;
		}
	}
}));

check("most of those are exact, and some are not", async () => {
	assert(exact > bounded && bounded > 0, `${exact} exact, ${bounded} not`);
});

check("a search finds both sides of a sandwich", many(100, async () => {
	const test = await makeCase("", random(2) * random(100));
	const { hit, matches } = someFrames(test, 2);
	const number = 1 + random(test.numbers.size - 1), f = [...test.numbers.keys()][number];
	const { callers, callees } = flame.sandwich(test.data, number, full);
	const has = sum(test.stacks.filter((s) => s.frames.includes(f) && matches(s)));
	for (const tree of [callers, callees]) {
		const { low, high } = flame.search(test.data, tree, hit);
		assert(low <= has && has <= high, `${low} <= ${has} <= ${high}`);
		assert(test.data.restFrames || low === high);
	}
}));

// --- names ---

check("IDs name one node, and the same one in another picture", many(50, async () => {
	const test = await makeCase();
	const rotated = [...test.stacks.slice(1), test.stacks[0]].map((s) => ({ ...s, value: 7 }));
	const other = await flame.decodeFlame(encode(test.functions, rotated, { least: 0 }).text);
	const callers = { callers: true, ...full };
	for (const options of [{}, { sort: "weight" }, { merge: true }, callers]) {
		const [tree, there] = [test.data, other].map((data) => flame.viewTree(data, options));
		for (let i = 0; i < tree.n; i++) {
			const id = flame.nodeId(test.data, tree, i), at = flame.findNode(other, there, id);
			assert.equal(flame.findNode(test.data, tree, id), i);
			assert(at >= 0, "it is found");
			assert.equal(other.names[there.frame[at]], test.data.names[tree.frame[i]]);
			assert.equal(there.depth[at], tree.depth[i]);
		}
	}
	for (let f = 1; f < test.data.names.length; f++)
		assert.equal(flame.findFunction(test.data, flame.functionId(test.data, f)), f);
	for (const id of ["", "zzzzzzzzzzzz", "-1", "<b>"]) {
		assert.equal(flame.findNode(test.data, test.data.tree, id), -1);
		assert.equal(flame.findFunction(test.data, id), -1);
	}
}));

check("names are in the order of their bytes", many(20, () => {
	const text = () => Array.from({ length: random(4) }, () => ["a", "b", "é", "\u{1f525}", "\uff5e",
		"\ue000", "\u{10ffff}"][random(7)]).join("");
	for (let i = 0; i < 100; i++) {
		const a = text(), b = text();
		assert.equal(Math.sign(flame.compareNames(a, b)),
			Buffer.compare(Buffer.from(a), Buffer.from(b)));
	}
}));

// --- layout ---

// Boxes on a box lie side by side in it; what they and what is left out come to is what is there.
function checkBoxes(tree, zoom, width, boxes) {
	const right = new Map(), weights = new Float64Array(boxes.n);
	let nodes = 0, weight = 0;
	for (let b = 0; b < boxes.n; b++) {
		const p = boxes.parent[b];
		assert(boxes.x[b] >= -1e-6 && boxes.x[b] + boxes.w[b] <= width * (1 + 1e-9) + 1e-6);
		assert(b === 0 || boxes.depth[b] >= boxes.depth[b - 1], "row by row");
		if (p >= 0) {
			assert.equal(boxes.depth[b], boxes.depth[p] + 1);
			assert(boxes.x[b] >= (right.has(p) ? right.get(p) : boxes.x[p]) - 1e-6, "no overlap");
			assert(boxes.x[b] + boxes.w[b] <= boxes.x[p] + boxes.w[p] + 1e-6, "inside its parent");
			right.set(p, boxes.x[b] + boxes.w[b]);
		}
		if (b < boxes.above) {
			assert.equal(boxes.w[b], width);
			continue;
		}
		const own = boxes.hidden[b] ? boxes.hiddenWeight[b] : tree.total[boxes.node[b]];
		weights[b] += own;
		if (p >= boxes.above)
			weights[p] -= own;
		assert(Math.abs(boxes.w[b] - width * own / tree.total[zoom]) < 1e-6);
		assert(b === boxes.above || boxes.w[b] >= boxes.minWidth * (1 - 1e-9));
		nodes += boxes.hidden[b] || 1;
	}
	for (let b = boxes.above; b < boxes.n; b++)
		weight += weights[b] - (boxes.hidden[b] ? boxes.hiddenWeight[b] :
			tree.self[boxes.node[b]]);
	assert(Math.abs(weight - boxes.droppedWeight) < 1e-6, "all weight is somewhere");
	let all = 0;
	for (let i = zoom; i < tree.end[zoom]; i++)
		all += tree.total[i] || i === zoom ? tree.rest[i] || 1 : 0;
	assert.equal(nodes + boxes.dropped, all, "all nodes are somewhere");
}

check("boxes add up and never overlap", many(200, async () => {
	const test = await makeCase("", random(2) * random(100));
	const tree = flame.viewTree(test.data, { merge: random(2) === 1, sort: "weight" });
	const zoom = random(tree.n), width = 200 + random(3000);
	const minWidth = random(2) ? 0.1 : 1 + random(width / 4);
	const boxes = flame.layoutBoxes(tree, zoom, width, { minWidth });
	checkBoxes(tree, zoom, width, boxes);
	assert.equal(boxes.minWidth, minWidth);
	assert.equal(boxes.above, tree.depth[zoom]);
	assert.equal(boxes.node[boxes.above], zoom);
}));

check("there are never more boxes than may be", many(100, async () => {
	const test = await makeCase();
	const tree = test.data.tree, zoom = random(2) ? 0 : random(tree.n), maxBoxes = 20 + random(80);
	const boxes = flame.layoutBoxes(tree, zoom, 1000, { maxBoxes });
	checkBoxes(tree, zoom, 1000, boxes);
	assert(boxes.n <= maxBoxes + boxes.above);
}));

check("joined boxes know how many hits they hide", many(100, async () => {
	const test = await makeCase();
	const { hit } = someFrames(test, 2), tree = test.data.tree;
	const marks = flame.search(test.data, tree, hit).hit;
	const boxes = flame.layoutBoxes(tree, 0, 1000, { minWidth: 100, hit: marks });
	let seen = 0, hidden = 0;
	for (let b = 0; b < boxes.n; b++) {
		seen += boxes.hidden[b] ? 0 : marks[boxes.node[b]];
		hidden += boxes.hiddenHits[b];
		assert(boxes.hiddenHits[b] <= boxes.hidden[b]);
	}
	assert(seen + hidden <= marks.reduce((a, b) => a + b, 0));
	if (!boxes.dropped)
		assert.equal(seen + hidden, marks.reduce((a, b) => a + b, 0));
}));

check("amounts and shares are written as printf does it", () => {
	const amounts = [
		[0, "count", "samples", "0 samples"], [1, "count", "samples", "1 sample"],
		[1234567, "count", "samples", "1,234,567 samples"], [-1234, "count", "", "-1,234"],
		[2, "pages", "samples", "2 pages"], [999, "nanoseconds", "cpu", "999 ns"],
		[1000, "nanoseconds", "cpu", "1.00 us"], [1125, "nanoseconds", "cpu", "1.12 us"],
		[1375, "nanoseconds", "cpu", "1.38 us"], [12250, "nanoseconds", "cpu", "12.2 us"],
		[12345678, "nanoseconds", "cpu", "12.3 ms"], [123.5e9, "nanoseconds", "cpu", "124 s"],
		[122.5e9, "nanoseconds", "cpu", "122 s"], [-1125, "nanoseconds", "cpu", "-1.12 us"],
		[512, "bytes", "", "512 bytes"], [1536, "bytes", "", "1.50 KiB"],
		[3 * 2 ** 30, "bytes", "", "3.00 GiB"],
	];
	for (const [value, unit, name, text] of amounts)
		assert.equal(flame.formatAmount(value, unit, name), text);
	const reals = [[0.125, "count", "samples", "0.125 samples"], [1, "count", "samples", "1 sample"],
		[2.125, "count", "", "2.12"], [0.00001, "count", "", "1e-05"], [99.96, "bytes", "",
			"100 bytes"], [12.5, "nanoseconds", "", "12.5 ns"], [150.4, "count", "x", "150 x"],
		[NaN, "count", "", "?"]];
	for (const [value, unit, name, text] of reals)
		assert.equal(flame.formatReal(value, unit, name), text);
	const shares = [[0, 5, "0.00%"], [5, 5, "100.00%"], [1, 3, "33.33%"], [1, 1e6, "< 0.01%"],
		[1, 20000, "0.01%"], [1, 20001, "< 0.01%"], [1, 0, "< 0.01%"], [7, 8, "87.50%"]];
	for (const [part, whole, text] of shares)
		assert.equal(flame.formatShare(part, whole), text);
});

// --- depth and hostile files ---

check("stacks of 4096 frames are no trouble in any view", async () => {
	const functions = makeFunctions(9), frames = Array.from({ length: 4096 }, (none, i) => i % 7);
	const stacks = [{ frames, value: 5 }, { frames: [...frames.slice(0, 4000), 8], value: 3 }];
	const data = await flame.decodeFlame(encode(functions, stacks).text);
	for (const options of [{}, { callers: true }, { merge: true }, { merge: true, callers: true },
		{ sort: "weight" }]) {
		const tree = flame.viewTree(data, options);
		checkTree(tree);
		assert.equal(tree.total[0], 8);
		assert(flame.layoutBoxes(tree, 0, 1000).n >= 5);
	}
	assert.equal(flame.sandwich(data, 1, {}).callees.total[0], 8);
});

check("recursion in every stack does not take for ever", async () => {
	const stacks = Array.from({ length: 3000 }, (none, i) =>
		({ frames: new Array(i + 1).fill(0), value: 1 }));
	const data = await flame.decodeFlame(encode(makeFunctions(1), stacks).text);
	const tree = flame.viewTree(data, { callers: true });
	checkTree(tree);
	assert.equal(tree.total[0], 3000);
	assert.equal(flame.viewTree(data, { merge: true }).n, 2);
});

async function refusal(text) {
	try {
		await flame.decodeFlame(text);
	} catch (error) {
		return error.message;
	}
	return "";
}

check("a damaged file is refused with a sentence, or read", many(300, async () => {
	const { functions, stacks } = makeStacks(random(2) ? "time" : "before");
	const { text } = encode(functions, stacks, { least: random(60), slots: SLOTS });
	const lines = text.trim().split("\n"), which = random(lines.length);
	const [name, base64] = lines[which].split(" ");
	const bytes = Buffer.from(require("zlib").inflateSync(Buffer.from(base64, "base64")));
	const how = random(6);
	if (how === 0)
		lines.splice(which, 1);
	else if (how === 1)
		lines[which] = lines[which].slice(0, random(lines[which].length));
	else if (how === 2)
		lines[which] = section(name, bytes.subarray(0, random(bytes.length + 1)));
	else if (how === 3)
		lines[which] = section(name, Buffer.concat([bytes, varints([random(300)])]));
	else
		for (let n = 1 + random(3); n > 0 && bytes.length; n--)
			bytes[random(bytes.length)] = random(3) ? random(256) : 255;
	if (how > 3)
		lines[which] = section(name, bytes);
	let data;
	try {
		data = await flame.decodeFlame(lines.join("\n"));
	} catch (error) {
		assert.match(error.message, /^(The data in this picture|.*is damaged)/, error.stack);
		return;
	}
	checkTree(data.tree);
	for (const options of [{ callers: true }, { merge: true }, { range: [0, 9] }])
		checkTree(flame.viewTree(data, options));
}));

check("each kind of damage has its sentence", async () => {
	const { functions, stacks } = { functions: makeFunctions(3),
		stacks: [{ frames: [0, 1], value: 300 }, { frames: [0, 2], value: 5 }] };
	const good = encode(functions, stacks).text.trim().split("\n");
	const other = (name, bytes) => good.map((line) =>
		line.startsWith(name + " ") ? section(name, bytes) : line).join("\n");
	const cases = [
		["", "no header"], ["header", "no section"], ["header ***", "not base64"],
		["header AAAA", "cannot be unpacked"],
		[other("header", Buffer.from("{")), "not JSON"],
		[other("header", Buffer.from("{}")), "not of the kind"],
		[good.concat(good[0]).join("\n"), "comes twice"],
		[other("shape", varints([2, 4, 1])), "number of nodes"],
		[other("shape", varints([2, 2, 1, 1])), "outside the tree"],
		[other("shape", varints([2, 4, 3, 1])), "less nodes than"],
		[other("shape", varints([2, 4, 1, 1, 1])), "too long"],
		[other("edges", varints([0, 1, 0, 2, 5])), "not met"],
		[other("edges", varints([0, 1, 0, 2, 0, 99])), "out of range"],
		[other("edges", varints([0, 0, 0, 2, 0, 3])), "a rest has children"],
		[other("self", varints([300])), "too short"],
		[other("self", new Uint8Array(12).fill(255)), "too large"],
		[other("modules", Buffer.from("\nlib1")), "is cut"],
	];
	for (const [text, part] of cases)
		assert((await refusal(text)).includes(part), `${part}: ${await refusal(text)}`);
	assert.equal(await refusal(good.join("\n")), "");
	assert.equal(await refusal(good.join("\r\n")), "");
});

check("values beyond 2^31 are whole", async () => {
	const stacks = [{ frames: [0], value: 2 ** 52 + 1 }, { frames: [1], value: 2 ** 31 }];
	const { tree } = await flame.decodeFlame(encode(makeFunctions(2), stacks).text);
	assert.deepEqual([...tree.self], [0, 2 ** 52 + 1, 2 ** 31]);
});

(async () => {
	let failures = 0;
	for (const [i, [name, f]] of tests.entries()) {
		try {
			await f();
			console.log(`ok ${i + 1} - ${name}`);
		} catch (error) {
			failures++;
			console.log(`not ok ${i + 1} - ${name}`);
			console.log(String(error.stack).replace(/^/gm, "# "));
		}
	}
	console.log(`1..${tests.length}`);
	process.exitCode = failures ? 1 : 0;
})();
