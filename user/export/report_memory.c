/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/export/report_memory.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/base/str.h"
#include "user/export/memory_sites.h"
#include "user/export/report_bars.h"

#define SITES_MAX    10 /* what is more stands in the folder */
#define SITE_FRAMES  5	/* of its stack, innermost first */
#define NOT_FOLLOWED "frees were not followed: what became of the blocks is not known\n"

struct page {
	const struct report_style *style;
	FILE *out;
	const json_t *memory; /* of known shape */
	bool is_exact; /* every block was followed: estimates are none, and need no interval */
};

static const char *text_of(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text ? text : "-";
}

static uint64_t count_of(const json_t *o, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(o, key));
}

static const char *code(const struct page *p, const char *color)
{
	return p->style->color ? color : "";
}

/* An amount, "-" for null. */
static int add_amount(const json_t *value, const char *unit, struct str *out)
{
	return json_is_integer(value) ? view_amount(json_integer_value(value), unit, out)
				      : str_add(out, "-");
}

/* "10.1 MiB .. 14.8 MiB" */
static int add_interval(const struct page *p, const json_t *interval, const char *unit,
			struct str *out)
{
	int err;

	if (!json_is_object(interval))
		return 0;
	err = add_amount(json_object_get(interval, "lower"), unit, out);
	if (!err)
		err = str_add(out, p->style->utf8 ? " … " : " .. ");
	return err ? err : add_amount(json_object_get(interval, "upper"), unit, out);
}

/* Columns that clean text takes, if each character takes one. */
static int columns(const char *text)
{
	int n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

static void print_right(const struct page *p, const char *text, int width)
{
	int len = columns(text);

	fprintf(p->out, "  %*s%s", len < width ? width - len : 0, "", text);
}

/* --- heading ---------------------------------------------------------------------------------- */

static int print_how(const struct page *p)
{
	const json_t *slowdown = json_object_get(p->memory, "expected_slowdown");
	const json_t *alloc = json_object_get(json_object_get(p->memory, "totals"), "alloc");
	_cleanup_(str_release) struct str blocks = { 0 }, interval = { 0 };
	int err = add_amount(json_object_get(alloc, "blocks"), "count", &blocks);

	if (!err)
		err = add_amount(json_object_get(p->memory, "interval_bytes"), "bytes", &interval);
	if (err)
		return err;
	fprintf(p->out, "memory by %s, %s", text_of(p->memory, "how"),
		p->is_exact ? "every block: " : "sampled every ");
	if (!p->is_exact)
		fprintf(p->out, "%s on average: ", str_text(&interval));
	fprintf(p->out, "%s block%s", str_text(&blocks), count_of(alloc, "blocks") == 1 ? "" : "s");
	if (json_number_value(slowdown) > 0)
		fprintf(p->out, "; expected to slow down by a factor of %.3g",
			json_number_value(slowdown));
	fputc('\n', p->out);
	return 0;
}

/* --- totals ----------------------------------------------------------------------------------- */

enum { OBJECTS, OBJECTS_INTERVAL, BYTES, BYTES_INTERVAL, CELLS };

struct row {
	const char *name, *key;
	struct str cells[CELLS];
};

static const struct row row_names[] = {
	{ .name = "allocated", .key = "alloc" },
	{ .name = "in use at the end", .key = "inuse" },
	{ .name = "at the peak", .key = "peak" },
	{ .name = "temporary", .key = "temporary" },
	{ .name = "left at the end", .key = "leaked" },
};
#define ROWS	   ARRAY_SIZE(row_names)
#define NAME_WIDTH 17

/* NULL or null if it is not known. */
static const json_t *total_of(const struct page *p, const char *key)
{
	return json_object_get(json_object_get(p->memory, "totals"), key);
}

static int fill_row(const struct page *p, struct row *row)
{
	const json_t *o = total_of(p, row->key);
	int err = add_amount(json_object_get(o, "objects"), "count", &row->cells[OBJECTS]);

	if (!err)
		err = add_amount(json_object_get(o, "bytes"), "bytes", &row->cells[BYTES]);
	if (!err && !p->is_exact)
		err = add_interval(p, json_object_get(o, "objects_interval"), "count",
				   &row->cells[OBJECTS_INTERVAL]);
	if (!err && !p->is_exact)
		err = add_interval(p, json_object_get(o, "bytes_interval"), "bytes",
				   &row->cells[BYTES_INTERVAL]);
	return err;
}

/* What belongs to a row and is no amount. */
static int print_remark(const struct page *p, const char *key)
{
	double all = (double)count_of(total_of(p, "alloc"), "bytes");
	double part = (double)count_of(total_of(p, key), "bytes");
	_cleanup_(str_release) struct str when = { 0 };
	int err = 0;

	if (!strcmp(key, "peak"))
		err = view_amount((int64_t)count_of(p->memory, "peak_ns"), "nanoseconds", &when);
	if (!strcmp(key, "peak") && !err)
		fprintf(p->out, "  after %s", str_text(&when));
	else if (strcmp(key, "alloc") && strcmp(key, "peak") && all > 0)
		fprintf(p->out, "  %.1f%% of the bytes allocated", 100 * part / all);
	return err;
}

static void print_titles(const struct page *p, const int *widths)
{
	static const char *const titles[] = { "OBJECTS", "95% INTERVAL", "BYTES", "95% INTERVAL" };
	unsigned int i;

	fprintf(p->out, "%s%*s", code(p, "\033[1m"), NAME_WIDTH, "");
	for (i = 0; i < CELLS; i++) {
		if (widths[i])
			print_right(p, titles[i], widths[i]);
	}
	fprintf(p->out, "%s\n", code(p, "\033[0m"));
}

static int print_rows(const struct page *p, struct row *rows, size_t n)
{
	int widths[CELLS] = { 7, p->is_exact ? 0 : 12, 5, p->is_exact ? 0 : 12 }, err = 0;
	size_t i, k;

	for (i = 0; i < n && !err; i++) {
		err = fill_row(p, &rows[i]);
		for (k = 0; k < CELLS; k++) {
			int width = columns(str_text(&rows[i].cells[k]));

			if (widths[k] < width)
				widths[k] = width;
		}
	}
	if (!err)
		print_titles(p, widths);
	for (i = 0; i < n && !err; i++) {
		fprintf(p->out, "%-*s", NAME_WIDTH, rows[i].name);
		for (k = 0; k < CELLS; k++) {
			if (widths[k])
				print_right(p, str_text(&rows[i].cells[k]), widths[k]);
		}
		err = print_remark(p, rows[i].key);
		fputc('\n', p->out);
	}
	return err;
}

static int print_totals(const struct page *p)
{
	struct row rows[ROWS];
	size_t i, k, n = 0;
	int err;

	for (i = 0; i < ROWS; i++) {
		if (json_is_object(total_of(p, row_names[i].key)))
			rows[n++] = row_names[i];
	}
	err = print_rows(p, rows, n);
	for (i = 0; i < n; i++) {
		for (k = 0; k < CELLS; k++)
			str_release(&rows[i].cells[k]);
	}
	return err;
}

/* What the rows' names cannot say. */
static int print_meaning(const struct page *p)
{
	uint64_t full = count_of(p->memory, "blocks_full");
	_cleanup_(str_release) struct str age = { 0 };
	int err;

	if (!json_is_true(json_object_get(p->memory, "has_frees"))) {
		fputs(NOT_FOLLOWED, p->out);
		return 0;
	}
	err = view_amount((int64_t)count_of(p->memory, "min_age_ns"), "nanoseconds", &age);
	if (err)
		return err;
	if (json_is_object(total_of(p, "temporary")))
		fputs("temporary: freed before their thread allocated anything else\n", p->out);
	fprintf(p->out,
		"left: still in use when their process ended, or for %s at the end of the "
		"recording;\n      whether anything points to them is not known\n",
		str_text(&age));
	if (full)
		fprintf(p->out,
			"%" PRIu64 " block%s had no room in the table of those in use: %s as "
			"allocated only\n",
			full, full == 1 ? "" : "s", full == 1 ? "it counts" : "they count");
	return 0;
}

/* --- distributions ---------------------------------------------------------------------------- */

struct distribution {
	const char *title, *key, *unit;
	const char *mean, *p50, *p90, *p99, *max; /* keys */
	struct report_bars bars;
};

static const struct distribution distributions[] = {
	{ "sizes of what was allocated",
	  "sizes",
	  "bytes",
	  "mean_bytes",
	  "p50_bytes",
	  "p90_bytes",
	  "p99_bytes",
	  "max_bytes",
	  { NULL, "lower_bytes", "upper_bytes", "bytes", 9 } },
	{ "lifetimes of what was freed",
	  "lifetimes",
	  "nanoseconds",
	  "mean_ns",
	  "p50_ns",
	  "p90_ns",
	  "p99_ns",
	  "max_ns",
	  { NULL, "lower_ns", "upper_ns", "nanoseconds", 9 } },
};

static int print_quantiles(const struct page *p, const struct distribution *d, const json_t *o)
{
	const struct {
		const char *name, *key;
	} cells[] = { { "mean", d->mean },
		      { "p50", d->p50 },
		      { "p90", d->p90 },
		      { "p99", d->p99 },
		      { "max", d->max } };
	_cleanup_(str_release) struct str s = { 0 };
	size_t i;
	int err = 0;

	for (i = 0; i < ARRAY_SIZE(cells) && !err; i++) {
		err = str_addf(&s, "%s%s ", i ? ", " : "", cells[i].name);
		if (!err)
			err = add_amount(json_object_get(o, cells[i].key), d->unit, &s);
	}
	if (!err)
		fprintf(p->out, "\n%s%s%s: %s\n", code(p, "\033[1m"), d->title, code(p, "\033[0m"),
			str_text(&s));
	return err;
}

static int print_distributions(const struct page *p)
{
	size_t i;
	int err = 0;

	for (i = 0; i < ARRAY_SIZE(distributions) && !err; i++) {
		const struct distribution *d = &distributions[i];
		const json_t *o = json_object_get(p->memory, d->key);
		struct report_bars bars = d->bars;

		bars.list = json_object_get(o, "distribution");
		if (!report_bars_most(&bars))
			continue;
		err = print_quantiles(p, d, o);
		if (!err)
			err = report_bars(&bars, p->style, p->out);
	}
	return err;
}

/* --- sites ------------------------------------------------------------------------------------ */

static int add_frame(const struct page *p, const char *frame, size_t len, struct str *out)
{
	int err = out->len ? str_add(out, p->style->utf8 ? " ← " : " < ") : 0;

	return err ? err : str_add_bytes(out, frame, len);
}

/*
 * The stack's innermost frames, the innermost first, and its root, which is the process unless that
 * was left out: "node < parse < main < .. < sh".
 */
static int add_site(const struct page *p, const char *stack, struct str *out)
{
	const char *end = stack + strlen(stack), *start, *gap = p->style->utf8 ? "…" : "..";
	int n, err = 0;

	for (n = 0; n < SITE_FRAMES && end > stack && !err; n++) {
		start = memrchr(stack, ';', (size_t)(end - stack));
		start = start ? start + 1 : stack;
		err = add_frame(p, start, (size_t)(end - start), out);
		end = start > stack ? start - 1 : stack;
	}
	if (err || end == stack)
		return err;
	start = memchr(stack, ';', (size_t)(end - stack));
	if (start)
		err = add_frame(p, gap, strlen(gap), out);
	return err ? err : add_frame(p, stack, (size_t)((start ? start : end) - stack), out);
}

struct site_row {
	struct str value, interval, other, site;
};

static void site_row_release(struct site_row *row)
{
	str_release(&row->value);
	str_release(&row->interval);
	str_release(&row->other);
	str_release(&row->site);
}

static int fill_site(const struct page *p, const struct memory_sites *s, const json_t *site,
		     struct site_row *row)
{
	const char *unit = s->is_space ? "bytes" : "count";
	const json_t *other = json_object_get(json_object_get(site, "values"), s->other);
	const json_t *interval = json_object_get(json_object_get(site, "intervals"), s->value);
	int err = view_amount(memory_site_value(s, site), unit, &row->value);

	if (!err && s->has_intervals && !p->is_exact)
		err = add_interval(p, interval, unit, &row->interval);
	if (!err)
		err = add_amount(other, s->is_space ? "count" : "bytes", &row->other);
	return err ? err : add_site(p, text_of(site, "stack"), &row->site);
}

static void widen(const struct str *s, int *width)
{
	int n = columns(str_text(s));

	*width = *width < n ? n : *width;
}

static void print_sites_table(const struct page *p, const struct memory_sites *s,
			      struct site_row *rows, size_t n)
{
	bool with_interval = s->has_intervals && !p->is_exact;
	int value = s->is_space ? 5 : 7, interval = 12, other = s->is_space ? 7 : 5;
	size_t i;

	for (i = 0; i < n; i++) {
		widen(&rows[i].value, &value);
		widen(&rows[i].interval, &interval);
		widen(&rows[i].other, &other);
	}
	fprintf(p->out, "\n%sstacks by %s%s\n", code(p, "\033[1m"), s->value, code(p, "\033[0m"));
	fputs(code(p, "\033[1m"), p->out);
	print_right(p,
		    s->is_space			   ? "BYTES"
		    : !strcmp(s->value, "samples") ? "BLOCKS"
						   : "OBJECTS",
		    value);
	if (with_interval)
		print_right(p, "95% INTERVAL", interval);
	print_right(p, s->is_space ? "OBJECTS" : "BYTES", other);
	fprintf(p->out, "  STACK%s\n", code(p, "\033[0m"));
	for (i = 0; i < n; i++) {
		print_right(p, str_text(&rows[i].value), value);
		if (with_interval)
			print_right(p, str_text(&rows[i].interval), interval);
		print_right(p, str_text(&rows[i].other), other);
		fprintf(p->out, "  %s\n", str_text(&rows[i].site));
	}
}

/* Numbers that others have written: their sum may be too large. */
static int print_more_sites(const struct page *p, const struct memory_sites *s)
{
	uint64_t n = s->others;
	int64_t sum = s->others_value;
	_cleanup_(str_release) struct str amount = { 0 };
	size_t i;
	int err;

	for (i = SITES_MAX; i < s->n; i++) {
		n++;
		if (__builtin_add_overflow(sum, memory_site_value(s, s->list[i]), &sum))
			sum = INT64_MAX;
	}
	if (!n)
		return 0;
	err = view_amount(sum, s->is_space ? "bytes" : "count", &amount);
	if (!err)
		fprintf(p->out, "... and %" PRIu64 " more, with %s\n", n, str_text(&amount));
	return err;
}

static int print_sites(const struct page *p, const struct memory_sites *s)
{
	struct site_row rows[SITES_MAX] = { 0 };
	size_t n = s->n < SITES_MAX ? s->n : SITES_MAX, i;
	int err = 0;

	for (i = 0; i < n && !err; i++)
		err = fill_site(p, s, s->list[i], &rows[i]);
	if (!err && n)
		print_sites_table(p, s, rows, n);
	for (i = 0; i < n; i++)
		site_row_release(&rows[i]);
	return err || !n ? err : print_more_sites(p, s);
}

int report_memory(const struct report *r, const struct report_style *style, FILE *out)
{
	_cleanup_(memory_sites_freep) struct memory_sites *sites = NULL;
	struct page p = { .style = style, .out = out };
	int err;

	p.memory = r->recording ? r->recording->memory : NULL;
	if (!json_is_object(p.memory))
		return 0;
	p.is_exact = count_of(p.memory, "interval_bytes") == 1;
	err = memory_sites_new(r, &sites);
	if (!err)
		err = print_how(&p);
	if (!err)
		err = print_totals(&p);
	if (!err)
		err = print_meaning(&p);
	if (!err)
		err = print_distributions(&p);
	if (!err && sites)
		err = print_sites(&p, sites);
	if (err)
		return errf(err, "cannot write the report: %s", strerror(-err));
	fputc('\n', out);
	return 0;
}
