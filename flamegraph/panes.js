// SPDX-License-Identifier: BSD-2-Clause
// panes: what stands beside and above the frames: samples over time, one function's callers and
// callees, the table of functions.

function startPanes() {
	startTimeline();
	startSandwich();
	startPanel();
	const root = "." + STYLE_CLASS;
	const rules = [...TIMELINE_STYLE, ...SANDWICH_STYLE, ...PANEL_STYLE];
	const dark = [...TIMELINE_STYLE_DARK, ...SANDWICH_STYLE_DARK, ...PANEL_STYLE_DARK];
	app.svg.append(svgElement("style", {}, `${styleText(rules, root)}\n` +
		`@media (prefers-color-scheme:dark){\n${styleText(dark, root + ".white")}\n}\n`));
}
