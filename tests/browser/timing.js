// SPDX-License-Identifier: BSD-2-Clause
// timing: how long a picture takes to open and to search, in milliseconds. As a program:
//
//	timing.js FOLDER NODE_MODULES TEXT NAME...	a line of JSON for each picture: the time until it
//							is seen, and until its script has drawn it,
//							and of searches for the beginnings of TEXT,
//							as they are typed
"use strict";
const path = require("path");
const { launch } = require("./browser.js");

// In the page, before it: when has the script drawn the picture?
function prepare() {
	new MutationObserver((list, observer) => {
		const root = document.documentElement;
		if (!root || !root.matches("[data-ready]"))
			return;
		observer.disconnect();
		requestAnimationFrame(() => {
			window.openedAt = performance.now();
		});
	}).observe(document, { attributes: true, subtree: true });
}

async function of(page, texts) {
	await page.waitForFunction(() => window.openedAt !== undefined);
	const opened = await page.evaluate(() => window.openedAt);
	const seen = await page.evaluate(() =>
		performance.getEntriesByName("first-contentful-paint")[0].startTime);
	const times = await page.evaluate((list) => {
		const input = document.querySelector("input");
		return list.map((text) => {
			const start = performance.now();
			input.value = text;
			input.dispatchEvent(new Event("input"));
			document.documentElement.getBoundingClientRect();
			return performance.now() - start;
		});
	}, texts);
	return { seen, opened, times };
}

async function main(folder, modules, text, ...names) {
	const browser = await launch(require(path.join(path.resolve(modules), "puppeteer-core")), folder);
	const texts = [...text].map((_, i) => text.slice(0, i + 1));
	for (const name of names) {
		const page = await browser.open(name, { prepare });
		console.log(JSON.stringify({ name, ...await of(page, texts) }));
		await page.close();
	}
	await browser.close();
}

if (require.main === module)
	main(...process.argv.slice(2));
module.exports = { prepare, of };
