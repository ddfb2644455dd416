// SPDX-License-Identifier: BSD-2-Clause
// pages: where the picture is shown: in the dark, in a small window, in pages of others, and where
// scripts are forbidden; and what no name in it can do.
"use strict";
const assert = require("assert");
const fs = require("fs");
const path = require("path");
const look = require("./look");
const timing = require("../timing");

const OPEN_MOST_MS = 3000, SEARCH_MOST_MS = 3000; // far above what it takes on an idle machine

async function looks({ check, open, session }) {
	await check("a reader who prefers the dark gets it", async () => {
		const paper = (page) => page.$eval(".paper", (rect) => getComputedStyle(rect).fill);
		const light = await open("few.svg"), dark = await open("few.svg", { dark: true });
		assert.strictEqual(await paper(light), "rgb(255, 255, 255)");
		assert.strictEqual(await paper(dark), "rgb(27, 27, 31)");
		const counts = await look.colors(session, dark);
		assert(!counts["#ffffff"] || counts["#ffffff"] < 2000, `${counts["#ffffff"]} are white`);
	});
	await check("it is as wide as the window, and follows it", async () => {
		const page = await open("few.svg", { width: 500 });
		assert.strictEqual((await look.box(page, "all")).w, 479.5);
		await page.setViewport({ width: 900, height: 600 });
		await page.waitForFunction(() =>
			document.documentElement.getAttribute("width") === "900");
		assert.strictEqual((await look.box(page, "all")).w, 879.5);
	});
	await check("labels are cut before their frames end, frames are not on each other", async () => {
		const page = await open("many.svg", { width: 600 });
		const bad = await page.evaluate(() => {
			const found = [];
			for (const row of document.querySelectorAll(".row")) {
				let end = 0;
				for (const g of row.children) {
					const rect = g.querySelector("rect").getBoundingClientRect();
					const text = g.querySelector("text");
					if (rect.left < end - 0.02)
						found.push(`${g.textContent} begins at ${rect.left}, before ${end}`);
					end = rect.right;
					if (text && text.textContent &&
					    text.getBoundingClientRect().right > rect.right + 1)
						found.push(`${text.textContent} is wider than its frame`);
				}
			}
			return found;
		});
		assert.deepStrictEqual(bad, []);
	});
	await check("of a deep picture the root is what is seen first", async () => {
		const page = await open("deep.svg");
		const y = (await look.box(page, "all")).y;
		assert(y > 100 && y < 800, `the root is at ${y}`);
		await look.clickButton(page, "Icicle");
		const turned = (await look.box(page, "all")).y;
		assert(turned > 0 && turned < 200, `the root is at ${turned}`);
	});
	await check("controls and details stay in sight of a deep picture", async () => {
		const page = await open("deep.svg");
		for (const at of [0, 2000, 100000]) {
			await page.evaluate((y) => window.scrollTo(0, y), at);
			await page.waitForFunction(() => new Promise((done) => {
				requestAnimationFrame(() => requestAnimationFrame(() => done(true)));
			}));
			const seen = await page.evaluate(() => [".tools", ".details"].map((s) =>
				document.querySelector(s).getBoundingClientRect().y));
			assert(seen.every((y) => y >= 0 && y < 800), `at ${at}: ${seen}`);
		}
	});
}

async function hostile({ check, open, session }) {
	await check("hostile names stay text and run nothing", async () => {
		const plain = await open("few.svg");
		const kinds = (page) => page.evaluate(() => {
			const counts = {};
			for (const e of document.querySelectorAll("*"))
				if (!/^(g|rect|text|title|button|span)$/.test(e.localName))
					counts[e.localName] = (counts[e.localName] || 0) + 1;
			return counts;
		});
		for (const name of ["evil.svg", "evil.html"]) {
			const page = await open(name, { fragment: "search=script" });
			const shown = await look.described(page);
			assert.strictEqual(await look.matched(page), "Matched: 100.00%");
			assert(shown.some((b) => b.name.includes("<script>window.owned=1</script>")));
			await look.clickBox(page, shown.find((b) => b.name.includes("<script>")).name);
			await page.keyboard.press("?");
			await page.keyboard.press("Escape");
			assert.strictEqual(await page.evaluate(() => window.owned), undefined);
			assert.deepStrictEqual(page.errors, []);
			if (name === "evil.svg")
				assert.deepStrictEqual(await kinds(page), await kinds(plain));
		}
	});
	await check("where scripts and styles are forbidden it reads well", async () => {
		for (const name of ["few.svg", "few.html"]) {
			const page = await open(name, { before: "csp/", isStatic: true });
			const seen = await look.colors(session, page);
			const names = await page.evaluate(() =>
				[...document.querySelectorAll(".rows text")].map((e) => e.textContent));
			assert.strictEqual(await page.evaluate(() =>
				document.querySelector("[data-ready]")), null);
			assert.deepStrictEqual([...names].sort(),
				["all", "main", "read", "rest", "sh", "think", "work"], name);
			const fills = await page.evaluate(() =>
				[...document.querySelectorAll(".rows rect")].map((e) => e.getAttribute("fill")));
			for (const fill of fills)
				assert(seen[fill.toLowerCase()] > 500, `${name}: no ${fill} to be seen`);
			const dark = Object.entries(seen).filter(([color]) =>
				parseInt(color.slice(1, 3), 16) < 60).reduce((sum, [, n]) => sum + n, 0);
			assert(dark > 300, `${name}: ${dark} dark pixels are no text`);
		}
	});
}

async function pagesOfOthers({ check, open, folder }) {
	await check("a page of HTML has the same picture", async () => {
		const page = await open("few.html", { width: 800 });
		assert.strictEqual((await look.box(page, "all")).w, 779.5);
		await look.clickBox(page, "work");
		assert.match(await look.fragment(page), /^zoom=/);
		await page.type("input", "read");
		assert.strictEqual(await look.matched(page), "Matched: 60.00% (66.67% of the zoomed)");
		assert.deepStrictEqual(page.errors, []);
	});
	await check("two pictures in one page do not disturb each other", async () => {
		const inline = (name) => fs.readFileSync(path.join(folder, name), "utf8")
			.replace(/^<\?xml.*\n/, "").replace(/<!\[CDATA\[|\]\]>/g, "");
		fs.writeFileSync(path.join(folder, "two.html"), "<!DOCTYPE html><body><p>one</p>" +
			inline("few.svg") + "<p>two</p>" + inline("capital.svg"));
		const page = await open("two.html");
		await page.waitForFunction(() => document.querySelectorAll("svg[data-ready]").length === 2);
		const all = await page.$$eval("svg[data-ready]", (list) => list.map((svg) =>
			[...svg.querySelectorAll(".rows text")].map((e) => e.textContent).sort().join()));
		assert.deepStrictEqual(all, ["all,main,read,rest,sh,think,work", "READ,all,main,read"]);
		const inputs = await page.$$("input");
		await inputs[1].type("main");
		const outputs = await page.$$eval("output", (list) => list.map((o) => o.textContent));
		assert.deepStrictEqual(outputs, ["", "Matched: 100.00%"]);
		assert.strictEqual(await look.fragment(page), "");
		assert.deepStrictEqual(page.errors, []);
	});
	await check("damaged data leaves the static picture, and says so", async () => {
		const text = fs.readFileSync(path.join(folder, "few.svg"), "utf8");
		fs.writeFileSync(path.join(folder, "damaged.svg"),
			text.replace(/^shape .*$/m, "shape eJwDAAAAAAE="));
		const page = await open("damaged.svg", { isStatic: true });
		await page.waitForFunction(() => /not interactive: .*damaged/.test(
			document.querySelector(".details").textContent));
		assert.strictEqual(await page.$$eval(".rows text", (list) => list.length), 7);
		assert.deepStrictEqual(page.errors, []);
	});
}

async function speed({ check, note, open }) {
	await check("a picture that is as large as they get opens and finds in time", async () => {
		const page = await open("huge.svg", { prepare: timing.prepare });
		const { opened, times } = await timing.of(page, ["re", "rea", "write"]);
		const boxes = (await look.boxes(page)).length;
		note(`opened in ${opened.toFixed(0)} ms, ${boxes} boxes; searches took ` +
			`${times.map((ms) => ms.toFixed(0)).join(", ")} ms`);
		assert(opened < OPEN_MOST_MS && times.every((ms) => ms < SEARCH_MOST_MS));
	});
}

module.exports = async (t) => {
	await looks(t);
	await hostile(t);
	await pagesOfOthers(t);
	await speed(t);
};
