// SPDX-License-Identifier: BSD-2-Clause
// heat: samples over time as cells: columns are seconds or another round span, rows are the slots
// within it, upwards, as in the heat map that stands alone. No DOM.

const HEAT_MOST_ROWS = 40, HEAT_FEWEST_COLUMNS = 30;
const HEAT_SHADES = 8;

// Slots in a column: a second, or more or less of them as the width asks for.
function heatColumnSlots(slots, slotNs, mostColumns) {
	const fits = (span) => Math.ceil(slots * slotNs / span) <= mostColumns;
	const steps = [1, 2, 5];
	let span = 1e9, i = 0;
	if (!fits(span)) {
		// Up: 2 s, 5 s, 10 s and so on.
		for (; !fits(span) && i < 60; i++)
			span = steps[(i + 1) % 3] * 10 ** (9 + Math.floor((i + 1) / 3));
	} else {
		// Down: 0.5 s, 0.2 s, until there is something to be seen.
		for (; slots * slotNs / span < HEAT_FEWEST_COLUMNS && span > slotNs && i < 60; i++)
			span = steps[2 - i % 3] * 10 ** (8 - Math.floor(i / 3));
	}
	return Math.max(1, Math.round(span / slotNs));
}

/*
 * {slots, columns, rows, columnSlots, rowSlots, cells, most}: cells by column and then by row, of
 * what samples come to. time: as decodeFlame() has it.
 */
function heatGrid(time, mostColumns) {
	const columnSlots = Math.max(heatColumnSlots(time.slots, time.slotNs, mostColumns),
		Math.ceil(time.slots / mostColumns));
	const rowSlots = Math.ceil(columnSlots / HEAT_MOST_ROWS);
	const rows = Math.ceil(columnSlots / rowSlots);
	const columns = Math.max(1, Math.ceil(time.slots / columnSlots));
	const grid = { slots: time.slots, columns, rows, columnSlots, rowSlots,
		cells: new Float64Array(columns * rows), most: 0 };
	for (let i = 0; i < time.slot.length; i++)
		grid.cells[heatCell(grid, time.slot[i])] += time.value[i];
	grid.most = grid.cells.reduce((most, value) => Math.max(most, value), 0);
	return grid;
}

function heatCell(grid, slot) {
	const column = Math.floor(slot / grid.columnSlots);
	return column * grid.rows + Math.floor(slot % grid.columnSlots / grid.rowSlots);
}

// First slot of a cell, and of the one after it for its end.
function heatSlot(grid, cell) {
	const column = Math.floor(cell / grid.rows), row = cell % grid.rows;
	return Math.min(grid.slots, column * grid.columnSlots + row * grid.rowSlots);
}

// Of slots [from, to): 0 for an empty cell, else 1 to HEAT_SHADES: the darkest is the most.
function heatShade(grid, cell) {
	const value = grid.cells[cell];
	return value ? Math.max(1, Math.ceil(HEAT_SHADES * value / grid.most)) : 0;
}

// Both cells and all between them in time, as slots [from, to).
function heatRange(grid, a, b) {
	const [first, last] = a < b ? [a, b] : [b, a];
	return [heatSlot(grid, first), heatSlot(grid, last + 1)];
}

// "12.34 s", with as many digits as slots have.
function heatTime(time, slot) {
	const digits = Math.min(6, Math.max(0, Math.ceil(9 - Math.log10(time.slotNs) - 1e-9)));
	return (slot * time.slotNs / 1e9).toFixed(digits) + " s";
}
