/* SPDX-License-Identifier: BSD-2-Clause */
/* fathom: picks the command. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "user/base/array.h"
#include "user/cmd/cmd.h"

static const struct command commands[] = {
	{ "record", "capture stacks into a run folder", cmd_record },
	{ "report", "top functions, call tree, callers and callees", cmd_report },
	{ "flame", "flame graph of a recording, folded or pprof files", cmd_flame },
	{ "diff", "what changed between two profiles, as table and picture", cmd_diff },
	{ "run", "a scenario: measured, profiled, summarized", cmd_run },
	{ "baseline", "accept runs that later ones are compared with", cmd_baseline },
	{ "gate", "a verdict on a run, and the functions that caused it", cmd_gate },
	{ "calibrate", "what this machine's noise lets a scenario tell", cmd_calibrate },
	{ "hotspots", "fail while a function takes more than its share", cmd_hotspots },
	{ "doctor", "what this host allows, and how to mend what it does not", cmd_doctor },
};

static int print_help(FILE *out)
{
	size_t i;

	fputs("Usage: fathom COMMAND [OPTION]...\n\n"
	      "Finds where a machine's time, memory and I/O go, and proves when that "
	      "changed.\n\nCommands:\n",
	      out);
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(out, "  %-9s %s\n", commands[i].name, commands[i].summary);
	fputs("\n'fathom COMMAND --help' says more. Example:\n"
	      "  sudo fathom record -d 10 -o run     the whole machine, for ten seconds\n"
	      "  fathom report run                   where its CPU time went\n",
	      out);
	return EXIT_DONE;
}

int main(int argc, char **argv)
{
	size_t i;

	signal(SIGPIPE, SIG_IGN);
	if (argc < 2) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))
		return cmd_finish(print_help(stdout));
	if (!strcmp(argv[1], "--version")) {
		puts("fathom " FATHOM_VERSION);
		return cmd_finish(EXIT_DONE);
	}
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		if (!strcmp(argv[1], commands[i].name))
			return cmd_finish(commands[i].run(argc - 1, argv + 1));
	}
	return cmd_usage("", "unknown command '%s'", argv[1]);
}
