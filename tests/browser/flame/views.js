// SPDX-License-Identifier: BSD-2-Clause
// views: zoom and the ways back, and the other views of a tree.
"use strict";
const assert = require("assert");
const look = require("./look");

async function zoom({ check, open, truth }) {
	await check("a zoom fills the width, fades what is above, hides what is beside", async () => {
		const page = await open("few.svg");
		await look.clickBox(page, "work");
		const by = Object.fromEntries((await look.described(page)).map((b) => [b.name, b]));
		assert.strictEqual(by.work.w, 1179.5);
		assert.strictEqual(by.main.w, 1179.5);
		assert.strictEqual(by.read.w, 786.17);
		assert(by.main.above && !by.work.above && !by.read.above);
		assert(!by.rest);
	});
	await check("back leads to the view before, reset to all", async () => {
		const page = await open("few.svg");
		const all = await look.names(page);
		await look.clickBox(page, "work");
		await look.clickBox(page, "read");
		assert.deepStrictEqual(await look.crumbs(page), ["all", "sh", "main", "work", "read"]);
		await look.clickButton(page, "Back");
		assert.deepStrictEqual(await look.crumbs(page), ["all", "sh", "main", "work"]);
		await page.keyboard.press("Backspace");
		assert.deepStrictEqual(await look.names(page), all);
		await look.clickBox(page, "work");
		await look.clickButton(page, "Reset");
		assert.deepStrictEqual(await look.names(page), all);
		assert.strictEqual(await look.fragment(page), "");
	});
	await check("back leads to another side, too, and keeps the search", async () => {
		const page = await open("few.svg");
		await look.clickBox(page, "work");
		await page.type("input", "read");
		await look.clickButton(page, "Callers");
		assert.deepStrictEqual(await look.crumbs(page), ["all"]);
		await look.clickButton(page, "Back");
		assert.deepStrictEqual(await look.crumbs(page), ["all", "sh", "main", "work"]);
		assert.strictEqual(await look.pressed(page, "Callers"), "false");
		await look.clickButton(page, "Back");
		assert.deepStrictEqual(await look.crumbs(page), ["all"]);
		assert.strictEqual(await look.matched(page), "Matched: 60.00%");
	});
	await check("each part of the path leads to its frame", async () => {
		const page = await open("few.svg");
		await look.clickBox(page, "think");
		await look.clickButton(page, "main");
		assert.deepStrictEqual(await look.crumbs(page), ["all", "sh", "main"]);
		assert((await look.names(page)).includes("rest"));
	});
	await check("a zoom shows what was too narrow to draw", async () => {
		const page = await open("pruned.svg");
		const wide = (await look.described(page)).filter((b) => !b.few && b.depth === 2);
		const first = wide[0];
		await look.clickBox(page, first.name);
		const inside = (await look.described(page)).filter((b) => b.depth === 3 && !b.few);
		const sum = inside.reduce((w, b) => w + b.full, 0);
		assert(inside.length > 5, `only ${inside.length} frames`);
		assert(sum < 1180.1, `frames are ${sum} wide`);
	});
	await check("widths and tooltips are what the stacks come to", async () => {
		const page = await open("many.svg");
		const all = truth("many", "matched", "^app$").all;
		for (const name of ["f0", "f7"]) {
			const found = await look.box(page, name);
			const { below } = truth("many", "below", "app", name);
			assert(Math.abs(found.full - 1180 * below / all) < 0.02, `${found.w}, ${below}`);
			assert(found.lines[0].startsWith(below.toLocaleString("en-US") + " samples, " +
				(100 * below / all).toFixed(2) + "% of all"), found.lines[0]);
		}
	});
	await check("what stands for narrow frames opens when it is clicked", async () => {
		const page = await open("many.svg", { width: 300 });
		const few = (await look.described(page)).find((b) => b.few);
		assert(few, "there are no narrow frames");
		await look.clickBox(page, few.name);
		assert((await look.crumbs(page)).length > 1);
	});
}

async function others({ check, open, truth }) {
	await check("the root is at the bottom, or at the top", async () => {
		const page = await open("few.svg");
		assert((await look.box(page, "all")).y > (await look.box(page, "work")).y);
		await look.clickButton(page, "Icicle");
		assert((await look.box(page, "all")).y < (await look.box(page, "work")).y);
		assert.strictEqual(await look.pressed(page, "Icicle"), "true");
		assert.strictEqual(await look.fragment(page), "icicle=1");
	});
	await check("callers stand on the functions that ran", async () => {
		const page = await open("many.svg");
		const self = truth("many", "self"), all = truth("many", "matched", "x").all;
		await look.clickButton(page, "Callers");
		const first = (await look.described(page)).filter((b) => b.depth === 1 && !b.few);
		assert(first.length > 20, `only ${first.length} functions`);
		for (const b of first)
			assert(Math.abs(b.full - 1180 * self[b.name] / all) < 0.52,
				`${b.name} is ${b.w} wide, itself ${self[b.name]}`);
		assert.strictEqual(await look.fragment(page), "callers=1");
	});
	await check("a zoom in callers goes on to the root of the stacks", async () => {
		const page = await open("few.svg#callers=1");
		await look.clickBox(page, "read");
		assert.deepStrictEqual((await look.described(page)).map((b) => b.name),
			["all", "read", "work", "main", "sh"]);
	});
	await check("merged recursion has no function within itself", async () => {
		const page = await open("many.svg");
		const total = truth("many", "total"), all = total.app;
		await look.clickButton(page, "Merge");
		const found = await look.described(page);
		const stack = [];
		for (const b of found.filter((one) => !one.few)) {
			const inside = found.filter((one) => !one.few && one.name === b.name && one !== b &&
				one.depth > b.depth && one.x >= b.x - 0.01 && one.x + one.w <= b.x + b.w + 0.01);
			assert.strictEqual(inside.length, 0, `${b.name} is within itself`);
			stack.push(b.name);
		}
		const sum = found.filter((b) => b.depth === 2 && b.name === "f0")[0].full;
		assert(sum <= 1180 * total.f0 / all + 0.02);
		assert.strictEqual(await look.fragment(page), "merge=1");
	});
	await check("siblings are sorted by name, or by weight", async () => {
		const page = await open("many.svg");
		const row = async () => (await look.described(page)).filter((b) =>
			b.depth === 2 && !b.few);
		const byName = (await row()).map((b) => b.name);
		assert.deepStrictEqual(byName, [...byName].sort());
		await look.clickButton(page, "By weight");
		const weights = (await row()).map((b) => parseInt(b.lines[0].replace(/,/g, ""), 10));
		assert.deepStrictEqual(weights, [...weights].sort((a, b) => b - a));
		assert.strictEqual(await look.fragment(page), "sort=weight");
		await page.keyboard.press("s");
		assert.deepStrictEqual((await row()).map((b) => b.name), byName);
	});
}

async function fragments({ check, open }) {
	await check("the address restores a view, in another window too", async () => {
		const page = await open("many.svg");
		await look.clickBox(page, "f7");
		await page.type("input", "^f1");
		await look.clickButton(page, "Icicle");
		await look.clickButton(page, "By weight");
		await look.clickButton(page, "Aa");
		const said = await look.fragment(page), text = await look.matched(page);
		const other = await open("many.svg", { fragment: said, width: 700, height: 500 });
		const crumbs = await look.crumbs(other);
		assert.strictEqual(crumbs[crumbs.length - 1], "f7");
		assert.strictEqual(await look.matched(other), text);
		assert.strictEqual((await look.box(other, "f7")).w, 679.5);
		for (const name of ["Icicle", "By weight", "Aa"])
			assert.strictEqual(await look.pressed(other, name), "true");
		assert.strictEqual(await look.fragment(other), said);
	});
	await check("an ID means the same frame in a picture that was pruned otherwise", async () => {
		const page = await open("many.svg");
		await look.clickBox(page, "f7");
		const other = await open("pruned.svg", { fragment: await look.fragment(page) });
		assert.deepStrictEqual(await look.crumbs(other), await look.crumbs(page));
	});
	await check("a changed address is followed", async () => {
		const page = await open("few.svg");
		await look.clickBox(page, "work");
		const said = await look.fragment(page);
		await look.clickButton(page, "Reset");
		await page.evaluate((text) => {
			location.hash = text;
		}, said);
		await page.waitForFunction(() => document.querySelectorAll(".crumbs button").length > 1);
		assert.deepStrictEqual(await look.crumbs(page), ["all", "sh", "main", "work"]);
	});
	await check("a state that makes no sense is survived", async () => {
		for (const fragment of ["zoom=99999999999&search=%00%3Cb%3E&icicle=x&y", "zoom=-1",
			"zoom=%E0%A4%A&range=5-1&sort=x", "function=zz&range=a-b&callers=7&hot=2", "%"]) {
			const page = await open("few.svg", { fragment });
			assert.strictEqual((await look.box(page, "sh")).w, 1179.5);
			assert.deepStrictEqual(page.errors, []);
			await page.close();
		}
	});
}

module.exports = async (t) => {
	await zoom(t);
	await others(t);
	await fragments(t);
};
