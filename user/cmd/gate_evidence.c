/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/cmd/gate_evidence.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flamegraph/differential.h"
#include "flamegraph/picture.h"
#include "flamegraph/provenance.h"
#include "user/base/array.h"
#include "user/base/err.h"
#include "user/cmd/profile_provenance.h"
#include "user/model/calltree.h"

/* One comparison of functions, and what its picture is drawn from. */
struct evidence {
	const struct gate_session *s;
	const struct gate_case *c;
	const struct gate_functions *f;
};

static const struct run_case *case_of(const struct gate_side *side, const char *name)
{
	size_t i;

	for (i = 0; i < side->run->n_cases; i++) {
		if (!strcmp(side->run->cases[i].name, name))
			return &side->run->cases[i];
	}
	return NULL;
}

/* How much all of its profiled repetitions did; the picture is per iteration. */
static double iterations_of(const struct run_case *c)
{
	_cleanup_(freep) double *v = NULL;
	double sum = 0;
	size_t n = 0, i;

	if (run_case_iterations(c, &v, &n))
		return 0;
	for (i = 0; i < n; i++)
		sum += v[i];
	return sum;
}

static int load_tree(const struct evidence *pic, const struct gate_side *side, const char *name,
		     struct calltree **ret, double *ret_scale, struct provenance *ret_own)
{
	const struct gate_input *in = &pic->s->input;
	_cleanup_(profile_freep) struct profile *p = NULL;
	const struct run_case *c = case_of(side, name);
	struct view view = { .no_comm = true };
	int err;

	if (!c || iterations_of(c) <= 0)
		return errf(-ENOENT, "there is no profile of '%s'", name);
	*ret_scale = 1 / iterations_of(c);
	err = in->load(in->ctx, side, c, pic->f->collector, &p);
	if (!err)
		err = profile_find_value_type(p, pic->f->comparison->value, &view.value);
	if (!err)
		err = profile_provenance(p, true, ret_own);
	return err ? err : calltree_new(p, &view, ret);
}

/* Grey is what the comparison did not find to have changed. */
static bool is_significant(void *arg, const char *function, const char *module, double *ret_p)
{
	const struct functions_comparison *f = ((const struct evidence *)arg)->f->comparison;
	size_t i;

	*ret_p = NAN;
	for (i = 0; i < f->n_changes; i++) {
		const struct function_change *one = &f->changes[i];

		if (strcmp(one->function, function) || strcmp(one->module, module))
			continue;
		*ret_p = one->p_adjusted;
		return one->class != FUNCTION_SAME;
	}
	return false;
}

/* What the profiles of the two sides say of themselves. */
struct origins {
	struct provenance before, after;
};

static void origins_release(struct origins *o)
{
	provenance_release(&o->before);
	provenance_release(&o->after);
}

/* "RUN: CASE" */
static int add_side(struct provenance *out, const char *key, const char *path, const char *name,
		    const struct provenance *own, const struct provenance *other)
{
	_cleanup_(str_release) struct str text = { 0 };

	if (str_addf(&text, "%s%s%s", path, *name ? ": " : "", name))
		return errf(-ENOMEM, "no memory for a flame graph");
	return provenance_add_side(out, key, str_text(&text), own, other);
}

static int add_provenance(const struct evidence *pic, const struct origins *origins,
			  struct provenance *out)
{
	const struct gate_result *g = pic->s->result;
	int err = add_side(out, "before", g->before_path, pic->c->before_name, &origins->before,
			   &origins->after);

	if (!err)
		err = add_side(out, "after", g->after_path, pic->c->after_name, &origins->after,
			       &origins->before);
	if (!err)
		err = provenance_add(out, "noise", "as the gate judged it");
	return err ? err : provenance_add_shared(out, &origins->before, &origins->after);
}

static int write_picture(const struct evidence *pic, const struct flame_tree *tree,
			 const struct origins *origins, FILE *out)
{
	const struct functions_comparison *f = pic->f->comparison;
	const struct gate_result *g = pic->s->result;
	_cleanup_(str_release) struct str title = { 0 }, subtitle = { 0 };
	_cleanup_(provenance_release) struct provenance provenance = { 0 };
	struct picture_options options = { .unit = f->unit, .value = f->value, .min_width = -1 };
	int err = str_addf(&title, "%s%s%s: what changed of %s", g->scenario,
			   *pic->c->cell ? " " : "", pic->c->cell, pic->f->collector);

	if (!err)
		err = str_addf(&subtitle, "%s per iteration, %zu pairs", f->value, f->n_pairs);
	if (err)
		return errf(err, "no memory for a flame graph");
	err = add_provenance(pic, origins, &provenance);
	if (err)
		return err;
	options.title = str_text(&title);
	options.subtitle = str_text(&subtitle);
	options.provenance = (const char *const(*)[2])provenance.pairs;
	options.n_provenance = provenance.n;
	return picture_write(tree, &options, out);
}

static int draw(const struct evidence *pic, const char *name, struct run_folder *rf)
{
	const struct gate_input *in = &pic->s->input;
	_cleanup_(calltree_freep) struct calltree *before = NULL, *after = NULL;
	_cleanup_(flame_tree_freep) struct flame_tree *tree = NULL;
	_cleanup_(origins_release) struct origins origins = { 0 };
	struct differential_side a = { 0 }, b = { 0 };
	FILE *out;
	int err = load_tree(pic, &in->before, pic->c->before_name, &before, &a.scale,
			    &origins.before);
	int close_err;

	if (!err)
		err = load_tree(pic, &in->after, pic->c->after_name, &after, &b.scale,
				&origins.after);
	if (err)
		return err;
	a.tree = before;
	b.tree = after;
	err = differential_new(&a, &b, is_significant, (void *)pic, &tree);
	if (!err)
		err = run_folder_open(rf, name, &out);
	if (err)
		return err;
	err = write_picture(pic, tree, &origins, out);
	close_err = run_folder_close(rf, out);
	return err ? err : close_err;
}

static int add_evidence(struct gate_case *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static int add_evidence(struct gate_case *c, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (c->n_evidence == ARRAY_SIZE(c->evidence))
		return 0;
	va_start(ap, fmt);
	n = vasprintf(&c->evidence[c->n_evidence], fmt, ap);
	va_end(ap);
	if (n < 0) {
		c->evidence[c->n_evidence] = NULL;
		return errf(-ENOMEM, "no memory for the evidence");
	}
	c->n_evidence++;
	return 0;
}

static int write_case(struct gate_session *s, struct gate_case *c, const char *folder,
		      struct run_folder *rf)
{
	size_t i;
	int err = 0;

	for (i = 0; i < c->n_functions && !err; i++) {
		const struct evidence pic = { s, c, &c->functions[i] };
		_cleanup_(str_release) struct str name = { 0 };

		if (!pic.f->comparison)
			continue;
		err = run_profile_name(c->after_name, pic.f->collector, &name);
		if (!err)
			err = str_add(&name, ".diff.svg");
		if (err)
			return errf(err, "no memory for the evidence");
		err = draw(&pic, str_text(&name), rf);
		if (!err)
			err = add_evidence(c, "%s/%s", folder, str_text(&name));
	}
	return err;
}

/* --- what to do next ------------------------------------------------------------------------- */

static int next(struct gate_result *g, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int next(struct gate_result *g, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&g->next_command, fmt, ap);
	va_end(ap);
	if (n < 0)
		g->next_command = NULL;
	return n < 0 ? errf(-ENOMEM, "no memory for the verdict") : 0;
}

/* A word of a command line, as a shell takes it. */
static int add_word(struct str *out, const char *word)
{
	int err = str_add(out, "'");

	for (; *word && !err; word++)
		err = *word == '\'' ? str_add(out, "'\\''") : str_add_bytes(out, word, 1);
	return err ? err : str_add(out, "'");
}

/* The function to look at first: that with the largest contribution in a case that regressed. */
static const struct function_change *
culprit(const struct gate_result *g, const struct gate_case **ret_case, const char **ret_collector)
{
	size_t i, k;

	for (i = 0; i < g->n_cases; i++) {
		for (k = 0; k < g->cases[i].n_functions; k++) {
			const struct gate_functions *f = &g->cases[i].functions[k];

			if (g->cases[i].verdict != VERDICT_REGRESSED || !f->comparison ||
			    !f->comparison->n_changes ||
			    (f->comparison->changes[0].class != FUNCTION_GROWN &&
			     f->comparison->changes[0].class != FUNCTION_NEW))
				continue;
			*ret_case = &g->cases[i];
			*ret_collector = f->collector;
			return &f->comparison->changes[0];
		}
	}
	return NULL;
}

/* The first comparison of functions of a case that regressed, where none is to blame. */
static const struct gate_functions *compared(const struct gate_result *g,
					     const struct gate_case **ret_case)
{
	size_t i, k;

	for (i = 0; i < g->n_cases; i++) {
		for (k = 0; k < g->cases[i].n_functions; k++) {
			if (g->cases[i].verdict != VERDICT_REGRESSED ||
			    !g->cases[i].functions[k].comparison)
				continue;
			*ret_case = &g->cases[i];
			return &g->cases[i].functions[k];
		}
	}
	return NULL;
}

static int next_after_regression(struct gate_result *g, const char *scenario)
{
	_cleanup_(str_release) struct str file = { 0 }, text = { 0 };
	const struct gate_case *c = NULL;
	const char *collector = NULL;
	const struct function_change *f = culprit(g, &c, &collector);
	const struct gate_functions *first = f ? NULL : compared(g, &c);
	int err;

	if (first)
		collector = first->collector;
	if (!collector) /* nothing was profiled */
		return next(g, "fathom run %s", scenario);
	err = run_profile_path(g->after_path, c->after_name, collector, &file);
	if (!err)
		err = add_word(&text, str_text(&file));
	if (!err)
		err = str_add(&text, f ? " --function " : " --tree");
	if (!err && f)
		err = add_word(&text, f->function);
	return err ? errf(err, "no memory for the verdict")
		   : next(g, "fathom report %s", str_text(&text));
}

static int choose_next(struct gate_session *s)
{
	struct gate_result *g = s->result;
	const char *path = s->o->run ? s->after->scenario_path : s->o->scenario.request.path;
	_cleanup_(str_release) struct str scenario = { 0 }, run = { 0 };

	if (add_word(&scenario, path ? path : "SCENARIO.yaml") ||
	    (s->o->run && add_word(&run, s->o->run)))
		return errf(-ENOMEM, "no memory for the verdict");
	if (g->verdict == VERDICT_REGRESSED)
		return next_after_regression(g, str_text(&scenario));
	if (g->exit_code == 0)
		return s->o->run ? next(g, "fathom baseline accept %s --note TEXT --by NAME",
					str_text(&run))
				 : 0;
	if (g->exit_code == 3) /* of another environment */
		return next(g, "fathom baseline list %s", g->scenario);
	/* More pairs help against noise; a machine that was disturbed is only to be asked again. */
	return next(g, "fathom %s%s %s", s->o->run ? "run" : "gate --ab",
		    g->exit_code == 4 && strncmp(g->reason, "host_", 5) ? " --profile release" : "",
		    str_text(&scenario));
}

int gate_evidence_write(struct gate_session *s, const char *folder, struct run_folder *rf)
{
	struct gate_result *g = s->result;
	size_t i;
	int err = 0;

	for (i = 0; i < g->n_cases && !err; i++)
		err = write_case(s, &g->cases[i], folder, rf);
	return err ? err : choose_next(s);
}
