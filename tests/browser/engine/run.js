// SPDX-License-Identifier: BSD-2-Clause
// run: the parts of a flame graph's script that need no document, under node. TAP.
//	node tests/browser/engine/run.js SEED [PICTURE FOLDED]...
"use strict";
const { done } = require("../tap");

(async () => {
	for (const topic of ["trees", "tables", "searches", "boxes", "heat", "damage"])
		await require(`./${topic}`)();
	const files = process.argv.slice(3), pairs = [];
	for (let i = 0; i + 1 < files.length; i += 2)
		pairs.push([files[i], files[i + 1]]);
	await require("./pictures")(pairs);
	process.exitCode = done();
})();
