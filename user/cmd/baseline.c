/* SPDX-License-Identifier: BSD-2-Clause */
/* fathom baseline: accept runs, name them, list and show them. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "user/base/array.h"
#include "user/base/cleanup.h"
#include "user/base/err.h"
#include "user/base/json_parts.h"
#include "user/bench/environment.h"
#include "user/bench/store.h"
#include "user/cmd/cmd.h"

#define BASELINES_SCHEMA "fathom.baselines/1"

enum baseline_option { OPT_NOTE = 256, OPT_BY, OPT_STORE, OPT_ENVIRONMENT, OPT_NO_WAIT, OPT_JSON };

static const struct option long_options[] = {
	{ "note", required_argument, NULL, OPT_NOTE },
	{ "by", required_argument, NULL, OPT_BY },
	{ "store", required_argument, NULL, OPT_STORE },
	{ "environment", required_argument, NULL, OPT_ENVIRONMENT },
	{ "no-wait", no_argument, NULL, OPT_NO_WAIT },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

struct baseline_options {
	const char *note, *by, *store;
	const char *environment; /* NULL: this machine's, or all of them where that makes sense */
	bool no_wait, json;
	char **words; /* behind the action */
	int n_words;
};

static int print_help(void)
{
	fputs("Usage: fathom baseline accept RUN --note TEXT --by NAME\n"
	      "       fathom baseline pin SCENARIO ID NAME --by NAME\n"
	      "       fathom baseline list [SCENARIO]\n"
	      "       fathom baseline show SCENARIO [ID|NAME]\n\n"
	      "Runs that later ones are compared with. Nothing is ever changed or removed.\n\n"
	      "      --note TEXT         why it is accepted\n"
	      "      --by NAME           who says so\n"
	      "      --store DIR         where they are kept (default: baselines)\n"
	      "      --environment NAME  of another machine than this one\n"
	      "      --no-wait           fail if another program is writing\n"
	      "      --json              for programs (list, show)\n\n"
	      "Examples:\n"
	      "  fathom baseline accept tonight --note 'release 1.2' --by ada\n"
	      "  fathom baseline pin cpu-bound 0003 stable --by ada\n"
	      "  fathom gate tomorrow --baseline stable\n",
	      stdout);
	return EXIT_DONE;
}

/* This machine's name, or the one that was given; the caller's. */
static int environment_name(const struct baseline_options *o, char **ret)
{
	struct environment here;
	int err = 0;

	if (o->environment) {
		*ret = strdup(o->environment);
		return *ret ? 0 : errf(-ENOMEM, "no memory for the environment");
	}
	err = environment_read(&here);
	if (err)
		return errf(err, "no memory for the environment");
	*ret = take(here.name);
	environment_release(&here);
	return 0;
}

static int accept_run(const struct baseline_options *o)
{
	_cleanup_(freep) char *id = NULL;
	int err;

	if (o->n_words != 1)
		return cmd_usage("baseline", "accept wants one run folder");
	if (!o->note || !*o->note)
		return cmd_usage("baseline", "--note is missing: why is this run accepted?");
	if (!o->by || !*o->by)
		return cmd_usage("baseline", "--by is missing: who accepts it?");
	err = store_accept(o->store, o->words[0], o->note, o->by, !o->no_wait, &id);
	if (err)
		return cmd_fail(err);
	printf("%s\n", id);
	return EXIT_DONE;
}

static int pin(const struct baseline_options *o)
{
	_cleanup_(freep) char *environment = NULL;
	int err;

	if (o->n_words != 3)
		return cmd_usage("baseline", "pin wants a scenario, an ID and a name");
	if (!o->by || !*o->by)
		return cmd_usage("baseline", "--by is missing: who says so?");
	err = environment_name(o, &environment);
	if (!err)
		err = store_pin(o->store, environment, o->words[0], o->words[1], o->words[2], o->by,
				!o->no_wait);
	return err ? cmd_fail(err) : EXIT_DONE;
}

static json_t *baseline_json(const struct baseline *b)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "id",
			 json_part_text(b->id), "environment", json_part_text(b->environment),
			 "scenario", json_part_text(b->scenario), "path", json_part_text(b->path),
			 "note", json_part_text(b->note), "by", json_part_text(b->by), "accepted",
			 json_part_time(b->accepted_ns), "pins", json_part_text(b->pins), "whole",
			 b->is_whole);
}

static int print_json(const struct baselines *all)
{
	json_t *list = json_array(), *json;
	size_t i;
	int bad = 0;

	for (i = 0; i < all->n; i++)
		bad |= json_array_append_new(list, baseline_json(&all->list[i]));
	json = json_pack("{s:s, s:o}", "schema", BASELINES_SCHEMA, "baselines", list);
	if (bad) {
		json_decref(json);
		json = NULL;
	}
	return cmd_print_json(json) ? cmd_fail_environment() : EXIT_DONE;
}

static void print_baseline(const struct baseline *b)
{
	time_t when = b->accepted_ns / 1000000000;
	char day[32] = "";
	struct tm tm;

	if (localtime_r(&when, &tm))
		strftime(day, sizeof(day), "%Y-%m-%d %H:%M", &tm);
	printf("%s  %s  %s  %s%s%s%s  by %s: %s%s\n", b->id, day, b->environment, b->scenario,
	       *b->pins ? " (" : "", b->pins, *b->pins ? ")" : "", b->by, b->note,
	       b->is_whole ? "" : "  [DAMAGED]");
}

static int print_all(const struct baseline_options *o, const struct baselines *all)
{
	size_t i;

	if (o->json)
		return print_json(all);
	for (i = 0; i < all->n; i++)
		print_baseline(&all->list[i]);
	return EXIT_DONE;
}

static int list(const struct baseline_options *o)
{
	_cleanup_(baselines_freep) struct baselines *all = NULL;
	int err;

	if (o->n_words > 1)
		return cmd_usage("baseline", "list wants at most one scenario");
	err = store_list(o->store, o->environment, o->n_words ? o->words[0] : NULL, &all);
	return err ? cmd_fail(err) : print_all(o, all);
}

static int show(const struct baseline_options *o)
{
	_cleanup_(baselines_freep) struct baselines *found = NULL;
	_cleanup_(freep) char *environment = NULL;
	int err, code;

	if (o->n_words != 1 && o->n_words != 2)
		return cmd_usage("baseline", "show wants a scenario, and an ID or a name");
	err = environment_name(o, &environment);
	if (!err)
		err = store_find(o->store, environment, o->words[0],
				 o->n_words == 2 ? o->words[1] : NULL, &found);
	if (err)
		return cmd_fail(err);
	code = print_all(o, found);
	if (!o->json)
		printf("%s\n", found->list[0].path);
	return found->list[0].is_whole ? code : EXIT_DATA_QUALITY;
}

static int parse_option(struct baseline_options *o, int c, int argc, char **argv)
{
	switch (c) {
	case OPT_NOTE:
		o->note = optarg;
		return EXIT_DONE;
	case OPT_BY:
		o->by = optarg;
		return EXIT_DONE;
	case OPT_STORE:
		o->store = optarg;
		return EXIT_DONE;
	case OPT_ENVIRONMENT:
		o->environment = optarg;
		return EXIT_DONE;
	case OPT_NO_WAIT:
		o->no_wait = true;
		return EXIT_DONE;
	case OPT_JSON:
		o->json = true;
		return EXIT_DONE;
	default:
		return cmd_bad_option("baseline", argc, argv, c);
	}
}

int cmd_baseline(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*act)(const struct baseline_options *o);
	} actions[] = {
		{ "accept", accept_run }, { "pin", pin }, { "list", list }, { "show", show }
	};
	struct baseline_options o = { .store = "baselines" };
	int c, code = EXIT_DONE;
	size_t i;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":h", long_options, NULL)) != -1) {
		if (c == 'h')
			return print_help();
		code = parse_option(&o, c, argc, argv);
		if (code != EXIT_DONE)
			return code;
	}
	if (optind == argc)
		return cmd_usage("baseline", "say what to do: accept, pin, list or show");
	o.words = argv + optind + 1;
	o.n_words = argc - optind - 1;
	for (i = 0; i < ARRAY_SIZE(actions); i++) {
		if (!strcmp(argv[optind], actions[i].name))
			return actions[i].act(&o);
	}
	return cmd_usage("baseline", "'%s' is none of accept, pin, list and show", argv[optind]);
}
