// SPDX-License-Identifier: BSD-2-Clause
// browser: a headless Chromium for tests, and a small server that gives it files with the headers
// that a test wants. What goes wrong in a page is an error of the test.
"use strict";
const fs = require("fs");
const http = require("http");
const path = require("path");

const TYPES = { ".svg": "image/svg+xml", ".html": "text/html; charset=utf-8",
	".png": "image/png" };

// Serves a folder's files, and "/csp/NAME" with scripts and styles forbidden.
function serve(folder) {
	const server = http.createServer((request, response) => {
		const parts = new URL(request.url, "http://x").pathname.split("/").filter(Boolean);
		const name = path.basename(parts[parts.length - 1] || "");
		const headers = { "Content-Type": TYPES[path.extname(name)] || "text/plain" };
		if (parts[0] === "csp")
			headers["Content-Security-Policy"] = "sandbox; default-src 'none'";
		fs.readFile(path.join(folder, name), (error, bytes) => {
			response.writeHead(error ? 404 : 200, headers);
			response.end(error ? "" : bytes);
		});
	});
	return new Promise((done) => {
		server.listen(0, "127.0.0.1", () => done(server));
	});
}

async function launch(puppeteer, folder) {
	const server = await serve(folder);
	const origin = `http://127.0.0.1:${server.address().port}`;
	const chromium = await puppeteer.launch({
		executablePath: process.env.CHROMIUM, headless: true,
		args: ["--disable-gpu", "--disable-background-networking", "--disable-component-update",
			"--disable-sync", "--no-first-run", "--disable-dev-shm-usage"].concat(
			process.getuid() === 0 ? ["--no-sandbox"] : []),
	});

	// A page of its own with the picture, as soon as its script has drawn it.
	async function open(name, options = {}) {
		const { fragment = "", width = 1200, height = 800, dark = false, prepare = null,
			isStatic = false, before = "" } = options;
		const page = await chromium.newPage();
		page.errors = [];
		page.on("pageerror", (error) => page.errors.push(error.message));
		page.on("dialog", (dialog) => {
			page.errors.push(`a dialog: ${dialog.message()}`);
			dialog.dismiss();
		});
		await page.setViewport({ width, height });
		await page.emulateMediaFeatures([
			{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }]);
		if (prepare)
			await page.evaluateOnNewDocument(prepare);
		await page.goto(`${origin}/${before}${name}${fragment ? "#" + fragment : ""}`);
		if (!isStatic)
			await page.waitForSelector("svg[data-ready]", { timeout: 15000 });
		return page;
	}

	async function close() {
		await chromium.close();
		server.close();
	}

	return { chromium, origin, open, close };
}

module.exports = { launch };
