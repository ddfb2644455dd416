// SPDX-License-Identifier: BSD-2-Clause
// keyboard: all is reached without a pointer, and read without eyes.
"use strict";
const assert = require("assert");
const look = require("./look");

const focused = async (page) => ((await look.described(page)).find((b) => b.focused) || {}).name;

// As the Tab key would.
const enter = (page) => page.$eval(".row>g[tabindex='0']", (g) => g.focus());

async function press(page, ...keys) {
	for (const key of keys)
		await page.keyboard.press(key);
}

module.exports = async ({ check, open, chromium, origin }) => {
	await check("arrows lead to callers, callees and neighbours", async () => {
		const page = await open("few.svg");
		await enter(page);
		assert.strictEqual(await focused(page), "all");
		await press(page, "ArrowUp", "ArrowUp", "ArrowUp");
		assert.strictEqual(await focused(page), "work");
		await press(page, "ArrowLeft");
		assert.strictEqual(await focused(page), "rest");
		await press(page, "End", "ArrowUp", "End");
		assert.strictEqual(await focused(page), "think");
		await press(page, "Home");
		assert.strictEqual(await focused(page), "read");
		await press(page, "ArrowDown", "ArrowDown");
		assert.strictEqual(await focused(page), "main");
		await press(page, "i", "ArrowUp");
		assert.strictEqual(await focused(page), "sh");
		assert.match(await look.details(page), /^sh .* 100 samples/);
	});
	await check("the frames are one stop of the Tab key", async () => {
		const page = await open("few.svg");
		await enter(page);
		await press(page, "ArrowUp", "ArrowUp");
		assert.deepStrictEqual((await look.described(page)).filter((b) => b.stop)
			.map((b) => b.name), ["main"]);
		await press(page, "Tab");
		assert.strictEqual(await focused(page), undefined);
		await page.keyboard.down("Shift");
		await press(page, "Tab");
		await page.keyboard.up("Shift");
		assert.strictEqual(await focused(page), "main");
	});
	await check("Enter zooms, Backspace and Escape lead back", async () => {
		const page = await open("few.svg");
		await enter(page);
		await press(page, "ArrowUp", "ArrowUp", "ArrowUp", "Enter");
		assert.deepStrictEqual(await look.crumbs(page), ["all", "sh", "main", "work"]);
		assert.strictEqual(await focused(page), "work");
		await press(page, "Backspace");
		assert.deepStrictEqual(await look.crumbs(page), ["all"]);
		await press(page, "Enter", "/");
		await page.keyboard.type("rest");
		assert.strictEqual(await look.matched(page),
			"Matched: 10.00% (0.00% of the zoomed)");
		await press(page, "Escape");
		assert.strictEqual(await look.matched(page), "");
		assert.deepStrictEqual(await look.crumbs(page), ["all"]);
	});
	await check("n and N lead from match to match", async () => {
		const page = await open("few.svg", { fragment: "search=read%7Crest" });
		await enter(page);
		await press(page, "n");
		assert.strictEqual(await focused(page), "rest");
		await press(page, "n");
		assert.strictEqual(await focused(page), "read");
		await press(page, "N");
		assert.strictEqual(await focused(page), "rest");
	});
	await check("frames say name, level and amount to a screen reader", async () => {
		const page = await open("few.svg");
		await look.described(page);
		const said = await page.evaluate(() => {
			const tree = document.querySelector("[role=tree]");
			const items = [...tree.querySelectorAll("[role=treeitem]")];
			const read = items.find((g) => /^read;/.test(g.getAttribute("aria-label")));
			return { label: read.getAttribute("aria-label"), level: read.getAttribute("aria-level"),
				all: items.length, tree: tree.getAttribute("aria-label"),
				unnamed: [...document.querySelectorAll("button,input")].filter((e) =>
					!e.getAttribute("aria-label") && !e.textContent).length };
		});
		assert.match(said.label, /60 samples itself, 60\.00% of all, 66\.67% of its caller/);
		assert.strictEqual(said.level, "5");
		assert.strictEqual(said.all, 7);
		assert.strictEqual(said.unnamed, 0);
		assert(said.tree);
	});
	await check("c and its button copy the stack", async () => {
		const context = chromium.defaultBrowserContext();
		await context.overridePermissions(origin, ["clipboard-read", "clipboard-write",
			"clipboard-sanitized-write"]);
		const page = await open("few.svg");
		await page.bringToFront();
		await look.clickBox(page, "read");
		await press(page, "c");
		await page.waitForFunction(() => /^Copied/.test(
			document.querySelector(".details").textContent));
		const text = () => page.evaluate(() => navigator.clipboard.readText());
		assert.strictEqual(await text(), "sh;main;work;read");
		await look.clickBox(page, "main");
		await look.clickButton(page, "Copy");
		await new Promise((done) => setTimeout(done, 100));
		assert.strictEqual(await text(), "sh;main");
	});
	await check("where there is no clipboard the stack is selected", async () => {
		const page = await open("few.svg", { prepare: () => {
			Object.defineProperty(navigator, "clipboard", { value: undefined });
		} });
		await look.clickBox(page, "work");
		await press(page, "c");
		await page.waitForSelector("textarea");
		assert.strictEqual(await page.$eval("textarea", (area) =>
			area.value.slice(area.selectionStart, area.selectionEnd)), "sh;main;work");
		await press(page, "Escape");
		assert.strictEqual(await page.$("textarea"), null);
		assert.deepStrictEqual(await look.crumbs(page), ["all", "sh", "main", "work"]);
	});
	await check("help is a key and a button away", async () => {
		const page = await open("few.svg");
		await press(page, "?");
		assert.match(await page.$eval("[role=dialog]", (e) => e.textContent), /Backspace/);
		await look.clickButton(page, "Close");
		assert.strictEqual(await page.$("[role=dialog]"), null);
		await look.clickButton(page, "?");
		assert(await page.$("[role=dialog]"));
		await press(page, "Escape");
		assert.strictEqual(await page.$("[role=dialog]"), null);
	});
};
