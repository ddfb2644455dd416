// SPDX-License-Identifier: BSD-2-Clause
// pictures: what is in files that fathom wrote, against the folded stacks that they were made from.
"use strict";
const assert = require("assert");
const fs = require("fs");
const { flame, sum, checkTree, check } = require("./cases");

function readFolded(file) {
	const stacks = fs.readFileSync(file, "utf8").trim().split("\n").map((line) => {
		const [, stack, value] = /^(.*) (\d+)$/.exec(line);
		return { frames: stack.split(";").map((name) => name.replace(/_\[[ki]\]$/, "")),
			value: +value };
	});
	return stacks;
}

async function readPicture(file) {
	const text = fs.readFileSync(file, "utf8");
	const [, inside] = /id="flame-data"[^>]*>([^<]*)</.exec(text);
	return flame.decodeFlame(inside);
}

function totals(stacks) {
	const sums = new Map();
	for (const { frames, value } of stacks)
		for (let n = 0; n <= frames.length; n++) {
			const name = frames.slice(0, n).join(";");
			sums.set(name, (sums.get(name) || 0) + value);
		}
	return sums;
}

function checkPaths(data, stacks) {
	const { tree } = data, truth = totals(stacks), paths = [""];
	let nodes = 0;
	checkTree(tree);
	for (let i = 0; i < tree.n; i++) {
		nodes += tree.rest[i] || 1;
		if (tree.rest[i])
			continue;
		if (i)
			paths[i] = (tree.parent[i] ? paths[tree.parent[i]] + ";" : "") +
				data.names[tree.frame[i]];
		assert.equal(tree.total[i], truth.get(paths[i]), paths[i]);
	}
	assert.equal(nodes, truth.size, "every node is there or in a rest");
}

function checkFunctions(data, stacks) {
	const table = flame.functions(data), has = new Map();
	for (const { frames, value } of stacks)
		for (const name of new Set(frames))
			has.set(name, (has.get(name) || 0) + value);
	const says = new Map();
	table.frame.forEach((frame, i) =>
		says.set(data.names[frame], (says.get(data.names[frame]) || 0) + table.total[i]));
	assert.deepEqual(new Map([...says].sort()), new Map([...has].sort()));
}

module.exports = async (pairs) => {
	let rests = 0;
	for (const [picture, folded] of pairs) {
		const stacks = readFolded(folded), data = await readPicture(picture);
		const name = picture.replace(/^.*\//, "");
		rests += data.tree.rest.filter((count) => count).length;
		await check(`${name} has the tree of its stacks`, () => {
			assert.equal(data.header.total, sum(stacks));
			checkPaths(data, stacks);
		});
		await check(`${name} has exact totals of functions`, () => checkFunctions(data, stacks));
		await check(`${name} has exact searches for a function`, () => {
			const tree = flame.viewTree(data, {}), n = data.names.length;
			for (let frame = 1; frame < n; frame += 1 + Math.floor(n / 20)) {
				const hit = new Uint8Array(n);
				hit[frame] = 1;
				const { low, high } = flame.search(data, tree, hit);
				const wants = sum(stacks.filter((s) => s.frames.includes(data.names[frame])));
				assert.deepEqual([low, high], [wants, wants], data.names[frame]);
			}
		});
	}
	if (pairs.length)
		await check("not all of them have room for all", () => assert(rests > 0));
};
