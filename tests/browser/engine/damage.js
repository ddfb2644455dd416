// SPDX-License-Identifier: BSD-2-Clause
// damage: deep stacks, large values and files that are not what they seem.
"use strict";
const assert = require("assert");
const zlib = require("zlib");
const { encode, varints, section } = require("../flame_encoder");
const {
	flame, random, makeFunctions, makeStacks, SLOTS, checkTree, check, many,
} = require("./cases");

async function refusal(text) {
	try {
		await flame.decodeFlame(text);
	} catch (error) {
		return error.message;
	}
	return "";
}

check("stacks of 4096 frames are no trouble in any view", async () => {
	const functions = makeFunctions(9);
	const frames = Array.from({ length: 4096 }, (none, i) => i % 7);
	const stacks = [{ frames, value: 5 }, { frames: [...frames.slice(0, 4000), 8], value: 3 }];
	const data = await flame.decodeFlame(encode(functions, stacks).text);
	for (const options of [{}, { callers: true }, { merge: true },
		{ merge: true, callers: true },
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

check("a damaged file is refused with a sentence, or read", many(300, async () => {
	const { functions, stacks } = makeStacks(random(2) ? "time" : "before");
	const { text } = encode(functions, stacks, { least: random(60), slots: SLOTS });
	const lines = text.trim().split("\n"), which = random(lines.length);
	const [name, base64] = lines[which].split(" ");
	const bytes = Buffer.from(zlib.inflateSync(Buffer.from(base64, "base64")));
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
		assert.match(error.message, /^The data in this picture is /, error.stack);
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
		[other("edges", varints([0, 1, 0, 2, 2])), "not met"],
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

check("the largest value that a tree may have is read, and nothing above it", async () => {
	const stacks = [{ frames: [0], value: 1 }];
	const lines = encode(makeFunctions(1), stacks).text.trim().split("\n");
	const withSelf = (bytes) => lines.map((line) => line.startsWith("self ") ?
		section("self", Uint8Array.from(bytes)) : line).join("\n");
	const largest = [255, 255, 255, 255, 255, 255, 255, 255, 127];
	const { tree } = await flame.decodeFlame(withSelf(largest));
	assert.equal(tree.self[1], 2 ** 63);
	assert((await refusal(withSelf([...largest.slice(0, 8), 255, 1]))).includes("too large"));
});

check("values beyond 2^31 are whole", async () => {
	const stacks = [{ frames: [0], value: 2 ** 52 + 1 }, { frames: [1], value: 2 ** 31 }];
	const { tree } = await flame.decodeFlame(encode(makeFunctions(2), stacks).text);
	assert.deepEqual([...tree.self], [0, 2 ** 52 + 1, 2 ** 31]);
});
