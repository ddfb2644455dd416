// SPDX-License-Identifier: BSD-2-Clause
// heat: every sample is in the cell of its time, and cells share out all of the time.
"use strict";
const assert = require("assert");
const { flame, random, makeCase, sum, inRange, someFrames, SLOTS, check, many } = require("./cases");

function makeTime() {
	const slots = 1 + random(3) * random(5000) + random(300), n = random(400);
	const slot = Float64Array.from({ length: n }, () => random(slots)).sort();
	return { slotNs: [1e4, 1e6, 1e7, 2e7, 33333333, 3e9][random(6)], slots, slot,
		value: Float64Array.from(slot, () => 1 + random(9)) };
}

module.exports = async () => {
	await check("every sample is in the cell of its time", many(200, () => {
		const time = makeTime(), most = 1 + random(600), grid = flame.heatGrid(time, most);
		assert(grid.columns <= most && grid.rows <= flame.HEAT_MOST_ROWS);
		assert.equal(sum([...grid.cells].map((value) => ({ value }))), sum([...time.value].map(
			(value) => ({ value }))));
		for (const slot of time.slot) {
			const cell = flame.heatCell(grid, slot);
			const [from, to] = flame.heatRange(grid, cell, cell);
			assert(from <= slot && slot < to, `${from} <= ${slot} < ${to}`);
		}
	}));
	await check("cells share out all of the time", many(100, () => {
		const grid = flame.heatGrid(makeTime(), 1 + random(600));
		let end = 0;
		for (let cell = 0; cell < grid.cells.length && end < grid.slots; cell++) {
			const [from, to] = flame.heatRange(grid, cell, cell);
			assert.equal(from, end);
			assert(to > from);
			end = to;
		}
		assert.equal(end, grid.slots);
		const [a, b] = [random(grid.cells.length), random(grid.cells.length)];
		assert.deepEqual(flame.heatRange(grid, a, b), flame.heatRange(grid, b, a));
	}));
	await check("columns are seconds where there is room, and round spans where not", () => {
		const columns = (slots, slotNs, most) => {
			const none = new Float64Array(0);
			const grid = flame.heatGrid({ slots, slotNs, slot: none, value: none }, most);
			return [grid.columns, grid.rows, grid.columnSlots * slotNs / 1e9];
		};
		assert.deepEqual(columns(6000, 1e7, 400), [60, 34, 1]);
		assert.deepEqual(columns(100 * 3600, 1e7, 400), [360, 40, 10]);
		assert.deepEqual(columns(500, 1e7, 400), [50, 10, 0.1]);
		assert.deepEqual(columns(1, 1e7, 400), [1, 1, 0.01]);
		assert(columns(1e15, 1e7, 400)[0] <= 400);
	});
	await check("the darkest cell has the most", many(50, () => {
		const grid = flame.heatGrid(makeTime(), 300);
		for (let cell = 0; cell < grid.cells.length; cell++) {
			const shade = flame.heatShade(grid, cell);
			assert.equal(shade === 0, grid.cells[cell] === 0);
			assert(shade <= flame.HEAT_SHADES);
			assert(grid.cells[cell] !== grid.most || !shade || shade === flame.HEAT_SHADES);
		}
	}));
	await check("times have as many digits as slots need", () => {
		assert.equal(flame.heatTime({ slotNs: 1e7 }, 1234), "12.34 s");
		assert.equal(flame.heatTime({ slotNs: 1e9 }, 5), "5 s");
		assert.equal(flame.heatTime({ slotNs: 2e7 }, 3), "0.06 s");
	});
	await check("a cell's range has its samples in the flame graph", many(30, async () => {
		const test = await makeCase("time"), grid = flame.heatGrid(test.data.time, 1 + random(60));
		for (let cell = 0; cell < grid.cells.length; cell++) {
			const range = flame.heatRange(grid, cell, cell);
			const tree = flame.viewTree(test.data, { range });
			assert.equal(tree.total[0], grid.cells[cell]);
			assert.equal(tree.total[0], sum(test.stacks.filter(inRange(range))));
		}
		assert.equal(test.data.time.slots, SLOTS);
	}));
	await check("rows of the table are what was found, in the order asked for", many(100, async () => {
		const test = await makeCase(random(2) ? "before" : "", random(60)), { data } = test;
		const table = flame.functions(data), { hit } = someFrames(test, 3);
		for (const column of flame.functionColumns(data)) {
			const rows = flame.functionRows(table, column, false, hit);
			const turned = flame.functionRows(table, column, true, hit);
			const all = flame.functionRows(table, column, false, null);
			const values = rows.map((i) => column.value(table, i));
			assert.equal(all.length, table.frame.length);
			assert.deepEqual([...rows].sort(), all.filter((i) => hit[table.frame[i]]).sort());
			assert.deepEqual(turned.reverse(), rows);
			for (let i = 1; i < values.length; i++)
				assert(column.key === "name" ?
					flame.compareNames(values[i - 1], values[i]) <= 0 :
					Math.abs(values[i - 1]) >= Math.abs(values[i]));
		}
	}));
};
