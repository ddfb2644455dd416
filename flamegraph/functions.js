// SPDX-License-Identifier: BSD-2-Clause
// functions: the rows of a table of functions: chosen by a search, in an order. No DOM.

// What the columns of a table are: 'value' is of a row of functions(), and what is sorted by.
function functionColumns(data) {
	const [before, after] = deltaScales(data);
	const name = { key: "name", title: "Function", value: (table, i) =>
		data.names[table.frame[i]] };
	if (!isDelta(data))
		return [
			{ key: "self", title: "Self", value: (table, i) => table.self[i] },
			{ key: "total", title: "Total", value: (table, i) => table.total[i] },
			name,
		];
	const change = (now, then) => (table, i) => table[now][i] * after - table[then][i] * before;
	return [
		{ key: "self", title: "Self change", isChange: true,
			value: change("self", "selfBefore") },
		{ key: "total", title: "Total change", isChange: true,
			value: change("total", "totalBefore") },
		{ key: "now", title: "Total", value: (table, i) => table.total[i] * after },
		name,
	];
}

/*
 * Indexes of the rows that a search has (hitByFrame: null for all), sorted by a column: the most
 * first, the largest changes first, names from A on; the other way round if 'isTurned'.
 */
function functionRows(table, column, isTurned, hitByFrame) {
	const rows = [];
	for (let i = 0; i < table.frame.length; i++)
		if (!hitByFrame || hitByFrame[table.frame[i]])
			rows.push(i);
	const values = column.key === "name" ? null : Float64Array.from(table.frame, (frame, i) =>
		column.isChange ? Math.abs(column.value(table, i)) : column.value(table, i));
	const order = values ? (a, b) => values[b] - values[a] || a - b :
		(a, b) => compareNames(column.value(table, a), column.value(table, b)) || a - b;
	return rows.sort(isTurned ? (a, b) => order(b, a) : order);
}
