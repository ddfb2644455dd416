/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/cmd/diff_picture.h"

#include <math.h>
#include <string.h>

#include "flamegraph/differential.h"
#include "flamegraph/picture.h"
#include "user/base/err.h"
#include "user/base/replace.h"
#include "user/base/str.h"
#include "user/cmd/profile_provenance.h"
#include "user/model/calltree.h"

/* While it is made. */
struct drawing_job {
	const struct diff_options *o;
	const struct difference_report *r;
	const struct difference_input *in; /* by enum difference_side */
	struct flame_tree *tree;
};

/* The only process that a profile's samples are of; NULL if there are others, or none is known. */
static const char *only_process(const struct profile *p)
{
	const char *only = NULL;
	uint32_t i;

	for (i = 0; i < p->samples.n; i++) {
		const struct profile_label *label =
			profile_label(p, profile_sample_at(p, i)->labels, LABEL_PROCESS);
		const char *name = label ? profile_string(p, label->str) : "";

		if (!*name || (only && strcmp(only, name)))
			return NULL;
		only = name;
	}
	return only;
}

bool diff_picture_has_no_comm(const struct diff_options *o,
			      const struct difference_input sides[DIFFERENCE_SIDES])
{
	const char *before = only_process(sides[DIFFERENCE_BEFORE].profile);
	const char *after = only_process(sides[DIFFERENCE_AFTER].profile);

	return o->no_comm || (before && after && strcmp(before, after));
}

static bool judge(void *arg, const char *function, const char *module, double *ret_p)
{
	const struct difference_row *row = difference_find(arg, function, module);

	*ret_p = row ? row->p : NAN;
	return row && row->is_significant;
}

/* With shares, all before is as much as all after, so that amounts are those after. */
static double scale_of(const struct difference_report *r, enum difference_side side)
{
	const int64_t *all = r->d->all;

	if (r->scale != DIFFERENCE_SHARE)
		return r->d->scale[side];
	if (side == DIFFERENCE_AFTER || !all[DIFFERENCE_BEFORE] || !all[DIFFERENCE_AFTER])
		return 1;
	return (double)all[DIFFERENCE_AFTER] / (double)all[DIFFERENCE_BEFORE];
}

static int make_tree(struct drawing_job *job)
{
	struct view view = { .no_comm = diff_picture_has_no_comm(job->o, job->in) };
	struct calltree *trees[DIFFERENCE_SIDES] = { 0 };
	struct differential_side both[DIFFERENCE_SIDES];
	int i, err = 0;

	for (i = 0; i < DIFFERENCE_SIDES && !err; i++) {
		view.value = job->in[i].value;
		err = calltree_new(job->in[i].profile, &view, &trees[i]);
		both[i] = (struct differential_side){ trees[i], scale_of(job->r, i) };
	}
	if (!err)
		err = differential_new(&both[DIFFERENCE_BEFORE], &both[DIFFERENCE_AFTER],
				       job->r->d->is_judged ? judge : NULL, (void *)job->r->d,
				       &job->tree);
	calltree_free(trees[DIFFERENCE_BEFORE]);
	calltree_free(trees[DIFFERENCE_AFTER]);
	return err;
}

static int describe(const struct difference_report *r, struct str *out)
{
	double scale = scale_of(r, DIFFERENCE_BEFORE);
	int err = str_addf(out, "%s, ", r->value);

	if (!err)
		err = str_add(out, difference_scale_texts[r->scale]);
	if (!err && r->scale == DIFFERENCE_SHARE && scale != 1)
		err = str_addf(out, ": amounts before are times %.4g", scale);
	return err;
}

static int add_side(const struct difference_report *r, enum difference_side side,
		    const struct provenance *own, const struct provenance *other,
		    struct provenance *out)
{
	_cleanup_(str_release) struct str text = { 0 };
	int err = difference_describe_side(r, side, &text);

	if (err)
		return errf(err, "no memory for the picture");
	return provenance_add_side(out, side == DIFFERENCE_BEFORE ? "before" : "after",
				   str_text(&text), own, other);
}

static int add_provenance(const struct drawing_job *job, struct provenance *out)
{
	static const char *const noises[] = { "", "by the number of samples",
					      "as the gate judged it" };
	_cleanup_(provenance_release) struct provenance before = { 0 }, after = { 0 };
	int err = profile_provenance(job->in[DIFFERENCE_BEFORE].profile, false, &before);

	if (!err)
		err = profile_provenance(job->in[DIFFERENCE_AFTER].profile, false, &after);
	if (!err)
		err = add_side(job->r, DIFFERENCE_BEFORE, &before, &after, out);
	if (!err)
		err = add_side(job->r, DIFFERENCE_AFTER, &after, &before, out);
	if (!err)
		err = provenance_add(out, "noise", "%s", noises[job->r->significance]);
	return err ? err : provenance_add_shared(out, &before, &after);
}

static int draw(void *arg, FILE *out)
{
	const struct drawing_job *job = arg;
	const struct diff_options *o = job->o;
	_cleanup_(provenance_release) struct provenance provenance = { 0 };
	_cleanup_(str_release) struct str subtitle = { 0 };
	struct picture_options options = {
		.title = o->title,
		.unit = job->r->unit,
		.value = job->r->value,
		.width = o->width,
		.min_width = -1,
		.is_icicle = o->is_icicle,
		.is_html = o->is_html,
		.is_negated = o->is_negated,
		.has_two_panes = o->panes == 2,
		.delta_is_percent = o->delta_is_percent,
	};
	int err = describe(job->r, &subtitle);

	if (err)
		return errf(err, "no memory for the picture");
	err = add_provenance(job, &provenance);
	if (err)
		return err;
	options.subtitle = o->subtitle ? o->subtitle : str_text(&subtitle);
	options.provenance = (const char *const(*)[2])provenance.pairs;
	options.n_provenance = provenance.n;
	return picture_write(job->tree, &options, out);
}

int diff_picture_write(const struct diff_options *o, const struct difference_report *r,
		       const struct difference_input sides[DIFFERENCE_SIDES])
{
	struct drawing_job job = { .o = o, .r = r, .in = sides };
	int err = make_tree(&job);

	if (!err)
		err = file_replace(o->output, "the picture", draw, &job);
	flame_tree_free(job.tree);
	return err;
}
