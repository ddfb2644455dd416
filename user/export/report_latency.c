/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/export/report_latency.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/base/str.h"
#include "user/export/report_bars.h"

/* What is more is told in one line, and stands in the summary. */
#define GROUPS_MAX	  20
#define DISTRIBUTIONS_MAX 4
#define PATHS_MAX	  10
#define ROUTES_MAX	  10

struct page {
	const struct report_style *style;
	FILE *out;
	const json_t *latency; /* of known shape */
	int name_width, operation_width;
	bool with_errors, with_touched;
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

/* Columns that clean text takes, if each character takes one. */
static int columns(const char *text)
{
	int n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

static void print_left(const struct page *p, const char *text, int width)
{
	int len = columns(text);

	fprintf(p->out, "%s%*s", text, len < width ? width - len : 0, "");
}

/* An amount right-aligned; "-" for null. */
static int print_amount(const struct page *p, const json_t *value, const char *unit, int width)
{
	_cleanup_(str_release) struct str s = { 0 };
	int err = json_is_integer(value) ? view_amount(json_integer_value(value), unit, &s)
					 : str_add(&s, "-");

	if (!err)
		fprintf(p->out, "  %*s", width, str_text(&s));
	return err;
}

static void print_number(const struct page *p, const json_t *value, double scale, int digits,
			 int width)
{
	if (json_is_number(value))
		fprintf(p->out, "  %*.*f", width, digits, json_number_value(value) / scale);
	else
		fprintf(p->out, "  %*s", width, "-");
}

/* --- the table ----------------------------------------------------------------------------- */

static const char *const quantiles[][2] = {
	{ "P50", "p50_ns" }, { "P95", "p95_ns" }, { "P99", "p99_ns" }, { "MAX", "max_ns" }
};
#define QUANTILE_WIDTH 8
#define STAGE_WIDTH    6

static void upper_case(const char *text, char ret[32])
{
	size_t i;

	for (i = 0; i < 31 && text[i]; i++)
		ret[i] = text[i] >= 'a' && text[i] <= 'z' ? text[i] - 'a' + 'A' : text[i];
	ret[i] = '\0';
}

static void measure(struct page *p, const json_t *groups)
{
	size_t i;

	p->name_width = columns(text_of(p->latency, "subject"));
	p->operation_width = (int)strlen("OPERATION");
	for (i = 0; i < json_array_size(groups) && i < GROUPS_MAX; i++) {
		const json_t *g = json_array_get(groups, i);
		int name = columns(text_of(g, "subject")), op = columns(text_of(g, "operation"));

		/* A longer one pushes its numbers aside instead of all others'. */
		if (name <= 24 && p->name_width < name)
			p->name_width = name;
		if (op <= 24 && p->operation_width < op)
			p->operation_width = op;
		p->with_errors |= count_of(g, "errors") > 0;
		p->with_touched |= json_is_integer(json_object_get(g, "touched"));
	}
}

static void print_titles(const struct page *p)
{
	char subject[32];
	size_t i;

	upper_case(text_of(p->latency, "subject"), subject);
	fputs(code(p, "\033[1m"), p->out);
	print_left(p, subject, p->name_width);
	fprintf(p->out, "  %-*s  %9s  %9s  %9s  %7s", p->operation_width, "OPERATION", "IOPS",
		"MiB/s", "AVG SIZE", "DEPTH");
	if (p->with_errors)
		fprintf(p->out, "  %7s", "ERRORS");
	if (p->with_touched)
		fprintf(p->out, "  %8s", "DEVICE%");
	fprintf(p->out, "  %-*s", STAGE_WIDTH, "STAGE");
	for (i = 0; i < ARRAY_SIZE(quantiles); i++)
		fprintf(p->out, "  %*s", QUANTILE_WIDTH, quantiles[i][0]);
	fprintf(p->out, "%s\n", code(p, "\033[0m"));
}

/* Mean bytes of an operation; nothing for those that have none, such as a flush. */
static int print_size(const struct page *p, const json_t *g)
{
	uint64_t n = count_of(g, "operations"), bytes = count_of(g, "bytes");
	_cleanup_(str_release) struct str s = { 0 };
	int err = n && bytes ? view_amount((int64_t)(bytes / n), "bytes", &s) : str_add(&s, "-");

	if (!err)
		fprintf(p->out, "  %9s", str_text(&s));
	return err;
}

static void print_touched(const struct page *p, const json_t *g)
{
	double n = (double)count_of(g, "operations"), touched = (double)count_of(g, "touched");

	if (n > 0 && json_is_integer(json_object_get(g, "touched")))
		fprintf(p->out, "  %7.1f%%", 100 * touched / n);
	else
		fprintf(p->out, "  %8s", "-");
}

/* What the first line of a group begins with. */
static int print_group_head(const struct page *p, const json_t *g)
{
	int err;

	print_left(p, text_of(g, "subject"), p->name_width);
	fputs("  ", p->out);
	print_left(p, text_of(g, "operation"), p->operation_width);
	print_number(p, json_object_get(g, "iops"), 1, 1, 9);
	print_number(p, json_object_get(g, "bytes_per_s"), 0x1p20, 2, 9);
	err = print_size(p, g);
	print_number(p, json_object_get(g, "queue_depth"), 1, 2, 7);
	if (p->with_errors)
		fprintf(p->out, "  %7" PRIu64, count_of(g, "errors"));
	if (p->with_touched)
		print_touched(p, g);
	return err;
}

static int print_group(const struct page *p, const json_t *g)
{
	const json_t *stages = json_object_get(g, "stages"), *stage;
	int indent = p->name_width + 2 + p->operation_width + 3 * 11 + 9 +
		     (p->with_errors ? 9 : 0) + (p->with_touched ? 10 : 0);
	size_t i, k;
	int err = print_group_head(p, g);

	for (i = 0; i < json_array_size(stages); i++) {
		stage = json_array_get(stages, i);
		fprintf(p->out, "%*s  ", i ? indent : 0, "");
		print_left(p, text_of(stage, "stage"), STAGE_WIDTH);
		for (k = 0; k < ARRAY_SIZE(quantiles) && !err; k++)
			err = print_amount(p, json_object_get(stage, quantiles[k][1]),
					   "nanoseconds", QUANTILE_WIDTH);
		fputc('\n', p->out);
	}
	if (!i)
		fputc('\n', p->out);
	return err;
}

static int print_more(const struct page *p, uint64_t rows, uint64_t operations)
{
	_cleanup_(str_release) struct str s = { 0 };
	int err;

	if (!rows && !operations)
		return 0;
	err = view_amount((int64_t)operations, "count", &s);
	if (!err && rows)
		fprintf(p->out, "... and %" PRIu64 " more, with %s operation%s\n", rows,
			str_text(&s), operations == 1 ? "" : "s");
	else if (!err)
		fprintf(p->out, "... and %s operation%s that had no room\n", str_text(&s),
			operations == 1 ? "" : "s");
	return err;
}

/* Numbers of two lists that others have written: their sum may be too large. */
static void add_saturated(uint64_t *sum, uint64_t n)
{
	if (__builtin_add_overflow(*sum, n, sum) || *sum > INT64_MAX)
		*sum = INT64_MAX;
}

static int print_table(struct page *p)
{
	const json_t *groups = json_object_get(p->latency, "groups");
	const json_t *other = json_object_get(p->latency, "groups_other");
	uint64_t rows = count_of(other, "rows"), operations = count_of(other, "operations");
	size_t i;
	int err = 0;

	if (!json_array_size(groups)) {
		fputs("no operations\n", p->out);
		return print_more(p, rows, operations);
	}
	measure(p, groups);
	print_titles(p);
	for (i = 0; i < json_array_size(groups) && !err; i++) {
		const json_t *g = json_array_get(groups, i);

		if (i < GROUPS_MAX) {
			err = print_group(p, g);
			continue;
		}
		add_saturated(&rows, 1);
		add_saturated(&operations, count_of(g, "operations"));
	}
	return err ? err : print_more(p, rows, operations);
}

/* --- which way they came --------------------------------------------------------------------- */

/* What the device is, beside its name: "data" of dm-0, the file of a loop device; NULL: nothing. */
static const char *device_text(const struct page *p, const char *name)
{
	const json_t *devices = json_object_get(p->latency, "devices");
	size_t i;

	for (i = 0; i < json_array_size(devices); i++) {
		const json_t *device = json_array_get(devices, i);

		if (!strcmp(text_of(device, "name"), name))
			return json_string_value(json_object_get(device, "text"));
	}
	return NULL;
}

static int print_route(const struct page *p, const json_t *route)
{
	const char *origin = text_of(route, "origin"), *text = device_text(p, origin);
	int err = print_amount(p, json_object_get(route, "requests"), "count", 10);

	if (!err)
		err = print_amount(p, json_object_get(route, "bytes"), "bytes", 9);
	fputs("  ", p->out);
	print_left(p, text_of(route, "subject"), p->name_width);
	fprintf(p->out, "  %s%s%s%s\n", origin, text ? " (" : "", text ? text : "",
		text ? ")" : "");
	return err;
}

static int print_more_routes(const struct page *p, uint64_t requests)
{
	_cleanup_(str_release) struct str s = { 0 };
	int err = requests ? view_amount((int64_t)requests, "count", &s) : 0;

	if (!err && requests)
		fprintf(p->out, "... and %s request%s of others\n", str_text(&s),
			requests == 1 ? "" : "s");
	return err;
}

static int print_routes(const struct page *p)
{
	const json_t *routes = json_object_get(p->latency, "routes");
	uint64_t requests = count_of(json_object_get(p->latency, "routes_other"), "requests");
	char subject[32];
	size_t i;
	int err = 0;

	if (!json_array_size(routes))
		return 0;
	upper_case(text_of(p->latency, "subject"), subject);
	fprintf(p->out, "\n%s  %10s  %9s  ", code(p, "\033[1m"), "REQUESTS", "BYTES");
	print_left(p, subject, p->name_width);
	fprintf(p->out, "  FOR%s\n", code(p, "\033[0m"));
	for (i = 0; i < json_array_size(routes) && !err; i++) {
		const json_t *route = json_array_get(routes, i);

		if (i < ROUTES_MAX)
			err = print_route(p, route);
		else
			add_saturated(&requests, count_of(route, "requests"));
	}
	return err ? err : print_more_routes(p, requests);
}

/* --- distributions -------------------------------------------------------------------------- */

static int print_distribution(const struct page *p, const json_t *g)
{
	const json_t *stages = json_object_get(p->latency, "stages");
	const char *stage = json_string_value(json_array_get(stages, json_array_size(stages) - 1));
	const struct report_bars bars = {
		.list = json_object_get(g, "distribution"),
		.lower = "lower_ns",
		.upper = "upper_ns",
		.unit = "nanoseconds",
		.unit_width = 7,
	};

	if (!report_bars_most(&bars))
		return 0;
	fprintf(p->out, "\n%s%s %s%s%s%s\n", code(p, "\033[1m"), text_of(g, "subject"),
		text_of(g, "operation"), stage ? ", " : "", stage ? stage : "", code(p, "\033[0m"));
	return report_bars(&bars, p->style, p->out);
}

static int print_distributions(const struct page *p)
{
	const json_t *groups = json_object_get(p->latency, "groups");
	size_t i;
	int err = 0;

	/* What is apart comes last: it is shown if there is nothing else. */
	for (i = 0; i < json_array_size(groups) && i < DISTRIBUTIONS_MAX && !err; i++) {
		const json_t *g = json_array_get(groups, i);

		if (i && json_is_true(json_object_get(g, "apart")))
			break;
		err = print_distribution(p, g);
	}
	return err;
}

/* --- paths and notes ------------------------------------------------------------------------- */

static int print_path(const struct page *p, const json_t *row)
{
	int err = print_amount(p, json_object_get(row, "sum_ns"), "nanoseconds", QUANTILE_WIDTH);

	if (!err)
		err = print_amount(p, json_object_get(row, "operations"), "count", 10);
	if (!err)
		err = print_amount(p, json_object_get(row, "p50_ns"), "nanoseconds",
				   QUANTILE_WIDTH);
	if (!err)
		err = print_amount(p, json_object_get(row, "p99_ns"), "nanoseconds",
				   QUANTILE_WIDTH);
	if (!err)
		err = print_amount(p, json_object_get(row, "max_ns"), "nanoseconds",
				   QUANTILE_WIDTH);
	fputs("  ", p->out);
	print_left(p, text_of(row, "operation"), p->operation_width);
	fprintf(p->out, "  %s\n", text_of(row, "path"));
	return err;
}

static int print_paths(const struct page *p)
{
	const json_t *paths = json_object_get(p->latency, "paths");
	const json_t *other = json_object_get(p->latency, "paths_other");
	uint64_t rows = count_of(other, "rows"), operations = count_of(other, "operations");
	size_t i;
	int err = 0;

	if (!json_array_size(paths))
		return 0;
	fprintf(p->out, "\n%s  %*s  %10s  %*s  %*s  %*s  %-*s  PATH%s\n", code(p, "\033[1m"),
		QUANTILE_WIDTH, "TIME", "OPERATIONS", QUANTILE_WIDTH, "P50", QUANTILE_WIDTH, "P99",
		QUANTILE_WIDTH, "MAX", p->operation_width, "OPERATION", code(p, "\033[0m"));
	for (i = 0; i < json_array_size(paths) && !err; i++) {
		const json_t *row = json_array_get(paths, i);

		if (i < PATHS_MAX) {
			err = print_path(p, row);
			continue;
		}
		add_saturated(&rows, 1);
		add_saturated(&operations, count_of(row, "operations"));
	}
	return err ? err : print_more(p, rows, operations);
}

static void print_notes(const struct page *p, const char *collector)
{
	const json_t *outliers = json_object_get(p->latency, "outliers");
	uint64_t before = count_of(p->latency, "in_flight_start");
	uint64_t after = count_of(p->latency, "in_flight_end");

	if (before || after || json_is_object(outliers))
		fputc('\n', p->out);
	if (before || after)
		fprintf(p->out,
			"not measured: %" PRIu64 " that began before the recording, %" PRIu64
			" that had not ended with it\n",
			before, after);
	if (json_is_object(outliers))
		fprintf(p->out,
			"slower than %g ms: %" PRIu64 " in %s.slow.json, %" PRIu64
			" less slow left out, %" PRIu64 " lost\n",
			(double)count_of(outliers, "threshold_ns") / 1e6,
			count_of(outliers, "kept"), collector ? collector : "?",
			count_of(outliers, "faster"), count_of(outliers, "lost"));
}

int report_latency(const struct recording *rec, const struct report_style *style, FILE *out)
{
	struct page p = { .style = style, .out = out, .latency = rec ? rec->latency : NULL };
	int err;

	if (!json_is_object(p.latency))
		return 0;
	err = print_table(&p);
	if (!err)
		err = print_routes(&p);
	if (!err)
		err = print_distributions(&p);
	if (!err)
		err = print_paths(&p);
	if (err)
		return errf(err, "cannot write the report: %s", strerror(-err));
	print_notes(&p, rec->collector);
	fputc('\n', out);
	return 0;
}
