// SPDX-License-Identifier: BSD-2-Clause
// changes: the script draws what the static picture shows, of one profile and of two.
"use strict";
const assert = require("assert");
const look = require("./look");

// Boxes of a page by the names on the way to them, as far as the two pictures can be compared.
async function shown(page) {
	const boxes = await page.evaluate(() => {
		const found = [];
		document.querySelectorAll(".rows .row").forEach((row, depth) => {
			for (const g of row.children) {
				const rect = g.querySelector("rect"), text = g.querySelector("text");
				const value = (name) => rect.getAttribute(name) || "";
				found.push({
					depth, x: +value("x"), w: +value("width"), fill: value("fill").toLowerCase(),
					stroke: value("stroke").toLowerCase(), dashes: value("stroke-dasharray"),
					title: g.querySelector("title").textContent.split("\n"),
					label: text ? text.textContent : "", few: g.classList.contains("few"),
				});
			}
		});
		return found;
	});
	// How many frames are worth a box of their own may differ, and so what is joined.
	return boxes.filter((b) => b.w >= 1 && !b.few);
}

function sameBoxes(drawn, still) {
	assert.strictEqual(drawn.length, still.length);
	drawn.forEach((b, i) => {
		const s = still[i], name = `${s.title[0]} in row ${s.depth}`;
		assert.strictEqual(b.title[0], s.title[0], name);
		assert.strictEqual(b.depth, s.depth, name);
		assert(Math.abs(b.x - s.x) < 1 && Math.abs(b.w - s.w) < 0.53,
			`${name}: ${b.x} ${b.w}, not ${s.x} ${s.w}`);
		assert.deepStrictEqual([b.fill, b.stroke, b.dashes], [s.fill, s.stroke, s.dashes], name);
		for (const line of s.title)
			assert(b.title.includes(line), `${name}: no '${line}' in ${b.title.join(" | ")}`);
	});
}

module.exports = async ({ check, open }) => {
	for (const name of ["many.svg", "few.svg", "pruned.svg", "diff.svg", "negated.svg",
		"percent.svg", "judged.svg", "noise.svg"])
		await check(`the script draws what is in ${name} without it`, async () => {
			const still = await open(name, { before: "csp/", isStatic: true });
			const page = await open(name);
			await look.described(page);
			sameBoxes(await shown(page), await shown(still));
		});
	await check("what changed is said in both units and in percent", async () => {
		const page = await open("diff.svg");
		assert.deepStrictEqual((await look.box(page, "read")).lines.slice(0, 2), ["[kernel]",
			"60 samples before, 75 samples after, +15 samples (+25.00%)"]);
		assert.match((await look.box(page, "old")).lines[0], /^gone: 15 samples before, 0 samples/);
		assert.match((await look.box(page, "fresh")).lines[0], /^0 samples before, 5 samples after/);
	});
	await check("more is orange, less is blue, and the other way round if asked", async () => {
		const fills = async (name) => {
			const page = await open(name);
			return [(await look.box(page, "read")).fill, (await look.box(page, "rest")).fill];
		};
		const red = (fill) => {
			const [r, , b] = fill.match(/\d+/g).map(Number);
			return r > b;
		};
		assert.deepStrictEqual((await fills("diff.svg")).map(red), [true, false]);
		assert.deepStrictEqual((await fills("negated.svg")).map(red), [false, true]);
	});
	await check("two panes stay as they are", async () => {
		const page = await open("panes.svg", { isStatic: true });
		const names = await page.$$eval(".rows", (panes) => panes.map((pane) =>
			[...pane.querySelectorAll("title")].map((e) => e.textContent.split("\n")[0])));
		assert.strictEqual(names.length, 2);
		assert(names[0].includes("old") && !names[1].includes("old"));
		assert(names[1].includes("fresh") && !names[0].includes("fresh"));
	});
};
