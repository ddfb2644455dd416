/* SPDX-License-Identifier: BSD-2-Clause */
/* fathom run: a scenario, measured and profiled, into a run folder. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/cleanup.h"
#include "user/base/err.h"
#include "user/bench/run_files.h"
#include "user/cmd/cmd.h"
#include "user/cmd/scenario_options.h"

enum run_option { OPT_FORCE = SCENARIO_OPTION_LAST, OPT_JSON, OPT_CHECK, OPT_ANNOTATE };

static const struct option long_options[] = {
	SCENARIO_LONG_OPTIONS,
	{ "output", required_argument, NULL, 'o' },
	{ "force", no_argument, NULL, OPT_FORCE },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "check", no_argument, NULL, OPT_CHECK },
	{ "annotate", required_argument, NULL, OPT_ANNOTATE },
	{ "quiet", no_argument, NULL, 'q' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

struct run_options {
	struct scenario_options scenario;
	const char *folder; /* NULL: named by the time */
	bool force, json, check, annotates;
};

static int print_help(void)
{
	fputs("Usage: fathom run [OPTION]... SCENARIO.yaml\n\n"
	      "Runs a scenario: measures it without probes, then profiles it, and leaves a "
	      "folder.\n\n"
	      "  -o, --output DIR           the folder (default: SCENARIO-<date>-<time>)\n"
	      "      --force                replace an old run folder\n"
	      "      --check                only read the scenario, and list its cases\n"
	      "      --json                 print summary.json\n"
	      "      --annotate github      tell a GitHub workflow what failed\n"
	      "  -q, --quiet                no progress\n\n" SCENARIO_OPTIONS_HELP "\nExamples:\n"
	      "  fathom run scenarios/cpu-bound.yaml --profile smoke --matrix size=small\n"
	      "  fathom run scenarios/startup.yaml -o tonight && fathom gate tonight\n",
	      stdout);
	return EXIT_DONE;
}

static int parse_option(struct run_options *o, int c, int argc, char **argv)
{
	int err = scenario_option(&o->scenario, c, optarg);

	if (err <= 0)
		return err ? cmd_usage("run", "%s", err_text()) : EXIT_DONE;
	switch (c) {
	case 'o':
		o->folder = optarg;
		return EXIT_DONE;
	case OPT_FORCE:
		o->force = true;
		return EXIT_DONE;
	case OPT_JSON:
		o->json = true;
		return EXIT_DONE;
	case OPT_CHECK:
		o->check = true;
		return EXIT_DONE;
	case OPT_ANNOTATE:
		if (strcmp(optarg, "github"))
			return cmd_usage("run", "--annotate knows 'github', not '%s'", optarg);
		o->annotates = true;
		return EXIT_DONE;
	case 'q':
		o->scenario.request.quiet = true;
		return EXIT_DONE;
	default:
		return cmd_bad_option("run", argc, argv, c);
	}
}

static int parse(struct run_options *o, int argc, char **argv, bool *ret_help)
{
	int c, code = EXIT_DONE;

	opterr = 0;
	while (code == EXIT_DONE &&
	       (c = getopt_long(argc, argv, ":o:qh", long_options, NULL)) != -1) {
		if (c == 'h') {
			*ret_help = true;
			return print_help();
		}
		code = parse_option(o, c, argc, argv);
	}
	if (code != EXIT_DONE)
		return code;
	if (optind + 1 != argc)
		return cmd_usage("run", optind == argc ? "no scenario is given"
						       : "more than one scenario is given");
	o->scenario.request.path = argv[optind];
	return EXIT_DONE;
}

static void list_cases(const struct scenario_run *run)
{
	size_t i;

	for (i = 0; i < run->cases->n; i++)
		printf("%s\n",
		       *run->cases->list[i].name ? run->cases->list[i].name : run->scenario->name);
}

static int run_and_write(struct scenario_run *run, const struct run_options *o, const char *folder,
			 int argc, char **argv)
{
	_cleanup_(run_folder_freep) struct run_folder *rf = NULL;
	int err = run_folder_new(folder, o->force, &rf), code;

	if (err)
		return cmd_fail(err);
	code = scenario_run_go(run);
	if (code != EXIT_DONE)
		return code;
	err = scenario_run_write(run, rf);
	if (!err)
		err = scenario_run_manifest(run, rf, argc, argv);
	if (!err)
		err = run_folder_finish(rf);
	if (err)
		return cmd_fail_environment();
	if (o->annotates)
		run_annotations_write(run->result, run->scenario, run->scenario->path,
				      o->json ? stderr : stdout);
	if (o->json)
		code = cmd_print_json(run_summary_json(run->result, run->scenario))
			       ? cmd_fail_environment()
			       : EXIT_DONE;
	else
		printf("%s\n", folder);
	return code == EXIT_DONE ? scenario_run_verdict(run) : code;
}

static int run_scenario(struct scenario_run *run, const struct run_options *o, int argc,
			char **argv)
{
	_cleanup_(freep) char *by_time = NULL;

	if (o->check) {
		list_cases(run);
		return EXIT_DONE;
	}
	if (o->folder)
		return run_and_write(run, o, o->folder, argc, argv);
	by_time = cmd_name_by_time(run->scenario->name);
	return by_time ? run_and_write(run, o, by_time, argc, argv)
		       : cmd_fail(errf(-ENOMEM, "no memory for the folder's name"));
}

int cmd_run(int argc, char **argv)
{
	struct scenario_run run = { 0 };
	struct run_options o = { 0 };
	bool wants_help = false;
	int code;

	scenario_options_init(&o.scenario);
	code = parse(&o, argc, argv, &wants_help);
	if (code == EXIT_DONE && !wants_help)
		code = scenario_run_prepare(&run, &o.scenario.request);
	if (code == EXIT_DONE && !wants_help)
		code = run_scenario(&run, &o, argc, argv);
	scenario_run_release(&run);
	scenario_options_release(&o.scenario);
	return code;
}
