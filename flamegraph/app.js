// SPDX-License-Identifier: BSD-2-Clause
// app: what is shown, as one state, and the one way to change it. It computes what a change needs
// anew (the view of the tree, what the search found), tells all who draw, and keeps the state in
// the address (#zoom=1x2y&search=alloc&icicle=1), so that a view can be sent to somebody.
// Frames are named there by stable IDs: the same view is found in another picture of the program.

const PAST_MOST = 100; // views that can be gone back to

// Of a change in one of these there is a way back.
const APP_VIEW_KEYS = ["zoom", "callers", "merge", "sort", "range", "function"];
const APP_TREE_KEYS = ["callers", "merge", "sort", "range"];

const app = {
	svg: null,
	alone: false, // the document is this picture and no other
	data: null, // as decodeFlame() has it
	state: null,
	tree: null, // the view of data.tree
	zoomed: 0, // node of 'tree'
	whole: 0, // what is 100 %
	hitByFrame: null, // Uint8Array; null: no search
	found: null, // {low, high, hit} of 'tree'
	foundZoomed: null, // the same of what is zoomed
	badPattern: false,
	past: [],
	listeners: [],

	// f(changed, state): 'changed' is the set of the state's keys that have another value now.
	// Listeners are called in the order in which they came; the picture's is the first.
	onChange(f) {
		app.listeners.push(f);
	},

	// The only way to change the state. 'zoom' and 'function' are IDs, "" is none.
	set(partial) {
		const before = { ...app.state };
		if (changedKeys(before, partial).some((key) => APP_VIEW_KEYS.includes(key))) {
			app.past.push(before);
			if (app.past.length > PAST_MOST)
				app.past.shift();
		}
		app.apply(partial);
	},

	zoom(node) {
		app.set({ zoom: node ? nodeId(app.data, app.tree, node) : "" });
	},

	// The search stays: it is no view.
	back() {
		const view = app.past.pop();
		if (view)
			app.apply(Object.fromEntries(APP_VIEW_KEYS.map((key) => [key, view[key]])));
	},

	reset() {
		app.set({ ...firstState(), icicle: app.state.icicle, panel: app.state.panel });
	},

	isReset() {
		const first = firstState();
		return !app.state.search &&
			APP_VIEW_KEYS.every((key) => sameValue(app.state[key], first[key]));
	},

	start(svg, alone, data) {
		Object.assign(app, { svg, alone, data });
		app.state = firstState();
		computeTree();
		if (alone)
			window.addEventListener("hashchange", () => app.set(saidState()));
	},

	// What the address says; all that makes no sense there is passed over.
	restore() {
		app.apply(saidState());
	},

	apply(partial) {
		const before = app.state, treeBefore = app.tree;
		app.state = { ...before, ...partial };
		// IDs of the view from the other side name nothing here.
		if (app.state.callers !== before.callers && app.state.zoom === before.zoom)
			app.state.zoom = "";
		const hasOther = (key) => !sameValue(before[key], app.state[key]);
		const isOtherTree = APP_TREE_KEYS.some(hasOther);
		if (isOtherTree)
			computeTree();
		if (isOtherTree || hasOther("zoom"))
			findZoomed();
		// Seen from the leaf, there is more below what is zoomed than is there at first.
		if (app.state.callers && (isOtherTree || hasOther("zoom")))
			focusTree();
		const isOtherSearch = app.tree !== treeBefore || hasOther("search") ||
			hasOther("matchCase");
		if (isOtherSearch)
			computeSearch();
		if (isOtherSearch || hasOther("zoom"))
			app.foundZoomed = app.found && app.zoomed ?
				search(app.data, app.tree, app.hitByFrame, app.zoomed) : null;
		const changed = new Set(Object.keys(app.state).filter(hasOther));
		for (const f of app.listeners)
			f(changed, app.state);
		keepFragment();
	},
};

function sameValue(a, b) {
	return JSON.stringify(a) === JSON.stringify(b);
}

function changedKeys(state, partial) {
	return Object.keys(partial).filter((key) => !sameValue(state[key], partial[key]));
}

function firstState() {
	return {
		zoom: "", search: "", matchCase: false, icicle: Boolean(app.data.header.icicle),
		callers: false, merge: false, sort: "name", range: null,
		function: "", panel: false,
	};
}

function computeTree(focus = []) {
	const { callers, merge, sort, range } = app.state;
	app.tree = viewTree(app.data, { callers, merge, sort, range, focus });
	app.whole = app.tree.total[0];
	if (!range && app.data.header.total > app.whole)
		app.whole = app.data.header.total;
}

function focusTree() {
	const focus = [];
	for (let node = app.zoomed; node > 0; node = app.tree.parent[node])
		focus.unshift(app.tree.frame[node]);
	computeTree(focus);
	findZoomed();
}

function findZoomed() {
	const node = app.state.zoom ? findNode(app.data, app.tree, app.state.zoom) : 0;
	app.zoomed = node > 0 ? node : 0;
	if (!app.zoomed)
		app.state.zoom = "";
}

// As in many tools: a pattern in lower case means that case does not matter.
function patternOf(text, matchCase) {
	const isExact = matchCase || /[A-Z]/.test(text.replace(/\\./g, ""));
	try {
		return new RegExp(text, isExact ? "" : "i");
	} catch (error) {
		return null;
	}
}

function computeSearch() {
	const { data, state } = app;
	const pattern = state.search ? patternOf(state.search, state.matchCase) : null;
	app.badPattern = Boolean(state.search) && !pattern;
	app.hitByFrame = app.found = null;
	if (!pattern)
		return;
	const byModule = data.modules.map((module) => module !== "" && pattern.test(module));
	app.hitByFrame = new Uint8Array(data.names.length);
	// Frame 0 is "all" and what stands for others: no name of the program.
	for (let frame = 1; frame < data.names.length; frame++)
		app.hitByFrame[frame] = byModule[data.frameModule[frame]] ||
			pattern.test(data.names[frame]) ? 1 : 0;
	app.found = search(data, app.tree, app.hitByFrame, 0);
}

// --- the address ---------------------------------------------------------------------------------

// The state that the address says; {} if the address is not the picture's.
function saidState() {
	const first = firstState(), state = {};
	const said = new URLSearchParams(location.hash.slice(1));
	const flag = (name, otherwise) => said.has(name) ? said.get(name) === "1" : otherwise;
	const range = /^(\d{1,9})-(\d{1,9})$/.exec(said.get("range") || "");
	const slots = app.data.time ? app.data.time.slots : 0;
	if (!app.alone)
		return {};
	state.zoom = said.get("zoom") || "";
	state.search = said.get("search") || "";
	state.matchCase = flag("case", false);
	state.icicle = flag("icicle", first.icicle);
	state.callers = flag("callers", false);
	state.merge = flag("merge", false);
	state.sort = said.get("sort") === "weight" ? "weight" : "name";
	state.range = range && +range[1] < +range[2] && +range[2] <= slots ?
		[+range[1], +range[2]] : null;
	state.function = said.get("function") || "";
	state.panel = flag("panel", false);
	return state;
}

function fragmentOf(state) {
	const said = new URLSearchParams(), first = firstState();
	for (const key of ["zoom", "search", "function"])
		if (state[key])
			said.set(key, state[key]);
	for (const [name, key] of [["case", "matchCase"], ["icicle", "icicle"],
		["callers", "callers"], ["merge", "merge"], ["panel", "panel"]])
		if (state[key] !== first[key])
			said.set(name, state[key] ? 1 : 0);
	if (state.sort !== first.sort)
		said.set("sort", state.sort);
	if (state.range)
		said.set("range", state.range.join("-"));
	return said.toString();
}

function keepFragment() {
	if (!app.alone)
		return;
	const fragment = fragmentOf(app.state);
	if (fragment === location.hash.slice(1))
		return;
	try {
		history.replaceState(null, "", "#" + fragment);
	} catch (error) {
		// Some viewers have no history: the state is then not kept.
	}
}
