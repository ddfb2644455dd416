/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/scenario_parts.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/bench/pattern.h"
#include "user/bench/repetition.h"
#include "user/bench/run_files.h"
#include "user/bench/scenario_names.h"

static bool is_one_of(const char *const *names, size_t n, const char *name)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (!strcmp(names[i], name))
			return true;
	}
	return false;
}

/* Whether each case has a metric of that name. */
static bool is_builtin(const char *name)
{
	size_t i;

	for (i = 0; i < REPETITION_VALUES; i++) {
		if (!strcmp(repetition_metrics[i].name, name))
			return true;
	}
	return false;
}

static bool is_own_metric(const struct scenario *s, const char *name)
{
	size_t i;

	for (i = 0; i < s->n_metrics; i++) {
		if (!strcmp(s->metrics[i].name, name))
			return true;
	}
	return false;
}

static const struct yaml_item *at(const struct yaml_tree *t, const char *key)
{
	return yaml_find(t->root, key);
}

static const struct yaml_item *nth(const struct yaml_item *list, size_t i)
{
	const struct yaml_item *item = list->first;

	while (i--)
		item = item->next;
	return item;
}

/* No two items of a list of maps have the same name. */
static int check_distinct(const struct yaml_tree *t, const char *key)
{
	const struct yaml_item *list = at(t, key), *i, *k, *name;

	for (i = list ? list->first : NULL; i; i = i->next) {
		name = yaml_find(i, "name");
		for (k = list->first; k != i; k = k->next) {
			if (!strcmp(yaml_find(k, "name")->text, name->text))
				return yaml_error(t, name, "'%.64s' is here for the second time",
						  name->text);
		}
	}
	return 0;
}

/* --- what runs ----------------------------------------------------------------------------- */

static int check_variant_commands(const struct yaml_tree *t, const struct scenario *s)
{
	size_t i, n = 0;

	for (i = 0; i < s->n_variants; i++)
		n += !!s->variants[i].command;
	if (n && (s->subject.pid || s->subject.cgroup))
		return yaml_error(t, at(t, "variants"), "a running service has no command");
	if (!s->subject.command && !s->subject.pid && !s->subject.cgroup &&
	    (!n || n < s->n_variants))
		return yaml_error(
			t, t->root,
			"'command' is missing: a scenario has one of command, pid, cgroup");
	return 0;
}

/* A service that runs already has no output that could be seen, no start, and no end. */
static int check_service(const struct yaml_tree *t, const struct scenario *s)
{
	const struct yaml_item *where = at(t, s->subject.pid ? "pid" : "cgroup");
	size_t i;

	if (!s->duration_ns)
		return yaml_error(t, where, "'duration' is missing: a running service needs it");
	if (s->ready.kind != READY_NONE)
		return yaml_error(t, at(t, "ready"), "a running service is not waited for");
	if (s->oracle.is_given && !s->oracle.file)
		return yaml_error(t, at(t, "oracle"),
				  "'file' is missing: the stdout of a running "
				  "service is not seen");
	for (i = 0; i < s->n_metrics; i++) {
		if (!s->metrics[i].file)
			return yaml_error(t, nth(at(t, "metrics"), i),
					  "this metric needs a file: the stdout of a running "
					  "service is not seen");
	}
	return 0;
}

static int check_cgroup(const struct yaml_tree *t, const char *cgroup)
{
	size_t len = strlen(cgroup);

	if (cgroup[0] != '/' || strstr(cgroup, "/../") ||
	    (len >= 3 && !strcmp(cgroup + len - 3, "/..")))
		return yaml_error(t, at(t, "cgroup"), "cgroup is an absolute path without '..'");
	return 0;
}

static int check_subject(const struct yaml_tree *t, const struct scenario *s)
{
	const struct scenario_subject *subject = &s->subject;
	int err = check_variant_commands(t, s);

	if (err)
		return err;
	if (!!subject->command + !!subject->pid + !!subject->cgroup > 1)
		return yaml_error(t, at(t, subject->cgroup ? "cgroup" : "pid"),
				  "a scenario has one of command, pid, cgroup");
	if (subject->cgroup && (err = check_cgroup(t, subject->cgroup)))
		return err;
	if (subject->pid || subject->cgroup)
		return check_service(t, s);
	if (s->ready.stop && s->duration_ns)
		return yaml_error(t, at(t, "duration"),
				  "with 'stop' the repetition is over when it is ready: it has no "
				  "duration");
	return 0;
}

/* --- parameters ---------------------------------------------------------------------------- */

struct known {
	const struct scenario *s;
	const struct scenario_variant *variant; /* its parameters; NULL: those of all variants */
	bool without_variants;
};

static bool is_axis(const struct scenario *s, const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < s->n_matrix; i++) {
		if (!strncmp(s->matrix[i].name, name, len) && !s->matrix[i].name[len])
			return true;
	}
	return false;
}

static const char *is_known(void *ctx, const char *name, size_t len)
{
	const struct known *k = ctx;
	char copy[65];
	size_t i;

	if (len >= sizeof(copy))
		return NULL;
	memcpy(copy, name, len);
	copy[len] = '\0';
	if (!strcmp(copy, "variant"))
		return k->s->n_variants ? "" : NULL;
	if (scenario_name_is_reserved(copy) || is_axis(k->s, name, len))
		return "";
	if (k->without_variants || !k->s->n_variants)
		return NULL;
	if (k->variant)
		return scenario_pairs_find(&k->variant->parameters, name, len) ? "" : NULL;
	for (i = 0; i < k->s->n_variants; i++) {
		if (!scenario_pairs_find(&k->s->variants[i].parameters, name, len))
			return NULL;
	}
	return "";
}

static int check_names_in(const struct yaml_tree *t, const struct yaml_item *item, struct known *k)
{
	_cleanup_(str_release) struct str text = { 0 };
	const struct yaml_item *i;
	int err = 0;

	if (!item)
		return 0;
	if (item->kind == YAML_TEXT) {
		err = scenario_substitute(item->text, is_known, k, &text);
		return err == -EINVAL ? yaml_error(t, item, "%s", err_text()) : err;
	}
	for (i = item->first; i && !err; i = i->next)
		err = check_names_in(t, i, k);
	return err;
}

static int check_names(const struct yaml_tree *t, const struct scenario *s)
{
	static const char *const keys[] = { "command", "cgroup",      "workdir", "env",
					    "setup",   "teardown",    "ready",	 "verify",
					    "oracle",  "before_each", "metrics" };
	const struct yaml_item *variants = at(t, "variants"), *item;
	struct known k = { .s = s };
	size_t i;
	int err = 0;

	for (i = 0; i < ARRAY_SIZE(keys) && !err; i++)
		err = check_names_in(t, at(t, keys[i]), &k);
	for (i = 0; i < s->n_variants && !err; i++) {
		item = nth(variants, i);
		k.variant = &s->variants[i];
		k.without_variants = true;
		err = check_names_in(t, yaml_find(item, "parameters"), &k);
		k.without_variants = false;
		if (!err)
			err = check_names_in(t, yaml_find(item, "env"), &k);
		if (!err)
			err = check_names_in(t, yaml_find(item, "command"), &k);
		if (!err)
			err = check_names_in(t, yaml_find(item, "workdir"), &k);
	}
	return err;
}

static int check_parameter(const struct yaml_tree *t, const struct scenario *s,
			   const struct yaml_item *item, bool is_variants)
{
	const char *name = item->key->text;

	if (scenario_name_is_reserved(name))
		return yaml_error(t, item->key, "'%s' is a name that fathom itself gives a value",
				  name);
	if (is_variants && is_axis(s, name, strlen(name)))
		return yaml_error(t, item->key, "'%s' is a parameter of the matrix, too", name);
	return 0;
}

static int check_parameters(const struct yaml_tree *t, const struct scenario *s)
{
	const struct yaml_item *matrix = at(t, "matrix"), *variants = at(t, "variants"), *i, *p;
	size_t n = s->n_variants ? s->n_variants : 1;
	int err = 0;

	for (i = matrix ? matrix->first : NULL; i && !err; i = i->next) {
		err = check_parameter(t, s, i, false);
		n *= i->n;
		if (!err && n > SCENARIO_MAX_CASES)
			err = yaml_error(t, matrix, "there are more than %d cases",
					 SCENARIO_MAX_CASES);
	}
	if (!err && !matrix && n > SCENARIO_MAX_CASES)
		err = yaml_error(t, variants, "there are more than %d cases", SCENARIO_MAX_CASES);
	for (i = variants ? variants->first : NULL; i && !err; i = i->next) {
		p = yaml_find(i, "parameters");
		for (p = p ? p->first : NULL; p && !err; p = p->next)
			err = check_parameter(t, s, p, true);
	}
	return err;
}

/* --- metrics ------------------------------------------------------------------------------- */

static int check_metrics(const struct yaml_tree *t, const struct scenario *s)
{
	size_t i;
	int err = check_distinct(t, "metrics");

	for (i = 0; i < s->n_metrics && !err; i++) {
		if (is_builtin(s->metrics[i].name))
			err = yaml_error(
				t, yaml_find(nth(at(t, "metrics"), i), "name"),
				"every scenario has the metric '%s': give this one another "
				"name",
				s->metrics[i].name);
	}
	return err;
}

static int check_slo(const struct yaml_tree *t, const struct scenario *s)
{
	const struct yaml_item *map = at(t, "slo");
	size_t i;

	for (i = 0; i < s->n_slo; i++) {
		const char *name = s->slo[i].metric;

		if (!is_own_metric(s, name) && !is_builtin(name) &&
		    !is_one_of(run_stable_keys, RUN_STABLE_KEYS, name))
			return yaml_error(t, nth(map, i)->key, "there is no metric '%s'", name);
	}
	return 0;
}

static int check_gates(const struct yaml_tree *t, const struct scenario *s)
{
	const struct yaml_item *map = at(t, "gates");
	size_t i;

	for (i = 0; i < s->n_gates; i++) {
		const struct scenario_gate *g = &s->gates[i];

		if (!is_own_metric(s, g->metric) && !is_builtin(g->metric))
			return yaml_error(t, nth(map, i)->key, "there is no metric '%s'",
					  g->metric);
		if (g->min_effect > g->limit)
			return yaml_error(t, nth(map, i), "min_effect is above limit");
	}
	return 0;
}

/* A number, or one of the scenario's metrics. */
static int check_iterations(const struct yaml_tree *t, const struct scenario *s)
{
	const struct yaml_item *item = at(t, "iterations");
	char *end;
	double n;

	if (!item || is_own_metric(s, item->text))
		return 0;
	n = strtod(item->text, &end);
	if (item->text[strspn(item->text, "0123456789.")] || *end)
		return yaml_error(t, item,
				  "'%.64s' is neither a number nor a metric of this "
				  "scenario",
				  item->text);
	if (!(n > 0 && n <= 1e15))
		return yaml_error(t, item,
				  "iterations is out of range: it is above 0 and at most "
				  "10^15");
	return 0;
}

static int check_collectors(const struct yaml_tree *t)
{
	static const char *const known[] = { "cpu", "io", "file", "alloc", "pagefault", "kmem" };
	const struct yaml_item *list = at(t, "collectors"), *i;

	for (i = list ? list->first : NULL; i; i = i->next) {
		if (!is_one_of(known, ARRAY_SIZE(known), i->text))
			return yaml_error(t, i,
					  "there is no collector '%.64s': cpu, io, file, alloc, "
					  "pagefault, kmem",
					  i->text);
	}
	return 0;
}

int scenario_check(const struct yaml_tree *t, const struct scenario *s)
{
	int err = check_subject(t, s);

	if (!err)
		err = check_distinct(t, "variants");
	if (!err)
		err = check_parameters(t, s);
	if (!err)
		err = check_metrics(t, s);
	if (!err)
		err = check_distinct(t, "components");
	if (!err)
		err = check_slo(t, s);
	if (!err)
		err = check_gates(t, s);
	if (!err)
		err = check_iterations(t, s);
	if (!err)
		err = check_collectors(t);
	return err ? err : check_names(t, s);
}
