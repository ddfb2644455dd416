// SPDX-License-Identifier: BSD-2-Clause
// run: the parts of a flame graph's script that need no document, under node. TAP.
//	node tests/browser/engine/run.js [SEED]
"use strict";
const { done } = require("../tap");

(async () => {
	for (const topic of ["trees", "tables", "searches", "boxes", "heat", "damage"])
		await require(`./${topic}`)();
	process.exitCode = done();
})();
