/* SPDX-License-Identifier: BSD-2-Clause */
/* fathom flame: a flame graph of recordings, folded or pprof files. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "flamegraph/flame_tree.h"
#include "flamegraph/picture.h"
#include "user/base/array.h"
#include "user/base/err.h"
#include "user/base/replace.h"
#include "user/base/str.h"
#include "user/cmd/cmd.h"
#include "user/export/load.h"
#include "user/model/calltree.h"
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
	bool icicle, html;
	bool quiet;
};

enum long_option {
	OPT_TITLE = 256,
	OPT_SUBTITLE,
	OPT_WIDTH,
	OPT_ICICLE,
	OPT_HTML,
	OPT_MIN_WIDTH,
	OPT_VALUE,
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
	{ "html", no_argument, NULL, OPT_HTML },
	{ "min-width", required_argument, NULL, OPT_MIN_WIDTH },
	{ "value", required_argument, NULL, OPT_VALUE },
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
	      "      --title TEXT       default: Flame Graph\n"
	      "      --subtitle TEXT    default: what the recording says of itself\n"
	      "      --width PIXELS     default: 1200, and the window's width in a browser\n"
	      "      --min-width PIXELS join frames narrower than this (0: none; default 0.1,\n"
	      "                         more if there were over 6,000 frames)\n"
	      "      --icicle           root at the top\n"
	      "      --html             a page of HTML with the same picture\n"
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
	case OPT_HTML:
		o->html = true;
		break;
	case OPT_MIN_WIDTH:
		err = parse_double(optarg, "--min-width", 0, PICTURE_MAX_WIDTH, &o->min_width);
		break;
	case OPT_VALUE:
		o->value = optarg;
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
static int add_origin(const struct profile *p, int n_files, struct str *out)
{
	const char *text = p->n_comments ? profile_string(p, p->comments[0]) : "";
	int err;

	if (n_files > 1)
		err = str_addf(out, "sum of %d files", n_files);
	else
		err = str_add_clean(out, text, strlen(text), 0);
	return err ? errf(err, "no memory for the subtitle") : 0;
}

static int draw(struct flame_options *o, const struct profile *p, FILE *out)
{
	_cleanup_(calltree_freep) struct calltree *stacks = NULL;
	_cleanup_(flame_tree_freep) struct flame_tree *tree = NULL;
	_cleanup_(str_release) struct str origin = { 0 };
	struct picture_options picture = {
		.title = o->title,
		.subtitle = o->subtitle,
		.width = o->width,
		.min_width = o->min_width,
		.is_icicle = o->icicle,
		.is_html = o->html,
	};
	int err;

	picture.value = profile_string(p, p->value_types[o->view.value].type);
	picture.unit = profile_string(p, p->value_types[o->view.value].unit);
	if (!picture.subtitle) {
		err = add_origin(p, o->n_files, &origin);
		if (err)
			return err;
		picture.subtitle = str_text(&origin);
	}
	err = calltree_new(p, &o->view, &stacks);
	if (!err)
		err = flame_tree_of_calltree(stacks, &tree);
	return err ? err : picture_write(tree, &picture, out);
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

	if (err)
		return err;
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
	o.n_files = argc - optind;
	err = flame(&o, argv + optind);
	/* A reader that has seen enough (head) is no failure of ours. */
	if (err == -EPIPE && !o.output)
		return EXIT_DONE;
	return err ? cmd_fail(err) : EXIT_DONE;
}
