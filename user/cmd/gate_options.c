/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/cmd/gate_options.h"

#include <stdio.h>
#include <string.h>

#include "user/base/err.h"
#include "user/cmd/cmd.h"

enum gate_option {
	OPT_AB = SCENARIO_OPTION_LAST,
	OPT_BASELINE,
	OPT_STORE,
	OPT_PRESET,
	OPT_BEFORE,
	OPT_AFTER,
	OPT_ACROSS,
	OPT_NO_RETRY,
	OPT_FORCE,
	OPT_JSON,
	OPT_ANNOTATE,
	OPT_NO_COLOR,
};

static const struct option long_options[] = {
	SCENARIO_LONG_OPTIONS,
	{ "ab", required_argument, NULL, OPT_AB },
	{ "baseline", required_argument, NULL, OPT_BASELINE },
	{ "store", required_argument, NULL, OPT_STORE },
	{ "preset", required_argument, NULL, OPT_PRESET },
	{ "before", required_argument, NULL, OPT_BEFORE },
	{ "after", required_argument, NULL, OPT_AFTER },
	{ "across", no_argument, NULL, OPT_ACROSS },
	{ "no-retry", no_argument, NULL, OPT_NO_RETRY },
	{ "output", required_argument, NULL, 'o' },
	{ "force", no_argument, NULL, OPT_FORCE },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "annotate", required_argument, NULL, OPT_ANNOTATE },
	{ "no-color", no_argument, NULL, OPT_NO_COLOR },
	{ "quiet", no_argument, NULL, 'q' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int print_help(void)
{
	fputs("Usage: fathom gate RUN [--baseline RUN|ID|NAME] [OPTION]...\n"
	      "       fathom gate --ab SCENARIO.yaml [OPTION]...\n\n"
	      "Judges a run against an accepted one, or two variants of a scenario that run in "
	      "turns.\n"
	      "The exit status is 0 if nothing is worse, 1 if something is, 4 if that cannot be "
	      "told.\n\n"
	      "      --baseline WHAT        a run folder, or an ID or a pinned name of the store\n"
	      "                             (default: the last accepted run of this machine)\n"
	      "      --store DIR            where accepted runs are (default: baselines)\n"
	      "      --across               compare runs of two environments\n"
	      "      --ab SCENARIO.yaml     run the two variants of this scenario, and judge them\n"
	      "      --before NAME          with --ab: which variant is the old one,\n"
	      "      --after NAME           and which the new one\n"
	      "      --preset NAME          limits of users' choice: alert-10, service\n"
	      "      --no-retry             do not run again what alerts\n"
	      "  -o, --output DIR           evidence (default: RUN.gate, or "
	      "SCENARIO-<date>-<time>)\n"
	      "      --force                replace an old folder\n"
	      "      --json                 print gate.json\n"
	      "      --annotate github      tell a GitHub workflow what is worse\n"
	      "      --no-color             no colours on a terminal\n"
	      "  -q, --quiet                no progress\n\n" SCENARIO_OPTIONS_HELP "\nExamples:\n"
	      "  fathom gate tonight --baseline stable --json\n"
	      "  fathom gate --ab scenarios/mixed.yaml --profile smoke --matrix size=small\n",
	      stdout);
	return EXIT_DONE;
}

static int parse_option(struct gate_options *o, int c, int argc, char **argv)
{
	int err = scenario_option(&o->scenario, c, optarg);

	o->has_profile |= c == OPT_PROFILE;
	if (err <= 0)
		return err ? cmd_usage("gate", "%s", err_text()) : EXIT_DONE;
	switch (c) {
	case OPT_AB:
		o->scenario.request.path = optarg;
		break;
	case OPT_BASELINE:
		o->baseline = optarg;
		break;
	case OPT_STORE:
		o->store = optarg;
		break;
	case OPT_PRESET:
		o->preset = optarg;
		break;
	case OPT_BEFORE:
		o->before = optarg;
		break;
	case OPT_AFTER:
		o->after = optarg;
		break;
	case OPT_ACROSS:
		o->across = true;
		break;
	case OPT_NO_RETRY:
		o->no_retry = true;
		break;
	case 'o':
		o->folder = optarg;
		break;
	case OPT_FORCE:
		o->force = true;
		break;
	case OPT_JSON:
		o->json = true;
		break;
	case OPT_ANNOTATE:
		if (strcmp(optarg, "github"))
			return cmd_usage("gate", "--annotate knows 'github', not '%s'", optarg);
		o->annotates = true;
		break;
	case OPT_NO_COLOR:
		o->no_color = true;
		break;
	case 'q':
		o->scenario.request.quiet = o->quiet = true;
		break;
	default:
		return cmd_bad_option("gate", argc, argv, c);
	}
	return EXIT_DONE;
}

static int check(struct gate_options *o, int n_words, char **words)
{
	const char *ab = o->scenario.request.path;

	if (ab && n_words)
		return cmd_usage("gate", "--ab runs a scenario: '%s' is one too many", words[0]);
	if (ab && o->baseline)
		return cmd_usage("gate", "--ab compares two variants: --baseline has no place");
	if (!ab && n_words != 1)
		return cmd_usage("gate", "give one run folder, or --ab and a scenario");
	if (!ab && (o->before || o->after))
		return cmd_usage("gate", "--before and --after go with --ab");
	if (!o->before != !o->after)
		return cmd_usage("gate", "--before and --after go together");
	if (o->before && !strcmp(o->before, o->after))
		return cmd_usage("gate", "--before and --after are both '%s', which is never worse",
				 o->before);
	if (ab && o->scenario.request.variant)
		return cmd_usage("gate", "--ab needs two variants: --variant names but one");
	o->run = ab ? NULL : words[0];
	return EXIT_DONE;
}

int gate_options_parse(struct gate_options *o, int argc, char **argv, bool *ret_help)
{
	int c, code = EXIT_DONE;

	*o = (struct gate_options){ .store = "baselines", .argc = argc, .argv = argv };
	scenario_options_init(&o->scenario);
	opterr = 0;
	while (code == EXIT_DONE &&
	       (c = getopt_long(argc, argv, ":o:qh", long_options, NULL)) != -1) {
		if (c == 'h') {
			*ret_help = true;
			return print_help();
		}
		code = parse_option(o, c, argc, argv);
	}
	return code == EXIT_DONE ? check(o, argc - optind, argv + optind) : code;
}

void gate_options_release(struct gate_options *o)
{
	scenario_options_release(&o->scenario);
}
