// SPDX-License-Identifier: BSD-2-Clause
// element: making elements of SVG and XHTML. Text only ever becomes text nodes and attributes.

const SVG_NS = "http://www.w3.org/2000/svg", XHTML_NS = "http://www.w3.org/1999/xhtml";

function setAttributes(element, attributes) {
	for (const name in attributes)
		element.setAttribute(name, attributes[name]);
	return element;
}

function svgElement(name, attributes, text) {
	const element = setAttributes(document.createElementNS(SVG_NS, name), attributes);
	if (text !== undefined)
		element.textContent = text;
	return element;
}

function htmlElement(name, attributes, text) {
	const element = setAttributes(document.createElementNS(XHTML_NS, name), attributes);
	if (text !== undefined)
		element.textContent = text;
	return element;
}

// A button that says what it does in a tooltip and to a screen reader, and does it.
function newButton(text, title, act) {
	const button = htmlElement("button", { type: "button", title, "aria-label": title }, text);
	button.addEventListener("click", act);
	return button;
}
