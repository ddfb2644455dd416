// SPDX-License-Identifier: BSD-2-Clause
// main: the picture as it is read becomes one to explore, as soon as its data is unpacked. Without
// that (an old browser, a damaged file) the static drawing stays, and says why.

const flameScript = document.currentScript;

// In SVG the script is inside of it; in a page of HTML it follows it.
function flameRoot() {
	const inside = flameScript && flameScript.closest("svg");
	const beside = flameScript && flameScript.parentNode.querySelector("svg");
	return inside || beside || document.documentElement;
}

function startFlame() {
	const svg = flameRoot();
	const holder = svg.querySelector("#flame-data") || document.getElementById("flame-data");
	const alone = svg === document.documentElement ||
		document.documentElement.hasAttribute("data-flame");
	if (!holder || !svg.querySelector(".rows"))
		return;
	decodeFlame(holder.textContent).then((data) => {
		app.start(svg, alone, data);
		startPicture();
		startPanes();
		startKeys();
		app.restore();
		picture.isReady = true;
		updateTools();
		layOut();
		toRoot();
		listenToFrames();
		svg.setAttribute("data-ready", "1");
	}).catch((error) => {
		const details = svg.querySelector(".details");
		if (details)
			details.textContent += ` \u2014 not interactive: ${error.message}`;
	});
}

startFlame();
