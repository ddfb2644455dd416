/* SPDX-License-Identifier: BSD-2-Clause */
#include "flamegraph/heatmap.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "flamegraph/heat_axis.h"
#include "flamegraph/label.h"
#include "user/base/array.h"
#include "user/base/err.h"
#include "user/base/xml.h"
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

struct drawing {
	const struct heatmap *map;
	const struct heatmap_options *options;
	struct str out;
	size_t first, end;	      /* rows that are drawn */
	size_t column_step, row_step; /* that are one cell */
	uint64_t levels[LEVELS];      /* the least count of each; UINT64_MAX: there is none */
	unsigned int width, top, plot_width, plot_height, row_height; /* of one row_step */
	int err; /* the first that happened; all after it is skipped */
};

static void put(struct drawing *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void put(struct drawing *d, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!d->err)
		d->err = n < 0 || (size_t)n >= sizeof(text) ? -EOVERFLOW
							    : str_add_bytes(&d->out, text, n);
}

static void put_raw(struct drawing *d, const char *text)
{
	if (!d->err)
		d->err = str_add(&d->out, text);
}

static void put_xml(struct drawing *d, const char *text)
{
	if (!d->err)
		d->err = xml_add(&d->out, text);
}

static void put_amount(struct drawing *d, uint64_t v, const char *unit)
{
	_cleanup_(str_release) struct str s = { 0 };

	if (!d->err)
		d->err = view_amount(v < INT64_MAX ? (int64_t)v : INT64_MAX, unit, &s);
	put_xml(d, str_text(&s));
}

/* --- what is drawn -------------------------------------------------------------------------- */

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* All operations of a merged cell. */
static uint64_t cell(const struct drawing *d, size_t column, size_t row)
{
	size_t c, r, c_end = smaller(column + d->column_step, d->map->n_columns);
	size_t r_end = smaller(row + d->row_step, d->end);
	uint64_t sum = 0;

	for (c = column; c < c_end; c++) {
		for (r = row; r < r_end; r++)
			sum += d->map->cells[c * d->map->n_rows + r];
	}
	return sum;
}

/* Cells that hold something, and the most that one of them holds. */
static size_t count_cells(const struct drawing *d, uint64_t *ret_most)
{
	size_t n = 0, c, r;

	*ret_most = 0;
	for (c = 0; c < d->map->n_columns; c += d->column_step) {
		for (r = d->first; r < d->end; r += d->row_step) {
			uint64_t here = cell(d, c, r);

			n += here > 0;
			*ret_most = *ret_most < here ? here : *ret_most;
		}
	}
	return n;
}

static void find_rows(struct drawing *d)
{
	const struct heatmap *m = d->map;
	size_t c, r;

	d->first = m->n_rows;
	d->end = 0;
	for (c = 0; c < m->n_columns; c++) {
		for (r = 0; r < m->n_rows; r++) {
			if (!m->cells[c * m->n_rows + r])
				continue;
			d->first = smaller(d->first, r);
			d->end = d->end > r + 1 ? d->end : r + 1;
		}
	}
	if (d->first >= d->end)
		return;
	/* Some air, so that a single latency is not all of the picture. */
	d->first -= smaller(d->first, 4);
	d->end = smaller(d->end + 4, m->n_rows);
}

/* Merges columns and rows, that of which there is more first, until cells are few enough. */
static void choose_steps(struct drawing *d, uint64_t *ret_most)
{
	d->column_step = d->row_step = 1;
	while (count_cells(d, ret_most) > CELLS_MAX) {
		if (d->map->n_columns / d->column_step > 2 * ((d->end - d->first) / d->row_step))
			d->column_step++;
		else
			d->row_step++;
	}
}

/* Levels are equally wide in the logarithm of the count. */
static void choose_levels(struct drawing *d, uint64_t most)
{
	uint64_t last = 0;
	int i;

	for (i = 0; i < LEVELS; i++) {
		uint64_t least = (uint64_t)ceil(pow((double)most, (double)i / LEVELS) - 1e-9);

		d->levels[i] = least > last ? least : UINT64_MAX;
		last = least > last ? least : last;
	}
}

static int level_of(const struct drawing *d, uint64_t count)
{
	int i, level = 0;

	for (i = 0; i < LEVELS; i++) {
		if (d->levels[i] <= count)
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
static unsigned int time_x(const struct drawing *d, uint64_t since_start_ns)
{
	uint64_t span = span_ns(d->map);

	return span ? (unsigned int)((unsigned __int128)since_start_ns * d->plot_width * 100 / span)
		    : 0;
}

/* From the top of the plot, in hundredths of a pixel: rows are equally high. */
static unsigned int latency_y(const struct drawing *d, uint64_t ns)
{
	const uint64_t *lowers = d->map->lowers_ns;
	size_t row = d->first;
	double part, from_bottom;

	while (row + 1 < d->end && lowers[row + 1] <= ns)
		row++;
	part = (double)(ns - lowers[row]) / (double)(lowers[row + 1] - lowers[row]);
	from_bottom = ((double)(row - d->first) + part) / (double)d->row_step * d->row_height;
	return (unsigned int)((d->plot_height - from_bottom) * 100 + 0.5);
}

static void put_seconds(struct drawing *d, uint64_t ns)
{
	uint64_t hundredths = ns / 10000000;

	put(d, "%" PRIu64 ".%02u", hundredths / 100, (unsigned int)(hundredths % 100));
}

static void draw_cell(struct drawing *d, size_t column, size_t row, unsigned int width)
{
	const struct heatmap *m = d->map;
	uint64_t count = cell(d, column, row), start;
	size_t above = (row - d->first) / d->row_step + 1;

	if (!count)
		return;
	start = (column ? m->ends_ns[column - 1] : m->start_ns) - m->start_ns;
	put(d, "<rect y=\"%u\" width=\"%u.%02u\" height=\"%u\" class=\"c%d\"><title>",
	    d->plot_height - (unsigned int)above * d->row_height, width / 100, width % 100,
	    d->row_height, level_of(d, count));
	put_amount(d, m->lowers_ns[row], "nanoseconds");
	put_raw(d, " to ");
	put_amount(d, m->lowers_ns[smaller(row + d->row_step, d->end)], "nanoseconds");
	put_raw(d, ": ");
	put_amount(d, count, "count");
	put_raw(d, " ");
	put_xml(d, d->options->value ? d->options->value : "operations");
	put_raw(d, "\n");
	put_seconds(d, start);
	put_raw(d, " s to ");
	put_seconds(d,
		    m->ends_ns[smaller(column + d->column_step, m->n_columns) - 1] - m->start_ns);
	put_raw(d, " s</title></rect>\n");
}

static void draw_cells(struct drawing *d)
{
	const struct heatmap *m = d->map;
	size_t c, r;

	put_raw(d, "<g class=\"cells\">\n");
	for (c = 0; c < m->n_columns; c += d->column_step) {
		size_t end = smaller(c + d->column_step, m->n_columns) - 1;
		uint64_t start = c ? m->ends_ns[c - 1] : m->start_ns;
		unsigned int x = time_x(d, start - m->start_ns);
		unsigned int width = time_x(d, m->ends_ns[end] - m->start_ns) - x;

		put(d, "<g transform=\"translate(%u.%02u 0)\">\n", LEFT + x / 100, x % 100);
		for (r = d->first; r < d->end; r += d->row_step)
			draw_cell(d, c, r, width);
		put_raw(d, "</g>\n");
	}
	put_raw(d, "</g>\n");
}

static void put_time(struct drawing *d, const struct heat_unit *unit, uint64_t t)
{
	uint64_t part = unit->unit_ns;
	unsigned int i;

	for (i = 0; i < unit->digits; i++)
		part /= 10;
	put(d, "%" PRIu64, t / unit->unit_ns);
	if (unit->digits)
		put(d, ".%0*" PRIu64, (int)unit->digits, t % unit->unit_ns / part);
}

static void draw_time_axis(struct drawing *d)
{
	const struct heat_unit unit = heat_time_unit(span_ns(d->map), d->plot_width / TIME_ROOM);
	uint64_t t;

	for (t = 0; unit.step_ns && t <= span_ns(d->map); t += unit.step_ns) {
		unsigned int x = LEFT + time_x(d, t) / 100;

		put(d, "<path class=\"grid\" d=\"M%u.5 0V%u\"/>", x, d->plot_height + 5);
		put(d, "<text class=\"ink\" x=\"%u\" y=\"%u\" text-anchor=\"middle\">", x,
		    d->plot_height + 20);
		put_time(d, &unit, t);
		put(d, " %s</text>\n", unit.name);
	}
	put(d,
	    "<text class=\"dim\" x=\"%u\" y=\"%u\" text-anchor=\"middle\">time since the start"
	    "</text>\n",
	    LEFT + d->plot_width / 2, d->plot_height + 40);
}

/* Its text follows. */
static void draw_latency_mark(struct drawing *d, unsigned int y)
{
	put(d, "<path class=\"grid\" d=\"M%d %u.%02uH%u\"/>", LEFT - 5, y / 100, y % 100,
	    LEFT + d->plot_width);
	put(d, "<text class=\"ink\" x=\"%d\" y=\"%u\" text-anchor=\"end\">", LEFT - 9, y / 100 + 4);
}

/* Powers of ten, and between them 2 and 5 where there is room for all of them. */
static void draw_logarithmic_labels(struct drawing *d)
{
	uint64_t from = d->map->lowers_ns[d->first], to = d->map->lowers_ns[d->end], ns;
	unsigned int last = UINT32_MAX, y;
	bool fine = heat_has_room_for_fine(from, to, d->plot_height / LATENCY_ROOM);

	for (ns = 1; ns <= to && ns < UINT64_MAX / 10; ns = heat_next_label(ns, fine)) {
		/* The lowest row begins with 0, which no logarithm has. */
		if (ns < from || (ns < 10 && !from))
			continue;
		y = latency_y(d, ns);
		if (last != UINT32_MAX && last - y < LATENCY_ROOM * 100 / 2)
			continue;
		draw_latency_mark(d, y);
		put(d, "%" PRIu64 " %s</text>\n", heat_latency_number(ns), heat_latency_unit(ns));
		last = y;
	}
}

static void draw_linear_labels(struct drawing *d)
{
	uint64_t from = d->map->lowers_ns[d->first], to = d->map->lowers_ns[d->end], ns;
	const struct heat_unit unit = heat_time_unit(to - from, d->plot_height / LATENCY_ROOM / 2);

	if (!unit.step_ns)
		return;
	for (ns = (from + unit.step_ns - 1) / unit.step_ns * unit.step_ns; ns <= to;
	     ns += unit.step_ns) {
		draw_latency_mark(d, latency_y(d, ns));
		put_time(d, &unit, ns);
		put(d, " %s</text>\n", unit.name);
	}
}

static void draw_latency_axis(struct drawing *d)
{
	const char *name = d->options->latency ? d->options->latency : "latency";

	if (d->map->is_linear)
		draw_linear_labels(d);
	else
		draw_logarithmic_labels(d);
	put(d,
	    "<text class=\"dim\" transform=\"translate(18 %u) rotate(-90)\" "
	    "text-anchor=\"middle\">",
	    d->plot_height / 2);
	put_xml(d, name);
	put_raw(d, "</text>\n");
}

/* The colours, each with the least number that it stands for. */
static void draw_legend(struct drawing *d)
{
	_cleanup_(str_release) struct str s = { 0 }, text = { 0 };
	const char *value = d->options->value ? d->options->value : "operations";
	unsigned int x = LEFT, y = d->plot_height + 58;
	int i;

	for (i = 0; i < LEVELS && !d->err; i++) {
		if (d->levels[i] == UINT64_MAX)
			continue;
		str_clear(&s);
		d->err = view_amount((int64_t)d->levels[i], "count", &s);
		put(d, "<rect class=\"c%d\" x=\"%u\" y=\"%u\" width=\"%d\" height=\"%d\"/>", i, x,
		    y, SWATCH, SWATCH);
		put(d, "<text class=\"ink\" x=\"%u\" y=\"%u\" font-size=\"11\">%s</text>\n",
		    x + SWATCH + 5, y + 11, str_text(&s));
		x += SWATCH + 5 + (unsigned int)label_width(str_text(&s), 11) / 100 + 14;
	}
	if (x >= d->width || d->err)
		return;
	str_clear(&s);
	d->err = str_addf(&text, "%s in a cell, at least", value);
	if (!d->err)
		d->err = label_fit(str_text(&text), 11, (long)(d->width - x) * 100, &s);
	if (!s.len)
		return;
	put(d, "<text class=\"dim\" x=\"%u\" y=\"%u\" font-size=\"11\">", x, y + 11);
	put_xml(d, str_text(&s));
	put_raw(d, "</text>\n");
}

/* A centred line of the heading; what was cut from it is in its tooltip. */
static void draw_heading(struct drawing *d, const char *text, unsigned int y, unsigned int size,
			 const char *ink)
{
	_cleanup_(str_release) struct str clean = { 0 }, label = { 0 };

	if (!d->err)
		d->err = str_add_clean(&clean, text, strlen(text), 0);
	if (!d->err)
		d->err = label_fit(str_text(&clean), size, (d->width - 20) * 100L, &label);
	put(d, "<text class=\"%s\" x=\"%u\" y=\"%u\" font-size=\"%u\" text-anchor=\"middle\">", ink,
	    d->width / 2, y, size);
	if (clean.len != label.len) {
		put_raw(d, "<title>");
		put_xml(d, str_text(&clean));
		put_raw(d, "</title>");
	}
	put_xml(d, str_text(&label));
	put_raw(d, "</text>\n");
}

static void draw_start(struct drawing *d)
{
	const char *title = d->options->title ? d->options->title : "Latency";
	const char *subtitle = d->options->subtitle ? d->options->subtitle : "";
	unsigned int height;

	d->top = *subtitle ? 62 : 44;
	height = d->top + d->plot_height + BOTTOM;
	put_raw(d, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		   "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\"");
	put(d, " width=\"%u\" height=\"%u\" viewBox=\"0 0 %u %u\"", d->width, height, d->width,
	    height);
	put(d, " font-family=\"%s\" font-size=\"%d\">\n<title>", LABEL_FONT, FONT_SIZE);
	put_xml(d, title);
	put_raw(d, "</title>\n<style><![CDATA[\n");
	put_raw(d, style);
	put_raw(d, "]]></style>\n<rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n");
	draw_heading(d, title, 26, TITLE_SIZE, "ink");
	if (*subtitle)
		draw_heading(d, subtitle, 46, FONT_SIZE, "dim");
}

static void draw_plot(struct drawing *d, uint64_t most)
{
	choose_levels(d, most);
	put(d, "<g transform=\"translate(0 %u)\">\n", d->top);
	draw_time_axis(d);
	draw_latency_axis(d);
	draw_cells(d);
	put(d, "<rect class=\"frame\" x=\"%d.5\" y=\"0.5\" width=\"%u\" height=\"%u\"/>\n", LEFT,
	    d->plot_width, d->plot_height);
	draw_legend(d);
	put_raw(d, "</g>\n");
}

static void draw(struct drawing *d)
{
	size_t rows;
	uint64_t most = 0;

	d->width = d->options->width ? d->options->width : HEATMAP_DEFAULT_WIDTH;
	if (d->width < HEATMAP_MIN_WIDTH)
		d->width = HEATMAP_MIN_WIDTH;
	if (d->width > HEATMAP_MAX_WIDTH)
		d->width = HEATMAP_MAX_WIDTH;
	d->plot_width = d->width - LEFT - RIGHT;
	d->plot_height = PLOT_HEIGHT / 4;
	find_rows(d);
	if (d->first < d->end && span_ns(d->map)) {
		choose_steps(d, &most);
		rows = (d->end - d->first + d->row_step - 1) / d->row_step;
		d->row_height = (unsigned int)(PLOT_HEIGHT / rows);
		d->row_height = d->row_height < ROW_MIN	  ? ROW_MIN
				: d->row_height > ROW_MAX ? ROW_MAX
							  : d->row_height;
		d->plot_height = (unsigned int)rows * d->row_height;
	}
	draw_start(d);
	if (most)
		draw_plot(d, most);
	else
		put(d,
		    "<text class=\"ink\" x=\"%u\" y=\"%u\" font-size=\"%d\" "
		    "text-anchor=\"middle\">nothing was measured</text>\n",
		    d->width / 2, d->top + d->plot_height / 2, TITLE_SIZE);
	put_raw(d, "</svg>\n");
}

int heatmap_write(const struct heatmap *map, const struct heatmap_options *options, FILE *out)
{
	struct drawing d = { .map = map, .options = options };
	int err;

	draw(&d);
	err = d.err;
	errno = 0;
	if (err)
		errf(err, "cannot draw the heat map: %s", strerror(-err));
	else if (fwrite(d.out.data, 1, d.out.len, out) != d.out.len || fflush(out))
		err = errf(errno ? -errno : -EIO, "cannot write the heat map: %m");
	str_release(&d.out);
	return err;
}
