/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/scenario.h"

#include <errno.h>
#include <libgen.h>
#include <math.h>
#include <string.h>

#include "user/base/err.h"
#include "user/base/file.h"
#include "user/base/str.h"
#include "user/bench/pattern.h"
#include "user/bench/scenario_parts.h"
#include "user/bench/yaml_fields.h"

#define DAY_NS	    86400e9
#define COUNT_MAX   10000
#define MEMORY_MAX  0x1p50
#define PID_MAX	    4194304 /* PID_MAX_LIMIT of 64-bit kernels */
#define SHARE_MAX   10.0
#define PATTERN_VAR "${"

/* --- parts --------------------------------------------------------------------------------- */

static int read_pair(const struct yaml_tree *t, const struct yaml_item *item, void *target)
{
	static const struct yaml_field value = { .key = "the value" };
	struct scenario_pair *pair = target;
	int err = yaml_read_identifier(t, item->key, "a key", &pair->key);

	return err ? err : yaml_read_word(t, item, &value, &pair->value);
}

static int read_pairs(const struct yaml_tree *t, const struct yaml_item *value,
		      const struct yaml_field *f, void *target)
{
	struct scenario_pairs *pairs = target;

	return yaml_read_each(t, value, f->key, YAML_MAP, sizeof(struct scenario_pair), read_pair,
			      &pairs->list, &pairs->n);
}

/* Those with parameters in them can be looked at only when the parameters are known. */
static int read_pattern(const struct yaml_tree *t, const struct yaml_item *value,
			const struct yaml_field *f, void *target)
{
	int err = yaml_read_text(t, value, f, target);

	if (!err && !strstr(value->text, PATTERN_VAR) && pattern_check(value->text, (size_t)f->min))
		return yaml_error(t, value, "%s", err_text());
	return err;
}

static int read_axis(const struct yaml_tree *t, const struct yaml_item *item, void *target)
{
	static const struct yaml_field values = { .key = "a parameter" };
	struct scenario_axis *axis = target;
	int err = yaml_read_identifier(t, item->key, "a parameter", &axis->name);

	if (!err)
		err = yaml_read_names(t, item, &values, &axis->values);
	axis->n_values = item->n;
	return err;
}

static int read_matrix(const struct yaml_tree *t, const struct yaml_item *value,
		       const struct yaml_field *f, void *target)
{
	struct scenario *s = target;

	return yaml_read_each(t, value, f->key, YAML_MAP, sizeof(*s->matrix), read_axis, &s->matrix,
			      &s->n_matrix);
}

static int read_variant(const struct yaml_tree *t, const struct yaml_item *item, void *target)
{
	static const struct yaml_field fields[] = {
		YAML_FIELD("name", yaml_read_name, scenario_variant, name, .is_required = true),
		YAML_FIELD("parameters", read_pairs, scenario_variant, parameters),
		YAML_FIELD("env", read_pairs, scenario_variant, env),
		YAML_FIELD("command", yaml_read_words, scenario_variant, command),
		YAML_FIELD("workdir", yaml_read_text, scenario_variant, workdir),
		{ 0 },
	};

	return yaml_read_map(t, item, "a variant", fields, target);
}

static int read_variants(const struct yaml_tree *t, const struct yaml_item *value,
			 const struct yaml_field *f, void *target)
{
	struct scenario *s = target;

	return yaml_read_each(t, value, f->key, YAML_LIST, sizeof(*s->variants), read_variant,
			      &s->variants, &s->n_variants);
}

static int read_component(const struct yaml_tree *t, const struct yaml_item *item, void *target)
{
	static const struct yaml_field fields[] = {
		YAML_FIELD("name", yaml_read_text, scenario_component, name, .is_required = true),
		YAML_FIELD("symbol", read_pattern, scenario_component, symbol, .is_required = true),
		{ 0 },
	};

	return yaml_read_map(t, item, "a component", fields, target);
}

static int read_components(const struct yaml_tree *t, const struct yaml_item *value,
			   const struct yaml_field *f, void *target)
{
	struct scenario *s = target;

	return yaml_read_each(t, value, f->key, YAML_LIST, sizeof(*s->components), read_component,
			      &s->components, &s->n_components);
}

/* --- readiness and output ------------------------------------------------------------------ */

static int read_ready_stdout(const struct yaml_tree *t, const struct yaml_item *value,
			     const struct yaml_field *f, void *target)
{
	struct scenario_ready *r = target;

	r->kind = READY_STDOUT;
	return read_pattern(t, value, f, &r->text);
}

static int read_ready_file(const struct yaml_tree *t, const struct yaml_item *value,
			   const struct yaml_field *f, void *target)
{
	struct scenario_ready *r = target;

	r->kind = READY_FILE;
	return yaml_read_text(t, value, f, &r->text);
}

static int read_ready_tcp(const struct yaml_tree *t, const struct yaml_item *value,
			  const struct yaml_field *f, void *target)
{
	struct scenario_ready *r = target;

	r->kind = READY_TCP;
	return yaml_read_int(t, value, f, &r->port);
}

static int read_ready(const struct yaml_tree *t, const struct yaml_item *value,
		      const struct yaml_field *f, void *target)
{
	static const struct yaml_field fields[] = {
		{ .key = "stdout", .read = read_ready_stdout },
		{ .key = "file", .read = read_ready_file },
		{ .key = "tcp", .read = read_ready_tcp, .min = 1, .max = 65535 },
		YAML_FIELD("stop", yaml_read_bool, scenario_ready, stop),
		{ 0 },
	};
	int err = yaml_read_map(t, value, f->key, fields, target);
	int n = !!yaml_find(value, "stdout") + !!yaml_find(value, "file") +
		!!yaml_find(value, "tcp");

	if (!err && n != 1)
		return yaml_error(t, value, "ready has one of stdout, file, tcp");
	return err;
}

static int read_sha256(const struct yaml_tree *t, const struct yaml_item *value,
		       const struct yaml_field *f, void *target)
{
	int err = yaml_read_text(t, value, f, target);

	if (!err && (value->len != 64 || strspn(value->text, "0123456789abcdef") != 64))
		return yaml_error(t, value, "sha256 is 64 lower-case hexadecimal digits");
	return err;
}

static int read_oracle(const struct yaml_tree *t, const struct yaml_item *value,
		       const struct yaml_field *f, void *target)
{
	static const struct yaml_field fields[] = {
		YAML_FIELD("file", yaml_read_text, scenario_oracle, file),
		YAML_FIELD("sha256", read_sha256, scenario_oracle, sha256),
		YAML_FIELD("expected", yaml_read_text, scenario_oracle, expected),
		{ 0 },
	};
	struct scenario_oracle *o = target;
	int err = yaml_read_map(t, value, f->key, fields, target);

	o->is_given = true;
	if (!err && !o->sha256 == !o->expected)
		return yaml_error(t, value, "oracle has one of sha256, expected");
	return err;
}

/* --- metrics ------------------------------------------------------------------------------- */

static int read_lines(const struct yaml_tree *t, const struct yaml_item *value,
		      const struct yaml_field *f, void *target)
{
	struct scenario_metric *m = target;

	m->source = METRIC_LINES;
	if (value->kind == YAML_TEXT && !value->is_quoted && !strcmp(value->text, "true"))
		return 0;
	if (value->kind == YAML_TEXT && !value->is_quoted && !strcmp(value->text, "false"))
		return yaml_error(t, value, "lines is true (of stdout) or a file");
	return yaml_read_text(t, value, f, &m->file);
}

static int read_regex(const struct yaml_tree *t, const struct yaml_item *value,
		      const struct yaml_field *f, void *target)
{
	struct scenario_metric *m = target;

	m->source = METRIC_REGEX;
	return read_pattern(t, value, f, &m->pattern);
}

static int read_pointer(const struct yaml_tree *t, const struct yaml_item *value,
			const struct yaml_field *f, void *target)
{
	const char *tilde;
	int err = yaml_read_text(t, value, f, target);

	if (err)
		return err;
	/* RFC 6901, section 3: a tilde is "~0", a slash "~1". */
	tilde = strchr(value->text, '~');
	while (tilde && (tilde[1] == '0' || tilde[1] == '1'))
		tilde = strchr(tilde + 1, '~');
	if (value->text[0] != '/' || tilde)
		return yaml_error(t, value, "'%.64s' is no JSON pointer, as /latency/p95",
				  value->text);
	return 0;
}

static int read_json(const struct yaml_tree *t, const struct yaml_item *value,
		     const struct yaml_field *f, void *target)
{
	static const struct yaml_field fields[] = {
		YAML_FIELD("file", yaml_read_text, scenario_metric, file, .is_required = true),
		YAML_FIELD("pointer", read_pointer, scenario_metric, pattern, .is_required = true),
		{ 0 },
	};
	struct scenario_metric *m = target;

	m->source = METRIC_POINTER;
	return yaml_read_map(t, value, f->key, fields, target);
}

static int check_metric(const struct yaml_tree *t, const struct yaml_item *item,
			const struct scenario_metric *m)
{
	int n = !!yaml_find(item, "lines") + !!yaml_find(item, "regex") + !!yaml_find(item, "json");
	const struct yaml_item *name = yaml_find(item, "name");

	if (name->text[strspn(name->text, "abcdefghijklmnopqrstuvwxyz0123456789_")] ||
	    strspn(name->text, "0123456789_"))
		return yaml_error(t, name,
				  "a metric's name is of a-z, 0-9 and '_', the first of them a "
				  "letter: not '%s'",
				  name->text);
	if (n != 1)
		return yaml_error(t, item, "a metric has one of lines, regex, json");
	if (yaml_find(item, "file") && m->source != METRIC_REGEX)
		return yaml_error(t, yaml_find(item, "file"), "file belongs to a regex");
	if (m->from && m->source != METRIC_LINES)
		return yaml_error(t, yaml_find(item, "from"), "from belongs to lines");
	return 0;
}

static int read_metric(const struct yaml_tree *t, const struct yaml_item *item, void *target)
{
	static const char *const betters[] = { "lower", "higher", NULL };
	static const char *const aggregates[] = { "median", "mean", "sum",  "min", "max",
						  "p95",    "p99",  "last", NULL };
	static const struct yaml_field fields[] = {
		YAML_FIELD("name", yaml_read_name, scenario_metric, name, .is_required = true),
		YAML_FIELD("unit", yaml_read_text, scenario_metric, unit, .is_required = true),
		YAML_FIELD("better", yaml_read_choice, scenario_metric, better, .is_required = true,
			   .choices = betters),
		{ .key = "lines", .read = read_lines },
		YAML_FIELD("from", yaml_read_name, scenario_metric, from),
		{ .key = "regex", .read = read_regex, .min = 1 },
		YAML_FIELD("file", yaml_read_text, scenario_metric, file),
		{ .key = "json", .read = read_json },
		YAML_FIELD("aggregate", yaml_read_choice, scenario_metric, aggregate,
			   .choices = aggregates),
		YAML_FIELD("informative", yaml_read_bool, scenario_metric, is_informative),
		{ 0 },
	};
	int err = yaml_read_map(t, item, "a metric", fields, target);

	return err ? err : check_metric(t, item, target);
}

static int read_metrics(const struct yaml_tree *t, const struct yaml_item *value,
			const struct yaml_field *f, void *target)
{
	struct scenario *s = target;

	return yaml_read_each(t, value, f->key, YAML_LIST, sizeof(*s->metrics), read_metric,
			      &s->metrics, &s->n_metrics);
}

/* --- limits -------------------------------------------------------------------------------- */

static int read_one_slo(const struct yaml_tree *t, const struct yaml_item *item, void *target)
{
	static const struct yaml_field fields[] = {
		YAML_FIELD("min", yaml_read_number, scenario_slo, min, .min = -1e18, .max = 1e18),
		YAML_FIELD("max", yaml_read_number, scenario_slo, max, .min = -1e18, .max = 1e18),
		{ 0 },
	};
	struct scenario_slo *slo = target;
	int err;

	slo->min = slo->max = NAN;
	err = yaml_read_identifier(t, item->key, "a metric", &slo->metric);
	if (!err)
		err = yaml_read_map(t, item, "a limit", fields, slo);
	if (!err && slo->min > slo->max)
		return yaml_error(t, item, "min is above max");
	return err;
}

static int read_slo(const struct yaml_tree *t, const struct yaml_item *value,
		    const struct yaml_field *f, void *target)
{
	struct scenario *s = target;

	return yaml_read_each(t, value, f->key, YAML_MAP, sizeof(*s->slo), read_one_slo, &s->slo,
			      &s->n_slo);
}

static int read_gate(const struct yaml_tree *t, const struct yaml_item *item, void *target)
{
	static const struct yaml_field fields[] = {
		YAML_FIELD("min_effect", yaml_read_share, scenario_gate, min_effect,
			   .max = SHARE_MAX),
		YAML_FIELD("alert", yaml_read_share, scenario_gate, alert, .max = SHARE_MAX),
		YAML_FIELD("limit", yaml_read_share, scenario_gate, limit, .max = SHARE_MAX),
		YAML_FIELD("informative", yaml_read_bool, scenario_gate, is_informative),
		{ 0 },
	};
	struct scenario_gate *g = target;
	int err;

	g->min_effect = g->alert = g->limit = NAN;
	err = yaml_read_identifier(t, item->key, "a metric", &g->metric);
	return err ? err : yaml_read_map(t, item, "a gate", fields, g);
}

static int read_gates(const struct yaml_tree *t, const struct yaml_item *value,
		      const struct yaml_field *f, void *target)
{
	struct scenario *s = target;

	return yaml_read_each(t, value, f->key, YAML_MAP, sizeof(*s->gates), read_gate, &s->gates,
			      &s->n_gates);
}

static int read_ceilings(const struct yaml_tree *t, const struct yaml_item *value,
			 const struct yaml_field *f, void *target)
{
	static const struct yaml_field fields[] = {
		YAML_FIELD("memory", yaml_read_bytes, scenario_ceilings, memory_bytes, .min = 4096,
			   .max = MEMORY_MAX),
		YAML_FIELD("time", yaml_read_duration, scenario_ceilings, time_ns, .min = 1e6,
			   .max = DAY_NS),
		YAML_FIELD("error_rate", yaml_read_share, scenario_ceilings, error_rate, .max = 1),
		{ 0 },
	};

	return yaml_read_map(t, value, f->key, fields, target);
}

/* --- the whole ----------------------------------------------------------------------------- */

static const char *const kinds[] = { "micro", "real", NULL };
static const struct yaml_field scenario_fields[] = {
	YAML_FIELD("name", yaml_read_name, scenario, name, .is_required = true),
	YAML_FIELD("description", yaml_read_paragraph, scenario, description),
	YAML_FIELD("kind", yaml_read_choice, scenario, kind, .choices = kinds),
	YAML_FIELD("tags", yaml_read_names, scenario, tags),
	YAML_FIELD("command", yaml_read_words, scenario, subject.command),
	YAML_FIELD("pid", yaml_read_uint64, scenario, subject.pid, .min = 1, .max = PID_MAX),
	YAML_FIELD("cgroup", yaml_read_text, scenario, subject.cgroup),
	YAML_FIELD("workdir", yaml_read_text, scenario, workdir),
	YAML_FIELD("env", read_pairs, scenario, env),
	{ .key = "matrix", .read = read_matrix },
	{ .key = "variants", .read = read_variants },
	YAML_FIELD("setup", yaml_read_words, scenario, setup),
	YAML_FIELD("teardown", yaml_read_words, scenario, teardown),
	YAML_FIELD("before_each", yaml_read_words, scenario, before_each),
	YAML_FIELD("ready", read_ready, scenario, ready),
	YAML_FIELD("drop_caches", yaml_read_bool, scenario, drop_caches),
	YAML_FIELD("warmup", yaml_read_int, scenario, warmup, .max = COUNT_MAX),
	YAML_FIELD("repeat", yaml_read_int, scenario, repeat, .min = 1, .max = COUNT_MAX),
	YAML_FIELD("duration", yaml_read_duration, scenario, duration_ns, .min = 1e6,
		   .max = DAY_NS),
	YAML_FIELD("timeout", yaml_read_duration, scenario, timeout_ns, .min = 1e6, .max = DAY_NS),
	YAML_FIELD("verify", yaml_read_words, scenario, verify),
	YAML_FIELD("oracle", read_oracle, scenario, oracle),
	YAML_FIELD("collectors", yaml_read_names, scenario, collectors),
	YAML_FIELD("iterations", yaml_read_text, scenario, iterations),
	{ .key = "metrics", .read = read_metrics },
	{ .key = "components", .read = read_components },
	{ .key = "slo", .read = read_slo },
	{ .key = "gates", .read = read_gates },
	YAML_FIELD("ceilings", read_ceilings, scenario, ceilings),
	YAML_FIELD("production", yaml_read_bool, scenario, is_production),
	{ 0 },
};

/* The folder in which 'path' lies; a last symbolic link is not followed. */
static int folder_of(const char *path, char **ret)
{
	_cleanup_(freep) char *copy = strdup(path);

	if (!copy)
		return errf(-ENOMEM, "no memory to read '%s'", path);
	*ret = realpath(dirname(copy), NULL);
	if (!*ret)
		return errf(-errno, "cannot find the folder of '%s': %m", path);
	/* It becomes part of commands and paths, where SCRATCH_MARK means something. */
	if (!text_is_clean(*ret, strlen(*ret), 0))
		return errf(-EINVAL, "the folder of '%s' has a name with control characters", path);
	return 0;
}

int scenario_read(const char *path, struct scenario **ret)
{
	_cleanup_(scenario_freep) struct scenario *s = calloc(1, sizeof(*s));
	_cleanup_(yaml_tree_freep) struct yaml_tree *tree = NULL;
	int err;

	if (!s || !(s->path = strdup(path)))
		return errf(-ENOMEM, "no memory to read '%s'", path);
	s->warmup = s->repeat = -1;
	s->ceilings.error_rate = NAN;
	err = file_read(path, YAML_MAX_BYTES, &s->text, &s->text_len);
	if (!err)
		err = folder_of(path, &s->folder);
	if (!err)
		err = yaml_tree_parse(path, s->text, s->text_len, &tree);
	if (!err)
		err = yaml_read_map(tree, tree->root, "a scenario", scenario_fields, s);
	if (!err)
		err = scenario_check(tree, s);
	if (err)
		return err;
	bytes_sha256(s->text, s->text_len, s->sha256);
	*ret = take(s);
	return 0;
}
