// SPDX-License-Identifier: BSD-2-Clause
// look: what a picture shows, as a reader would find it in the page.
"use strict";

// Boxes row by row from the root on. 'full' is the width with the gap to the next frame.
function boxes(page) {
	return page.evaluate(() => {
		const found = [];
		document.querySelectorAll(".rows .row").forEach((row, depth) => {
			for (const g of row.children) {
				const rect = g.querySelector("rect"), text = g.querySelector("text");
				const title = g.querySelector("title").textContent.split("\n");
				found.push({
					depth, name: title[0], lines: title.slice(1),
					label: text ? text.textContent : "",
					x: +rect.getAttribute("x"), w: +rect.getAttribute("width"),
					full: +rect.getAttribute("width") +
						(+rect.getAttribute("width") >= 2.5 ? 0.5 : 0),
					y: g.getBoundingClientRect().y,
					fill: getComputedStyle(rect).fill,
					above: g.classList.contains("above"), few: g.classList.contains("few"),
					hit: g.classList.contains("hit"), focused: g === document.activeElement,
					current: g === document.activeElement || g.classList.contains("current"),
					stop: g.getAttribute("tabindex") === "0",
				});
			}
		});
		return found;
	});
}

// As boxes(), when all tooltips are written.
async function described(page) {
	await page.waitForFunction(() => !document.querySelector(".rows[aria-busy]"),
		{ polling: 10, timeout: 10000 });
	return boxes(page);
}

// The box of that name that is next to the root.
async function box(page, name) {
	const found = (await described(page)).find((b) => b.name === name);
	if (!found)
		throw new Error(`there is no frame '${name}'`);
	return found;
}

const names = async (page) => (await described(page)).map((b) => b.name);

// What is clicked, or pressed, is done when the call returns.
async function clickBox(page, name) {
	await described(page);
	await page.evaluate((wanted) => {
		const g = [...document.querySelectorAll(".rows .row>g")].find((e) =>
			e.querySelector("title").textContent.split("\n")[0] === wanted);
		g.querySelector("rect").dispatchEvent(new MouseEvent("click", { bubbles: true }));
	}, name);
}

async function clickButton(page, text) {
	const button = await page.evaluateHandle((wanted) =>
		[...document.querySelectorAll("button")].find((b) =>
			b.textContent === wanted || b.textContent.includes(wanted)), text);
	if (!button.asElement())
		throw new Error(`there is no button '${text}'`);
	await button.asElement().click();
}

const pressed = (page, text) => page.evaluate((wanted) =>
	[...document.querySelectorAll("button")].find((b) => b.textContent.includes(wanted))
		.getAttribute("aria-pressed"), text);

const matched = (page) => page.$eval("output", (output) => output.textContent);

const crumbs = (page) => page.$$eval(".crumbs button", (parts) => parts.map((p) => p.textContent));

const details = (page) => page.$eval(".details", (text) => text.textContent);

const fragment = (page) => page.evaluate(() => location.hash.slice(1));

// The pixels of what is on the screen: how many colours there are, and how many pixels of each.
async function colors(session, page) {
	const bytes = await page.screenshot({ encoding: "base64" });
	const other = await session.chromium.newPage();
	const counts = await other.evaluate(async (data) => {
		const image = new Image();
		image.src = "data:image/png;base64," + data;
		await image.decode();
		const canvas = document.createElement("canvas");
		canvas.width = image.width;
		canvas.height = image.height;
		const context = canvas.getContext("2d");
		context.drawImage(image, 0, 0);
		const pixels = context.getImageData(0, 0, image.width, image.height).data;
		const found = {};
		for (let i = 0; i < pixels.length; i += 4) {
			const color = "#" + [pixels[i], pixels[i + 1], pixels[i + 2]].map((v) =>
				v.toString(16).padStart(2, "0")).join("");
			found[color] = (found[color] || 0) + 1;
		}
		return found;
	}, bytes);
	await other.close();
	return counts;
}

module.exports = { boxes, described, box, names, clickBox, clickButton, pressed, matched, crumbs,
	details, fragment, colors };
