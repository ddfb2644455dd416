/* SPDX-License-Identifier: BSD-2-Clause */
/* fathom flame: a flame graph of recordings, folded or pprof files. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "flamegraph/flamegraph.h"
#include "flamegraph/svg.h"
#include "user/base/array.h"
#include "user/base/err.h"
#include "user/base/str.h"
#include "user/cmd/cmd.h"
#include "user/export/load.h"
#include "user/model/calltree.h"
#include "user/model/profile.h"

#define DEFAULT_MIN_WIDTH 0.1 /* pixels */

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
	      "      --title TEXT       default: Flame Graph\n"
	      "      --subtitle TEXT    default: what the recording says of itself\n"
	      "      --width PIXELS     default: 1200, and the window's width in a browser\n"
	      "      --min-width PIXELS join frames narrower than this (0: none; default 0.1,\n"
	      "                         more if there were over 40,000 frames)\n"
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
		err = parse_u32(optarg, "--width", SVG_MIN_WIDTH, SVG_MAX_WIDTH, &o->width);
		break;
	case OPT_ICICLE:
		o->icicle = true;
		break;
	case OPT_MIN_WIDTH:
		err = parse_double(optarg, "--min-width", 0, SVG_MAX_WIDTH, &o->min_width);
		break;
	case OPT_VALUE:
		o->value = optarg;
		break;
	case OPT_RANGE:
		o->range_text = optarg;
		err = parse_time_range(optarg, "--range", &o->range);
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

static int draw(struct flame_options *o, const struct profile *p, FILE *out)
{
	_cleanup_(flame_layout_freep) struct flame_layout *layout = NULL;
	_cleanup_(calltree_freep) struct calltree *tree = NULL;
	_cleanup_(str_release) struct str origin = { 0 };
	unsigned int pixels = (o->width ? o->width : SVG_DEFAULT_WIDTH) - 2 * SVG_MARGIN;
	struct svg_options svg = {
		.title = o->title,
		.subtitle = o->subtitle,
		.width = o->width,
		.icicle = o->icicle,
	};
	int err;

	svg.value = profile_string(p, p->value_types[o->view.value].type);
	svg.unit = profile_string(p, p->value_types[o->view.value].unit);
	if (!svg.subtitle) {
		err = add_origin(p, o, &origin);
		if (err)
			return err;
		svg.subtitle = str_text(&origin);
	}
	err = calltree_new(p, &o->view, &tree);
	if (!err && o->min_width < 0)
		err = flame_layout_new_bounded(tree, DEFAULT_MIN_WIDTH / pixels, &layout);
	else if (!err)
		err = flame_layout_new(tree, o->min_width / pixels, &layout);
	return err ? err : svg_write(layout, &svg, out);
}

/* "DIR/.NAME.XXXXXX" for "DIR/NAME": a rename does not cross file systems. */
static int temporary_name(const char *path, struct str *out)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	int err = str_add_bytes(out, path, name - path);

	/* A name may be as long as the file system allows; this one must not be longer. */
	if (!err)
		err = str_addf(out, ".%.200s.XXXXXX", name);
	return err ? errf(err, "no memory for a file name") : 0;
}

static int draw_to_fd(struct flame_options *o, const struct profile *p, int fd)
{
	_cleanup_(fclosep) FILE *out = fdopen(fd, "w");
	int err;

	if (!out) {
		err = errf(-errno, "cannot write to '%s': %m", o->output);
		close(fd);
		return err;
	}
	err = draw(o, p, out);
	if (err)
		return err;
	/* A file system that is full may say so only here. */
	if (fclose(take(out)))
		return errf(-errno, "cannot write to '%s': %m", o->output);
	return 0;
}

/* The old file stays until the new one is whole. */
static int draw_to_new_file(struct flame_options *o, const struct profile *p)
{
	_cleanup_(str_release) struct str name = { 0 };
	mode_t mask;
	int fd, err;

	err = temporary_name(o->output, &name);
	if (err)
		return err;
	fd = mkostemp(name.data, O_CLOEXEC);
	if (fd < 0)
		return errf(-errno, "cannot write to the folder of '%s': %m", o->output);
	mask = umask(0);
	umask(mask);
	err = fchmod(fd, 0666 & ~mask) ? errf(-errno, "cannot write to '%s': %m", o->output) : 0;
	if (err)
		close(fd);
	else
		err = draw_to_fd(o, p, fd);
	if (!err && rename(name.data, o->output))
		err = errf(-errno, "cannot replace '%s': %m", o->output);
	if (err)
		unlink(name.data);
	return err;
}

static int draw_to_file(struct flame_options *o, const struct profile *p)
{
	struct stat st;
	int fd;

	if (lstat(o->output, &st)) {
		if (errno == ENOENT)
			return draw_to_new_file(o, p);
		return errf(-errno, "cannot write to '%s': %m", o->output);
	}
	if (S_ISREG(st.st_mode))
		return draw_to_new_file(o, p);
	if (S_ISDIR(st.st_mode))
		return errf(-EISDIR, "'%s' is a folder: name a file for the picture", o->output);
	/* Renaming over a link would replace the link, and following it may lead anywhere. */
	if (S_ISLNK(st.st_mode))
		return errf(-ELOOP, "'%s' is a symbolic link: name the file itself", o->output);
	/* A device or a pipe takes the bytes, it must not be replaced. */
	fd = open(o->output, O_WRONLY | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return errf(-errno, "cannot write to '%s': %m", o->output);
	return draw_to_fd(o, p, fd);
}

static int flame(struct flame_options *o, char **paths)
{
	_cleanup_(profile_freep) struct profile *p = NULL;
	int err = load(o, paths, &p);

	if (!err && o->range_text)
		err = timeline_cut(p, &o->range);
	if (err)
		return err;
	o->view.value = p->default_value;
	if (o->value)
		err = profile_find_value_type(p, o->value, &o->view.value);
	if (err)
		return err;
	return o->output ? draw_to_file(o, p) : draw(o, p, stdout);
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
