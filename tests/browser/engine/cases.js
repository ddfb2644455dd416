// SPDX-License-Identifier: BSD-2-Clause
// cases: trees of random stacks, and what the plain list of stacks says of them.
"use strict";
const fs = require("fs");
const path = require("path");
const vm = require("vm");
const assert = require("assert");
const { check: tapCheck } = require("../tap");
const { encode } = require("../flame_encoder");

// Those that need no document, in the order in which they stand in a picture.
const FILES = ["data", "tree", "merge", "callers", "search", "layout", "delta", "heat", "functions"];
const NAMES = ["decodeFlame", "viewTree", "sandwich", "functions", "search", "layoutBoxes",
	"nodeId", "findNode", "functionId", "findFunction", "formatAmount", "formatReal", "formatShare",
	"compareNames", "heatGrid", "heatCell", "heatSlot", "heatShade", "heatRange", "heatTime",
	"HEAT_SHADES", "HEAT_MOST_ROWS", "functionColumns", "functionRows"];

const folder = path.join(__dirname, "..", "..", "..", "flamegraph");
const source = FILES.map((name) => fs.readFileSync(path.join(folder, name + ".js"), "utf8")).join("");
const flame = vm.runInThisContext(`(() => { "use strict";\n${source}\nreturn { ${NAMES.join(", ")} }; })()`);

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

// --- tests --------------------------------------------------------------------------------------

function someFrames(test, n) {
	const chosen = new Set(), numbers = [...test.numbers.keys()].filter((f) => f >= 0);
	const hit = new Uint8Array(test.data.names.length);
	while (numbers.length && chosen.size < Math.min(n, numbers.length))
		chosen.add(numbers[random(numbers.length)]);
	for (const frame of chosen)
		hit[test.numbers.get(frame)] = 1;
	return { hit, matches: (stack) => stack.frames.some((f) => chosen.has(f)) };
}

// Full depth for callers: nothing is too narrow.
const full = { minShare: 1e-12 };

const check = (name, f) => tapCheck(name, async () => f());
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

module.exports = { flame, random, makeFunctions, makeStacks, makeCase, sum, pathSums, SLOTS,
	withoutRecursion, nodePaths, checkTree, same, inRange, makeRange, someFrames, full, check, many };
