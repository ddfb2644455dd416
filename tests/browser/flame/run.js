// SPDX-License-Identifier: BSD-2-Clause
// run: all tests of flame graphs in a browser.
//	CHROMIUM=PATH node run.js FOLDER [TOPIC]...
// FOLDER has the pictures and what they were made from, and node_modules. TAP.
"use strict";
const { execFileSync } = require("child_process");
const path = require("path");
const { launch } = require("../browser");
const { check, note, done } = require("../tap");

const TOPICS = ["views", "changes", "searches", "keyboard", "pages", "panes"];

async function main() {
	const [folder, modules, ...topics] = process.argv.slice(2);
	const puppeteer = require(path.resolve(modules, "puppeteer-core"));
	const session = await launch(puppeteer, folder);
	const pages = [];
	const truth = (input, ...what) => JSON.parse(execFileSync("python3",
		[path.join(__dirname, "../truth.py"), path.join(folder, `${input}.folded`), ...what]));

	// Each test's pages are closed after it, and must have had no errors.
	async function open(name, options) {
		const [file, fragment] = name.split("#");
		const page = await session.open(file, fragment ? { fragment, ...options } : options);
		pages.push(page);
		return page;
	}
	async function checkPages(name, test) {
		await check(name, async () => {
			try {
				await test();
			} finally {
				for (const page of pages)
					if (page.errors.length)
						throw new Error(`errors in the page: ${page.errors.join("; ")}`);
			}
		});
		for (const page of pages.splice(0))
			await page.close().catch(() => {});
	}

	const tools = { check: checkPages, note, open, truth, session, folder,
		chromium: session.chromium, origin: session.origin };
	for (const topic of topics.length ? topics : TOPICS)
		await require(`./${topic}`)(tools);
	await session.close();
	process.exitCode = done();
}

main().catch((error) => {
	note(error.stack);
	process.exitCode = 1;
});
