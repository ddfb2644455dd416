/* SPDX-License-Identifier: BSD-2-Clause */
/* fathom diff: what changed between two profiles. */
#include "user/cmd/cmd.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/err.h"
#include "user/base/json_parts.h"
#include "user/base/str.h"
#include "user/cmd/diff_options.h"
#include "user/cmd/diff_picture.h"
#include "user/cmd/diff_significance.h"
#include "user/cmd/run_profile.h"
#include "user/export/difference_report.h"
#include "user/export/load.h"

/* What is loaded, by enum difference_side. */
struct sides {
	struct profile *profiles[DIFFERENCE_SIDES];
	struct folded_repairs repairs[DIFFERENCE_SIDES];
	unsigned int values[DIFFERENCE_SIDES];
	struct difference_input in[DIFFERENCE_SIDES];
	struct difference *d;
};

static void sides_release(struct sides *s)
{
	difference_free(s->d);
	profile_free(s->profiles[DIFFERENCE_BEFORE]);
	profile_free(s->profiles[DIFFERENCE_AFTER]);
}

/* --- reading --------------------------------------------------------------------------------- */

static int load_one(const struct diff_options *o, const char *path, struct profile **ret,
		    struct folded_repairs *ret_repairs)
{
	_cleanup_(str_release) struct str file = { 0 };
	char text[512];
	int err;

	if (o->case_name &&
	    run_profile_path(path, o->case_name, o->collector ? o->collector : "cpu", &file))
		return errf(-ENOMEM, "no memory to read '%s'", path);
	err = profile_load(file.len ? str_text(&file) : path, file.len ? NULL : o->collector, ret,
			   ret_repairs);
	if (!err && folded_repairs_describe(ret_repairs, text, sizeof(text)))
		cmd_note(o->quiet, "'%s': %s", path, text);
	return err;
}

/* At different rates samples stand for different times. */
static bool rates_differ(const struct sides *s)
{
	uint64_t before = s->profiles[DIFFERENCE_BEFORE]->period_ns;
	uint64_t after = s->profiles[DIFFERENCE_AFTER]->period_ns;

	return before && after && before != after;
}

/* What both have of the same name. */
static const char *default_value(const struct sides *s)
{
	const struct profile *before = s->profiles[DIFFERENCE_BEFORE];
	const struct profile *after = s->profiles[DIFFERENCE_AFTER];
	const char *type = profile_string(before, before->value_types[before->default_value].type);
	unsigned int value;

	if (rates_differ(s) && !profile_find_value_type(before, "cpu", &value) &&
	    !profile_find_value_type(after, "cpu", &value))
		return "cpu";
	if (!profile_find_value_type(after, type, &value))
		return type;
	return profile_string(after, after->value_types[after->default_value].type);
}

/* The value type of both: as asked for, or the default of the first that both have. */
static int choose_values(const struct diff_options *o, struct sides *s)
{
	const char *type = o->value ? o->value : default_value(s);
	int i, err;

	for (i = 0; i < DIFFERENCE_SIDES; i++) {
		err = profile_find_value_type(s->profiles[i], type, &s->values[i]);
		if (err)
			return err_prefix(err, "'%s'", o->paths[i]);
	}
	return 0;
}

static const char *unit_of(const struct sides *s, enum difference_side side)
{
	const struct profile *p = s->profiles[side];

	return profile_string(p, p->value_types[s->values[side]].unit);
}

static int load(const struct diff_options *o, struct sides *s)
{
	int i, err;

	for (i = 0; i < DIFFERENCE_SIDES; i++) {
		err = load_one(o, o->paths[i], &s->profiles[i], &s->repairs[i]);
		if (err)
			return err;
	}
	err = choose_values(o, s);
	if (err)
		return err;
	if (strcmp(unit_of(s, DIFFERENCE_BEFORE), unit_of(s, DIFFERENCE_AFTER)))
		return errf(-EINVAL, "one side is in '%s', the other in '%s'",
			    unit_of(s, DIFFERENCE_BEFORE), unit_of(s, DIFFERENCE_AFTER));
	if (rates_differ(s) && o->scale != DIFFERENCE_SHARE &&
	    !strcmp(unit_of(s, DIFFERENCE_BEFORE), "count"))
		cmd_note(o->quiet,
			 "the sides were sampled at different rates: --value cpu compares time");
	return 0;
}

/* --- comparing ------------------------------------------------------------------------------- */

/* The value type that counts samples, if what is compared is them, or the time they stand for. */
static unsigned int samples_of(const struct diff_options *o, const struct sides *s,
			       enum difference_side side)
{
	const struct profile *p = s->profiles[side];
	bool is_count = !strcmp(unit_of(s, side), "count");
	unsigned int samples;

	if (o->noise == NOISE_SAMPLES && is_count)
		return s->values[side];
	if (o->noise == NOISE_NONE || o->gate || (!p->period_ns && o->noise == NOISE_AUTO) ||
	    profile_find_value_type(p, "samples", &samples) ||
	    strcmp(profile_string(p, p->value_types[samples].unit), "count"))
		return DIFFERENCE_NO_VALUE;
	if (samples != s->values[side] && strcmp(unit_of(s, side), "nanoseconds"))
		return DIFFERENCE_NO_VALUE;
	return samples;
}

static int judge(const struct diff_options *o, const struct sides *s, const char *value,
		 enum difference_significance *ret)
{
	_cleanup_(freep) char *text = NULL;
	int err;

	*ret = SIGNIFICANCE_NONE;
	if (o->gate) {
		err = diff_judge_by_gate(s->d, o, value, &text);
		if (err)
			return err;
		if (text)
			cmd_note(o->quiet, "%s", text);
		*ret = SIGNIFICANCE_GATE;
		return 0;
	}
	if (!s->d->all_samples[DIFFERENCE_BEFORE] || !s->d->all_samples[DIFFERENCE_AFTER]) {
		if (o->noise == NOISE_SAMPLES)
			return errf(-EINVAL, "there are no samples to count on both sides");
		return 0;
	}
	*ret = SIGNIFICANCE_SAMPLES;
	return diff_judge_by_samples(s->d, o->scale);
}

static int compare(const struct diff_options *o, struct sides *s, struct difference_report *r)
{
	struct difference_input *in = s->in;
	int i, err;

	for (i = 0; i < DIFFERENCE_SIDES; i++)
		in[i] = (struct difference_input){ s->profiles[i], s->values[i],
						   samples_of(o, s, i) };
	err = difference_new(&in[DIFFERENCE_BEFORE], &in[DIFFERENCE_AFTER], &s->d);
	if (!err)
		err = difference_set_scale(s->d, o->scale);
	if (err == -ENODATA) /* another option mends it */
		return errf(-EINVAL, "%s: compare with another --scale", err_text());
	if (err)
		return err;
	difference_sort(s->d, o->by_total);
	for (i = 0; i < DIFFERENCE_SIDES; i++) {
		if (s->d->negative[i])
			cmd_note(o->quiet,
				 "%" PRIu64 " samples of '%s' have values below 0: left out",
				 s->d->negative[i], r->sources[i]);
	}
	r->d = s->d;
	return judge(o, s, r->value, &r->significance);
}

/* --- telling --------------------------------------------------------------------------------- */

/* What the recording says of itself: our own put it into the profile's first comment. */
static const char *origin_of(const struct profile *p)
{
	return p->n_comments ? profile_string(p, p->comments[0]) : "";
}

static void describe(const struct diff_options *o, const struct sides *s,
		     struct difference_report *r)
{
	const struct profile *p = s->profiles[DIFFERENCE_BEFORE];
	char text[512];
	int i;

	*r = (struct difference_report){
		.scale = o->scale,
		.value = profile_string(p, p->value_types[s->values[DIFFERENCE_BEFORE]].type),
		.unit = unit_of(s, DIFFERENCE_BEFORE),
		.by_total = o->by_total,
		.rows = o->rows,
		.max_growth = o->max_growth,
	};
	for (i = 0; i < DIFFERENCE_SIDES; i++) {
		r->sources[i] = o->paths[i];
		r->origins[i] = origin_of(s->profiles[i]);
		r->repairs[i] = folded_repairs_describe(&s->repairs[i], text, sizeof(text));
	}
}

static int draw(const struct diff_options *o, const struct sides *s,
		const struct difference_report *r)
{
	if (!o->output)
		return 0;
	if (!o->no_comm && diff_picture_has_no_comm(o, s->in))
		cmd_note(
			o->quiet,
			"each side is of one process, of another name: the picture has no names of "
			"processes");
	return diff_picture_write(o, r, s->in);
}

static int exit_code(const struct difference_report *r)
{
	const char *verdict = difference_verdict(r);

	if (!verdict || !strcmp(verdict, "passed"))
		return EXIT_DONE;
	return !strcmp(verdict, "exceeded") ? EXIT_REGRESSION : EXIT_INCONCLUSIVE;
}

int cmd_diff(int argc, char **argv)
{
	_cleanup_(sides_release) struct sides s = { 0 };
	struct difference_report r;
	struct diff_options o;
	int code, err;

	if (!diff_options_parse(&o, argc, argv, &code))
		return code;
	err = load(&o, &s);
	if (err)
		return cmd_fail(err);
	describe(&o, &s, &r);
	err = compare(&o, &s, &r);
	if (err)
		return cmd_fail(err);
	err = draw(&o, &s, &r);
	if (err)
		return cmd_fail(err);
	err = o.json ? cmd_print_json(difference_json(&r))
		     : difference_text(&r, cmd_color(stdout, o.no_color), stdout);
	return err ? cmd_fail(err) : exit_code(&r);
}
