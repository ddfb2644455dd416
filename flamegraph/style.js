// SPDX-License-Identifier: BSD-2-Clause
// style: how the interactive picture looks. The static one needs no style sheet; these rules stand
// for what only a script makes, for pointers, and for a reader who prefers the dark. In a page of
// others they must only apply to the picture, so each is bound to its class.

const STYLE_CLASS = "fathom-flame";

const STYLE_RULES = [
	[".row text,.details", "pointer-events:none;white-space:pre"],
	[".row>g", "cursor:pointer;outline:none"],
	[".row>g:hover rect", "stroke:#000;stroke-width:.7"],
	[".row>g:focus-visible rect,.row>g.current rect", "stroke:#000;stroke-width:2"],
	[".row>g.above rect", "fill-opacity:.45"],
	[".rows.searched .row>g:not(.hit) rect", "fill-opacity:.45"],
	[".row>g.hit rect", "fill:#e57bf0"],
	[".ui", "font:11px Verdana,DejaVu Sans,sans-serif;color:#111113;line-height:normal;" +
		"text-align:left;box-sizing:border-box"],
	[".ui *", "box-sizing:border-box"],
	[".tools", "display:flex;flex-wrap:wrap;gap:4px 6px;align-items:center;padding:2px 10px"],
	[".tools .space", "flex:1 1 0"],
	[".group", "display:flex;gap:0;align-items:center"],
	[".group>*", "margin:0 0 0 -1px;border-radius:0"],
	[".group>:first-child", "margin-left:0;border-radius:4px 0 0 4px"],
	[".group>:last-child", "border-radius:0 4px 4px 0"],
	[".ui button,.ui input,.ui select", "font:inherit;color:inherit;background:#fff;" +
		"border:1px solid #b4b4bd;padding:2px 7px;height:23px"],
	[".ui button,.ui input", "border-radius:4px"],
	[".ui .group button,.ui .group input", "border-radius:0"],
	[".ui .group>:first-child", "border-radius:4px 0 0 4px"],
	[".ui .group>:last-child", "border-radius:0 4px 4px 0"],
	[".ui button", "cursor:pointer;white-space:nowrap"],
	[".ui button:hover", "background:#ececf1"],
	[".ui button:disabled", "color:#9a9aa4;cursor:default;background:#fff"],
	// Nothing here has a position of its own: WebKit puts that elsewhere within a foreignObject.
	[".ui button[aria-pressed=true]", "background:#dbe6fb;border-color:#6d8fd0"],
	[".ui button:focus-visible,.ui input:focus-visible", "outline:2px solid #2f6fde;" +
		"outline-offset:-2px"],
	[".ui input", "width:170px;flex:0 1 170px;min-width:70px"],
	[".ui input:invalid", "border-color:#c00;background:#fee"],
	[".ui output", "white-space:nowrap;min-width:112px"],
	[".crumbs", "display:flex;flex:1 1 auto;min-width:0;height:20px;align-items:center;" +
		"overflow:hidden;padding:0 10px;white-space:nowrap;justify-content:flex-start"],
	[".crumbs button", "border:none;background:none;padding:0 3px;height:18px;color:#2456b0;" +
		"flex:0 0 auto;max-width:260px;overflow:hidden;text-overflow:ellipsis"],
	[".crumbs button[aria-current]", "color:inherit;font-weight:bold"],
	[".crumbs span", "color:#777781;flex:none"],
	[".dialog", "overflow:auto;outline:none;background:#fff;border:1px solid #8a8a94;" +
		"border-radius:6px;padding:12px 16px;box-shadow:0 4px 18px rgba(0,0,0,.25)"],
	[".dialog h2", "font-size:13px;margin:0 0 8px"],
	[".dialog table", "border-spacing:0;margin:0 0 10px"],
	[".dialog td", "padding:2px 14px 2px 0;vertical-align:top"],
	[".dialog p", "margin:0 0 10px;line-height:1.4"],
	[".dialog textarea", "width:100%;height:110px;font:11px monospace;margin:0 0 8px"],
	[".unseen", "width:1px;height:1px;margin-top:-1px;overflow:hidden;clip-path:inset(50%)"],
];

// On a paper that is not white by somebody's choice there is no dark.
const STYLE_DARK = [
	["", "color-scheme:dark"],
	[".paper", "fill:#1b1b1f"],
	[".head text,.bar text,.empty", "fill:#e6e6ea"],
	[".head text.faint,.bar text.faint", "fill:#a9a9b4"],
	[".row>g rect", "fill-opacity:.9"],
	[".row>g:hover rect", "stroke:#fff"],
	[".row>g:focus-visible rect,.row>g.current rect", "stroke:#fff"],
	[".row>g.above text", "fill:#f0f0f4"],
	[".row>g.above rect", "fill-opacity:.3"],
	[".rows.searched .row>g:not(.hit) rect", "fill-opacity:.35"],
	[".rows.searched .row>g:not(.hit) text", "fill:#f0f0f4"],
	[".ui", "color:#e6e6ea"],
	[".ui button,.ui input,.ui select", "background:#2a2a30;border-color:#55555f"],
	[".ui button:hover", "background:#3a3a42"],
	[".ui button:disabled", "color:#74747e;background:#232328"],
	[".ui button[aria-pressed=true]", "background:#2d4573;border-color:#6d8fd0"],
	[".ui input:invalid", "border-color:#f66;background:#4a2226"],
	[".crumbs button", "background:none;color:#8db4ff"],
	[".crumbs button[aria-current]", "color:inherit"],
	[".crumbs span", "color:#9a9aa4"],
	[".dialog", "background:#232328;border-color:#55555f"],
	[".dialog textarea", "background:#1b1b1f;color:#e6e6ea"],
];

function styleText(rules, root) {
	return rules.map(([selectors, body]) => selectors.split(",").map((selector) =>
		root + (selector ? " " : "") + selector).join(",") + "{" + body + "}").join("\n");
}

// 'more': rules as above, of panes that others draw.
function addStyle(svg, more, moreDark) {
	const root = "." + STYLE_CLASS;
	const text = styleText(STYLE_RULES.concat(more), root) +
		"\n@media (prefers-color-scheme:dark){\n" +
		styleText(STYLE_DARK.concat(moreDark), root + ".white") + "\n}\n";
	const paper = svg.querySelector(".paper");
	const fill = paper ? (paper.getAttribute("fill") || "").toLowerCase() : "";
	svg.classList.add(STYLE_CLASS);
	svg.classList.toggle("white", ["", "#fff", "#ffffff", "white"].includes(fill));
	svg.append(svgElement("style", {}, text));
}
