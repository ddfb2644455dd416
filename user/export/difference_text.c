/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "user/base/err.h"
#include "user/base/str.h"
#include "user/export/difference_report.h"
#include "user/model/view.h"

/* A longer name pushes its module aside instead of moving the column for all others. */
#define FUNCTION_COLUMN_MAX 56

#define RESET "\033[0m"
#define BOLD  "\033[1m"
#define DIM   "\033[2m"
#define MORE  "\033[31m"
#define LESS  "\033[34m"

enum column {
	SELF,
	SELF_BEFORE,
	SELF_AFTER,
	CHANGE,
	TOTAL,
	TOTAL_BEFORE,
	TOTAL_AFTER,
	P,
	N_COLUMNS
};

static const char *const headings[N_COLUMNS] = { "SELF",  "BEFORE", "AFTER", "CHANGE",
						 "TOTAL", "BEFORE", "AFTER", "P" };

/* What it is sorted by stands first. */
static const enum column orders[2][N_COLUMNS] = {
	{ SELF, SELF_BEFORE, SELF_AFTER, CHANGE, TOTAL, TOTAL_BEFORE, TOTAL_AFTER, P },
	{ TOTAL, TOTAL_BEFORE, TOTAL_AFTER, CHANGE, SELF, SELF_BEFORE, SELF_AFTER, P },
};

struct page {
	const struct difference_report *r;
	FILE *out;
	bool color;
	size_t shown;
	int widths[N_COLUMNS];
	size_t name_width;
};

static const char *code(const struct page *p, const char *color)
{
	return p->color ? color : "";
}

/* Columns that clean text takes, if each character takes one. */
static size_t columns(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

/* --- cells ----------------------------------------------------------------------------------- */

/* An amount on the scale: "12.34%", "1.25 s/s", "0.125". Small ones keep three digits. */
static int add_amount(const struct difference_report *r, double v, struct str *out)
{
	int err;

	if (r->scale == DIFFERENCE_SHARE)
		return str_addf(out, "%.2f%%", 100 * v);
	if (v == round(v) || fabs(v) >= 100)
		err = fabs(v) < 0x1p63 ? view_amount(llround(v), r->unit, out)
				       : str_addf(out, "%.3g", v);
	else
		err = str_addf(out, "%.3g%s", v,
			       !strcmp(r->unit, "nanoseconds") ? " ns"
			       : !strcmp(r->unit, "bytes")     ? " bytes"
							       : "");
	return err || r->scale != DIFFERENCE_SECOND ? err : str_add(out, "/s");
}

static int add_delta(const struct difference_report *r, double v, struct str *out)
{
	int err = str_add(out, v > 0 ? "+" : v < 0 ? "-" : "");

	return err ? err : add_amount(r, fabs(v), out);
}

static int add_growth(double growth, struct str *out)
{
	if (growth < 100)
		return str_addf(out, "%+.1f%%", 100 * growth);
	return str_addf(out, growth < 1e6 ? "x%.0f" : "x%.3g", growth + 1);
}

static bool is_new(const struct difference_row *row)
{
	return !row->is_there[DIFFERENCE_BEFORE];
}

static bool is_gone(const struct difference_row *row)
{
	return !row->is_there[DIFFERENCE_AFTER];
}

/* Of its own, of what the table is sorted by. */
static int add_change(const struct difference_report *r, const struct difference_row *row,
		      struct str *out)
{
	double growth = difference_growth(r->d, r->by_total ? row->total : row->self);

	if (is_new(row) || is_gone(row))
		return str_add(out, is_new(row) ? "new" : "gone");
	return isnan(growth) ? 0 : add_growth(growth, out);
}

/* Significant ones have a star. */
static int add_p(const struct difference_row *row, struct str *out)
{
	int err = isnan(row->p)	    ? str_add(out, "-")
		  : row->p < 0.0001 ? str_add(out, "<0.0001")
				    : str_addf(out, "%.4f", row->p);

	return err ? err : str_add(out, row->is_significant ? " *" : "  ");
}

static int fill(const struct difference_report *r, const struct difference_row *row,
		enum column column, struct str *out)
{
	const struct difference *d = r->d;

	str_clear(out);
	switch (column) {
	case SELF:
		return add_delta(r, difference_delta(d, row->self), out);
	case SELF_BEFORE:
		return add_amount(r, difference_amount(d, row->self, DIFFERENCE_BEFORE), out);
	case SELF_AFTER:
		return add_amount(r, difference_amount(d, row->self, DIFFERENCE_AFTER), out);
	case CHANGE:
		return add_change(r, row, out);
	case TOTAL:
		return add_delta(r, difference_delta(d, row->total), out);
	case TOTAL_BEFORE:
		return add_amount(r, difference_amount(d, row->total, DIFFERENCE_BEFORE), out);
	case TOTAL_AFTER:
		return add_amount(r, difference_amount(d, row->total, DIFFERENCE_AFTER), out);
	default:
		return add_p(row, out);
	}
}

/* --- table ----------------------------------------------------------------------------------- */

/* P is the last. */
static int columns_shown(const struct page *p)
{
	return p->r->d->is_judged ? N_COLUMNS : P;
}

static int measure(struct page *p)
{
	_cleanup_(str_release) struct str cell = { 0 };
	size_t i, len;
	int c, err = 0;

	p->name_width = strlen("FUNCTION");
	for (c = 0; c < N_COLUMNS; c++)
		p->widths[c] = (int)strlen(headings[c]);
	for (i = 0; i < p->shown; i++) {
		for (c = 0; c < N_COLUMNS && !err; c++) {
			err = fill(p->r, p->r->d->order[i], c, &cell);
			if (p->widths[c] < (int)cell.len)
				p->widths[c] = (int)cell.len;
		}
		len = columns(p->r->d->order[i]->function);
		if (p->name_width < len && len <= FUNCTION_COLUMN_MAX)
			p->name_width = len;
	}
	return err;
}

static const char *color_of(const struct page *p, const struct difference_row *row)
{
	double delta = difference_delta(p->r->d, p->r->by_total ? row->total : row->self);

	if (p->r->d->is_judged && !row->is_significant)
		return code(p, DIM);
	return code(p, delta > 0 ? MORE : LESS);
}

static int print_row(struct page *p, const struct difference_row *row)
{
	_cleanup_(str_release) struct str cell = { 0 };
	const enum column *order = orders[p->r->by_total];
	int i, pad, err = 0;

	fputs(color_of(p, row), p->out);
	for (i = 0; i < columns_shown(p) && !err; i++) {
		err = fill(p->r, row, order[i], &cell);
		fprintf(p->out, "%*s  ", p->widths[order[i]], str_text(&cell));
	}
	pad = (int)p->name_width - (int)columns(row->function);
	if (*row->module)
		fprintf(p->out, "%s%*s  %s%s\n", row->function, pad > 0 ? pad : 0, "", row->module,
			code(p, RESET));
	else
		fprintf(p->out, "%s%s\n", row->function, code(p, RESET));
	return err;
}

static void print_headings(struct page *p, bool modules)
{
	const enum column *order = orders[p->r->by_total];
	int i;

	fputs(code(p, BOLD), p->out);
	for (i = 0; i < columns_shown(p); i++)
		fprintf(p->out, "%*s  ", p->widths[order[i]], headings[order[i]]);
	if (modules)
		fprintf(p->out, "%-*s  MODULE%s\n", (int)p->name_width, "FUNCTION", code(p, RESET));
	else
		fprintf(p->out, "FUNCTION%s\n", code(p, RESET));
}

static int print_table(struct page *p)
{
	size_t changed = 0, i;
	bool modules = false;
	int err;

	while (changed < p->r->d->n &&
	       difference_delta(p->r->d, p->r->by_total ? p->r->d->order[changed]->total
							: p->r->d->order[changed]->self) != 0)
		changed++;
	p->shown = p->r->rows && p->r->rows < changed ? p->r->rows : changed;
	if (!changed) {
		fputs("no function changed\n", p->out);
		return 0;
	}
	err = measure(p);
	if (err)
		return err;
	for (i = 0; i < p->shown; i++)
		modules |= *p->r->d->order[i]->module != '\0';
	print_headings(p, modules);
	for (i = 0; i < p->shown && !err; i++)
		err = print_row(p, p->r->d->order[i]);
	if (!err && changed > p->shown)
		fprintf(p->out, "... and %zu more\n", changed - p->shown);
	return err;
}

/* --- around it ------------------------------------------------------------------------------- */

static int print_side(struct page *p, const char *name, enum difference_side side)
{
	_cleanup_(str_release) struct str s = { 0 };
	int err = difference_describe_side(p->r, side, &s);

	fprintf(p->out, "%-8s%s\n", name, str_text(&s));
	return err;
}

/* What the numbers are, and how all changed where they can tell. */
static int print_scale(struct page *p)
{
	const struct difference *d = p->r->d;
	_cleanup_(str_release) struct str s = { 0 };
	double growth = difference_growth(d, d->all);
	int err = 0;

	if (p->r->scale != DIFFERENCE_SHARE) {
		err = str_add(&s, "; all: ");
		if (!err)
			err = add_delta(p->r, difference_delta(d, d->all), &s);
		if (!err && !isnan(growth))
			err = str_add(&s, ", ");
		if (!err && !isnan(growth))
			err = add_growth(growth, &s);
	}
	fprintf(p->out, "compared: %s%s\n", difference_scale_texts[p->r->scale], str_text(&s));
	if (p->r->significance == SIGNIFICANCE_SAMPLES)
		fputs("noise: what has no * may be chance, by the number of samples (runs differ "
		      "by themselves, too)\n",
		      p->out);
	if (p->r->significance == SIGNIFICANCE_GATE)
		fputs("noise: what has no * did not change, as the gate judged it\n", p->out);
	return err;
}

static int print_heading(struct page *p)
{
	int err = print_side(p, "before:", DIFFERENCE_BEFORE);

	if (!err)
		err = print_side(p, "after:", DIFFERENCE_AFTER);
	if (!err)
		err = print_scale(p);
	fputs("\n", p->out);
	return err;
}

static void print_verdict(struct page *p)
{
	const struct difference_report *r = p->r;
	const char *verdict = difference_verdict(r);
	double percent = 100 * r->max_growth;
	size_t i;

	if (!verdict)
		return;
	fputs("\n", p->out);
	if (!strcmp(verdict, "inconclusive"))
		fputs("inconclusive: nothing was counted before\n", p->out);
	if (!strcmp(verdict, "passed"))
		fprintf(p->out, "passed: nothing%s grew by more than %g%% of all before\n",
			difference_grown_noise(r) ? " but noise" : "", percent);
	if (difference_all_exceeds(r))
		fprintf(p->out, "exceeded: all grew by %.2f%%, the limit is %g%%\n",
			100 * difference_growth(r->d, r->d->all), percent);
	for (i = 0; i < r->d->n; i++) {
		const struct difference_row *row = r->d->order[i];

		if (difference_exceeds(r, row))
			fprintf(p->out,
				"exceeded: %s%s%s grew by %.2f%% of all before, the limit is "
				"%g%%\n",
				row->function, *row->module ? " in " : "", row->module,
				100 * difference_weight(r->d, row), percent);
	}
}

int difference_text(const struct difference_report *r, bool color, FILE *out)
{
	struct page p = { .r = r, .out = out, .color = color };
	int err = print_heading(&p);

	if (!err)
		err = print_table(&p);
	if (err)
		return errf(err, "cannot write what changed: %s", strerror(-err));
	print_verdict(&p);
	return 0;
}
