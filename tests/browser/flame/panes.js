// SPDX-License-Identifier: BSD-2-Clause
// panes: the heat map over time, the table of functions, and a function's callers and callees. The
// trees are put into a picture that is there, so that what they should say is known.
"use strict";
const assert = require("assert");
const fs = require("fs");
const path = require("path");
const { random, makeFunctions, sum } = require("../engine/cases");
const { encode } = require("../flame_encoder");
const look = require("./look");

const SLOTS = 6000, EVIL = "\"><script>window.owned=1</script>";

function makeStacks() {
	const functions = makeFunctions(30);
	functions[3].name = EVIL;
	const stacks = Array.from({ length: 600 }, () => ({
		frames: Array.from({ length: 1 + random(8) }, () => random(6) * random(6)),
		value: 1 + random(9), slot: random(SLOTS),
	}));
	return { functions, stacks };
}

// NAME.svg in the folder: the picture that is there with another tree inside.
function writePicture(folder, name, { functions, stacks }) {
	const { text } = encode(functions, stacks, { slots: SLOTS });
	const svg = fs.readFileSync(path.join(folder, "few.svg"), "utf8");
	const other = svg.replace(/(id="flame-data"[^>]*>)[^<]*/, (all, tag) => `${tag}\n${text}`);
	assert.notEqual(other, svg);
	fs.writeFileSync(path.join(folder, name), other);
}

const count = (n) => `${n.toLocaleString("en-US")} ${n === 1 ? "sample" : "samples"}`;
const range = async (page) => {
	const said = /range=(\d+)-(\d+)/.exec(await look.fragment(page));
	return said && [+said[1], +said[2]];
};
const amountOfAll = async (page) => /^.*? samples?/.exec((await look.box(page, "all")).lines[0])[0];
const ground = (page) => page.$eval(".heat .ground", (rect) => {
	const { x, y, width, height } = rect.getBoundingClientRect();
	return { x, y, width, height };
});

async function drag(page, from, to) {
	const { x, y, width, height } = await ground(page);
	await page.mouse.move(x + from[0] * width, y + from[1] * height);
	await page.mouse.down();
	await page.mouse.move(x + to[0] * width, y + to[1] * height, { steps: 4 });
	await page.mouse.up();
}

async function times({ check, open }, { stacks }) {
	const within = ([from, to]) => sum(stacks.filter((s) => s.slot >= from && s.slot < to));
	await check("a range marked in the heat map is drawn in place", async () => {
		const page = await open("timed.svg");
		assert.strictEqual(await amountOfAll(page), count(sum(stacks)));
		await drag(page, [0.251, 0.5], [0.502, 0.25]);
		const marked = await range(page);
		// 60 columns of a second: from the middle of the 16th into the 31st.
		assert(marked[0] >= 1540 && marked[0] <= 1560, `from ${marked[0]}`);
		assert(marked[1] >= 3065 && marked[1] <= 3085, `to ${marked[1]}`);
		assert.strictEqual(await amountOfAll(page), count(within(marked)));
		await page.mouse.move(1, 1);
		const atRest = await page.$eval(".details", (e) => e.textContent);
		assert(atRest.startsWith(`all \u2014 ${count(within(marked))}, `), atRest);
		const mark = await page.$eval(".heat .mark", (p) => p.getAttribute("d"));
		assert.notStrictEqual(mark, "");
		await look.clickButton(page, "All time");
		assert.strictEqual(await range(page), null);
		assert.strictEqual(await amountOfAll(page), count(sum(stacks)));
	});
	await check("a range may be marked from right to left, and be a single cell", async () => {
		const page = await open("timed.svg");
		await drag(page, [0.9, 0.5], [0.1, 0.5]);
		const [from, to] = await range(page);
		assert(from < 700 && to > 5300, `${from} to ${to}`);
		await look.clickButton(page, "Back");
		assert.strictEqual(await range(page), null);
	});
	await check("the address brings a range of time back", async () => {
		const page = await open("timed.svg", { fragment: "range=1000-2000" });
		assert.strictEqual(await amountOfAll(page), count(within([1000, 2000])));
		const said = await page.$eval(".heatbar .said", (e) => e.textContent);
		assert.strictEqual(said,
			`10.00 s to 20.00 s of 60.00 s: ${count(within([1000, 2000]))}`);
	});
	await check("Shift and the arrow keys mark a range", async () => {
		const page = await open("timed.svg");
		await page.evaluate(() => document.querySelector("g.heat").focus());
		for (const key of ["Home", "ArrowRight", "ArrowRight"])
			await page.keyboard.press(key);
		await page.keyboard.down("Shift");
		for (let i = 0; i < 5; i++)
			await page.keyboard.press("ArrowRight");
		await page.keyboard.up("Shift");
		await page.waitForFunction(() => location.hash.includes("range="));
		const [from, to] = await range(page);
		assert.strictEqual(from, 200);
		assert(to > 700 && to < 710, `to ${to}`);
		assert.strictEqual(await amountOfAll(page), count(within([from, to])));
	});
	await check("in a column of the heat map time goes up", async () => {
		const page = await open("timed.svg");
		await drag(page, [0.251, 0.95], [0.251, 0.05]);
		const [from, to] = await range(page);
		assert(from >= 1500 && from <= 1510 && to >= 1590 && to <= 1600, `${from} to ${to}`);
		const mark = await page.$eval(".heat .mark", (p) => {
			const { y, height } = p.getBBox();
			return [y / p.ownerSVGElement.querySelector(".heat .ground").height.baseVal.value,
				height];
		});
		assert(mark[0] < 0.1 && mark[1] > 70, `${mark}`);
		await look.clickButton(page, "All time");
		await page.evaluate(() => document.querySelector("g.heat").focus());
		await page.keyboard.press("Home");
		await page.keyboard.down("Shift");
		for (let i = 0; i < 9; i++)
			await page.keyboard.press("ArrowUp");
		await page.keyboard.up("Shift");
		await page.waitForFunction(() => location.hash.includes("range="));
		assert.strictEqual((await range(page))[0], 0);
		assert((await range(page))[1] > 20);
	});
	await check("without times there is no heat map", async () => {
		const page = await open("few.svg");
		assert.strictEqual(await page.$(".heat"), null);
	});
}

const rows = (page) => page.$$eval(".panel tbody tr", (list) => list.map((row) => ({
	name: row.querySelector(".name").textContent,
	numbers: [...row.querySelectorAll(".number")].map((cell) =>
		+cell.firstChild.data.replace(/,/g, "")),
	shares: [...row.querySelectorAll(".share")].map((cell) => cell.textContent),
})));

async function tables({ check, open }, { functions, stacks }) {
	const truth = functions.map((f, i) => ({
		name: f.name,
		total: sum(stacks.filter((s) => s.frames.includes(i))),
		self: sum(stacks.filter((s) => s.frames[s.frames.length - 1] === i)),
	})).filter((f) => f.total);
	await check("the table has each function's own and total amount, sorted", async () => {
		const page = await open("timed.svg");
		assert.strictEqual((await rows(page)).length, 0);
		await page.keyboard.press("t");
		const bySelf = await rows(page);
		assert.strictEqual(bySelf.length, truth.length);
		for (const { name, numbers, shares } of bySelf) {
			const { self, total } = truth.find((f) => f.name === name);
			assert.deepStrictEqual(numbers, [self, total], name);
			assert.strictEqual(shares[1], `${(100 * total / sum(stacks)).toFixed(2)}%`);
		}
		assert.deepStrictEqual(bySelf.map((row) => row.numbers[0]),
			truth.map((f) => f.self).sort((a, b) => b - a));
		await look.clickButton(page, "Total");
		assert.deepStrictEqual((await rows(page)).map((row) => row.numbers[1]),
			truth.map((f) => f.total).sort((a, b) => b - a));
		await look.clickButton(page, "Total");
		assert.deepStrictEqual((await rows(page)).map((row) => row.numbers[1]),
			truth.map((f) => f.total).sort((a, b) => a - b));
	});
	await check("the table has what is found, of the range that is marked", async () => {
		const page = await open("timed.svg",
			{ fragment: "panel=1&search=^f1&range=0-3000" });
		const some = stacks.filter((s) => s.slot < 3000);
		for (const { name, numbers } of await rows(page)) {
			const i = functions.findIndex((f) => f.name === name);
			assert.match(name, /^f1/);
			assert.strictEqual(numbers[1],
				sum(some.filter((s) => s.frames.includes(i))));
		}
		await page.evaluate(() => document.querySelector(".panel .find button").click());
		assert.strictEqual((await rows(page)).length, 1);
	});
	await check("the table tells functions of the same name apart", async () => {
		const page = await open("same.svg", { fragment: "panel=1" });
		const found = (await rows(page)).map(({ name, numbers }) => [name, numbers[0]]);
		assert.deepStrictEqual(found.slice(0, 3),
			[["workno file", 30], ["workinlined", 20], ["rest", 10]]);
	});
	await check("in a narrow window names are left, and no line is too long", async () => {
		const page = await open("same.svg", { fragment: "panel=1" });
		await page.setViewport({ width: 420, height: 700 });
		await page.waitForFunction(() => innerWidth === 420 &&
			document.documentElement.getAttribute("width") === "420");
		const [name, right] = await page.evaluate(() => [
			document.querySelector(".panel td.name").getBoundingClientRect().width,
			Math.max(...[...document.querySelectorAll(".head text,.bar text.faint")].map(
				(text) => text.getBoundingClientRect().right))]);
		assert(name >= 50, `names are ${name} pixels wide`);
		assert(right <= 420, `a line ends at ${right}`);
	});
	await check("frames stay beside the table, and labels in their frames", async () => {
		const page = await open("timed.svg", { fragment: "panel=1" });
		const [right, left] = await page.evaluate(() => [
			Math.max(...[...document.querySelectorAll(".rows rect")].map((rect) =>
				rect.getBoundingClientRect().right)),
			document.querySelector(".panel").getBoundingClientRect().left]);
		assert(right <= left, `frames end at ${right}, the table begins at ${left}`);
	});
}

// Of the sandwich: names of the boxes by the drawing that they are in, the root's row first.
const sides = (page) => page.$$eval(".between .rows", (list) => list.map((group) =>
	[...group.querySelectorAll(".row")].flatMap((row) => [...row.children].map((g) => {
		const label = g.querySelector("text"), rect = g.querySelector("rect");
		return { label: label ? label.textContent : "", w: +rect.getAttribute("width"),
			y: g.getBoundingClientRect().y };
	}))));

async function choose(page, name) {
	await page.evaluate((wanted) => {
		[...document.querySelectorAll(".panel .name button")].find((button) =>
			button.textContent === wanted).click();
	}, name);
}

async function sandwiches({ check, open }, { functions, stacks }) {
	const said = (page) => page.$eval(".between .said", (e) => e.textContent);
	const isShown = (page) => page.$eval(".between", (e) =>
		e.getBoundingClientRect().height > 0);
	await check("a row of the table shows a function's callers and callees", async () => {
		const page = await open("timed.svg", { fragment: "panel=1" });
		const i = 5, { name } = functions[i];
		const has = stacks.filter((s) => s.frames.includes(i));
		assert(!await isShown(page));
		await choose(page, name);
		assert((await said(page)).includes(`${count(sum(has))}, `), await said(page));
		const [callers, callees] = await sides(page), root = callers[0];
		const share = (w) => Math.round((w + 0.5) / (root.w + 0.5) * sum(has));
		const direct = has.filter((s) => s.frames.indexOf(i) === 0);
		const from = sum(has) - sum(direct);
		const firstRow = callers.filter((b) => b.y === callers[1].y);
		assert.strictEqual(share(firstRow.reduce((w, b) => w + b.w + 0.5, -0.5)), from);
		const calls = has.filter((s) => s.frames.length > s.frames.indexOf(i) + 1);
		const below = callees.filter((b) => b.y === callees[0].y);
		assert.strictEqual(share(below.reduce((w, b) => w + b.w + 0.5, -0.5)), sum(calls));
		assert(callers[1].y < root.y && root.y < callees[0].y, "above, middle, below");
	});
	await check("a frame of it leads on, back leads back, and it can be closed", async () => {
		const page = await open("timed.svg", { fragment: "panel=1" });
		await choose(page, functions[5].name);
		const first = await look.fragment(page), { label } = (await sides(page))[1][0];
		await page.evaluate(() => document.querySelectorAll(".between .rows")[1]
			.querySelector("rect")
			.dispatchEvent(new MouseEvent("click", { bubbles: true })));
		assert((await said(page)).startsWith(label.replace("\u2026", "")));
		await look.clickButton(page, "Back");
		assert.strictEqual(await look.fragment(page), first);
		const again = await open("timed.svg", { fragment: first });
		assert.strictEqual(await said(again), await said(page));
		const [there, here] = await Promise.all([page, again].map((p) => p.$eval(".between",
			(e) => {
				const scrolled = e.querySelector(".scrolled");
				return [e.getBoundingClientRect().height, scrolled.scrollTop];
			})));
		assert.deepStrictEqual(here, there, "as high, and as far scrolled");
		await look.clickButton(again, "\u00d7");
		assert(!await isShown(again));
		assert.strictEqual(await look.fragment(again), "panel=1");
	});
	await check("hostile names stay text in all panes", async () => {
		const page = await open("timed.svg", { fragment: "panel=1" });
		await choose(page, EVIL);
		assert((await said(page)).startsWith(EVIL));
		assert.strictEqual(await page.evaluate(() => window.owned), undefined);
		assert.strictEqual(await page.$$eval("script", (list) => list.length), 1);
	});
	await check("the keyboard leads to the function of a frame", async () => {
		const page = await open("timed.svg");
		await page.evaluate(() => document.querySelector(".row>g[tabindex='0']").focus());
		await page.keyboard.press("f");
		assert(!await isShown(page), "all is no function");
		await page.keyboard.press("ArrowUp");
		await page.keyboard.press("f");
		assert(await isShown(page));
	});
}

module.exports = async (t) => {
	const made = makeStacks();
	writePicture(t.folder, "timed.svg", made);
	await times(t, made);
	await tables(t, made);
	await sandwiches(t, made);
};
