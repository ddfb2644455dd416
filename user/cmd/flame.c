/* SPDX-License-Identifier: BSD-2-Clause */
/* fathom flame: a flame graph of recordings, folded or pprof files. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "flamegraph/flame_extract.h"
#include "flamegraph/flame_profile.h"
#include "flamegraph/flame_reverse.h"
#include "flamegraph/flame_settings.h"
#include "flamegraph/folded_picture.h"
#include "flamegraph/picture.h"
#include "flamegraph/time_heatmap.h"
#include "user/base/err.h"
#include "user/base/replace.h"
#include "user/base/str.h"
#include "user/cmd/cmd.h"
#include "user/cmd/profile_provenance.h"
#include "user/cmd/time_options.h"
#include "user/export/load.h"
#include "user/model/profile.h"

struct flame_options {
	struct flame_settings settings; /* what flamegraph(1) has, too */
	const char *collector;
	const char *value; /* name of a value type, NULL: the profile's default */
	struct view view;
	bool is_heatmap;
	const char *range_text; /* NULL: all */
	struct time_range range;
	int n_files;
	char sum[64];		 /* subtitle of several files */
	struct provenance parts; /* what each of several recordings says of itself */
};

enum own_option {
	OPT_VALUE = 256,
	OPT_RANGE,
	OPT_HEATMAP,
	OPT_PER_THREAD,
	OPT_WITH_PID,
	OPT_NO_COMM,
	OPT_NO_COLOR,
};

static const struct option own_options[] = {
	{ "collector", required_argument, NULL, 'c' },
	{ "help", no_argument, NULL, 'h' },
	{ "value", required_argument, NULL, OPT_VALUE },
	{ "range", required_argument, NULL, OPT_RANGE },
	{ "heatmap", no_argument, NULL, OPT_HEATMAP },
	{ "per-thread", no_argument, NULL, OPT_PER_THREAD },
	{ "with-pid", no_argument, NULL, OPT_WITH_PID },
	{ "no-comm", no_argument, NULL, OPT_NO_COMM },
	{ "no-color", no_argument, NULL, OPT_NO_COLOR },
	{ NULL, 0, NULL, 0 },
};

static int print_help(void)
{
	printf("Usage: fathom flame [OPTION]... FILE...\n\n"
	       "Draws a flame graph of FILE: a run folder, a pprof file, folded stacks, or '-' "
	       "for\n"
	       "standard input. Several files are added up. The picture is one SVG file that "
	       "needs\n"
	       "nothing else; in a browser it zooms and searches.\n\n"
	       "  -c, --collector NAME   of a run folder: cpu, offcpu, alloc, io, file, "
	       "pagefault,\n"
	       "                         kmem\n"
	       "      --value TYPE       which of the profile's values, such as cpu or "
	       "inuse_space\n"
	       "      --range FROM-TO    only what was sampled in this time since the start, as "
	       "2s-5s or\n"
	       "                         500ms-; of recordings with --timeline, as the next one "
	       "is\n"
	       "      --heatmap          how many samples when: seconds from left to right, and "
	       "each\n"
	       "                         of them upwards\n"
	       "      --per-thread       a thread's name and TID at the root, not the process's\n"
	       "      --with-pid         and the PID\n"
	       "      --no-comm          neither\n"
	       "%s"
	       "  -h, --help             this text\n\n"
	       "Examples:\n"
	       "  fathom flame -o cpu.svg run            a recording\n"
	       "  fathom flame --icicle run1 run2 >b.svg two of them in one, root at the top\n"
	       "  perf script | stackcollapse-perf.pl | fathom flame - >perf.svg\n",
	       flame_settings_help);
	return EXIT_DONE;
}

/* 0, or the exit code + 1 of a run that ends here. */
static int parse_option(struct flame_options *o, int c, int argc, char **argv)
{
	switch (c) {
	case 'c':
		o->collector = optarg;
		return 0;
	case 'h':
		return print_help() + 1;
	case OPT_VALUE:
		o->value = optarg;
		return 0;
	case OPT_RANGE:
		o->range_text = optarg;
		if (!parse_time_range(optarg, "--range", &o->range))
			return 0;
		return cmd_usage("flame", "%s", err_text()) + 1;
	case OPT_HEATMAP:
		o->is_heatmap = true;
		return 0;
	case OPT_PER_THREAD:
		o->view.per_thread = true;
		return 0;
	case OPT_WITH_PID:
		o->view.with_pid = true;
		return 0;
	case OPT_NO_COMM:
		o->view.no_comm = true;
		return 0;
	case OPT_NO_COLOR: /* there is no colour to leave out, but every command takes it */
		return 0;
	case '?':
	case ':':
		return cmd_bad_option("flame", argc, argv, c) + 1;
	}
	if (flame_settings_take(&o->settings, c, optarg))
		return cmd_usage("flame", "%s", err_text()) + 1;
	return 0;
}

static void note_repairs(const struct flame_options *o, const char *path,
			 const struct folded_repairs *repairs)
{
	char text[512];

	if (folded_repairs_describe(repairs, text, sizeof(text)))
		cmd_note(o->settings.is_quiet, "'%s': %s", path, text);
}

/* --- profiles ------------------------------------------------------------------------------ */

/* Of a sum: each file, and what it is of. */
static int add_part(struct flame_options *o, const char *path, const struct profile *p)
{
	_cleanup_(str_release) struct str origin = { 0 };

	if (o->n_files == 1)
		return 0;
	if (profile_origin(p, &origin))
		return errf(-ENOMEM, "no memory for what a picture is of");
	if (!origin.len)
		return provenance_add(&o->parts, path, "%zu stacks", p->samples.n);
	return provenance_add(&o->parts, path, "%s", str_text(&origin));
}

static int load_one(struct flame_options *o, const char *path, struct profile **ret)
{
	_cleanup_(profile_freep) struct profile *p = NULL;
	struct folded_repairs repairs = { 0 };
	int err = profile_load(path, o->collector, &p, &repairs);

	if (err)
		return err;
	note_repairs(o, path, &repairs);
	err = add_part(o, path, p);
	if (!err)
		*ret = take(p);
	return err;
}

static int load(struct flame_options *o, char **paths, struct profile **ret)
{
	_cleanup_(profile_freep) struct profile *all = NULL;
	bool stdin_read = !strcmp(paths[0], "-");
	int i, err = load_one(o, paths[0], &all);

	for (i = 1; !err && i < o->n_files; i++) {
		_cleanup_(profile_freep) struct profile *p = NULL;

		if (!strcmp(paths[i], "-") && stdin_read)
			return errf(-EINVAL, "standard input can be read only once");
		stdin_read |= !strcmp(paths[i], "-");
		err = load_one(o, paths[i], &p);
		if (err)
			return err;
		err = profile_merge(all, p);
		if (err)
			return err_prefix(err, "cannot add '%s' to '%s'", paths[i], paths[0]);
	}
	if (!err)
		*ret = take(all);
	return err;
}

/* What the recording says of itself is not true of several in one. */
static int add_origin(const struct flame_options *o, const struct profile *p, struct str *out)
{
	int err = o->range_text ? str_addf(out, "%s of ", o->range_text) : 0;

	if (!err)
		err = o->n_files > 1 ? str_addf(out, "sum of %d files", o->n_files)
				     : profile_origin(p, out);
	return err ? errf(err, "no memory for the subtitle") : 0;
}

static int make_tree(const struct flame_options *o, const struct profile *p,
		     struct flame_tree **ret, struct flame_moments **ret_moments)
{
	_cleanup_(flame_tree_freep) struct flame_tree *tree = NULL;
	int err;

	if (o->settings.input.is_chart)
		return flame_chart_of_profile(p, &o->view, ret);
	if (!o->settings.input.is_reversed)
		return flame_tree_of_profile(p, &o->view, ret, ret_moments);
	err = flame_tree_of_profile(p, &o->view, &tree, NULL);
	return err ? err : flame_tree_reverse(tree, ret);
}

/* The first value is how many events there were. */
static int draw_heatmap(const struct flame_options *o, const struct profile *p,
			const char *subtitle, FILE *out)
{
	const struct heatmap_options options = {
		.title = o->settings.picture.title,
		.subtitle = subtitle,
		.width = o->settings.picture.width,
	};
	unsigned int value = o->value ? o->view.value : 0;
	const char *unit = profile_string(p, p->value_types[value].unit);

	if (strcmp(unit, "count") != 0)
		return errf(-EINVAL, "a heat map is of counts, but '%s' is in %s",
			    profile_string(p, p->value_types[value].type), unit);
	return time_heatmap_write(p, value, &options, out);
}

static int draw_flames(const struct flame_options *o, const struct profile *p,
		       const struct picture_options *options, FILE *out)
{
	_cleanup_(provenance_release) struct provenance own = { 0 };
	const struct provenance *provenance = o->n_files == 1 ? &own : &o->parts;
	_cleanup_(flame_moments_freep) struct flame_moments *moments = NULL;
	_cleanup_(flame_tree_freep) struct flame_tree *tree = NULL;
	struct picture_options picture = *options;
	int err = 0;

	picture.value = profile_string(p, p->value_types[o->view.value].type);
	picture.unit = profile_string(p, p->value_types[o->view.value].unit);
	if (o->n_files == 1)
		err = profile_provenance(p, o->settings.picture.subtitle, &own);
	if (!err)
		err = make_tree(o, p, &tree, &moments);
	if (err)
		return err;
	picture.provenance = (const char *const(*)[2])provenance->pairs;
	picture.n_provenance = provenance->n;
	picture.time = moments ? &moments->time : NULL;
	return picture_write(tree, &picture, out);
}

static int draw_profile(const struct flame_options *o, const struct profile *p, FILE *out)
{
	_cleanup_(str_release) struct str origin = { 0 };
	struct picture_options picture = o->settings.picture;
	int err = picture.subtitle ? 0 : add_origin(o, p, &origin);

	if (err)
		return err;
	if (origin.len)
		picture.subtitle = str_text(&origin);
	return o->is_heatmap ? draw_heatmap(o, p, picture.subtitle, out)
			     : draw_flames(o, p, &picture, out);
}

/* --- both kinds of input --------------------------------------------------------------------- */

/* What is to be drawn: one of the two. */
struct drawing_job {
	const struct flame_options *o;
	const struct profile *p;
	const struct folded_picture *folded;
};

static int draw_job(void *arg, FILE *out)
{
	const struct drawing_job *job = arg;

	return job->p ? draw_profile(job->o, job->p, out)
		      : folded_picture_write(job->folded, &job->o->settings, out);
}

static int draw(const struct drawing_job *job)
{
	const struct flame_settings *s = &job->o->settings;
	int err = s->output ? file_replace(s->output, "the picture", draw_job, (void *)job)
			    : draw_job((void *)job, stdout);

	return err ? err : flame_settings_save_map(s);
}

static int flame_profiles(struct flame_options *o, char **paths)
{
	_cleanup_(profile_freep) struct profile *p = NULL;
	int err;

	if (o->settings.input.factor || o->settings.input.encoding)
		return errf(-EINVAL, "--factor and --encoding are for folded stacks, which are "
				     "text");
	if (o->settings.input.is_chart && o->settings.input.is_reversed)
		return errf(-EINVAL, "--flamechart and --reverse are two orders");
	err = load(o, paths, &p);
	if (!err && o->range_text)
		err = timeline_cut(p, &o->range);
	if (err)
		return err;
	if (o->range_text && !p->samples.n)
		cmd_note(o->settings.is_quiet,
			 "no sample is in the range of time '%s': the picture is empty",
			 o->range_text);
	/* Threads run at the same time: each has a chart of its own. */
	o->view.per_thread |= o->settings.input.is_chart;
	o->view.value = p->default_value;
	if (o->value)
		err = profile_find_value_type(p, o->value, &o->view.value);
	return err ? err : draw(&(struct drawing_job){ .o = o, .p = p });
}

/* Text of any size becomes a tree at once; labels and other values it has none. */
static int flame_folded(struct flame_options *o, char **paths)
{
	struct picture_options *picture = &o->settings.picture;
	struct folded_picture folded;
	char text[512];
	int err = folded_picture_read(paths, o->n_files, &o->settings, &folded);

	if (err)
		return err;
	if (!picture->subtitle && o->n_files > 1) {
		snprintf(o->sum, sizeof(o->sum), "sum of %d files", o->n_files);
		picture->subtitle = o->sum;
	}
	if (folded_repairs_describe(&folded.repairs, text, sizeof(text)))
		cmd_note(o->settings.is_quiet, o->n_files == 1 ? "'%s': %s" : "'%s' and others: %s",
			 paths[0], text);
	if (folded.is_empty)
		err = errf(-EINVAL, "'%s' has no stack with a count", paths[0]);
	else
		err = draw(&(struct drawing_job){ .o = o, .folded = &folded });
	folded_picture_release(&folded);
	return err;
}

static bool all_are_folded(const struct flame_options *o, char **paths)
{
	int i, n_stdin = 0;

	for (i = 0; i < o->n_files; i++) {
		n_stdin += !strcmp(paths[i], "-");
		if (n_stdin > 1 || !profile_is_folded(paths[i]))
			return false;
	}
	/* Text has no times and no other values: what asks for these says so. */
	return !o->value && !o->range_text && !o->is_heatmap;
}

static int extract(const struct flame_options *o, char **paths)
{
	char text[256] = "";
	int err = flame_extract(paths, o->n_files, o->settings.is_json, o->settings.output, text,
				sizeof(text));

	if (*text)
		cmd_note(o->settings.is_quiet, "%s", text);
	return err;
}

static int flame(struct flame_options *o, char **paths)
{
	size_t bad;
	int err = flame_settings_close(&o->settings, &bad);

	if (err)
		return err;
	if (bad)
		cmd_note(o->settings.is_quiet, "%zu lines of palette.map were no colours", bad);
	if (o->settings.is_extract)
		return extract(o, paths);
	return all_are_folded(o, paths) ? flame_folded(o, paths) : flame_profiles(o, paths);
}

static int parse_options(struct flame_options *o, int argc, char **argv)
{
	struct option options[FLAME_SETTINGS_MAX];
	int c, end;

	flame_settings_options(own_options, options);
	opterr = 0;
	optind = 1;
	while ((c = getopt_long(argc, argv, ":c:o:qh", options, NULL)) != -1) {
		end = parse_option(o, c, argc, argv);
		if (end)
			return end;
	}
	if (optind >= argc)
		return cmd_usage("flame", "name a run folder or a file, or '-' for standard "
					  "input") +
		       1;
	if (o->is_heatmap && o->settings.input.is_chart)
		return cmd_usage("flame", "--flamechart and --heatmap are two pictures") + 1;
	o->n_files = argc - optind;
	return 0;
}

int cmd_flame(int argc, char **argv)
{
	struct flame_options o = { 0 };
	int end, err;

	flame_settings_init(&o.settings);
	end = parse_options(&o, argc, argv);
	if (end)
		return end - 1;
	err = flame(&o, argv + optind);
	flame_settings_release(&o.settings);
	provenance_release(&o.parts);
	/* A reader that has seen enough (head) is no failure of ours. */
	if (err == -EPIPE && !o.settings.output)
		return EXIT_DONE;
	return err ? cmd_fail(err) : EXIT_DONE;
}
