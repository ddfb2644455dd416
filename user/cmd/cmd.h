/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd: what the commands share. Only this layer prints. Results go to stdout, everything else to
 * stderr; progress only when stderr is a terminal.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "user/base/exit_code.h"
#include "user/base/number.h"

struct command {
	const char *name;
	const char *summary;		   /* for the list of commands: a few words */
	int (*run)(int argc, char **argv); /* argv[0] is the command's name; returns an exit code */
};

int cmd_record(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_flame(int argc, char **argv);
int cmd_diff(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_baseline(int argc, char **argv);
int cmd_gate(int argc, char **argv);
int cmd_calibrate(int argc, char **argv);
int cmd_hotspots(int argc, char **argv);
int cmd_doctor(int argc, char **argv);

/* Prints "fathom: SENTENCE" (err_text()) and returns exit_code_of(err). */
int cmd_fail(int err);

/* The same where no argument is to blame, whatever the errno: returns EXIT_ENVIRONMENT. */
int cmd_fail_environment(void);

/* Prints "fathom: SENTENCE" and "Try 'fathom COMMAND --help'."; returns EXIT_USAGE. */
int cmd_usage(const char *command, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The same for what getopt_long complained of by returning '?' or ':' (opterr = 0). */
int cmd_bad_option(const char *command, int argc, char **argv, int what);

/* Unless it is to be quiet, prints "fathom: note: TEXT", control characters of paths replaced. */
void cmd_note(bool is_quiet, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Flushes stdout; a result that could not be written is EXIT_ENVIRONMENT with a sentence. */
int cmd_finish(int code);

/* Prints a JSON value, whose reference it takes; NULL is no memory for it. 0, or -ENOMEM with a
 * sentence. */
int cmd_print_json(json_t *json);

/* "PREFIX-20240501-123456", by the local time, in a block of the caller's; NULL without memory. */
char *cmd_name_by_time(const char *prefix);

/* Whether to colour what goes to 'out': a terminal, no NO_COLOR, no --no-color. */
bool cmd_color(FILE *out, bool no_color);
