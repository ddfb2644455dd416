// SPDX-License-Identifier: BSD-2-Clause
// layout: where the frames of a tree are drawn, and the texts of amounts and shares.

const MAX_BOXES = 6000; // more of them are slow to draw, and nobody can tell them apart
const LAYOUT_MIN_WIDTH = 0.1; // pixels

// Of each node: how many there are before it in the whole tree, in which a rest is many.
function nodesBefore(tree) {
	if (tree.nodesBefore)
		return tree.nodesBefore;
	const before = new Float64Array(tree.n + 1);
	for (let i = 0; i < tree.n; i++)
		before[i + 1] = before[i] + (tree.rest[i] || 1);
	tree.nodesBefore = before;
	return before;
}

function hitsBefore(hit) {
	const before = new Uint32Array(hit.length + 1);
	for (let i = 0; i < hit.length; i++)
		before[i + 1] = before[i] + hit[i];
	return before;
}

// Boxes while they are found: arrays that grow.
function emptyBoxes() {
	return { node: [], depth: [], x: [], w: [], parent: [], hidden: [], hiddenWeight: [],
		hiddenHits: [] };
}

function addBox(boxes, node, depth, x, w, parent) {
	boxes.node.push(node);
	boxes.depth.push(depth);
	boxes.x.push(x);
	boxes.w.push(w);
	boxes.parent.push(parent);
	boxes.hidden.push(0);
	boxes.hiddenWeight.push(0);
	boxes.hiddenHits.push(0);
	return boxes.node.length - 1;
}

// The frames above the zoomed one: each as wide as the picture. Returns the last.
function addAncestors(boxes, tree, zoom, innerWidth) {
	const path = [];
	for (let i = zoom; i; i = tree.parent[i])
		path.unshift(tree.parent[i]);
	for (const node of path)
		addBox(boxes, node, tree.depth[node], 0, innerWidth, boxes.node.length - 1);
	return path.length - 1;
}

// How narrow frames may be so that about as many as these are at least as wide.
function widthOfNth(tree, zoom, weight, scale, minWidth, most) {
	const widths = [];
	for (let i = zoom; i < tree.end[zoom];) {
		const w = weight[i] * scale;
		if (w >= minWidth)
			widths.push(w);
		i = w >= minWidth ? i + 1 : tree.end[i];
	}
	if (widths.length <= most)
		return minWidth;
	// Those that are as wide as the first that is too many are too many as well.
	return Float64Array.from(widths).sort()[widths.length - 1 - most] * (1 + 1e-9);
}

/*
 * One pass over the frames below (and with) the zoomed one. Children of a frame lie side by side
 * from its left on, those that are too narrow as one box to the right of the others. Those in the
 * order of time lie after what it had spent itself by then, and narrow ones that follow each other
 * are one box where the first of them is.
 */
function placeBoxes(boxes, tree, zoom, above, view) {
	const { weight, scale, minWidth, counts, hits, inPlace } = view;
	const lead = inPlace ? tree.lead : null;
	const queue = [addBox(boxes, zoom, tree.depth[zoom], 0, view.innerWidth, above)];
	if (tree.rest[zoom]) {
		boxes.hidden[queue[0]] = tree.rest[zoom];
		boxes.hiddenWeight[queue[0]] = weight[zoom];
	}
	const start = [0]; // of each box in the queue: what is to the left of it
	for (let q = 0; q < queue.length; q++) {
		const box = queue[q], node = boxes.node[box];
		const run = { hidden: 0, weight: 0, hits: 0, gaps: 0 };
		let left = start[q], spent = 0;
		for (let c = node + 1; c < tree.end[node]; c = tree.end[c]) {
			if (lead && lead[c] > spent) {
				const gap = Math.min(lead[c], tree.self[node]) - spent;
				if (run.hidden)
					run.gaps += Math.max(0, gap);
				else
					left += Math.max(0, gap);
				spent = lead[c];
			}
			if (!tree.rest[c] && weight[c] * scale >= minWidth) {
				if (inPlace && run.hidden)
					left = placeJoined(boxes, tree, box, left, run, view);
				const x = left * scale, right = (left + weight[c]) * scale;
				queue.push(addBox(boxes, c, tree.depth[c], x, right - x, box));
				start.push(left);
				left += weight[c];
				continue;
			}
			if (!weight[c])
				continue;
			run.hidden += counts[tree.end[c]] - counts[c];
			run.weight += weight[c];
			run.hits += hits ? hits[tree.end[c]] - hits[c] : 0;
		}
		if (run.hidden)
			placeJoined(boxes, tree, box, left, run, view);
	}
}

// The narrow ones of 'run', which is empty then, below a box. Returns what is left of the next.
function placeJoined(boxes, tree, box, left, run, view) {
	const { hidden, weight, hits, gaps } = run, { scale } = view, node = boxes.node[box];
	const x = left * scale, right = (left + weight) * scale, next = left + weight + gaps;
	run.hidden = run.weight = run.hits = run.gaps = 0;
	if (weight * scale < view.minWidth) {
		view.dropped += hidden;
		view.droppedWeight += weight;
		return next;
	}
	const joined = addBox(boxes, node, tree.depth[node] + 1, x, right - x, box);
	boxes.hidden[joined] = hidden;
	boxes.hiddenWeight[joined] = weight;
	boxes.hiddenHits[joined] = hits;
	return next;
}

function typedBoxes(boxes) {
	return {
		n: boxes.node.length,
		node: Uint32Array.from(boxes.node), depth: Uint32Array.from(boxes.depth),
		x: Float64Array.from(boxes.x), w: Float64Array.from(boxes.w),
		parent: Int32Array.from(boxes.parent),
		hidden: Float64Array.from(boxes.hidden),
		hiddenWeight: Float64Array.from(boxes.hiddenWeight),
		hiddenHits: Uint32Array.from(boxes.hiddenHits),
	};
}

/*
 * Boxes for a zoomed node in a picture of that inner width (pixels): first its ancestors, then
 * row by row, each from left to right. Of each box:
 *	node, depth	of the tree; of joined siblings: the node that they are below, their depth
 *	x, w		pixels from the left
 *	parent		index of the box that it is on, -1 for the root's
 *	hidden		0, or of joined narrow siblings: how many frames they and all below them are
 *	hiddenWeight, hiddenHits	what they come to; how many of them are in options.hit
 * and of all: n, above (the number of ancestors), maxDepth, minWidth (as it was in the end),
 * dropped, droppedWeight (siblings that are too narrow even together). Options:
 *	minWidth	frames that are narrower are joined (pixels)
 *	maxBoxes	more than these are not made: minWidth grows
 *	weight		what the widths are, of each node (else the tree's totals)
 *	hit		of each node: 1 if it was found
 *	inPlace		siblings are in the order of time: narrow ones are joined where they are
 */
function layoutBoxes(tree, zoom, innerWidth, options = {}) {
	const { maxBoxes = MAX_BOXES, weight = tree.total, hit = null, inPlace = false } = options;
	const scale = weight[zoom] > 0 ? innerWidth / weight[zoom] : 0;
	const view = { weight, scale, innerWidth, minWidth: options.minWidth || LAYOUT_MIN_WIDTH,
		counts: nodesBefore(tree), hits: hit && hitsBefore(hit), inPlace,
		dropped: 0, droppedWeight: 0 };
	const room = Math.max(16, maxBoxes - tree.depth[zoom]);
	let boxes, above;
	for (let most = room; ; most = Math.floor(most * 0.7)) {
		view.minWidth = widthOfNth(tree, zoom, weight, scale, view.minWidth, most);
		view.dropped = view.droppedWeight = 0;
		boxes = emptyBoxes();
		above = addAncestors(boxes, tree, zoom, innerWidth);
		placeBoxes(boxes, tree, zoom, above, view);
		if (boxes.node.length - above - 1 <= room)
			break;
	}
	const { minWidth, dropped, droppedWeight } = view;
	return { ...typedBoxes(boxes), above: above + 1, minWidth, dropped, droppedWeight,
		maxDepth: boxes.depth.reduce((most, depth) => Math.max(most, depth), 0) };
}

// --- texts: the same as amount.c and view.c write them ------------------------------------------

// As printf's "%.*f": what is halfway between two goes to the even one.
function fixedText(value, digits) {
	const halves = value * 2 ** (digits + 1), size = Math.abs(value);
	if (Math.abs(halves) % 2 !== 1 || size >= 2 ** 50)
		return value.toFixed(digits);
	const below = Math.floor(size * 10 ** digits);
	const nearest = (below + below % 2) / 10 ** digits;
	return (value < 0 ? "-" : "") + nearest.toFixed(digits);
}

// As printf's "%.3g".
function threeDigits(value) {
	if (!value)
		return "0";
	const exponent = +value.toExponential(2).split("e")[1];
	if (exponent < -4 || exponent >= 3) {
		const [digits, power] = value.toExponential(2).split("e");
		return `${+digits}e${power[0]}${power.slice(1).padStart(2, "0")}`;
	}
	return String(+fixedText(value, 2 - Math.floor(Math.log10(Math.abs(value)) + 1e-12)));
}

const TIME_SCALE = [[1e9, "s"], [1e6, "ms"], [1e3, "us"], [1, "ns"]];
const SIZE_SCALE = [[2 ** 40, "TiB"], [2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"],
	[1, "bytes"]];

function scaledText(value, scale) {
	const [size, name] = scale.find(([least]) => Math.abs(value) >= least) ||
		scale[scale.length - 1];
	if (size === 1)
		return `${value.toFixed(0)} ${name}`;
	const v = value / size, digits = Math.abs(v) < 10 ? 2 : Math.abs(v) < 100 ? 1 : 0;
	return `${fixedText(v, digits)} ${name}`;
}

// "samples" is "sample" if it is one.
function nounText(unit, valueName, isOne) {
	const noun = unit === "count" || !unit ? valueName : unit;
	if (!noun || unit === "nanoseconds" || unit === "bytes")
		return "";
	return " " + (isOne && noun.length > 1 && noun.endsWith("s") ? noun.slice(0, -1) : noun);
}

// "1.25 s", "3 samples", "1 sample".
function formatAmount(value, unit, valueName) {
	if (unit === "nanoseconds")
		return scaledText(value, TIME_SCALE);
	if (unit === "bytes")
		return scaledText(value, SIZE_SCALE);
	const digits = BigInt(Math.round(value)).toString().replace(/\B(?=(\d{3})+$)/g, ",");
	return digits + nounText(unit, valueName, value === 1);
}

// Small amounts, as there are of scaled ones, with three digits: "0.125 samples".
function formatReal(value, unit, valueName) {
	if (!(Math.abs(value) < 1e18))
		return "?";
	if (Math.abs(value) >= 100 || value === 0)
		return formatAmount(Math.sign(value) * Math.round(Math.abs(value)), unit,
			valueName);
	const text = threeDigits(value);
	if (unit === "nanoseconds")
		return text + " ns";
	return unit === "bytes" ? text + " bytes" : text + nounText(unit, valueName, value === 1);
}

// "12.34%", "< 0.01%".
function formatShare(part, whole) {
	const p = BigInt(Math.round(Math.abs(part))), w = BigInt(Math.round(Math.abs(whole)));
	const share = w ? Number((p * 20000n + w) / (w * 2n)) : 0;
	const sign = part < 0 && share ? "-" : "";
	if (!share && p)
		return "< 0.01%";
	return `${sign}${Math.floor(share / 100)}.${String(share % 100).padStart(2, "0")}%`;
}
