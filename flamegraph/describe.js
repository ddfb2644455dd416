// SPDX-License-Identifier: BSD-2-Clause
// describe: what the picture says of a frame: name, file, amounts with their units, shares.

// Where a function is from, as the static picture says it; "" if nothing is known.
function frameWhere(data, frame) {
	const module = data.modules[data.frameModule[frame]] || "";
	const mark = { [KIND_INLINED]: "inlined", [KIND_INTERPRETED]: "runtime",
		[KIND_SYNTHETIC]: "process" }[data.frameKind[frame]];
	if (frame === 0)
		return "";
	if (data.frameKind[frame] === KIND_KERNEL)
		return module || "[kernel]";
	return !mark ? module : module ? `${module} (${mark})` : mark;
}

function framesText(n) {
	return `${formatAmount(n, "count", "")} ${n === 1 ? "frame" : "frames"}`;
}

function amountText(data, value) {
	return formatReal(value, data.header.unit, data.header.value);
}

// "+1.20 s (+12.00%)"
function differenceText(data, before, after) {
	const percent = before > 0 ? 100 * (after - before) / before : NaN;
	const share = percent < 1e6 ? ` (${percent < 0 ? "" : "+"}${percent.toFixed(2)}%)` : "";
	return (after < before ? "-" : "+") + amountText(data, Math.abs(after - before)) + share;
}

function sidesText(data, before, after) {
	const sides = `${amountText(data, before)} before, ${amountText(data, after)} after`;
	// What is scaled is seldom the same to the last bit.
	const isSame = Math.abs(after - before) <= 1e-9 * Math.max(before, after);
	return isSame ? sides : `${sides}, ${differenceText(data, before, after)}`;
}

function verdictText(verdict) {
	const text = verdict && verdict.isSignificant ? "significant" : "not significant";
	if (!verdict || typeof verdict.p !== "number")
		return text;
	return text + (verdict.p < 0.0001 ? ", p < 0.0001" : `, p = ${+verdict.p.toPrecision(2)}`);
}

// Of an amount within a view: its share of all, of its caller and of what is zoomed.
function sharesText(view, node, amount) {
	const { tree, whole, zoomed } = view;
	const parent = node > 0 ? tree.parent[node] : 0;
	const shares = [`${formatShare(amount, whole)} of all`];
	if (node > 0 && parent > 0)
		shares.push(`${formatShare(amount, tree.total[parent])} of its ` +
			(view.isCallers ? "callee" : "caller"));
	if (zoomed > 0 && node > zoomed && node < tree.end[zoomed] && parent !== zoomed)
		shares.push(`${formatShare(amount, tree.total[zoomed])} of the zoomed`);
	return shares.join(", ");
}

function describeChange(view, node) {
	const { data, tree } = view, change = changeOf(data, tree, node);
	const verdicts = deltaVerdicts(data), lines = [];
	lines.push((isVanished(tree, node) ? "gone: " : "") +
		sidesText(data, change.before, change.after));
	if ((change.selfBefore > 0 || change.selfAfter > 0) &&
	    (change.selfBefore !== change.before || change.selfAfter !== change.after))
		lines.push("itself " + sidesText(data, change.selfBefore, change.selfAfter));
	if (!isVanished(tree, node))
		lines.push(sharesText(view, node, tree.total[node]));
	if (verdicts && isFunction(data, tree, node))
		lines.push(verdictText(verdicts.get(tree.frame[node])));
	return lines;
}

// As the static picture says it.
function describeNode(view, node) {
	const { data, tree } = view, total = tree.total[node];
	const self = view.isCallers ? 0 : tree.self[node];
	if (tree.totalBefore)
		return describeChange(view, node);
	const lines = [amountText(data, total) + (self === total && node ? " itself" : "") +
		`, ${sharesText(view, node, total)}`];
	if (self > 0 && self !== total)
		lines.push(`itself ${amountText(data, self)}, ${formatShare(self, view.whole)} of all`);
	return lines;
}

// Narrow siblings that are one box: what they come to, and of two profiles what they came to.
function describeHidden(view, box) {
	const { data, tree } = view, open = tree.isRestLeast ? " or more" : "";
	const lines = [tree.totalBefore ? hiddenChange(view, box) :
		`${amountText(data, box.weight)}, ${hiddenShare(view, box)} of all`];
	return { name: framesText(box.hidden) + open, where: "too narrow to be drawn one by one",
		lines };
}

function hiddenChange({ data, tree, boxes }, box) {
	const shown = new Set(boxes.filter((b) => b.parent === box.parent && !b.hidden)
		.map((b) => b.node));
	let before = 0, after = 0;
	for (let c = box.node + 1; c < tree.end[box.node]; c = tree.end[c]) {
		const change = changeOf(data, tree, c);
		before += shown.has(c) ? 0 : change.before;
		after += shown.has(c) ? 0 : change.after;
	}
	return sidesText(data, before, after);
}

function hiddenShare(view, box) {
	const { data, tree } = view;
	return formatShare(box.weight, tree.totalBefore ? nodeWeights(data, tree)[0] : view.whole);
}

// {name, where, lines} of a box of a drawing. view: {data, tree, whole, zoomed, isCallers}
function describeBox(view, box) {
	const { data, tree } = view, frame = tree.frame[box.node], { name_type: type } = data.header;
	if (box.hidden)
		return describeHidden(view, box);
	if (tree.rest[box.node])
		return { name: framesText(tree.rest[box.node]), where: "too narrow to be kept one by one",
			lines: describeNode(view, box.node) };
	return { name: (type && box.node ? `${type} ` : "") + nodeName(view, box.node),
		where: frameWhere(data, frame), lines: describeNode(view, box.node) };
}

function nodeName({ data, tree }, node) {
	return tree.rest[node] ? framesText(tree.rest[node]) : data.names[tree.frame[node]] || "[empty]";
}

function boxLabel(view, box) {
	if (!box.hidden)
		return nodeName(view, box.node);
	return `${framesText(box.hidden)}, ${hiddenShare(view, box)}`;
}

// The names of a stack from the root on, without "all".
function stackOf(view, node) {
	const names = [];
	for (let i = node; i > 0; i = view.tree.parent[i])
		names.push(view.tree.rest[i] ? `[${nodeName(view, i)}]` : nodeName(view, i));
	return view.isCallers ? names : names.reverse();
}
