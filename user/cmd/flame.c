/* SPDX-License-Identifier: BSD-2-Clause */
/* fathom flame: a flame graph of recordings, folded or pprof files. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "flamegraph/flame_profile.h"
#include "flamegraph/picture.h"
#include "flamegraph/time_heatmap.h"
#include "user/base/array.h"
#include "user/base/err.h"
#include "user/base/replace.h"
#include "user/base/str.h"
#include "user/cmd/cmd.h"
#include "user/cmd/time_options.h"
#include "user/export/load.h"
#include "user/model/profile.h"

struct flame_options {
	int n_files;
	const char *output; /* NULL: standard output */
	const char *title, *subtitle;
	const char *collector;
	const char *value; /* name of a value type, NULL: the profile's default */
	unsigned int width;
	double min_width; /* pixels; negative: as little as a browser shows at once */
	struct view view;
	bool icicle;
	bool is_chart;
	bool is_heatmap;
	bool quiet;
	const char *range_text; /* NULL: all */
	struct time_range range;
};

enum long_option {
	OPT_TITLE = 256,
	OPT_SUBTITLE,
	OPT_WIDTH,
	OPT_ICICLE,
	OPT_MIN_WIDTH,
	OPT_VALUE,
	OPT_RANGE,
	OPT_FLAMECHART,
	OPT_HEATMAP,
	OPT_PER_THREAD,
	OPT_WITH_PID,
	OPT_NO_COMM,
	OPT_NO_COLOR,
};

static const struct option long_options[] = {
	{ "collector", required_argument, NULL, 'c' },
	{ "output", required_argument, NULL, 'o' },
	{ "quiet", no_argument, NULL, 'q' },
	{ "help", no_argument, NULL, 'h' },
	{ "title", required_argument, NULL, OPT_TITLE },
	{ "subtitle", required_argument, NULL, OPT_SUBTITLE },
	{ "width", required_argument, NULL, OPT_WIDTH },
	{ "icicle", no_argument, NULL, OPT_ICICLE },
	{ "min-width", required_argument, NULL, OPT_MIN_WIDTH },
	{ "value", required_argument, NULL, OPT_VALUE },
	{ "range", required_argument, NULL, OPT_RANGE },
	{ "flamechart", no_argument, NULL, OPT_FLAMECHART },
	{ "heatmap", no_argument, NULL, OPT_HEATMAP },
	{ "per-thread", no_argument, NULL, OPT_PER_THREAD },
	{ "with-pid", no_argument, NULL, OPT_WITH_PID },
	{ "no-comm", no_argument, NULL, OPT_NO_COMM },
	{ "no-color", no_argument, NULL, OPT_NO_COLOR },
	{ NULL, 0, NULL, 0 },
};

static int print_help(void)
{
	fputs("Usage: fathom flame [OPTION]... FILE...\n\n"
	      "Draws a flame graph of FILE: a run folder, a pprof file, folded stacks, or '-' for\n"
	      "standard input. Several files are added up. The picture is one SVG file that needs\n"
	      "nothing else; in a browser it zooms and searches.\n\n"
	      "  -o, --output FILE      write there instead of to standard output\n"
	      "  -c, --collector NAME   of a run folder: cpu, offcpu, alloc, io, file, pagefault,\n"
	      "                         kmem\n"
	      "      --value TYPE       which of the profile's values, such as cpu or inuse_space\n"
	      "      --range FROM-TO    only what was sampled in this time since the start, as "
	      "2s-5s or\n"
	      "                         500ms-; of recordings with --timeline\n"
	      "      --flamechart       each thread's stacks in the order of time, from left to "
	      "right\n"
	      "      --heatmap          how many samples when: seconds from left to right, and "
	      "each\n"
	      "                         of them upwards; these two also of recordings with "
	      "--timeline\n"
	      "      --title TEXT       default: Flame Graph\n"
	      "      --subtitle TEXT    default: what the recording says of itself\n"
	      "      --width PIXELS     default: 1200, and the window's width in a browser\n"
	      "      --min-width PIXELS join frames narrower than this (0: none; default 0.1,\n"
	      "                         more if there were over 6,000 frames)\n"
	      "      --icicle           root at the top\n"
	      "      --per-thread       a thread's name and TID at the root, not the process's\n"
	      "      --with-pid         and the PID\n"
	      "      --no-comm          neither\n"
	      "  -q, --quiet            do not tell of input that had to be mended\n"
	      "  -h, --help             this text\n\n"
	      "Examples:\n"
	      "  fathom flame -o cpu.svg run            a recording\n"
	      "  fathom flame --icicle run1 run2 >b.svg two of them in one, root at the top\n"
	      "  perf script | stackcollapse-perf.pl | fathom flame - >perf.svg\n",
	      stdout);
	return EXIT_DONE;
}

/* 0, or the exit code + 1 of a run that ends here. */
static int parse_option(struct flame_options *o, int c, int argc, char **argv)
{
	int err = 0;

	switch (c) {
	case 'c':
		o->collector = optarg;
		break;
	case 'o':
		o->output = strcmp(optarg, "-") ? optarg : NULL;
		break;
	case 'q':
		o->quiet = true;
		break;
	case 'h':
		return print_help() + 1;
	case OPT_TITLE:
		o->title = optarg;
		break;
	case OPT_SUBTITLE:
		o->subtitle = optarg;
		break;
	case OPT_WIDTH:
		err = parse_u32(optarg, "--width", PICTURE_MIN_WIDTH, PICTURE_MAX_WIDTH, &o->width);
		break;
	case OPT_ICICLE:
		o->icicle = true;
		break;
	case OPT_MIN_WIDTH:
		err = parse_double(optarg, "--min-width", 0, PICTURE_MAX_WIDTH, &o->min_width);
		break;
	case OPT_VALUE:
		o->value = optarg;
		break;
	case OPT_RANGE:
		o->range_text = optarg;
		err = parse_time_range(optarg, "--range", &o->range);
		break;
	case OPT_FLAMECHART:
		o->is_chart = true;
		break;
	case OPT_HEATMAP:
		o->is_heatmap = true;
		break;
	case OPT_PER_THREAD:
		o->view.per_thread = true;
		break;
	case OPT_WITH_PID:
		o->view.with_pid = true;
		break;
	case OPT_NO_COMM:
		o->view.no_comm = true;
		break;
	case OPT_NO_COLOR: /* there is no colour to leave out, but every command takes it */
		break;
	default:
		return cmd_bad_option("flame", argc, argv, c) + 1;
	}
	return err ? cmd_usage("flame", "%s", err_text()) + 1 : 0;
}

static void tell_repairs(const char *path, const struct folded_repairs *repairs)
{
	char text[512];

	if (!folded_repairs_describe(repairs, text, sizeof(text)))
		return;
	errf(-EINVAL, "'%s': %s", path, text); /* replaces control characters in the path */
	fprintf(stderr, "fathom: note: %s\n", err_text());
}

static int load(const struct flame_options *o, char **paths, struct profile **ret)
{
	_cleanup_(profile_freep) struct profile *all = NULL;
	bool stdin_read = false;
	int i, err;

	for (i = 0; i < o->n_files; i++) {
		_cleanup_(profile_freep) struct profile *p = NULL;
		struct folded_repairs repairs = { 0 };

		if (!strcmp(paths[i], "-")) {
			if (stdin_read)
				return errf(-EINVAL, "standard input can be read only once");
			stdin_read = true;
		}
		err = profile_load(paths[i], o->collector, &p, &repairs);
		if (err)
			return err;
		if (!o->quiet)
			tell_repairs(paths[i], &repairs);
		if (!all) {
			all = take(p);
			continue;
		}
		err = profile_merge(all, p);
		if (err)
			return err_prefix(err, "cannot add '%s' to '%s'", paths[i], paths[0]);
	}
	*ret = take(all);
	return 0;
}

/*
 * What the recording says of itself: our own put their target, span, rate and losses into the
 * profile's first comment. It is not true of several in one.
 */
static int add_origin(const struct profile *p, const struct flame_options *o, struct str *out)
{
	const char *text = p->n_comments ? profile_string(p, p->comments[0]) : "";
	int err = o->range_text ? str_addf(out, "%s of ", o->range_text) : 0;

	if (!err && o->n_files > 1)
		err = str_addf(out, "sum of %d files", o->n_files);
	else if (!err)
		err = str_add_clean(out, text, strlen(text), 0);
	return err ? errf(err, "no memory for the subtitle") : 0;
}

/* What is counted: the first value is how many events there were. */
static int draw_heatmap(const struct flame_options *o, const struct profile *p,
			const char *subtitle, FILE *out)
{
	const struct profile_value_type *shown = &p->value_types[o->view.value];
	const struct heatmap_options options = {
		.title = o->title,
		.subtitle = subtitle,
		.width = o->width,
	};

	if (!o->value || !strcmp(profile_string(p, shown->unit), "count"))
		return time_heatmap_write(p, o->value ? o->view.value : 0, &options, out);
	return errf(-EINVAL, "a heat map is of counts, but '%s' is in %s", o->value,
		    profile_string(p, shown->unit));
}

static int draw_flames(const struct flame_options *o, const struct profile *p, const char *subtitle,
		       FILE *out)
{
	const struct profile_value_type *shown = &p->value_types[o->view.value];
	_cleanup_(flame_moments_freep) struct flame_moments *moments = NULL;
	_cleanup_(flame_tree_freep) struct flame_tree *tree = NULL;
	struct picture_options picture = {
		.title = o->title,
		.subtitle = subtitle,
		.value = profile_string(p, shown->type),
		.unit = profile_string(p, shown->unit),
		.width = o->width,
		.min_width = o->min_width,
		.is_icicle = o->icicle,
	};
	int err = o->is_chart ? flame_chart_of_profile(p, &o->view, &tree)
			      : flame_tree_of_profile(p, &o->view, &tree, &moments);

	if (err)
		return err;
	picture.time = moments ? &moments->time : NULL;
	return picture_write(tree, &picture, out);
}

static int draw(const struct flame_options *o, const struct profile *p, FILE *out)
{
	_cleanup_(str_release) struct str origin = { 0 };
	const char *subtitle = o->subtitle;
	int err;

	if (!subtitle) {
		err = add_origin(p, o, &origin);
		if (err)
			return err;
		subtitle = str_text(&origin);
	}
	return o->is_heatmap ? draw_heatmap(o, p, subtitle, out) : draw_flames(o, p, subtitle, out);
}

/* What is to be drawn, for file_replace(). */
struct drawing_job {
	struct flame_options *o;
	const struct profile *p;
};

static int draw_job(void *arg, FILE *out)
{
	const struct drawing_job *job = arg;

	return draw(job->o, job->p, out);
}

static int flame(struct flame_options *o, char **paths)
{
	_cleanup_(profile_freep) struct profile *p = NULL;
	int err = load(o, paths, &p);

	if (!err && o->range_text)
		err = timeline_cut(p, &o->range);
	if (err)
		return err;
	o->view.per_thread |= o->is_chart;
	o->view.value = p->default_value;
	if (o->value)
		err = profile_find_value_type(p, o->value, &o->view.value);
	if (err)
		return err;
	if (!o->output)
		return draw(o, p, stdout);
	return file_replace(o->output, "the picture", draw_job,
			    &(struct drawing_job){ .o = o, .p = p });
}

int cmd_flame(int argc, char **argv)
{
	struct flame_options o = { .min_width = -1 };
	int c, err;

	opterr = 0;
	optind = 1;
	while ((c = getopt_long(argc, argv, ":c:o:qh", long_options, NULL)) != -1) {
		err = parse_option(&o, c, argc, argv);
		if (err)
			return err - 1;
	}
	if (optind == argc)
		return cmd_usage("flame", "name a run folder or a file, or '-' for standard input");
	if (o.output && !*o.output)
		return cmd_usage("flame", "-o wants the name of a file");
	if (o.is_chart && o.is_heatmap)
		return cmd_usage("flame", "--flamechart and --heatmap are two pictures");
	o.n_files = argc - optind;
	err = flame(&o, argv + optind);
	/* A reader that has seen enough (head) is no failure of ours. */
	if (err == -EPIPE && !o.output)
		return EXIT_DONE;
	return err ? cmd_fail(err) : EXIT_DONE;
}
