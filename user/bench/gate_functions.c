/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/gate_functions.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/cleanup.h"
#include "user/base/err.h"

/* What is compared of a collector's values: CPU time rather than samples. */
static unsigned int value_of(const struct profile *p)
{
	static const char *const preferred[] = { "cpu", "alloc_space" };
	unsigned int i, k;

	for (k = 0; k < ARRAY_SIZE(preferred); k++) {
		for (i = 0; i < p->n_values; i++) {
			if (!strcmp(profile_string(p, p->value_types[i].type), preferred[k]))
				return i;
		}
	}
	return p->default_value;
}

static int costs_of(const struct gate_input *in, const struct gate_side *side,
		    const struct run_case *c, const char *collector, struct profile **ret_profile,
		    struct function_costs **ret)
{
	_cleanup_(freep) double *iterations = NULL;
	size_t n;
	int err = in->load(in->ctx, side, c, collector, ret_profile);

	if (err)
		return err;
	if (run_case_iterations(c, &iterations, &n))
		return errf(-ENOMEM, "no memory to compare functions");
	return function_costs_new(*ret_profile, value_of(*ret_profile), iterations, n, ret);
}

static int compare_functions(const struct gate_input *in, const struct gate_couple *couple,
			     const char *collector, struct functions_comparison **ret)
{
	_cleanup_(profile_freep) struct profile *before = NULL, *after = NULL;
	_cleanup_(function_costs_freep) struct function_costs *a = NULL, *b = NULL;
	const struct scenario *s = in->scenario;
	int err = costs_of(in, &in->before, couple->before, collector, &before, &a);

	if (!err)
		err = costs_of(in, &in->after, couple->after, collector, &after, &b);
	return err ? err
		   : functions_compare(a, b, in->profile, s ? s->components : NULL,
				       s ? s->n_components : 0, in->after.run->seed, ret);
}

/* Of a collector of one side; 0 if it has no such. */
static double loss_share(const struct run_case *c, const char *collector)
{
	size_t i;

	for (i = 0; i < json_array_size(c->collectors); i++) {
		const json_t *one = json_array_get(c->collectors, i);
		const json_t *ledger = json_object_get(one, "ledger");
		const char *name = json_string_value(json_object_get(one, "name"));

		if (name && !strcmp(name, collector))
			return json_number_value(json_object_get(ledger, "loss_share"));
	}
	return 0;
}

int gate_functions_add(const struct gate_input *in, const struct gate_couple *couple,
		       const json_t *collector, struct gate_case *ret)
{
	const char *name = json_string_value(json_object_get(collector, "name"));
	struct gate_functions *f = &ret->functions[ret->n_functions];
	int err;

	if (!name || ret->n_functions == GATE_MAX_COLLECTORS)
		return 0;
	f->collector = strdup(name);
	if (!f->collector)
		return -ENOMEM;
	ret->n_functions++;
	if (fmax(loss_share(couple->before, name), loss_share(couple->after, name)) >
	    in->profile->loss_share) {
		f->reason = strdup("too many events were lost");
		return f->reason ? 0 : -ENOMEM;
	}
	err = compare_functions(in, couple, name, &f->comparison);
	if (err == -ENOMEM)
		return err;
	if (err)
		f->reason = strdup(err_text());
	return err && !f->reason ? -ENOMEM : 0;
}
