/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/cmd/cmd.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "user/base/cleanup.h"
#include "user/base/err.h"
#include "user/base/json_parts.h"

int cmd_fail_environment(void)
{
	fprintf(stderr, "fathom: %s\n", err_text());
	return EXIT_ENVIRONMENT;
}

int cmd_fail(int err)
{
	fprintf(stderr, "fathom: %s\n", err_text());
	return exit_code_of(err);
}

int cmd_usage(const char *command, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	errf(-EINVAL, "%s", text); /* replaces control characters */
	fprintf(stderr, "fathom: %s\nTry 'fathom%s%s --help'.\n", err_text(), *command ? " " : "",
		command);
	return EXIT_USAGE;
}

int cmd_bad_option(const char *command, int argc, char **argv, int what)
{
	/* getopt leaves no single place that names a bad long option; the word itself does. */
	const char *word = optind > 0 && optind <= argc ? argv[optind - 1] : "";

	if (what == ':')
		return cmd_usage(command, "option '%s' needs a value", word);
	if (optopt && strncmp(word, "--", 2))
		return cmd_usage(command, "unknown option '-%c'", optopt);
	if (optopt)
		return cmd_usage(command, "option '%s' takes no value", word);
	return cmd_usage(command, "unknown option '%s'", word);
}

void cmd_note(bool is_quiet, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	if (is_quiet)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	errf(-EINVAL, "%s", text); /* replaces control characters */
	fprintf(stderr, "fathom: note: %s\n", err_text());
}

int cmd_finish(int code)
{
	if (!fflush(stdout) && !ferror(stdout))
		return code;
	/* A reader that has seen enough (head) is no failure of ours; one failure is told once. */
	if (errno == EPIPE || code != EXIT_DONE)
		return code;
	return cmd_fail(errf(-EIO, "cannot write to standard output: %m"));
}

int cmd_print_json(json_t *json)
{
	_cleanup_(freep) char *text = json ? json_text(json) : NULL;

	json_decref(json);
	if (!text)
		return errf(-ENOMEM, "no memory for the result");
	fputs(text, stdout);
	return 0;
}

char *cmd_name_by_time(const char *prefix)
{
	time_t now = time(NULL);
	char when[64], *name;
	struct tm tm;

	localtime_r(&now, &tm);
	strftime(when, sizeof(when), "%Y%m%d-%H%M%S", &tm);
	return asprintf(&name, "%s-%s", prefix, when) < 0 ? NULL : name;
}

bool cmd_color(FILE *out, bool no_color)
{
	const char *env = getenv("NO_COLOR");

	return !no_color && !(env && *env) && isatty(fileno(out));
}
