// SPDX-License-Identifier: BSD-2-Clause
// tables: totals of functions, IDs, order of names.
"use strict";
const assert = require("assert");
const { encode } = require("../flame_encoder");
const {
	flame, random, makeCase, sum, same, inRange, makeRange, full, check, many,
} = require("./cases");

module.exports = async () => {
	for (const kind of ["", "before"])
		await check(`functions are exact with rests${kind ? ", of two profiles" : ""}`, many(100, async () => {
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
	await check("functions of a range miss no more than is in rests", many(100, async () => {
		const test = await makeCase("time", random(100)), range = makeRange();
		const table = flame.functions(test.data, { range }), frames = [...test.numbers.keys()];
		const some = test.stacks.filter(inRange(range));
		frames.forEach((f, number) => {
			const has = sum(some.filter((s) => s.frames.includes(f)));
			const at = table.frame.indexOf(number), says = at < 0 ? 0 : table.total[at];
			assert(f < 0 || (says <= has && has <= says + table.unknown));
		});
	}));
	await check("IDs name one node, and the same one in another picture", many(50, async () => {
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
	await check("names are in the order of their bytes", many(20, () => {
		const text = () => Array.from({ length: random(4) }, () => ["a", "b", "é", "\u{1f525}", "\uff5e",
			"\ue000", "\u{10ffff}"][random(7)]).join("");
		for (let i = 0; i < 100; i++) {
			const a = text(), b = text();
			assert.equal(Math.sign(flame.compareNames(a, b)),
				Buffer.compare(Buffer.from(a), Buffer.from(b)));
		}
	}));
};
