// SPDX-License-Identifier: BSD-2-Clause
// boxes: a layout adds up and never overlaps; texts of amounts.
"use strict";
const assert = require("assert");
const { encode, section, varints } = require("../flame_encoder");
const { flame, random, makeCase, someFrames, check, many } = require("./cases");

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
			const left = right.has(p) ? right.get(p) : boxes.x[p];
			assert(boxes.x[b] >= left - 1e-6, "no overlap");
			assert(boxes.x[b] + boxes.w[b] <= boxes.x[p] + boxes.w[p] + 1e-6, "inside");
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

check("narrow frames in the order of time are joined where they are", many(100, async () => {
	const { data: { tree } } = await makeCase(), width = 1000, minWidth = 1 + random(200);
	const boxes = flame.layoutBoxes(tree, 0, width, { minWidth, inPlace: true });
	checkBoxes(tree, 0, width, boxes);
	const scale = width / tree.total[0];
	for (let b = 0; b < boxes.n; b++) {
		const node = boxes.node[b];
		let left = boxes.hidden[b] || !node ? NaN : boxes.x[boxes.parent[b]];
		if (Number.isNaN(left))
			continue;
		for (let c = tree.parent[node] + 1; c < node; c = tree.end[c])
			left += tree.total[c] * scale;
		assert(Math.abs(boxes.x[b] - left) < 1e-6, "what was before it is left of it");
	}
}));

check("in a flame chart what a function spent itself is between its calls", async () => {
	const functions = ["a", "b", "c"].map((name) => ({ name, module: "", kind: 0 }));
	const stacks = [{ frames: [0], value: 60 }, { frames: [0, 1], value: 20 },
		{ frames: [0, 2], value: 1 }];
	// 'a' goes on for 10, calls 'b', goes on for 30, calls 'c', and goes on for what is left.
	const { text } = encode(functions, stacks, { header: { chart: true } });
	const lines = text.trim().split("\n"), at = lines.findIndex((l) => l.startsWith("self "));
	const decode = (leads) => flame.decodeFlame([...lines.slice(0, at + 1),
		section("leads", varints(leads)), ...lines.slice(at + 1)].join("\n"));
	const { tree } = await decode([0, 10, 30]);
	const places = (boxes) => Array.from(boxes.x).map((x, i) => [x, x + boxes.w[i]]);
	assert.deepEqual(places(flame.layoutBoxes(tree, 0, 81, { inPlace: true })),
		[[0, 81], [0, 81], [10, 30], [60, 61]]);
	assert.deepEqual(places(flame.layoutBoxes(tree, 0, 81)),
		[[0, 81], [0, 81], [0, 20], [20, 21]]);
	assert.deepEqual(places(flame.layoutBoxes(tree, 0, 81, { inPlace: true, minWidth: 5 })),
		[[0, 81], [0, 81], [10, 30]], "too narrow alone");
	// More than it has.
	const last = places(flame.layoutBoxes((await decode([9, 70, 2 ** 40])).tree, 0, 81,
		{ inPlace: true }));
	assert.deepEqual(last, [[0, 81], [0, 81], [60, 80], [80, 81]]);
	await assert.rejects(decode([0, 10]), /./);
	await assert.rejects(decode([0, 10, 30, 1]), /./);
});

check("there are never more boxes than may be", many(100, async () => {
	const test = await makeCase();
	const tree = test.data.tree, maxBoxes = 20 + random(80);
	const zoom = random(2) ? 0 : random(tree.n);
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
		[12345678, "nanoseconds", "cpu", "12.3 ms"],
		[123.5e9, "nanoseconds", "cpu", "124 s"],
		[122.5e9, "nanoseconds", "cpu", "122 s"], [-1125, "nanoseconds", "cpu", "-1.12 us"],
		[512, "bytes", "", "512 bytes"], [1536, "bytes", "", "1.50 KiB"],
		[3 * 2 ** 30, "bytes", "", "3.00 GiB"],
	];
	for (const [value, unit, name, text] of amounts)
		assert.equal(flame.formatAmount(value, unit, name), text);
	const reals = [[0.125, "count", "samples", "0.125 samples"],
		[1, "count", "samples", "1 sample"],
		[2.125, "count", "", "2.12"], [0.00001, "count", "", "1e-05"], [99.96, "bytes", "",
			"100 bytes"], [12.5, "nanoseconds", "", "12.5 ns"],
		[150.4, "count", "x", "150 x"],
		[NaN, "count", "", "?"]];
	for (const [value, unit, name, text] of reals)
		assert.equal(flame.formatReal(value, unit, name), text);
	const shares = [[0, 5, "0.00%"], [5, 5, "100.00%"], [1, 3, "33.33%"], [1, 1e6, "< 0.01%"],
		[1, 20000, "0.01%"], [1, 20001, "< 0.01%"], [1, 0, "< 0.01%"], [7, 8, "87.50%"]];
	for (const [part, whole, text] of shares)
		assert.equal(flame.formatShare(part, whole), text);
});
