/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/cmd/diff_options.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "flamegraph/picture.h"
#include "user/base/array.h"
#include "user/base/err.h"
#include "user/cmd/cmd.h"

#define ROWS_DEFAULT   30
#define MAX_GROWTH_MAX 1e6 /* percent */

enum diff_option {
	OPT_SORT = 256,
	OPT_SCALE,
	OPT_CASE,
	OPT_VALUE,
	OPT_NOISE,
	OPT_GATE,
	OPT_MAX_GROWTH,
	OPT_NEGATE,
	OPT_NO_COMM,
	OPT_JSON,
	OPT_NO_COLOR,
	OPT_HTML,
	OPT_PANES,
	OPT_COLOR_BY,
	OPT_ICICLE,
	OPT_TITLE,
	OPT_SUBTITLE,
	OPT_WIDTH,
};

static const struct option long_options[] = {
	{ "rows", required_argument, NULL, 'n' },
	{ "sort", required_argument, NULL, OPT_SORT },
	{ "scale", required_argument, NULL, OPT_SCALE },
	{ "collector", required_argument, NULL, 'c' },
	{ "case", required_argument, NULL, OPT_CASE },
	{ "value", required_argument, NULL, OPT_VALUE },
	{ "noise", required_argument, NULL, OPT_NOISE },
	{ "gate", required_argument, NULL, OPT_GATE },
	{ "max-growth", required_argument, NULL, OPT_MAX_GROWTH },
	{ "negate", no_argument, NULL, OPT_NEGATE },
	{ "no-comm", no_argument, NULL, OPT_NO_COMM },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "no-color", no_argument, NULL, OPT_NO_COLOR },
	{ "output", required_argument, NULL, 'o' },
	{ "html", no_argument, NULL, OPT_HTML },
	{ "panes", required_argument, NULL, OPT_PANES },
	{ "color-by", required_argument, NULL, OPT_COLOR_BY },
	{ "icicle", no_argument, NULL, OPT_ICICLE },
	{ "title", required_argument, NULL, OPT_TITLE },
	{ "subtitle", required_argument, NULL, OPT_SUBTITLE },
	{ "width", required_argument, NULL, OPT_WIDTH },
	{ "quiet", no_argument, NULL, 'q' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int print_help(void)
{
	fputs("Usage: fathom diff [OPTION]... BEFORE AFTER\n\n"
	      "Lists the functions whose cost changed the most between two profiles, and draws the "
	      "two\n"
	      "as one flame graph: run folders, pprof files, folded stacks, or '-' for standard "
	      "input.\n\n"
	      "  -n, --rows N           at most N functions, 0 for all (default 30; with --json "
	      "all)\n"
	      "      --sort self|total  by what a function does itself, or with all it calls\n"
	      "      --scale HOW        what is compared (default share):\n"
	      "                         share     of all on its own side, in percent\n"
	      "                         second    per second that was recorded\n"
	      "                         absolute  amounts as they are\n"
	      "      --max-growth PERCENT\n"
	      "                         exit with 1 if a function itself grew by more than PERCENT "
	      "of\n"
	      "                         all that was counted before, or (not with shares) all did\n"
	      "      --gate GATE        a gate's folder, or its gate.json: what it did not find to "
	      "have\n"
	      "                         changed is noise\n"
	      "      --noise HOW        auto, samples or none: what too few samples cannot tell "
	      "from\n"
	      "                         chance is noise (default auto: where time was sampled)\n"
	      "  -c, --collector NAME   of run folders (default: cpu, or what there is)\n"
	      "      --case NAME        of scenarios' runs with several cases\n"
	      "      --value TYPE       of profiles with several values\n"
	      "      --json             for programs\n"
	      "      --no-color         no colours (nor with NO_COLOR in the environment)\n"
	      "  -q, --quiet            no notes on standard error\n"
	      "  -h, --help             this text\n\n"
	      "Picture:\n"
	      "  -o, --output FILE      write it there: an SVG, or HTML if the name says so\n"
	      "      --html             HTML whatever the name says\n"
	      "      --panes 1|2        both in one (default), or one above the other\n"
	      "      --color-by value|percent\n"
	      "                         of all (default), or of the frame's own before\n"
	      "      --negate           colours change places: what became less is red\n"
	      "      --icicle           root at the top\n"
	      "      --no-comm          no process names at the root\n"
	      "      --title TEXT, --subtitle TEXT, --width PIXELS\n\n"
	      "Examples:\n"
	      "  fathom diff old new                        two recordings\n"
	      "  fathom diff -o diff.svg old new            and a picture\n"
	      "  fathom diff --scale second --max-growth 2 old new || echo slower\n"
	      "  fathom gate run --baseline accepted; fathom diff --gate run.gate accepted run\n",
	      stdout);
	return EXIT_DONE;
}

/* The place of a word in a list; -EINVAL with a sentence. */
static int find_word(const char *text, const char *option, const char *const *words, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (!strcmp(text, words[i]))
			return (int)i;
	}
	if (n == 2)
		return errf(-EINVAL, "%s wants '%s' or '%s', not '%s'", option, words[0], words[1],
			    text);
	return errf(-EINVAL, "%s wants '%s', '%s' or '%s', not '%s'", option, words[0], words[1],
		    words[2], text);
}

/* An option with a value that must be looked at. 0 or -errno with a sentence. */
static int set_value(struct diff_options *o, int c)
{
	static const char *const sorts[] = { "self", "total" };
	static const char *const noises[] = { "auto", "samples", "none" };
	static const char *const colors[] = { "value", "percent" };
	double percent;
	int word, err;

	switch (c) {
	case 'n':
		o->has_rows = true;
		return parse_u32(optarg, "-n", 0, UINT32_MAX, &o->rows);
	case OPT_MAX_GROWTH:
		err = parse_double(optarg, "--max-growth", 0, MAX_GROWTH_MAX, &percent);
		if (!err)
			o->max_growth = percent / 100;
		return err;
	case OPT_PANES:
		return parse_u32(optarg, "--panes", 1, 2, &o->panes);
	case OPT_WIDTH:
		return parse_u32(optarg, "--width", PICTURE_MIN_WIDTH, PICTURE_MAX_WIDTH,
				 &o->width);
	case OPT_SORT:
		word = find_word(optarg, "--sort", sorts, ARRAY_SIZE(sorts));
		o->by_total = word == 1;
		break;
	case OPT_SCALE:
		word = find_word(optarg, "--scale", difference_scale_names,
				 ARRAY_SIZE(difference_scale_names));
		if (word >= 0)
			o->scale = (enum difference_scale)word;
		break;
	case OPT_NOISE:
		word = find_word(optarg, "--noise", noises, ARRAY_SIZE(noises));
		if (word >= 0)
			o->noise = (enum diff_noise)word;
		break;
	default: /* OPT_COLOR_BY */
		word = find_word(optarg, "--color-by", colors, ARRAY_SIZE(colors));
		o->delta_is_percent = word == 1;
		break;
	}
	return word < 0 ? word : 0;
}

static bool set_text(struct diff_options *o, int c)
{
	switch (c) {
	case 'c':
		o->collector = optarg;
		return true;
	case 'o':
		o->output = optarg;
		return true;
	case OPT_CASE:
		o->case_name = optarg;
		return true;
	case OPT_VALUE:
		o->value = optarg;
		return true;
	case OPT_GATE:
		o->gate = optarg;
		return true;
	case OPT_TITLE:
		o->title = optarg;
		return true;
	case OPT_SUBTITLE:
		o->subtitle = optarg;
		return true;
	default:
		return false;
	}
}

static void set_flag(struct diff_options *o, int c)
{
	o->is_negated |= c == OPT_NEGATE;
	o->no_comm |= c == OPT_NO_COMM;
	o->json |= c == OPT_JSON;
	o->no_color |= c == OPT_NO_COLOR;
	o->is_html |= c == OPT_HTML;
	o->is_icicle |= c == OPT_ICICLE;
	o->quiet |= c == 'q';
}

/* One option; true, or false with the exit code. */
static bool take_option(struct diff_options *o, int c, int argc, char **argv, int *ret_code)
{
	switch (c) {
	case 'h':
		*ret_code = print_help();
		return false;
	case '?':
	case ':':
		*ret_code = cmd_bad_option("diff", argc, argv, c);
		return false;
	case 'n':
	case OPT_SORT:
	case OPT_SCALE:
	case OPT_NOISE:
	case OPT_MAX_GROWTH:
	case OPT_PANES:
	case OPT_COLOR_BY:
	case OPT_WIDTH:
		if (!set_value(o, c))
			return true;
		*ret_code = cmd_usage("diff", "%s", err_text());
		return false;
	default:
		if (!set_text(o, c))
			set_flag(o, c);
		return true;
	}
}

static bool ends_in_html(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot && (!strcasecmp(dot, ".html") || !strcasecmp(dot, ".htm"));
}

/* NULL, or what is wrong. Options that would have no effect are refused: nobody relies on them. */
static const char *contradiction(const struct diff_options *o, int n_files)
{
	if (n_files != 2)
		return "name two: what was before, and what is after";
	if (o->output && (!*o->output || !strcmp(o->output, "-")))
		return "-o wants the name of a file: the table is on standard output";
	if (!o->output && (o->is_html || o->is_icicle || o->panes || o->title || o->subtitle ||
			   o->width || o->delta_is_percent || o->no_comm || o->is_negated))
		return "what is said of the picture goes with -o";
	if (o->gate && o->noise != NOISE_AUTO)
		return "--gate says what is noise; --noise does not go with it";
	if (o->case_name && strchr(o->case_name, '/'))
		return "--case wants the name of a case, without '/'";
	return NULL;
}

bool diff_options_parse(struct diff_options *o, int argc, char **argv, int *ret_code)
{
	const char *wrong;
	int c;

	*o = (struct diff_options){ .max_growth = NAN };
	opterr = 0;
	optind = 1;
	while ((c = getopt_long(argc, argv, ":n:c:o:qh", long_options, NULL)) != -1) {
		if (!take_option(o, c, argc, argv, ret_code))
			return false;
	}
	wrong = contradiction(o, argc - optind);
	if (!wrong && !strcmp(argv[optind], "-") && !strcmp(argv[optind + 1], "-"))
		wrong = "standard input can be read only once";
	if (wrong) {
		*ret_code = cmd_usage("diff", "%s", wrong);
		return false;
	}
	o->paths[0] = argv[optind];
	o->paths[1] = argv[optind + 1];
	if (!o->has_rows)
		o->rows = o->json ? 0 : ROWS_DEFAULT;
	if (!o->panes)
		o->panes = 1;
	o->is_html |= o->output && ends_in_html(o->output);
	return true;
}
