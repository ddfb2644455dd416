// SPDX-License-Identifier: BSD-2-Clause
// data: the call tree inside a picture, read back: the format is described in flame_data.h.
// Whatever the text holds, the result is a tree in which every number is in its range, or an Error
// with a sentence. Values above 2^53 lose their last digits.

const DATA_SCHEMA = "fathom.flame/1";
const DATA_MAX_BYTES = 2 ** 29; // of all sections, unpacked
const DATA_MAX_DEPTH = 65536;

function damaged(what) {
	return new Error(`The data in this picture is damaged: ${what}`);
}

// --- sections: base64, zlib, varints ------------------------------------------------------------

function bytesOfBase64(text, name) {
	let binary;
	try {
		binary = atob(text);
	} catch (error) {
		throw damaged(`section '${name}' is not base64`);
	}
	const bytes = new Uint8Array(binary.length);
	for (let i = 0; i < bytes.length; i++)
		bytes[i] = binary.charCodeAt(i);
	return bytes;
}

// 'budget' is shared by all sections: { bytes: how many are left }.
async function inflated(bytes, name, budget) {
	const stream = new DecompressionStream("deflate");
	const writer = stream.writable.getWriter(), reader = stream.readable.getReader();
	const chunks = [];
	let size = 0, at = 0;
	// What goes wrong here is seen by the reader, too.
	writer.write(bytes).catch(() => {});
	writer.close().catch(() => {});
	try {
		for (;;) {
			const { done, value } = await reader.read();
			if (done)
				break;
			chunks.push(value);
			size += value.length;
			budget.bytes -= value.length;
			if (budget.bytes < 0)
				break;
		}
	} catch (error) {
		throw damaged(`section '${name}' cannot be unpacked`);
	}
	if (budget.bytes < 0) {
		reader.cancel().catch(() => {});
		throw new Error("The data in this picture is too large: over " +
			`${DATA_MAX_BYTES} bytes`);
	}
	const whole = new Uint8Array(size);
	for (const chunk of chunks) {
		whole.set(chunk, at);
		at += chunk.length;
	}
	return whole;
}

async function readSections(text) {
	const budget = { bytes: DATA_MAX_BYTES }, packed = new Map();
	for (const line of text.split("\n")) {
		const [name, base64, ...more] = line.trim().split(" ");
		if (!name)
			continue;
		if (base64 === undefined || more.length || packed.has(name))
			throw damaged(`'${name.slice(0, 20)}' is no section, or comes twice`);
		packed.set(name, bytesOfBase64(base64, name));
	}
	if (!packed.has("header"))
		throw damaged("there is no header");
	if (typeof DecompressionStream === "undefined")
		throw new Error("This browser cannot unpack the data in this picture");
	const names = [...packed.keys()];
	const all = await Promise.all(names.map((name) =>
		inflated(packed.get(name), name, budget)));
	return new Map(names.map((name, i) => [name, all[i]]));
}

class Varints {
	constructor(sections, name) {
		if (!sections.has(name))
			throw damaged(`section '${name}' is missing`);
		this.bytes = sections.get(name);
		this.length = this.bytes.length;
		this.at = 0;
		this.name = name;
	}

	byte() {
		if (this.at >= this.length)
			throw damaged(`section '${this.name}' is too short`);
		return this.bytes[this.at++];
	}

	next() {
		const first = this.byte();
		if (first < 128)
			return first;
		return this.rest(first - 128);
	}

	rest(value) {
		for (let scale = 128, byte; scale < 2 ** 64; scale *= 128) {
			byte = this.byte();
			// Shifts would end at 2^31. The largest number, 2^63 - 1, is rounded up.
			value += (byte & 127) * scale;
			if (byte < 128 && value <= 2 ** 63)
				return value;
		}
		throw damaged(`a number in section '${this.name}' is too large`);
	}

	below(limit, what) {
		const value = this.next();
		if (value >= limit)
			throw damaged(`a ${what} in section '${this.name}' is out of range`);
		return value;
	}

	finish() {
		if (this.at !== this.length)
			throw damaged(`section '${this.name}' is too long`);
	}
}

function linesOf(sections, name) {
	if (!sections.has(name))
		throw damaged(`section '${name}' is missing`);
	const lines = new TextDecoder().decode(sections.get(name)).split("\n");
	if (lines.pop() !== "")
		throw damaged(`section '${name}' is cut`);
	return lines;
}

// --- header and frames --------------------------------------------------------------------------

const isAmount = (value) => typeof value === "number" && value >= 0 && value < 2 ** 64;
const isCount = (value) => Number.isInteger(value) && value >= 0 && value < 2 ** 32;
const isTextPair = (pair) => Array.isArray(pair) && pair.length === 2 &&
	pair.every((text) => typeof text === "string");

function checkedTime(time) {
	if (typeof time !== "object" || !isAmount(time.slot_ns) || !time.slot_ns ||
	    !isAmount(time.slots) || !isAmount(time.start_ns))
		throw damaged("the header says nonsense about the time");
	return time;
}

function checkedHeader(bytes) {
	let header;
	try {
		header = JSON.parse(new TextDecoder().decode(bytes));
	} catch (error) {
		throw damaged("its header is not JSON");
	}
	if (typeof header !== "object" || header === null || header.schema !== DATA_SCHEMA)
		throw new Error(`The data in this picture is not of the kind ${DATA_SCHEMA}`);
	for (const key of ["title", "subtitle", "value", "unit", "count_name", "name_type"])
		header[key] = typeof header[key] === "string" ? header[key] : "";
	if (!isCount(header.nodes) || !isCount(header.frames) || !isAmount(header.total))
		throw damaged("the header has no sizes");
	header.all_nodes = isAmount(header.all_nodes) ? header.all_nodes : header.nodes;
	header.provenance = Array.isArray(header.provenance) ?
		header.provenance.filter(isTextPair) : [];
	if (header.scales !== undefined && !(Array.isArray(header.scales) &&
	    header.scales.length === 2 && header.scales.every(isAmount)))
		throw damaged("the header's scales are no numbers");
	if (header.unlisted !== undefined && !(header.unlisted && isAmount(header.unlisted.frames) &&
	    isAmount(header.unlisted.inside)))
		throw damaged("the header says nonsense about what is not listed");
	// An empty list is a judgement, too: all that changed may be noise.
	header.verdicts = !Array.isArray(header.verdicts) ? null : header.verdicts.filter((v) =>
		Array.isArray(v) && isCount(v[0]) && v[0] < header.frames);
	return header;
}

function readFrames(sections, header) {
	const names = linesOf(sections, "names"), modules = linesOf(sections, "modules");
	const n = names.length, frames = new Varints(sections, "frames");
	const module = new Uint32Array(n), kind = new Uint8Array(n), color = new Array(n);
	if (n !== header.frames || !n)
		throw damaged("the number of names is not the number of frames");
	for (let i = 0; i < n; i++) {
		module[i] = frames.below(modules.length, "module");
		kind[i] = frames.byte();
		const rgb = frames.byte() * 65536 + frames.byte() * 256 + frames.byte();
		color[i] = "#" + rgb.toString(16).padStart(6, "0");
	}
	frames.finish();
	return { names, modules, module, kind, color };
}

// --- the tree -----------------------------------------------------------------------------------

// A tree of n nodes whose arrays are still to be filled.
function emptyTree(n, hasBefore) {
	return {
		n,
		frame: new Uint32Array(n), parent: new Uint32Array(n), end: new Uint32Array(n),
		depth: new Uint32Array(n), self: new Float64Array(n), total: new Float64Array(n),
		selfBefore: hasBefore ? new Float64Array(n) : null,
		totalBefore: hasBefore ? new Float64Array(n) : null,
		rest: new Uint32Array(n),
		lead: null, // of a flame chart: what the parent had spent itself before
	};
}

// For each frame the frames met below it, in one array: millions of edges are looked up in them.
class EdgeLists {
	constructor(nFrames) {
		this.first = new Uint32Array(nFrames);
		this.length = new Uint32Array(nFrames);
		this.room = new Uint32Array(nFrames);
		this.pool = new Uint32Array(4 * nFrames);
		this.used = 0;
	}

	add(above, frame) {
		if (this.length[above] === this.room[above])
			this.grow(above);
		this.pool[this.first[above] + this.length[above]++] = frame;
	}

	grow(above) {
		const room = Math.max(2, 2 * this.room[above]), first = this.first[above];
		if (this.used + room > this.pool.length) {
			const pool = new Uint32Array(2 * (this.used + room));
			pool.set(this.pool);
			this.pool = pool;
		}
		this.pool.copyWithin(this.used, first, first + this.length[above]);
		this.first[above] = this.used;
		this.room[above] = room;
		this.used += room;
	}
}

function frameOfEdge(edges, lists, above, nFrames) {
	const k = edges.next();
	if (k > lists.length[above])
		throw damaged("a frame is named that was not met");
	if (k)
		return lists.pool[lists.first[above] + k - 1];
	const frame = edges.below(nFrames, "frame");
	lists.add(above, frame);
	return frame;
}

function readNodes(sections, tree, nFrames) {
	const [shape, edges, selves] = ["shape", "edges", "self"].map((name) =>
		new Varints(sections, name));
	const befores = tree.selfBefore && new Varints(sections, "before");
	const leads = tree.lead && new Varints(sections, "leads");
	const { n, frame, parent, end, depth, self, selfBefore, lead } = tree;
	const lists = new EdgeLists(nFrames);
	// Of the nodes that the next one is below: how many children are still to come.
	const open = new Uint32Array(DATA_MAX_DEPTH), left = new Uint32Array(DATA_MAX_DEPTH);
	const sums = lead && new Float64Array(n);
	let promised = 1, level = 0; // nodes that must exist; how many are open
	for (let i = 0; i < n; i++) {
		const word = shape.next(), children = Math.floor(word / 2);
		if (i && !level)
			throw damaged("there are nodes outside the tree");
		promised += children;
		if (promised > n)
			throw damaged("there are less nodes than the tree promises");
		if (i) {
			parent[i] = open[level - 1];
			frame[i] = frameOfEdge(edges, lists, frame[parent[i]], nFrames);
			depth[i] = level;
		}
		if (i && lead) {
			// Cumulative, from sibling to sibling; rests have none.
			const above = parent[i], step = frame[i] ? leads.next() : 0;
			lead[i] = sums[above] += step;
		}
		if (word % 2) {
			self[i] = selves.next();
			if (befores)
				selfBefore[i] = befores.next();
		}
		end[i] = i + 1;
		if (children) {
			if (i && !frame[i])
				throw damaged("a rest has children");
			if (level === DATA_MAX_DEPTH)
				throw damaged("stacks are too deep");
			open[level] = i;
			left[level++] = children;
			continue;
		}
		while (level && --left[level - 1] === 0)
			end[open[--level]] = i + 1;
	}
	if (promised !== n)
		throw damaged("the tree is cut");
	for (const numbers of [shape, edges, selves, befores, leads])
		if (numbers)
			numbers.finish();
}

function readRestCounts(sections, tree) {
	const numbers = sections.has("rests") ? new Varints(sections, "rests") : null;
	for (let i = 1; i < tree.n; i++) {
		if (tree.frame[i])
			continue;
		if (!numbers)
			throw damaged("section 'rests' is missing");
		tree.rest[i] = Math.max(1, numbers.below(2 ** 32, "count"));
	}
	if (numbers)
		numbers.finish();
}

// Totals of subtrees from what each node spent itself.
function sumUp(tree) {
	const pairs = [[tree.self, tree.total], [tree.selfBefore, tree.totalBefore]];
	for (const [self, total] of pairs) {
		if (!self)
			continue;
		total.set(self);
		for (let i = tree.n - 1; i > 0; i--)
			total[tree.parent[i]] += total[i];
	}
	return tree;
}

function readTree(sections, header) {
	const n = header.nodes;
	// A node is a byte of the shape at least: no header makes us allocate more.
	if (!n || !sections.has("shape") || n > sections.get("shape").length)
		throw damaged("the header says a wrong number of nodes");
	const tree = emptyTree(n, sections.has("before"));
	if (header.chart && sections.has("leads"))
		tree.lead = new Float64Array(n);
	readNodes(sections, tree, header.frames);
	readRestCounts(sections, tree);
	return sumUp(tree);
}

// --- functions in rests, time -------------------------------------------------------------------

function readRestFrames(sections, nFrames, hasBefore) {
	if (!sections.has("rest_frames"))
		return null;
	const numbers = new Varints(sections, "rest_frames"), keys = ["inside", "self"];
	const rows = [];
	let frame = 0;
	if (hasBefore)
		keys.push("insideBefore", "selfBefore");
	while (numbers.at < numbers.length) {
		frame += numbers.next();
		if (frame >= nFrames)
			throw damaged("a frame in section 'rest_frames' is out of range");
		rows.push([frame, ...keys.map(() => numbers.next())]);
	}
	const result = { frame: Uint32Array.from(rows, (row) => row[0]), insideBefore: null,
		selfBefore: null };
	keys.forEach((key, k) => {
		result[key] = Float64Array.from(rows, (row) => row[k + 1]);
	});
	return result;
}

function readTime(sections, header, nNodes) {
	if (!sections.has("time"))
		return null;
	const { slot_ns: slotNs, slots, start_ns: startNs } = checkedTime(header.time || 0);
	const numbers = new Varints(sections, "time");
	const most = Math.floor(numbers.length / 3); // three numbers each
	const slot = new Float64Array(most), node = new Uint32Array(most);
	const value = new Float64Array(most);
	let n = 0, now = 0;
	for (; numbers.at < numbers.length; n++) {
		now += numbers.next();
		if (now >= slots || n >= most)
			throw damaged("a sample is outside the span of time");
		slot[n] = now;
		node[n] = numbers.below(nNodes, "node");
		value[n] = numbers.next();
	}
	return { slotNs, slots, startNs, slot: slot.subarray(0, n), node: node.subarray(0, n),
		value: value.subarray(0, n) };
}

// What is in the element "flame-data".
async function decodeFlame(text) {
	const sections = await readSections(text);
	const header = checkedHeader(sections.get("header"));
	const frames = readFrames(sections, header);
	const tree = readTree(sections, header);
	return {
		header, tree,
		names: frames.names, modules: frames.modules, frameModule: frames.module,
		frameKind: frames.kind, frameColor: frames.color,
		restFrames: readRestFrames(sections, header.frames, tree.selfBefore !== null),
		// Of two profiles there is no common time.
		time: tree.selfBefore ? null : readTime(sections, header, tree.n),
	};
}
