/* SPDX-License-Identifier: BSD-2-Clause */
#include "flamegraph/heatmap.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "flamegraph/drawing.h"
#include "flamegraph/heat_axis.h"
#include "flamegraph/label.h"
#include "user/base/array.h"
#include "user/model/view.h"

/* Pixels. */
#define LEFT	     84 /* labels of latency */
#define RIGHT	     28
#define PLOT_HEIGHT  420 /* about */
#define ROW_MIN	     4
#define ROW_MAX	     28
#define BOTTOM	     96 /* labels of time, and the legend */
#define FONT_SIZE    12
#define TITLE_SIZE   17
#define TIME_ROOM    90 /* from one label to the next */
#define LATENCY_ROOM 22
#define SWATCH	     14

/* One takes about 140 bytes. */
#define CELLS_MAX 6000

#define LEVELS 8

/* From few to many. The paper is white, or in a dark environment nearly black. */
static const char style[] =
	".paper{fill:#fff}.ink{fill:#111113}.dim{fill:#5a5a64}.grid{stroke:#e3e3e8}"
	".frame{stroke:#8a8a94;fill:none}.cells{shape-rendering:crispEdges}\n"
	".c0{fill:#d3e4f5}.c1{fill:#b0cfed}.c2{fill:#89b7e2}.c3{fill:#609cd4}"
	".c4{fill:#3d80c2}.c5{fill:#2464a6}.c6{fill:#124884}.c7{fill:#062c5c}\n"
	".cells rect:hover{stroke:#d33682;stroke-width:1.5}\n"
	"@media (prefers-color-scheme:dark){"
	".paper{fill:#16181d}.ink{fill:#ececf0}.dim{fill:#a6a6b2}.grid{stroke:#2b2e36}"
	".frame{stroke:#6a6a76}"
	".c0{fill:#1f3f62}.c1{fill:#275481}.c2{fill:#306ba2}.c3{fill:#4085c3}"
	".c4{fill:#5fa1d9}.c5{fill:#87bbe8}.c6{fill:#b4d5f3}.c7{fill:#e3f0fc}}\n";

struct plot {
	const struct heatmap *map;
	const struct heatmap_options *options;
	struct drawing d;
	size_t first, end;	      /* rows that are drawn */
	size_t column_step, row_step; /* that are one cell */
	uint64_t levels[LEVELS];      /* the least count of each; UINT64_MAX: there is none */
	unsigned int width, top, plot_width, plot_height, row_height; /* of one row_step */
};

static void put_amount(struct plot *p, uint64_t v, const char *unit)
{
	_cleanup_(str_release) struct str s = { 0 };

	if (!p->d.err)
		p->d.err = view_amount(v < INT64_MAX ? (int64_t)v : INT64_MAX, unit, &s);
	drawing_put_xml(&p->d, str_text(&s));
}

/* --- what is drawn -------------------------------------------------------------------------- */

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* All operations of a merged cell. */
static uint64_t cell(const struct plot *p, size_t column, size_t row)
{
	size_t c, r, c_end = smaller(column + p->column_step, p->map->n_columns);
	size_t r_end = smaller(row + p->row_step, p->end);
	uint64_t sum = 0;

	for (c = column; c < c_end; c++) {
		for (r = row; r < r_end; r++)
			sum += p->map->cells[c * p->map->n_rows + r];
	}
	return sum;
}

/* Cells that hold something, and the most that one of them holds. */
static size_t count_cells(const struct plot *p, uint64_t *ret_most)
{
	size_t n = 0, c, r;

	*ret_most = 0;
	for (c = 0; c < p->map->n_columns; c += p->column_step) {
		for (r = p->first; r < p->end; r += p->row_step) {
			uint64_t here = cell(p, c, r);

			n += here > 0;
			*ret_most = *ret_most < here ? here : *ret_most;
		}
	}
	return n;
}

static void find_rows(struct plot *p)
{
	const struct heatmap *m = p->map;
	size_t c, r;

	p->first = m->n_rows;
	p->end = 0;
	for (c = 0; c < m->n_columns; c++) {
		for (r = 0; r < m->n_rows; r++) {
			if (!m->cells[c * m->n_rows + r])
				continue;
			p->first = smaller(p->first, r);
			p->end = p->end > r + 1 ? p->end : r + 1;
		}
	}
	if (p->first >= p->end)
		return;
	/* Some air, so that a single latency is not all of the picture. */
	p->first -= smaller(p->first, 4);
	p->end = smaller(p->end + 4, m->n_rows);
}

/* Merges columns and rows, that of which there is more first, until cells are few enough. */
static void choose_steps(struct plot *p, uint64_t *ret_most)
{
	p->column_step = p->row_step = 1;
	while (count_cells(p, ret_most) > CELLS_MAX) {
		if (p->map->n_columns / p->column_step > 2 * ((p->end - p->first) / p->row_step))
			p->column_step++;
		else
			p->row_step++;
	}
}

/* Levels are equally wide in the logarithm of the count. */
static void choose_levels(struct plot *p, uint64_t most)
{
	uint64_t last = 0;
	int i;

	for (i = 0; i < LEVELS; i++) {
		uint64_t least = (uint64_t)ceil(pow((double)most, (double)i / LEVELS) - 1e-9);

		p->levels[i] = least > last ? least : UINT64_MAX;
		last = least > last ? least : last;
	}
}

static int level_of(const struct plot *p, uint64_t count)
{
	int i, level = 0;

	for (i = 0; i < LEVELS; i++) {
		if (p->levels[i] <= count)
			level = i;
	}
	return level;
}

/* --- drawing -------------------------------------------------------------------------------- */

static uint64_t span_ns(const struct heatmap *m)
{
	return m->n_columns ? m->ends_ns[m->n_columns - 1] - m->start_ns : 0;
}

/* From the left end of the plot, in hundredths of a pixel. */
static unsigned int time_x(const struct plot *p, uint64_t since_start_ns)
{
	uint64_t span = span_ns(p->map);

	return span ? (unsigned int)((unsigned __int128)since_start_ns * p->plot_width * 100 / span)
		    : 0;
}

/* From the top of the plot, in hundredths of a pixel: rows are equally high. */
static unsigned int latency_y(const struct plot *p, uint64_t ns)
{
	const uint64_t *lowers = p->map->lowers_ns;
	size_t row = p->first;
	double part, from_bottom;

	while (row + 1 < p->end && lowers[row + 1] <= ns)
		row++;
	part = (double)(ns - lowers[row]) / (double)(lowers[row + 1] - lowers[row]);
	from_bottom = ((double)(row - p->first) + part) / (double)p->row_step * p->row_height;
	return (unsigned int)((p->plot_height - from_bottom) * 100 + 0.5);
}

static void put_seconds(struct plot *p, uint64_t ns)
{
	uint64_t hundredths = ns / 10000000;

	drawing_putf(&p->d, "%" PRIu64 ".%02u", hundredths / 100, (unsigned int)(hundredths % 100));
}

static void draw_cell(struct plot *p, size_t column, size_t row, unsigned int width)
{
	const struct heatmap *m = p->map;
	uint64_t count = cell(p, column, row), start;
	size_t above = (row - p->first) / p->row_step + 1;

	if (!count)
		return;
	start = (column ? m->ends_ns[column - 1] : m->start_ns) - m->start_ns;
	drawing_putf(&p->d, "<rect y=\"%u\" width=\"%u.%02u\" height=\"%u\" class=\"c%d\"><title>",
		     p->plot_height - (unsigned int)above * p->row_height, width / 100, width % 100,
		     p->row_height, level_of(p, count));
	put_amount(p, m->lowers_ns[row], "nanoseconds");
	drawing_put(&p->d, " to ");
	put_amount(p, m->lowers_ns[smaller(row + p->row_step, p->end)], "nanoseconds");
	drawing_put(&p->d, ": ");
	put_amount(p, count, "count");
	drawing_put(&p->d, " ");
	drawing_put_xml(&p->d, p->options->value ? p->options->value : "operations");
	drawing_put(&p->d, "\n");
	put_seconds(p, start);
	drawing_put(&p->d, " s to ");
	put_seconds(p,
		    m->ends_ns[smaller(column + p->column_step, m->n_columns) - 1] - m->start_ns);
	drawing_put(&p->d, " s</title></rect>\n");
}

static void draw_cells(struct plot *p)
{
	const struct heatmap *m = p->map;
	size_t c, r;

	drawing_put(&p->d, "<g class=\"cells\">\n");
	for (c = 0; c < m->n_columns; c += p->column_step) {
		size_t end = smaller(c + p->column_step, m->n_columns) - 1;
		uint64_t start = c ? m->ends_ns[c - 1] : m->start_ns;
		unsigned int x = time_x(p, start - m->start_ns);
		unsigned int width = time_x(p, m->ends_ns[end] - m->start_ns) - x;

		drawing_putf(&p->d, "<g transform=\"translate(%u.%02u 0)\">\n", LEFT + x / 100,
			     x % 100);
		for (r = p->first; r < p->end; r += p->row_step)
			draw_cell(p, c, r, width);
		drawing_put(&p->d, "</g>\n");
	}
	drawing_put(&p->d, "</g>\n");
}

static void put_time(struct plot *p, const struct heat_unit *unit, uint64_t t)
{
	uint64_t part = unit->unit_ns;
	unsigned int i;

	for (i = 0; i < unit->digits; i++)
		part /= 10;
	drawing_putf(&p->d, "%" PRIu64, t / unit->unit_ns);
	if (unit->digits)
		drawing_putf(&p->d, ".%0*" PRIu64, (int)unit->digits, t % unit->unit_ns / part);
}

static void draw_time_axis(struct plot *p)
{
	const struct heat_unit unit = heat_time_unit(span_ns(p->map), p->plot_width / TIME_ROOM);
	uint64_t t;

	for (t = 0; unit.step_ns && t <= span_ns(p->map); t += unit.step_ns) {
		unsigned int x = LEFT + time_x(p, t) / 100;

		drawing_putf(&p->d, "<path class=\"grid\" d=\"M%u.5 0V%u\"/>", x,
			     p->plot_height + 5);
		drawing_putf(&p->d, "<text class=\"ink\" x=\"%u\" y=\"%u\" text-anchor=\"middle\">",
			     x, p->plot_height + 20);
		put_time(p, &unit, t);
		drawing_putf(&p->d, " %s</text>\n", unit.name);
	}
	drawing_putf(
		&p->d,
		"<text class=\"dim\" x=\"%u\" y=\"%u\" text-anchor=\"middle\">time since the start"
		"</text>\n",
		LEFT + p->plot_width / 2, p->plot_height + 40);
}

/* Its text follows. */
static void draw_latency_mark(struct plot *p, unsigned int y)
{
	drawing_putf(&p->d, "<path class=\"grid\" d=\"M%d %u.%02uH%u\"/>", LEFT - 5, y / 100,
		     y % 100, LEFT + p->plot_width);
	drawing_putf(&p->d, "<text class=\"ink\" x=\"%d\" y=\"%u\" text-anchor=\"end\">", LEFT - 9,
		     y / 100 + 4);
}

/* Powers of ten, and between them 2 and 5 where there is room for all of them. */
static void draw_logarithmic_labels(struct plot *p)
{
	uint64_t from = p->map->lowers_ns[p->first], to = p->map->lowers_ns[p->end], ns;
	unsigned int last = UINT32_MAX, y;
	bool fine = heat_has_room_for_fine(from, to, p->plot_height / LATENCY_ROOM);

	for (ns = 1; ns <= to && ns < UINT64_MAX / 10; ns = heat_next_label(ns, fine)) {
		/* The lowest row begins with 0, which no logarithm has. */
		if (ns < from || (ns < 10 && !from))
			continue;
		y = latency_y(p, ns);
		if (last != UINT32_MAX && last - y < LATENCY_ROOM * 100 / 2)
			continue;
		draw_latency_mark(p, y);
		drawing_putf(&p->d, "%" PRIu64 " %s</text>\n", heat_latency_number(ns),
			     heat_latency_unit(ns));
		last = y;
	}
}

static void draw_linear_labels(struct plot *p)
{
	uint64_t from = p->map->lowers_ns[p->first], to = p->map->lowers_ns[p->end], ns;
	const struct heat_unit unit = heat_time_unit(to - from, p->plot_height / LATENCY_ROOM / 2);

	if (!unit.step_ns)
		return;
	for (ns = (from + unit.step_ns - 1) / unit.step_ns * unit.step_ns; ns <= to;
	     ns += unit.step_ns) {
		draw_latency_mark(p, latency_y(p, ns));
		put_time(p, &unit, ns);
		drawing_putf(&p->d, " %s</text>\n", unit.name);
	}
}

static void draw_latency_axis(struct plot *p)
{
	const char *name = p->options->latency ? p->options->latency : "latency";

	if (p->map->is_linear)
		draw_linear_labels(p);
	else
		draw_logarithmic_labels(p);
	drawing_putf(&p->d,
		     "<text class=\"dim\" transform=\"translate(18 %u) rotate(-90)\" "
		     "text-anchor=\"middle\">",
		     p->plot_height / 2);
	drawing_put_xml(&p->d, name);
	drawing_put(&p->d, "</text>\n");
}

/* The colours, each with the least number that it stands for. */
static void draw_legend(struct plot *p)
{
	_cleanup_(str_release) struct str s = { 0 }, text = { 0 };
	const char *value = p->options->value ? p->options->value : "operations";
	unsigned int x = LEFT, y = p->plot_height + 58;
	int i;

	for (i = 0; i < LEVELS && !p->d.err; i++) {
		if (p->levels[i] == UINT64_MAX)
			continue;
		str_clear(&s);
		p->d.err = view_amount((int64_t)p->levels[i], "count", &s);
		drawing_putf(&p->d,
			     "<rect class=\"c%d\" x=\"%u\" y=\"%u\" width=\"%d\" height=\"%d\"/>",
			     i, x, y, SWATCH, SWATCH);
		drawing_putf(&p->d,
			     "<text class=\"ink\" x=\"%u\" y=\"%u\" font-size=\"11\">%s</text>\n",
			     x + SWATCH + 5, y + 11, str_text(&s));
		x += SWATCH + 5 + (unsigned int)label_width(str_text(&s), 11) / 100 + 14;
	}
	if (x >= p->width || p->d.err)
		return;
	str_clear(&s);
	p->d.err = str_addf(&text, "%s in a cell, at least", value);
	if (!p->d.err)
		p->d.err = label_fit(str_text(&text), 11, (long)(p->width - x) * 100, &s);
	if (!s.len)
		return;
	drawing_putf(&p->d, "<text class=\"dim\" x=\"%u\" y=\"%u\" font-size=\"11\">", x, y + 11);
	drawing_put_xml(&p->d, str_text(&s));
	drawing_put(&p->d, "</text>\n");
}

/* A centred line of the heading; what was cut from it is in its tooltip. */
static void draw_heading(struct plot *p, const char *text, unsigned int y, unsigned int size,
			 const char *ink)
{
	_cleanup_(str_release) struct str clean = { 0 }, label = { 0 };

	if (!p->d.err)
		p->d.err = str_add_clean(&clean, text, strlen(text), 0);
	if (!p->d.err)
		p->d.err = label_fit(str_text(&clean), size, (p->width - 20) * 100L, &label);
	drawing_putf(
		&p->d,
		"<text class=\"%s\" x=\"%u\" y=\"%u\" font-size=\"%u\" text-anchor=\"middle\">",
		ink, p->width / 2, y, size);
	if (clean.len != label.len) {
		drawing_put(&p->d, "<title>");
		drawing_put_xml(&p->d, str_text(&clean));
		drawing_put(&p->d, "</title>");
	}
	drawing_put_xml(&p->d, str_text(&label));
	drawing_put(&p->d, "</text>\n");
}

static void draw_start(struct plot *p)
{
	const char *title = p->options->title ? p->options->title : "Latency";
	const char *subtitle = p->options->subtitle ? p->options->subtitle : "";
	unsigned int height;

	p->top = *subtitle ? 62 : 44;
	height = p->top + p->plot_height + BOTTOM;
	drawing_put(&p->d, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
			   "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\"");
	drawing_putf(&p->d, " width=\"%u\" height=\"%u\" viewBox=\"0 0 %u %u\"", p->width, height,
		     p->width, height);
	drawing_putf(&p->d, " font-family=\"%s\" font-size=\"%d\">\n<title>", LABEL_FONT,
		     FONT_SIZE);
	drawing_put_xml(&p->d, title);
	drawing_put(&p->d, "</title>\n<style><![CDATA[\n");
	drawing_put(&p->d, style);
	drawing_put(&p->d, "]]></style>\n<rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n");
	draw_heading(p, title, 26, TITLE_SIZE, "ink");
	if (*subtitle)
		draw_heading(p, subtitle, 46, FONT_SIZE, "dim");
}

static void draw_plot(struct plot *p, uint64_t most)
{
	choose_levels(p, most);
	drawing_putf(&p->d, "<g transform=\"translate(0 %u)\">\n", p->top);
	draw_time_axis(p);
	draw_latency_axis(p);
	draw_cells(p);
	drawing_putf(&p->d,
		     "<rect class=\"frame\" x=\"%d.5\" y=\"0.5\" width=\"%u\" height=\"%u\"/>\n",
		     LEFT, p->plot_width, p->plot_height);
	draw_legend(p);
	drawing_put(&p->d, "</g>\n");
}

static void draw(struct plot *p)
{
	size_t rows;
	uint64_t most = 0;

	p->width = p->options->width ? p->options->width : HEATMAP_DEFAULT_WIDTH;
	if (p->width < HEATMAP_MIN_WIDTH)
		p->width = HEATMAP_MIN_WIDTH;
	if (p->width > HEATMAP_MAX_WIDTH)
		p->width = HEATMAP_MAX_WIDTH;
	p->plot_width = p->width - LEFT - RIGHT;
	p->plot_height = PLOT_HEIGHT / 4;
	find_rows(p);
	if (p->first < p->end && span_ns(p->map)) {
		choose_steps(p, &most);
		rows = (p->end - p->first + p->row_step - 1) / p->row_step;
		p->row_height = (unsigned int)(PLOT_HEIGHT / rows);
		p->row_height = p->row_height < ROW_MIN	  ? ROW_MIN
				: p->row_height > ROW_MAX ? ROW_MAX
							  : p->row_height;
		p->plot_height = (unsigned int)rows * p->row_height;
	}
	draw_start(p);
	if (most)
		draw_plot(p, most);
	else
		drawing_putf(&p->d,
			     "<text class=\"ink\" x=\"%u\" y=\"%u\" font-size=\"%d\" "
			     "text-anchor=\"middle\">nothing was measured</text>\n",
			     p->width / 2, p->top + p->plot_height / 2, TITLE_SIZE);
	drawing_put(&p->d, "</svg>\n");
}

int heatmap_write(const struct heatmap *map, const struct heatmap_options *options, FILE *out)
{
	struct plot p = { .map = map, .options = options, .d.out = out };

	draw(&p);
	return drawing_end(&p.d, "the heat map");
}
