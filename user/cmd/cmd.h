/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd: what the commands share. Only this layer prints. Results go to stdout, everything else to
 * stderr; progress only when stderr is a terminal.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "user/model/timeline.h"

enum exit_code {
	EXIT_DONE = 0,
	EXIT_REGRESSION = 1,  /* or a budget exceeded */
	EXIT_USAGE = 2,	      /* the arguments, or a file they name, are wrong */
	EXIT_ENVIRONMENT = 3, /* the host or its permissions */
	EXIT_INCONCLUSIVE = 4,
	EXIT_MEASURED = 5,     /* the measured command or its check failed */
	EXIT_DATA_QUALITY = 6, /* losses or overhead beyond their limit */
	EXIT_REFUSED = 7,      /* a write outside the allowed folders */
};

struct command {
	const char *name;
	const char *summary;		   /* for the list of commands: a few words */
	int (*run)(int argc, char **argv); /* argv[0] is the command's name; returns an exit code */
};

int cmd_record(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_flame(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_baseline(int argc, char **argv);
int cmd_gate(int argc, char **argv);
int cmd_calibrate(int argc, char **argv);
int cmd_hotspots(int argc, char **argv);
int cmd_doctor(int argc, char **argv);

/*
 * Prints "fathom: SENTENCE" (err_text()) and returns the exit code for 'err': EXIT_USAGE for what
 * another argument or input mends (-EINVAL, -ENOENT, -EEXIST, -EISDIR, -ENOTDIR, -EFBIG, -E2BIG,
 * -ERANGE, -ELOOP, -EILSEQ, -ESRCH), EXIT_ENVIRONMENT for all else.
 */
int cmd_fail(int err);

/* The same where no argument is to blame, whatever the errno: returns EXIT_ENVIRONMENT. */
int cmd_fail_environment(void);

/* Prints "fathom: SENTENCE" and "Try 'fathom COMMAND --help'."; returns EXIT_USAGE. */
int cmd_usage(const char *command, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The same for what getopt_long complained of by returning '?' or ':' (opterr = 0). */
int cmd_bad_option(const char *command, int argc, char **argv, int what);

/* Flushes stdout; a result that could not be written is EXIT_ENVIRONMENT with a sentence. */
int cmd_finish(int code);

/* Numbers of the command line: 0, or -EINVAL/-ERANGE with a sentence that quotes 'what'. */
int parse_u32(const char *text, const char *what, unsigned int min, unsigned int max,
	      unsigned int *ret);
int parse_double(const char *text, const char *what, double min, double max, double *ret);

/* A number with its unit, us, ms or s: "20ms", "1.5s"; in nanoseconds. */
int parse_duration(const char *text, const char *what, uint64_t min_ns, uint64_t max_ns,
		   uint64_t *ret_ns);

/* "2s-5s", "500ms-" or "-1.5s": from when to when. */
int parse_time_range(const char *text, const char *what, struct time_range *ret);

/* Prints a JSON value, whose reference it takes; NULL is no memory for it. 0, or -ENOMEM with a
 * sentence. */
int cmd_print_json(json_t *json);

/* "PREFIX-20240501-123456", by the local time, in a block of the caller's; NULL without memory. */
char *cmd_name_by_time(const char *prefix);

/* Whether to colour what goes to 'out': a terminal, no NO_COLOR, no --no-color. */
bool cmd_color(FILE *out, bool no_color);
