/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/cmd/diff_picture.h"

#include <math.h>
#include <string.h>

#include "flamegraph/differential.h"
#include "flamegraph/picture.h"
#include "user/base/err.h"
#include "user/base/replace.h"
#include "user/base/str.h"
#include "user/model/calltree.h"

/* While it is made. */
struct drawing_job {
	const struct diff_options *o;
	const struct difference_report *r;
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

static int make_tree(struct drawing_job *job, const struct difference_input *sides)
{
	struct view view = { .no_comm = diff_picture_has_no_comm(job->o, sides) };
	struct calltree *trees[DIFFERENCE_SIDES] = { 0 };
	struct differential_side both[DIFFERENCE_SIDES];
	int i, err = 0;

	for (i = 0; i < DIFFERENCE_SIDES && !err; i++) {
		view.value = sides[i].value;
		err = calltree_new(sides[i].profile, &view, &trees[i]);
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

/* Where the two come from: key and text, as the picture wants it. */
struct provenance {
	struct str texts[DIFFERENCE_SIDES];
	const char *pieces[DIFFERENCE_SIDES + 1][2];
	size_t n;
};

static void provenance_release(struct provenance *p)
{
	str_release(&p->texts[DIFFERENCE_BEFORE]);
	str_release(&p->texts[DIFFERENCE_AFTER]);
}

static int provenance_init(struct provenance *p, const struct difference_report *r)
{
	static const char *const keys[] = { "before", "after" };
	static const char *const noises[] = { NULL, "by the number of samples",
					      "as the gate judged it" };
	int i, err = 0;

	*p = (struct provenance){ 0 };
	for (i = 0; i < DIFFERENCE_SIDES && !err; i++) {
		err = difference_describe_side(r, i, &p->texts[i]);
		p->pieces[p->n][0] = keys[i];
		p->pieces[p->n++][1] = str_text(&p->texts[i]);
	}
	if (noises[r->significance]) {
		p->pieces[p->n][0] = "noise";
		p->pieces[p->n++][1] = noises[r->significance];
	}
	return err;
}

static int draw(void *arg, FILE *out)
{
	const struct drawing_job *job = arg;
	const struct diff_options *o = job->o;
	_cleanup_(provenance_release) struct provenance provenance;
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
	int err = provenance_init(&provenance, job->r);

	if (!err)
		err = describe(job->r, &subtitle);
	if (err)
		return errf(err, "no memory for the picture");
	options.subtitle = o->subtitle ? o->subtitle : str_text(&subtitle);
	options.provenance = (const char *const(*)[2])provenance.pieces;
	options.n_provenance = provenance.n;
	return picture_write(job->tree, &options, out);
}

int diff_picture_write(const struct diff_options *o, const struct difference_report *r,
		       const struct difference_input sides[DIFFERENCE_SIDES])
{
	struct drawing_job job = { .o = o, .r = r };
	int err = make_tree(&job, sides);

	if (!err)
		err = file_replace(o->output, "the picture", draw, &job);
	flame_tree_free(job.tree);
	return err;
}
