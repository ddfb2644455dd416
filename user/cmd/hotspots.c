/* SPDX-License-Identifier: BSD-2-Clause */
/* fathom hotspots: whether any function takes more than its share: a stop condition. */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/cleanup.h"
#include "user/base/err.h"
#include "user/base/json_parts.h"
#include "user/base/str.h"
#include "user/cmd/cmd.h"
#include "user/cmd/run_profile.h"
#include "user/export/load.h"
#include "user/model/calltree.h"
#include "user/model/top.h"

#define HOTSPOTS_SCHEMA "fathom.hotspots/1"

enum hotspots_option { OPT_MAX_SHARE = 256, OPT_CASE, OPT_VALUE, OPT_TOTAL, OPT_JSON };

static const struct option long_options[] = {
	{ "max-share", required_argument, NULL, OPT_MAX_SHARE },
	{ "collector", required_argument, NULL, 'c' },
	{ "case", required_argument, NULL, OPT_CASE },
	{ "value", required_argument, NULL, OPT_VALUE },
	{ "total", no_argument, NULL, OPT_TOTAL },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

struct hotspots_options {
	double max_share; /* percent; negative: not given */
	const char *path, *collector, *case_name, *value;
	bool by_total, json;
};

static int print_help(void)
{
	fputs("Usage: fathom hotspots --max-share PERCENT [OPTION]... RUN|FILE\n\n"
	      "Lists the functions that take more than their share. The exit status is 1 while "
	      "there\n"
	      "are any: a condition to stop at.\n\n"
	      "      --max-share PERCENT    of all that was counted\n"
	      "  -c, --collector NAME       of a run folder (default: cpu, or what there is)\n"
	      "      --case NAME            of a scenario's run with several cases\n"
	      "      --value TYPE           of a profile with several values\n"
	      "      --total                with all that a function calls, not by itself\n"
	      "      --json                 for programs\n\n"
	      "Examples:\n"
	      "  fathom hotspots run --max-share 20\n"
	      "  until fathom hotspots tonight --case small --max-share 15; do ./optimize; done\n",
	      stdout);
	return EXIT_DONE;
}

static int parse_option(struct hotspots_options *o, int c, int argc, char **argv)
{
	switch (c) {
	case OPT_MAX_SHARE:
		return parse_double(optarg, "--max-share", 0, 100, &o->max_share)
			       ? cmd_usage("hotspots", "%s", err_text())
			       : EXIT_DONE;
	case 'c':
		o->collector = optarg;
		return EXIT_DONE;
	case OPT_CASE:
		o->case_name = optarg;
		return EXIT_DONE;
	case OPT_VALUE:
		o->value = optarg;
		return EXIT_DONE;
	case OPT_TOTAL:
		o->by_total = true;
		return EXIT_DONE;
	case OPT_JSON:
		o->json = true;
		return EXIT_DONE;
	default:
		return cmd_bad_option("hotspots", argc, argv, c);
	}
}

static int parse(struct hotspots_options *o, int argc, char **argv, bool *ret_help)
{
	int c, code = EXIT_DONE;

	opterr = 0;
	while (code == EXIT_DONE &&
	       (c = getopt_long(argc, argv, ":c:h", long_options, NULL)) != -1) {
		if (c == 'h') {
			*ret_help = true;
			return print_help();
		}
		code = parse_option(o, c, argc, argv);
	}
	if (code != EXIT_DONE)
		return code;
	if (optind + 1 != argc)
		return cmd_usage("hotspots", "give one run folder or file");
	if (o->max_share < 0)
		return cmd_usage("hotspots", "--max-share is missing");
	o->path = argv[optind];
	return EXIT_DONE;
}

static int load(const struct hotspots_options *o, struct profile **ret)
{
	_cleanup_(str_release) struct str path = { 0 };
	struct folded_repairs repairs;

	if (!o->case_name)
		return profile_load(o->path, o->collector, ret, &repairs);
	if (strchr(o->case_name, '/'))
		return errf(-EINVAL, "'%s' is no name of a case", o->case_name);
	if (run_profile_path(o->path, o->case_name, o->collector ? o->collector : "cpu", &path))
		return errf(-ENOMEM, "no memory to read '%s'", o->path);
	return profile_load(str_text(&path), NULL, ret, &repairs);
}

static json_t *row_json(const struct top_row *row, int64_t all)
{
	return json_pack("{s:o, s:o, s:I, s:I, s:o, s:o}", "function",
			 json_part_text(row->function), "module", json_part_text(row->module),
			 "self", (json_int_t)row->self, "total", (json_int_t)row->total,
			 "self_share", json_part_share(row->self, all), "total_share",
			 json_part_share(row->total, all));
}

static int print_json(const struct hotspots_options *o, const struct profile *p, unsigned int value,
		      const struct top_row *rows, size_t n, int64_t all)
{
	json_t *list = json_array(), *json;
	size_t i;
	int bad = 0;

	for (i = 0; i < n; i++)
		bad |= json_array_append_new(list, row_json(&rows[i], all));
	json = json_pack("{s:s, s:s, s:f, s:b, s:s, s:s, s:I, s:o}", "schema", HOTSPOTS_SCHEMA,
			 "verdict", n ? "exceeded" : "passed", "max_share", o->max_share / 100,
			 "by_total", o->by_total, "value",
			 profile_string(p, p->value_types[value].type), "unit",
			 profile_string(p, p->value_types[value].unit), "all", (json_int_t)all,
			 "functions", list);
	if (bad) {
		json_decref(json);
		json = NULL;
	}
	if (cmd_print_json(json))
		return cmd_fail_environment();
	return n ? EXIT_REGRESSION : EXIT_DONE;
}

static void print_rows(const struct hotspots_options *o, const struct top_row *rows, size_t n,
		       int64_t all)
{
	size_t i;

	for (i = 0; i < n; i++)
		printf("%5.1f %%  %s%s%s\n",
		       100.0 * (o->by_total ? rows[i].total : rows[i].self) / all, rows[i].function,
		       *rows[i].module ? "  " : "", rows[i].module);
	if (!n)
		printf("no function takes more than %g %%\n", o->max_share);
}

static int hotspots(const struct hotspots_options *o)
{
	_cleanup_(profile_freep) struct profile *p = NULL;
	_cleanup_(calltree_freep) struct calltree *tree = NULL;
	_cleanup_(top_freep) struct top *top = NULL;
	struct view view = { 0 };
	int64_t all;
	size_t n = 0;
	int err = load(o, &p);

	if (!err)
		view.value = p->default_value;
	if (!err && o->value)
		err = profile_find_value_type(p, o->value, &view.value);
	if (!err)
		err = calltree_new(p, &view, &tree);
	if (!err)
		err = top_new(tree, &top);
	if (err)
		return cmd_fail(err);
	if (o->by_total)
		top_sort_by_total(top);
	all = top->total;
	if (all <= 0) {
		fprintf(stderr, "fathom: nothing was counted in '%s': there is nothing to judge\n",
			o->path);
		return EXIT_INCONCLUSIVE;
	}
	while (n < top->n &&
	       100.0 * (o->by_total ? top->rows[n].total : top->rows[n].self) / all > o->max_share)
		n++;
	if (o->json)
		return print_json(o, p, view.value, top->rows, n, all);
	print_rows(o, top->rows, n, all);
	return n ? EXIT_REGRESSION : EXIT_DONE;
}

int cmd_hotspots(int argc, char **argv)
{
	struct hotspots_options o = { .max_share = -1 };
	bool wants_help = false;
	int code = parse(&o, argc, argv, &wants_help);

	return code == EXIT_DONE && !wants_help ? hotspots(&o) : code;
}
