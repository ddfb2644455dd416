// SPDX-License-Identifier: BSD-2-Clause
// searches: what matches is summed once; where rests leave it open there are bounds.
"use strict";
const assert = require("assert");
const {
	flame, random, makeCase, sum, withoutRecursion, nodePaths, inRange, makeRange,
	someFrames, full, check, many,
} = require("./cases");

module.exports = async () => {
	await check("a search sums each stack once in every view and below every node", many(100, async () => {
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
	await check("a search for one function is exact with rests", many(200, async () => {
		const test = await makeCase("", 1 + random(150));
		const { hit, matches } = someFrames(test, 1);
		for (const callers of [false, true]) {
			const tree = flame.viewTree(test.data, { callers });
			const { low, high } = flame.search(test.data, tree, hit);
			assert.deepEqual([low, high], [sum(test.stacks.filter(matches)), low]);
		}
	}));
	let bounded = 0, exact = 0;
	await check("a search for many has bounds that hold, below every node", many(300, async () => {
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
	await check("most of those are exact, and some are not", async () => {
		assert(exact > bounded && bounded > 0, `${exact} exact, ${bounded} not`);
	});
	await check("a search finds both sides of a sandwich", many(100, async () => {
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
};
