/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/cleanup.h"
#include "user/base/err.h"
#include "user/base/file.h"
#include "user/bench/aggregate.h"
#include "user/bench/json_pointer.h"
#include "user/bench/pattern.h"
#include "user/bench/repetition.h"

/* --- units ------------------------------------------------------------------------------------ */

struct unit {
	const char *name;
	double is;
};

static double look_up(const struct unit *units, const char *name)
{
	for (; units->name; units++) {
		if (!strcmp(units->name, name))
			return units->is;
	}
	return 0;
}

/* What one of a unit is in ns; 0 if it is no unit of time. */
static double unit_ns(const char *unit)
{
	static const struct unit units[] = {
		{ "ns", 1 },  { "us", 1e3 },  { "\xc2\xb5s", 1e3 }, { "ms", 1e6 },
		{ "s", 1e9 }, { "sec", 1e9 }, { "min", 60e9 },	    { NULL, 0 },
	};

	return unit ? look_up(units, unit) : 0;
}

/* The same in bytes, for units of size. */
static double unit_bytes(const char *unit)
{
	static const struct unit units[] = {
		{ "bytes", 1 },	       { "B", 1 },    { "kB", 1e3 },   { "KB", 1e3 },
		{ "MB", 1e6 },	       { "GB", 1e9 }, { "KiB", 1024 }, { "MiB", 1048576 },
		{ "GiB", 1073741824 }, { NULL, 0 },
	};

	return unit ? look_up(units, unit) : 0;
}

/* What values in unit 'from' are multiplied with to be in 'to'; 0 if that cannot be. */
static double conversion(const char *from, const char *to)
{
	if (!to || !strcmp(from, to))
		return 1;
	if (unit_ns(from) && unit_ns(to))
		return unit_ns(from) / unit_ns(to);
	if (unit_bytes(from) && unit_bytes(to))
		return unit_bytes(from) / unit_bytes(to);
	return 0;
}

/* --- values ----------------------------------------------------------------------------------- */

struct values {
	const struct scenario_metric *m;
	const char *where; /* for sentences */
	double *list;
	size_t n, cap;
};

static void values_release(struct values *v)
{
	free(v->list);
}

static int add_value(struct values *v, double value)
{
	if (!isfinite(value))
		return errf(-EINVAL, "metric '%s' is no finite number in %s", v->m->name, v->where);
	if (v->n >= METRICS_VALUES_MAX)
		return errf(-EINVAL, "metric '%s' has more than %u values in %s", v->m->name,
			    METRICS_VALUES_MAX, v->where);
	if (array_reserve(v->list, v->cap, v->n + 1))
		return errf(-ENOMEM, "no memory for metric '%s'", v->m->name);
	v->list[v->n++] = value;
	return 0;
}

/* Decimal numbers alone: strtod(3) knows hexadecimal ones, "nan" and "inf", too. */
static int add_text(struct values *v, const char *text, size_t len, double factor)
{
	char copy[64], *end;
	double value;

	if (len >= sizeof(copy))
		len = sizeof(copy) - 1;
	memcpy(copy, text, len);
	copy[len] = '\0';
	value = strtod(copy, &end);
	if (!len || *end || copy[strspn(copy, "0123456789+-.eE")])
		return errf(-EINVAL, "metric '%s' is '%s' in %s, which is no number", v->m->name,
			    copy, v->where);
	return add_value(v, value * factor);
}

/* --- lines ------------------------------------------------------------------------------------ */

/* "NAME VALUE [UNIT]"; other lines are somebody else's. */
static int take_line(struct values *v, const char *line)
{
	const char *name = v->m->from ? v->m->from : v->m->name, *number, *unit;
	size_t len = strlen(name), number_len, unit_len;
	char unit_name[32];
	double factor = 1;

	line += strspn(line, " \t");
	if (strncmp(line, name, len) != 0 || !strchr(" \t", line[len]) || !line[len])
		return 0;
	number = line + len + strspn(line + len, " \t");
	number_len = strcspn(number, " \t\r");
	unit = number + number_len + strspn(number + number_len, " \t\r");
	unit_len = strcspn(unit, " \t\r");
	if (unit_len) {
		snprintf(unit_name, sizeof(unit_name), "%.*s", (int)unit_len, unit);
		factor = conversion(unit_name, v->m->unit);
		if (!factor)
			return errf(-EINVAL, "metric '%s' is in '%s' in %s, not in '%s'",
				    v->m->name, unit_name, v->where, v->m->unit);
	}
	return add_text(v, number, number_len, factor);
}

static int take_match(struct values *v, const regex_t *regex, const char *line)
{
	regmatch_t groups[2];

	if (regexec(regex, line, 2, groups, 0) || groups[1].rm_so < 0)
		return 0;
	return add_text(v, line + groups[1].rm_so, groups[1].rm_eo - groups[1].rm_so, 1);
}

static int each_line(struct values *v, char *text, size_t len, const regex_t *regex)
{
	char line[METRICS_LINE_MAX + 1], *at, *end = text + len, *next;
	size_t n;
	int err = 0;

	for (at = text; at < end && !err; at = next) {
		next = memchr(at, '\n', end - at);
		next = next ? next + 1 : end;
		n = next - at;
		n -= n && at[n - 1] == '\n';
		n = n < METRICS_LINE_MAX ? n : METRICS_LINE_MAX;
		memcpy(line, at, n);
		line[n] = '\0';
		err = regex ? take_match(v, regex, line) : take_line(v, line);
	}
	return err;
}

static int take_lines(struct values *v, char *text, size_t len)
{
	regex_t regex;
	int err;

	if (v->m->source == METRIC_LINES)
		return each_line(v, text, len, NULL);
	err = pattern_compile(v->m->pattern ? v->m->pattern : "", 1, &regex);
	if (err)
		return err_prefix(err, "metric '%s'", v->m->name);
	err = each_line(v, text, len, &regex);
	regfree(&regex);
	return err;
}

/* --- JSON ------------------------------------------------------------------------------------- */

static int take_json_value(struct values *v, const json_t *value)
{
	if (!json_is_number(value))
		return errf(-EINVAL, "'%s' is no number in %s: metric '%s'", v->m->pattern,
			    v->where, v->m->name);
	return add_value(v, json_number_value(value));
}

static int take_json(struct values *v, const char *text, size_t len)
{
	json_error_t error;
	json_t *root = json_loadb(text, len, JSON_DECODE_ANY, &error), *value;
	size_t i;
	int err = 0;

	if (!root)
		return errf(-EINVAL, "%s is no JSON, line %d: %s", v->where, error.line,
			    error.text);
	value = json_pointer_get(root, v->m->pattern ? v->m->pattern : "");
	if (json_is_array(value)) {
		for (i = 0; i < json_array_size(value) && !err; i++)
			err = take_json_value(v, json_array_get(value, i));
	} else if (value) {
		err = take_json_value(v, value);
	}
	json_decref(root);
	return err;
}

/* --- all of it -------------------------------------------------------------------------------- */

static int read_source(struct values *v, const struct metrics_source *source, char **ret,
		       size_t *ret_len)
{
	_cleanup_(closep) int fd = -1;
	char path[PATH_MAX];
	int err = 0;

	if (!v->m->file) {
		fd = file_open(source->out, FILE_TRUSTED);
	} else {
		err = repetition_path(source->c, v->m->file, path);
		if (!err)
			fd = file_open(path, FILE_HOSTILE);
	}
	if (err || fd < 0)
		return err_prefix(-EINVAL, "metric '%s'", v->m->name);
	if (v->m->file && source->since_ns && repetition_is_stale(fd, source->since_ns))
		return errf(-EINVAL, "metric '%s': '%s' was not written by this repetition",
			    v->m->name, path);
	err = file_read_fd(fd, v->where, METRICS_FILE_MAX + 1, ret, ret_len);
	return err && err != -ENOMEM ? err_prefix(-EINVAL, "metric '%s'", v->m->name) : err;
}

bool metrics_is_latency(const struct scenario_metric *m)
{
	return (!strcmp(m->name, "latency") || (m->from && !strcmp(m->from, "latency"))) &&
	       unit_ns(m->unit) > 0;
}

int latency_add(struct run_latency *l, double ns)
{
	if (l->n >= RUN_MAX_OBSERVATIONS) {
		l->dropped++;
		return 0;
	}
	if (array_reserve(l->ns, l->cap, l->n + 1))
		return errf(-ENOMEM, "no memory for latencies");
	l->ns[l->n++] = ns;
	return 0;
}

int metrics_read(const struct scenario_metric *m, const struct metrics_source *source,
		 struct run_latency *latency, double *ret)
{
	_cleanup_(values_release) struct values v = { .m = m,
						      .where = m->file ? m->file : "stdout" };
	_cleanup_(freep) char *text = NULL;
	size_t len = 0, i;
	int err;

	err = read_source(&v, source, &text, &len);
	if (!err)
		err = m->source == METRIC_POINTER ? take_json(&v, text, len)
						  : take_lines(&v, text, len);
	if (err)
		return err;
	if (!v.n)
		return errf(-EINVAL, "metric '%s' is not in %s", m->name, v.where);
	for (i = 0; latency && metrics_is_latency(m) && i < v.n; i++) {
		err = latency_add(latency, v.list[i] * unit_ns(m->unit));
		if (err)
			return err;
	}
	*ret = aggregate(v.list, v.n, m->aggregate);
	return 0;
}
