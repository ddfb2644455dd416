/* SPDX-License-Identifier: BSD-2-Clause */
/* doctor: what this host allows, what will be lesser and why, and how to mend it. */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/cmd/cmd.h"
#include "user/collect/probe.h"

struct options {
	bool json, quiet, no_color;
};

static void print_help(void)
{
	fputs("Usage: fathom doctor [OPTION]...\n\n"
	      "Tries what recording needs on this host, and says what is missing, what that means\n"
	      "and how to mend it. Changes nothing and leaves nothing behind.\n\n"
	      "  -q, --quiet      only the last sentence\n"
	      "      --json       as JSON (fathom.doctor/1)\n"
	      "      --no-color   no colours; also by NO_COLOR in the environment\n"
	      "  -h, --help       this text\n\n"
	      "Exit status: 0 if the cpu collector can record, if only in part; 3 if it cannot.\n\n"
	      "Examples:\n"
	      "  sudo fathom doctor\n"
	      "  sudo fathom doctor --json | jq '.checks[] | select(.state != \"ok\")'\n",
	      stdout);
}

/* 0, or an exit code + 1. */
static int options_parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{ "quiet", no_argument, NULL, 'q' },
		{ "json", no_argument, NULL, 'j' },
		{ "no-color", no_argument, NULL, 'n' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	opterr = 0;
	optind = 1;
	while ((c = getopt_long(argc, argv, ":qh", longs, NULL)) != -1) {
		switch (c) {
		case 'q':
			o->quiet = true;
			break;
		case 'j':
			o->json = true;
			break;
		case 'n':
			o->no_color = true;
			break;
		case 'h':
			print_help();
			return EXIT_DONE + 1;
		default:
			return cmd_bad_option("doctor", argc, argv, c) + 1;
		}
	}
	if (optind < argc)
		return cmd_usage("doctor", "'%s' is too much: doctor takes no arguments",
				 argv[optind]) +
		       1;
	return 0;
}

/* --- text ---------------------------------------------------------------------------------- */

/* ECMA-48 colours: green, yellow, red. */
static const char *color_of(const struct probe_check *check)
{
	static const char *const colors[] = { "\033[32m", "\033[33m", "\033[31m" };

	return colors[check->state];
}

static int title_width(const struct probe_report *r)
{
	size_t i, widest = 0;

	for (i = 0; i < r->n; i++) {
		size_t len = strlen(r->checks[i].title);

		widest = len > widest ? len : widest;
	}
	return (int)widest;
}

static bool is_same(const char *a, const char *b)
{
	return a && b && !strcmp(a, b);
}

/* What was said of the check 'before' already is not said again. */
static void print_check(const struct probe_check *check, const struct probe_check *before,
			int width, bool color)
{
	const int indent = 2 + 8 + 2 + width + 2;

	printf("  %s%-8s%s  %-*s  %s\n", color ? color_of(check) : "",
	       probe_state_name(check->state), color ? "\033[0m" : "", width, check->title,
	       check->found);
	if (check->meaning && !is_same(check->meaning, before->meaning))
		printf("%*s%s\n", indent, "", check->meaning);
	if (check->mend && !is_same(check->mend, before->mend))
		printf("%*sTo mend: %s\n", indent, "", check->mend);
}

/* The event that would be sampled by. */
static const char *event_of(const struct probe_report *r)
{
	size_t i;

	for (i = 0; i < r->n; i++) {
		if (!strcmp(r->checks[i].id, "event.cycles") && r->checks[i].state == PROBE_OK)
			return "hardware cycles";
	}
	return "cpu-clock";
}

static void print_verdict(const struct probe_report *r)
{
	if (r->can_record)
		printf("recording is impossible: %s: %s\n", r->cause, r->mend);
	else
		printf("recording is possible: sampled by %s, %u degraded, %u missing\n",
		       event_of(r), probe_report_count(r, PROBE_DEGRADED),
		       probe_report_count(r, PROBE_MISSING));
}

static void print_text(const struct probe_report *r, const struct options *o)
{
	bool color = cmd_color(stdout, o->no_color);
	const struct probe_check none = { 0 };
	const char *group = "";
	int width = title_width(r);
	size_t i;

	for (i = 0; i < r->n && !o->quiet; i++) {
		if (strcmp(group, r->checks[i].group)) {
			group = r->checks[i].group;
			printf("%s%s%s\n", color ? "\033[1m" : "", group, color ? "\033[0m" : "");
		}
		print_check(&r->checks[i], i ? &r->checks[i - 1] : &none, width, color);
	}
	print_verdict(r);
}

/* --- JSON ------------------------------------------------------------------------------------ */

static json_t *check_json(const struct probe_check *c)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s?, s:s?}", "id", c->id, "group",
			 c->group, "title", c->title, "needed", probe_need_name(c->need), "state",
			 probe_state_name(c->state), "found", c->found, "meaning", c->meaning,
			 "mend", c->mend);
}

static int print_json(const struct probe_report *r)
{
	json_t *checks = json_array(), *whole;
	size_t i;
	int err = 0;

	for (i = 0; i < r->n && !err; i++)
		err = json_array_append_new(checks, check_json(&r->checks[i]));
	whole = json_pack("{s:s, s:s, s:{s:b}, s:s?, s:s?, s:i, s:i, s:o}", "schema",
			  "fathom.doctor/1", "version", FATHOM_VERSION, "can_record", "cpu",
			  !r->can_record, "cause", r->cause, "mend", r->mend, "degraded",
			  (int)probe_report_count(r, PROBE_DEGRADED), "missing",
			  (int)probe_report_count(r, PROBE_MISSING), "checks", checks);
	if (!whole || err) {
		json_decref(whole);
		return errf(-ENOMEM, "cannot make the report as JSON");
	}
	err = json_dumpf(whole, stdout, JSON_INDENT(2)) || putchar('\n') == EOF;
	json_decref(whole);
	return err ? errf(-EIO, "cannot write to standard output: %m") : 0;
}

int cmd_doctor(int argc, char **argv)
{
	_cleanup_(probe_report_freep) struct probe_report *report = NULL;
	struct options o = { 0 };
	int err = options_parse(argc, argv, &o);

	if (err)
		return err - 1;
	err = probe_report_new(&report);
	if (!err && o.json)
		err = print_json(report);
	else if (!err)
		print_text(report, &o);
	if (err)
		return cmd_fail(err);
	return report->can_record ? EXIT_ENVIRONMENT : EXIT_DONE;
}
