// SPDX-License-Identifier: BSD-2-Clause
// searches: what is said to match is what the stacks come to, whatever is drawn of them.
"use strict";
const assert = require("assert");
const look = require("./look");

// In place of what was searched for before.
async function fill(page, pattern) {
	await page.focus("input");
	await page.keyboard.press("Escape");
	await page.type("input", pattern);
}

module.exports = async ({ check, open, truth }) => {
	for (const [picture, input] of [["many", "many"], ["pruned", "many"]])
		await check(`searches in ${picture} find their share`, async () => {
			const page = await open(`${picture}.svg`);
			for (const pattern of ["^f1", "^f(3|22)$", "^f2[0-9]$", "^app$", "^f29$", "nowhere"]) {
				const sums = truth(input, "matched", pattern);
				const share = (100 * sums.matched / sums.all).toFixed(2);
				await fill(page, pattern);
				assert.strictEqual(await look.matched(page), `Matched: ${share}%`, pattern);
			}
		});
	await check("one function's share is exact where not all frames are in the file", async () => {
		const page = await open("huge.svg");
		for (const pattern of ["^read_0$", "^lock_17$", "^sweep_39$", "^app$"]) {
			const sums = truth("huge", "matched", pattern);
			await fill(page, pattern);
			assert.strictEqual(await look.matched(page),
				`Matched: ${(100 * sums.matched / sums.all).toFixed(2)}%`, pattern);
		}
	});
	await check("of several functions the range that is said holds the truth", async () => {
		const page = await open("huge.svg");
		for (const pattern of ["^read_3", "^(sweep|mark)_"]) {
			const sums = truth("huge", "matched", pattern);
			await fill(page, pattern);
			const [low, high] = (await look.matched(page)).match(/[\d.]+(?=%)/g).map(Number);
			const share = 100 * sums.matched / sums.all;
			assert(low - 0.005 <= share && share <= high + 0.005 && high < low + 15,
				`${pattern}: ${low} to ${high}, in truth ${share}`);
		}
	});
	await check("where names are missing the range that is said holds the truth, too", async () => {
		const page = await open("names.svg");
		for (const pattern of ["^function_5", "^function_7919$", "9$"]) {
			const sums = truth("names", "matched", pattern);
			await fill(page, pattern);
			const said = (await look.matched(page)).match(/[\d.]+(?=%)/g).map(Number);
			const share = 100 * sums.matched / sums.all;
			assert(said[0] - 0.01 <= share && share <= said[said.length - 1] + 0.01,
				`${pattern}: ${said}, in truth ${share}`);
		}
	});
	await check("the views do not change what matches", async () => {
		const page = await open("many.svg", { fragment: "search=%5Ef(3%7C22)%24" });
		const text = await look.matched(page);
		for (const view of ["Callers", "Merge", "By weight"]) {
			await look.clickButton(page, view);
			assert.strictEqual(await look.matched(page), text, view);
		}
	});
	await check("a search says its share of the zoomed frame too", async () => {
		const page = await open("few.svg");
		await look.clickBox(page, "work");
		await page.type("input", "read");
		assert.strictEqual(await look.matched(page), "Matched: 60.00% (66.67% of the zoomed)");
	});
	await check("a capital letter or the switch makes the case matter", async () => {
		const page = await open("few.svg", { fragment: "search=READ" });
		assert.strictEqual(await look.matched(page), "Matched: 0.00%");
		const mixed = await open("capital.svg", { fragment: "search=read" });
		assert.strictEqual(await look.matched(mixed), "Matched: 100.00%");
		await look.clickButton(mixed, "Aa");
		assert.strictEqual(await look.matched(mixed), "Matched: 60.00%");
		assert.strictEqual(await look.fragment(mixed), "search=read&case=1");
	});
	await check("what matches is marked, and nothing else", async () => {
		const page = await open("few.svg", { fragment: "search=work" });
		const hits = (await look.described(page)).filter((b) => b.hit);
		assert.deepStrictEqual(hits.map((b) => b.name), ["work"]);
		assert.strictEqual(hits[0].fill, "rgb(229, 123, 240)");
	});
	await check("a broken pattern finds nothing and breaks nothing", async () => {
		const page = await open("few.svg", { fragment: "search=(" });
		assert.strictEqual(await look.matched(page), "not a regular expression");
		assert(!(await look.described(page)).some((b) => b.hit));
		assert(await page.$eval("input", (input) => !input.validity.valid));
		await page.type("input", ")");
		assert(await page.$eval("input", (input) => input.validity.valid));
	});
	await check("next and previous go from match to match, the field keeps the keys", async () => {
		const page = await open("few.svg");
		const current = async () => (await look.described(page)).find((b) => b.current).name;
		await page.type("input", "read|think|rest");
		await page.keyboard.press("Enter");
		const first = await current();
		await page.keyboard.press("Enter");
		const second = await current();
		await look.clickButton(page, "\u203a");
		const third = await current();
		assert.deepStrictEqual([first, second, third].sort(), ["read", "rest", "think"]);
		await look.clickButton(page, "\u2039");
		assert.strictEqual(await current(), second);
		await page.focus("input");
		await page.keyboard.down("Shift");
		await page.keyboard.press("Enter");
		await page.keyboard.up("Shift");
		assert.strictEqual(await current(), first);
		assert(await page.$eval("input", (input) => input === document.activeElement));
		assert.match(await look.details(page), new RegExp(`^${first}`));
	});
	await check("what was found is told to a screen reader", async () => {
		const page = await open("few.svg", { fragment: "search=read" });
		assert.strictEqual(await page.$eval("[aria-live=polite]", (e) => e.textContent),
			"Matched: 60.00%");
	});
};
