// SPDX-License-Identifier: BSD-2-Clause
// run: the parts of a flame graph's script that need no document, under node. TAP.
//	node tests/browser/engine/run.js SEED [PICTURE FOLDED]...
"use strict";
const tap = require("../tap");
const { tests } = require("./cases");

(async () => {
	const files = process.argv.slice(3), pairs = [];
	for (const topic of ["trees", "tables", "searches", "boxes", "heat", "damage"])
		require(`./${topic}`);
	for (let i = 0; i + 1 < files.length; i += 2)
		pairs.push([files[i], files[i + 1]]);
	await require("./pictures")(pairs);
	for (const [name, f] of tests)
		await tap.check(name, f);
	process.exitCode = tap.done();
})();
