/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/component_costs.h"

#include <errno.h>
#include <math.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/err.h"

struct matcher {
	regex_t *regexes;
	size_t n; /* that are compiled */
};

static void matcher_release(struct matcher *m)
{
	while (m->n)
		regfree(&m->regexes[--m->n]);
	free(m->regexes);
}

static int matcher_init(struct matcher *m, const struct scenario_component *components, size_t n)
{
	char why[128];
	int err;

	m->regexes = calloc(n + 1, sizeof(*m->regexes));
	if (!m->regexes)
		return -ENOMEM;
	for (; m->n < n; m->n++) {
		const struct scenario_component *c = &components[m->n];

		err = regcomp(&m->regexes[m->n], c->symbol, REG_EXTENDED | REG_NOSUB);
		if (err == REG_ESPACE)
			return -ENOMEM;
		if (err) {
			regerror(err, &m->regexes[m->n], why, sizeof(why));
			return errf(-EINVAL, "component '%s': '%s' is no regular expression: %s",
				    c->name, c->symbol, why);
		}
	}
	return 0;
}

/* The number of components if none matches. */
static size_t find_component(const struct matcher *m, const char *name)
{
	size_t i;

	for (i = 0; i < m->n; i++) {
		if (!regexec(&m->regexes[i], name, 0, NULL, 0))
			return i;
	}
	return m->n;
}

static void changes_free(struct component_change *changes, size_t n)
{
	size_t i;

	for (i = 0; changes && i < n; i++)
		free(changes[i].component);
	free(changes);
}

static double beyond_rounding(double left, double all)
{
	return fabs(left) > 1e-9 * fabs(all) ? left : 0;
}

static void sum(const struct function_rows *rows, const struct matcher *m,
		struct component_change *changes)
{
	double left_before = rows->all_before, left_after = rows->all_after;
	size_t i;

	for (i = 0; i < rows->n; i++) {
		const struct function_row *row = &rows->rows[i];
		size_t at;

		if (row->self_before == 0 && row->self_after == 0)
			continue;
		at = find_component(m, function_row_name(rows, row));
		changes[at].before += row->self_before;
		changes[at].after += row->self_after;
		left_before -= row->self_before;
		left_after -= row->self_after;
	}
	/* Stacks that have no function at all, so that all components add up to everything. */
	changes[m->n].before += beyond_rounding(left_before, rows->all_before);
	changes[m->n].after += beyond_rounding(left_after, rows->all_after);
	for (i = 0; i <= m->n; i++) {
		double all = rows->all_after - rows->all_before;

		changes[i].delta = changes[i].after - changes[i].before;
		changes[i].contribution = all != 0 ? changes[i].delta / all : NAN;
	}
}

int component_costs_new(const struct function_rows *rows,
			const struct scenario_component *components, size_t n_components,
			struct component_change **ret, size_t *ret_n)
{
	_cleanup_(matcher_release) struct matcher m = { 0 };
	struct component_change *changes;
	int err = matcher_init(&m, components, n_components);
	size_t i;

	if (err || !n_components)
		return err;
	changes = calloc(n_components + 1, sizeof(*changes));
	for (i = 0; changes && i <= n_components; i++) {
		changes[i].component = strdup(i < n_components ? components[i].name : "other");
		if (!changes[i].component) {
			changes_free(changes, n_components + 1);
			return -ENOMEM;
		}
	}
	if (!changes)
		return -ENOMEM;
	sum(rows, &m, changes);
	*ret = changes;
	*ret_n = n_components + 1;
	return 0;
}
