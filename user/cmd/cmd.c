/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/cmd/cmd.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "user/base/array.h"
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
	switch (-err) {
	case EINVAL:
	case ENOENT:
	case EEXIST:
	case EISDIR:
	case ENOTDIR:
	case EFBIG:
	case E2BIG:
	case ERANGE:
	case ELOOP:
	case EILSEQ:
	case ESRCH:
		fprintf(stderr, "fathom: %s\n", err_text());
		return EXIT_USAGE;
	case ECANCELED: /* it would cost more than it may */
		fprintf(stderr, "fathom: %s\n", err_text());
		return EXIT_DATA_QUALITY;
	default:
		return cmd_fail_environment();
	}
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

int cmd_finish(int code)
{
	if (!fflush(stdout) && !ferror(stdout))
		return code;
	/* A reader that has seen enough (head) is no failure of ours; one failure is told once. */
	if (errno == EPIPE || code != EXIT_DONE)
		return code;
	return cmd_fail(errf(-EIO, "cannot write to standard output: %m"));
}

int parse_u32(const char *text, const char *what, unsigned int min, unsigned int max,
	      unsigned int *ret)
{
	unsigned long long v;
	char *end;

	errno = 0;
	v = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end)
		return errf(-EINVAL, "%s wants a whole number, not '%s'", what, text);
	if (errno || v < min || v > max)
		return errf(-ERANGE, "%s must be from %u to %u, not '%s'", what, min, max, text);
	*ret = v;
	return 0;
}

int parse_double(const char *text, const char *what, double min, double max, double *ret)
{
	char *end;
	double v;

	errno = 0;
	v = strtod(text, &end);
	if (!*text || *end || !isfinite(v))
		return errf(-EINVAL, "%s wants a number, not '%s'", what, text);
	if (v < min || v > max)
		return errf(-ERANGE, "%s must be from %.12g to %.12g, not '%s'", what, min, max,
			    text);
	*ret = v;
	return 0;
}

/* A number with its unit at the start of *text, which moves behind it. */
static bool take_duration(const char **text, double *ret_ns)
{
	static const struct {
		const char *name;
		double ns;
	} units[] = { { "us", 1e3 }, { "ms", 1e6 }, { "s", 1e9 } };
	size_t digits = strspn(*text, "0123456789."), i;
	char *end;
	double v = strtod(*text, &end);

	if (!digits || end != *text + digits)
		return false;
	for (i = 0; i < ARRAY_SIZE(units); i++) {
		size_t len = strlen(units[i].name);

		if (strncmp(end, units[i].name, len) != 0)
			continue;
		*ret_ns = v * units[i].ns;
		*text = end + len;
		return true;
	}
	return false;
}

int parse_duration(const char *text, const char *what, uint64_t min_ns, uint64_t max_ns,
		   uint64_t *ret_ns)
{
	const char *rest = text;
	double ns;

	if (!take_duration(&rest, &ns) || *rest)
		return errf(-EINVAL, "%s wants a time with its unit, as 20ms, not '%s'", what,
			    text);
	if (ns < (double)min_ns || ns > (double)max_ns)
		return errf(-ERANGE, "%s must be from %.12gms to %.12gms, not '%s'", what,
			    min_ns / 1e6, max_ns / 1e6, text);
	*ret_ns = (uint64_t)(ns + 0.5);
	return 0;
}

#define RANGE_MAX_NS 1e18 /* 31 years: the end, whatever it is */

int parse_time_range(const char *text, const char *what, struct time_range *ret)
{
	const char *rest = text;
	double from = 0, to = RANGE_MAX_NS;
	bool is_good = *rest == '-' || take_duration(&rest, &from);

	is_good = is_good && *rest++ == '-' && (!*rest || take_duration(&rest, &to));
	if (!is_good || *rest)
		return errf(-EINVAL,
			    "%s wants a range of time, as 2s-5s, 500ms- or -1.5s, not '%s'", what,
			    text);
	if (from >= to || from >= RANGE_MAX_NS)
		return errf(-ERANGE, "%s ends where it begins, or before: '%s'", what, text);
	ret->from_ns = (uint64_t)(from + 0.5);
	ret->to_ns = to < RANGE_MAX_NS ? (uint64_t)(to + 0.5) : UINT64_MAX;
	return 0;
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
