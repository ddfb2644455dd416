// SPDX-License-Identifier: BSD-2-Clause
// tap: results in the Test Anything Protocol, as tests/tap.sh writes them.
"use strict";

let count = 0, failures = 0;

const oneLine = (text) => String(text).replace(/[\n#]/g, " ");

// Runs a test; it fails by throwing, or after a minute.
async function check(name, test) {
	let timer;
	const late = new Promise((done, fail) => {
		timer = setTimeout(() => fail(new Error("no end after 60 s")), 60000);
	});
	count++;
	try {
		await Promise.race([test(), late]);
		console.log(`ok ${count} - ${oneLine(name)}`);
	} catch (error) {
		failures++;
		console.log(`not ok ${count} - ${oneLine(name)}`);
		note(error.stack || error);
	}
	clearTimeout(timer);
}

function note(text) {
	console.log(String(text).replace(/^/gm, "# "));
}

// The plan; the exit status.
function done() {
	console.log(`1..${count}`);
	return failures ? 1 : 0;
}

module.exports = { check, note, done };
