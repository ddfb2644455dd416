/* SPDX-License-Identifier: BSD-2-Clause */
/* fathom report: top functions, call tree, callers and callees of a profile. */
#include "user/cmd/cmd.h"

#include <errno.h>
#include <getopt.h>
#include <langinfo.h>
#include <locale.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/base/err.h"
#include "user/base/json_parts.h"
#include "user/base/str.h"
#include "user/cmd/time_options.h"
#include "user/export/load.h"
#include "user/export/memory_read.h"
#include "user/export/report_heading.h"
#include "user/export/report_json.h"
#include "user/export/report_latency.h"
#include "user/export/report_memory.h"
#include "user/export/report_text.h"
#include "user/export/summary_json.h"

#define ROWS_DEFAULT	   30
#define MIN_SHARE_DEFAULT  0.005
#define SUGGESTIONS	   5
#define SUGGESTION_MAX_LEN 120

struct options {
	const char *path;
	const char *collector, *value; /* NULL: the default */
	const char *function;	       /* NULL: not that mode */
	bool tree, json, by_total, quiet, no_color;
	bool has_rows, has_min, has_sort;
	unsigned int rows; /* 0: all */
	double min_share;
	bool has_range;
	struct time_range range;
	struct view view;
};

/* What is loaded, in the order in which it depends on each other. */
struct loaded {
	struct profile *profile;
	struct calltree *tree;
	struct recording *recording;
	struct folded_repairs repairs;
};

static void loaded_release(struct loaded *l)
{
	recording_free(l->recording);
	calltree_free(l->tree);
	profile_free(l->profile);
}

static int print_help(void)
{
	fputs("Usage: fathom report [OPTION]... RUN|FILE\n"
	      "\n"
	      "Shows where the time (or whatever was counted) went, from a run folder, a pprof "
	      "file\n"
	      "or a file of folded stacks ('-': standard input). Without a mode: the functions "
	      "with\n"
	      "the most time of their own.\n"
	      "\n"
	      "Modes:\n"
	      "      --tree             calls from the root down\n"
	      "      --function NAME    callers and callees of the function with exactly that "
	      "name\n"
	      "\n"
	      "Options:\n"
	      "  -n, --rows N           at most N rows, 0 for all (default 30; with --json all)\n"
	      "      --sort self|total  order of the functions (default self)\n"
	      "      --min PERCENT      leave smaller branches of the tree out (default 0.5; with\n"
	      "                         --json 0)\n"
	      "      --range FROM-TO    only what was sampled in this time since the start, as "
	      "2s-5s or\n"
	      "                         500ms-; of a recording with --timeline\n"
	      "      --value TYPE       the value type to show, of those that the file holds\n"
	      "  -c, --collector NAME   the collector to show, of those in the run folder\n"
	      "      --per-thread       tell threads apart, not only processes\n"
	      "      --with-pid         tell processes of the same name apart\n"
	      "      --no-comm          no process names\n"
	      "      --lines            tell the source lines of a function apart\n"
	      "      --json             as JSON, schema fathom.report/1\n"
	      "      --no-color         no colours (nor with NO_COLOR in the environment)\n"
	      "  -q, --quiet            no notes on standard error\n"
	      "  -h, --help             this text\n"
	      "\n"
	      "Examples:\n"
	      "  fathom report run                              the top of a recording\n"
	      "  fathom report --sort total -n 10 cpu.folded    ten functions that lead to the "
	      "most\n"
	      "  fathom report --tree --min 2 run               what is called from where, above 2 "
	      "%\n"
	      "  fathom report --function malloc run            who calls malloc, and what it "
	      "calls\n"
	      "  fathom report -c alloc --value inuse_space run whose memory is in use at the end\n"
	      "  zcat cpu.folded.gz | fathom report -           from another program\n"
	      "  fathom report --json run >report.json          for a program\n",
	      stdout);
	return EXIT_DONE;
}

enum { OPT_TREE = 256, OPT_FUNCTION, OPT_SORT, OPT_MIN, OPT_VALUE, OPT_PER_THREAD };
enum { OPT_WITH_PID = 300, OPT_NO_COMM, OPT_LINES, OPT_JSON, OPT_NO_COLOR, OPT_RANGE };

static const struct option long_options[] = {
	{ "tree", no_argument, NULL, OPT_TREE },
	{ "function", required_argument, NULL, OPT_FUNCTION },
	{ "rows", required_argument, NULL, 'n' },
	{ "sort", required_argument, NULL, OPT_SORT },
	{ "min", required_argument, NULL, OPT_MIN },
	{ "range", required_argument, NULL, OPT_RANGE },
	{ "value", required_argument, NULL, OPT_VALUE },
	{ "collector", required_argument, NULL, 'c' },
	{ "per-thread", no_argument, NULL, OPT_PER_THREAD },
	{ "with-pid", no_argument, NULL, OPT_WITH_PID },
	{ "no-comm", no_argument, NULL, OPT_NO_COMM },
	{ "lines", no_argument, NULL, OPT_LINES },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "no-color", no_argument, NULL, OPT_NO_COLOR },
	{ "quiet", no_argument, NULL, 'q' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

/* An option with a value that must be looked at. -EINVAL or -ERANGE with a sentence. */
static int set_value(struct options *o, int opt, const char *text)
{
	double percent;
	int err;

	switch (opt) {
	case 'n':
		o->has_rows = true;
		return parse_u32(text, "-n", 0, UINT32_MAX, &o->rows);
	case OPT_MIN:
		err = parse_double(text, "--min", 0, 100, &percent);
		if (err)
			return err;
		o->has_min = true;
		o->min_share = percent / 100;
		return 0;
	case OPT_RANGE:
		o->has_range = true;
		return parse_time_range(text, "--range", &o->range);
	default: /* OPT_SORT */
		if (strcmp(text, "self") && strcmp(text, "total"))
			return errf(-EINVAL, "--sort wants 'self' or 'total', not '%s'", text);
		o->has_sort = true;
		o->by_total = !strcmp(text, "total");
		return 0;
	}
}

static void set_flag(struct options *o, int opt)
{
	o->tree |= opt == OPT_TREE;
	o->view.per_thread |= opt == OPT_PER_THREAD;
	o->view.with_pid |= opt == OPT_WITH_PID;
	o->view.no_comm |= opt == OPT_NO_COMM;
	o->view.with_lines |= opt == OPT_LINES;
	o->json |= opt == OPT_JSON;
	o->no_color |= opt == OPT_NO_COLOR;
	o->quiet |= opt == 'q';
}

/* NULL, or what is wrong. Options that would have no effect are refused: nobody relies on them. */
static const char *contradiction(const struct options *o, int n_files)
{
	if (!n_files)
		return "which run folder or file?";
	if (n_files > 1)
		return "one run folder or file at a time";
	if (o->tree && o->function)
		return "--tree and --function are two reports";
	if (o->has_min && !o->tree)
		return "--min goes with --tree";
	if (o->has_rows && o->tree)
		return "-n does not go with --tree; --min does";
	if (o->has_sort && (o->tree || o->function))
		return "--sort does not go with --tree or --function";
	return NULL;
}

/* One option; true, or false with the exit code after a message or the help. */
static bool take_option(struct options *o, int opt, int argc, char **argv, int *ret_code)
{
	switch (opt) {
	case 'n':
	case OPT_MIN:
	case OPT_SORT:
	case OPT_RANGE:
		if (!set_value(o, opt, optarg))
			return true;
		*ret_code = cmd_usage("report", "%s", err_text());
		return false;
	case OPT_FUNCTION:
		o->function = optarg;
		return true;
	case OPT_VALUE:
		o->value = optarg;
		return true;
	case 'c':
		o->collector = optarg;
		return true;
	case 'h':
		*ret_code = print_help();
		return false;
	case '?':
	case ':':
		*ret_code = cmd_bad_option("report", argc, argv, opt);
		return false;
	default:
		set_flag(o, opt);
		return true;
	}
}

/* True if there is a report to print, with o->path set; else the exit code. */
static bool parse(int argc, char **argv, struct options *o, int *ret_code)
{
	const char *wrong;
	int opt;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, ":n:c:qh", long_options, NULL)) != -1) {
		if (!take_option(o, opt, argc, argv, ret_code))
			return false;
	}
	wrong = contradiction(o, argc - optind);
	if (wrong) {
		*ret_code = cmd_usage("report", "%s", wrong);
		return false;
	}
	o->path = argv[optind];
	if (!o->has_rows)
		o->rows = o->json ? 0 : ROWS_DEFAULT;
	if (!o->has_min)
		o->min_share = o->json ? 0 : MIN_SHARE_DEFAULT;
	return true;
}

static void note(const struct options *o, const char *text)
{
	if (*text)
		cmd_note(o->quiet, "%s", text);
}

static bool is_folder(const char *path)
{
	struct stat st;

	return strcmp(path, "-") && !stat(path, &st) && S_ISDIR(st.st_mode);
}

/* Of a folder the first collector is shown: that there are others must not be missed. */
static void note_others(const struct options *o)
{
	const char *shown = o->collector ? NULL : profile_default_collector(o->path);
	char others[64], text[128];

	if (!shown)
		return;
	profile_other_collectors(o->path, shown, others, sizeof(others));
	if (!*others)
		return;
	snprintf(text, sizeof(text), "this is '%s'; also recorded: %s (-c shows them)", shown,
		 others);
	note(o, text);
}

static int load(struct options *o, struct loaded *l)
{
	char text[512];
	int err;

	err = profile_load(o->path, o->collector, &l->profile, &l->repairs);
	if (err)
		return err;
	folded_repairs_describe(&l->repairs, text, sizeof(text));
	note(o, text);
	note_others(o);
	if (o->has_range)
		err = timeline_cut(l->profile, &o->range);
	if (!err)
		err = timeline_drop(l->profile);
	if (err)
		return err;
	o->view.value = l->profile->default_value;
	if (o->value)
		err = profile_find_value_type(l->profile, o->value, &o->view.value);
	if (!err)
		err = calltree_new(l->profile, &o->view, &l->tree);
	return err;
}

/* What the folder says of the recording; a folder without it still has its profile. */
static void load_recording(const struct options *o, struct loaded *l)
{
	const char *collector = o->collector;
	int err;

	if (!is_folder(o->path))
		return;
	if (!collector)
		collector = profile_default_collector(o->path);
	if (!collector)
		return;
	err = recording_read(o->path, collector, &l->recording);
	if (err && err != -ENOMSG)
		note(o, err_text());
	else if (!err && json_is_object(l->recording->memory) &&
		 memory_read_stacks(o->path, collector, &l->recording->stacks))
		note(o, err_text());
}

/* Adds the quoted name unless it is there already, from another module. 1 if it was added. */
static int add_suggestion(struct str *names, const char *name)
{
	_cleanup_(str_release) struct str quoted = { 0 };

	if (str_addf(&quoted, "'%s'", name))
		return -ENOMEM;
	if (strstr(str_text(names), str_text(&quoted)))
		return 0;
	if (str_add(names, names->len ? ", " : "") || str_add(names, str_text(&quoted)))
		return -ENOMEM;
	return 1;
}

/* -ENOENT with a sentence that names what contains the text, the largest first. */
static int suggest(const struct calltree *tree, const char *function)
{
	_cleanup_(str_release) struct str names = { 0 };
	_cleanup_(top_freep) struct top *top = NULL;
	int err = top_new(tree, &top), n = 0;
	size_t i;

	if (err)
		return err;
	top_sort_by_total(top);
	for (i = 0; i < top->n && n < SUGGESTIONS; i++) {
		const char *name = top->rows[i].function;

		if (!*function || !strcasestr(name, function) || strlen(name) > SUGGESTION_MAX_LEN)
			continue;
		err = add_suggestion(&names, name);
		if (err < 0)
			return errf(err, "cannot look for names like '%s': no memory", function);
		n += err;
	}
	if (!n)
		return errf(-ENOENT, "no function is called '%s'", function);
	return errf(-ENOENT, "no function is called '%s'; what contains it: %s", function,
		    str_text(&names));
}

static struct report_style style_of(const struct options *o)
{
	struct report_style style = { .color = cmd_color(stdout, o->no_color) };
	struct winsize size;

	style.utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	if (isatty(STDOUT_FILENO) && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
		style.width = size.ws_col;
	return style;
}

/* --- the three modes, as text and as JSON ---------------------------------------------------- */

static int print_json(json_t *report, const struct loaded *l)
{
	_cleanup_(json_decrefp) json_t *owned = report;
	_cleanup_(freep) char *text = NULL;
	char sentence[512];
	uint64_t n = folded_repairs_describe(&l->repairs, sentence, sizeof(sentence));

	if (owned && !report_json_add_repairs(owned, n, sentence))
		text = json_text(owned);
	if (!text)
		return errf(-ENOMEM, "cannot write the report: no memory");
	fputs(text, stdout);
	return 0;
}

static int print_top(const struct options *o, const struct loaded *l, const struct report *r,
		     const struct report_style *style)
{
	_cleanup_(top_freep) struct top *top = NULL;
	int err = top_new(l->tree, &top);

	if (err)
		return err;
	if (o->by_total)
		top_sort_by_total(top);
	if (o->json)
		return print_json(report_json_top(r, top, o->rows, o->by_total ? "total" : "self"),
				  l);
	err = report_heading(r, style->color, stdout);
	/* These are of the whole recording. */
	if (!err && !r->range)
		err = report_latency(r->recording, style, stdout);
	if (!err && !r->range)
		err = report_memory(r, style, stdout);
	return err ? err : report_text_top(r, top, o->rows, style, stdout);
}

static int print_tree(const struct options *o, const struct loaded *l, const struct report *r,
		      const struct report_style *style)
{
	_cleanup_(report_tree_freep) struct report_tree *t = NULL;
	int err = report_tree_new(l->tree, o->min_share, &t);

	if (err)
		return err;
	if (o->json)
		return print_json(report_json_tree(r, t, o->min_share), l);
	err = report_heading(r, style->color, stdout);
	return err ? err : report_text_tree(r, t, o->min_share, style, stdout);
}

static int print_function(const struct options *o, const struct loaded *l, const struct report *r,
			  const struct report_style *style)
{
	_cleanup_(top_neighbours_freep) struct top_neighbours *n = NULL;
	int err = top_neighbours_new(l->tree, o->function, &n);

	if (err == -ENOENT)
		return suggest(l->tree, o->function);
	if (err)
		return err;
	if (o->json)
		return print_json(report_json_function(r, o->function, n, o->rows), l);
	err = report_heading(r, style->color, stdout);
	return err ? err : report_text_function(r, o->function, n, o->rows, style, stdout);
}

static int print_report(const struct options *o, const struct loaded *l)
{
	struct report_style style = style_of(o);
	struct report r = {
		.source = o->path,
		.profile = l->profile,
		.view = &o->view,
		.tree = l->tree,
		.recording = l->recording,
		.range = o->has_range ? &o->range : NULL,
	};

	if (o->function)
		return print_function(o, l, &r, &style);
	return o->tree ? print_tree(o, l, &r, &style) : print_top(o, l, &r, &style);
}

int cmd_report(int argc, char **argv)
{
	_cleanup_(loaded_release) struct loaded l = { 0 };
	struct options o = { 0 };
	int code, err;

	if (!parse(argc, argv, &o, &code))
		return code;
	setlocale(LC_CTYPE, ""); /* whether the terminal takes UTF-8 */
	err = load(&o, &l);
	if (err)
		return cmd_fail(err);
	load_recording(&o, &l);
	err = print_report(&o, &l);
	return err ? cmd_fail(err) : EXIT_DONE;
}
