/* SPDX-License-Identifier: BSD-2-Clause */
/* flamegraph: folded stacks from anyone as a flame graph, with the options of flamegraph.pl. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "flamegraph/flame_extract.h"
#include "flamegraph/flame_settings.h"
#include "flamegraph/folded_picture.h"
#include "user/base/err.h"
#include "user/base/exit_code.h"
#include "user/base/replace.h"

enum own_option {
	OPT_VERSION = 256,
};

static const struct option own_options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 },
};

static int print_help(void)
{
	printf("Usage: flamegraph [OPTION]... [FILE]...\n\n"
	       "Draws a flame graph of folded stacks: lines of \"frame;frame;frame COUNT\", or "
	       "with two\n"
	       "counts, before and after, a differential one. Without FILE, or if it is '-', they "
	       "are\n"
	       "read from standard input; several files are added up. Options may have one dash "
	       "or\n"
	       "two, and be cut short, as those of flamegraph.pl.\n\n"
	       "%s"
	       "      --version          print the version\n"
	       "  -h, --help             this text\n\n"
	       "Examples:\n"
	       "  perf script | stackcollapse-perf.pl | flamegraph >perf.svg\n"
	       "  flamegraph --inverted --title 'where it goes' -o cpu.svg cpu.folded\n"
	       "  flamegraph --extract cpu.svg >cpu.folded\n",
	       flame_settings_help);
	return EXIT_DONE;
}

static int fail(int err)
{
	fprintf(stderr, "flamegraph: %s\n", err_text());
	return exit_code_of(err);
}

static void note(const struct flame_settings *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void note(const struct flame_settings *s, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	if (s->is_quiet)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fprintf(stderr, "flamegraph: note: %s\n", text);
}

static int usage(void)
{
	fprintf(stderr, "flamegraph: %s\nTry 'flamegraph --help'.\n", err_text());
	return EXIT_USAGE;
}

/* getopt leaves no single place that names a bad option; the word itself does. */
static int bad_option(int argc, char **argv, int what)
{
	const char *word = optind > 0 && optind <= argc ? argv[optind - 1] : "";

	if (what == ':')
		errf(-EINVAL, "option '%s' needs a value", word);
	else if (optopt)
		errf(-EINVAL, "option '%s' takes no value", word);
	else
		errf(-EINVAL, "unknown option, or the beginning of several: '%s'", word);
	return usage();
}

/* -1, or the exit code of a run that ends here. */
static int parse_options(struct flame_settings *s, int argc, char **argv)
{
	struct option options[FLAME_SETTINGS_MAX];
	int c;

	flame_settings_options(own_options, options);
	opterr = 0;
	while ((c = getopt_long_only(argc, argv, ":o:qh", options, NULL)) != -1) {
		switch (c) {
		case 'h':
			return print_help();
		case OPT_VERSION:
			puts("flamegraph (fathom) " FATHOM_VERSION);
			return EXIT_DONE;
		case '?':
		case ':':
			return bad_option(argc, argv, c);
		default:
			if (flame_settings_take(s, c, optarg))
				return usage();
		}
	}
	return -1;
}

/* --- what is done -------------------------------------------------------------------------------
 */

static int extract(const struct flame_settings *s, char *const *paths, size_t n)
{
	char text[256] = "";
	int err = flame_extract(paths, n, s->is_json, s->output, text, sizeof(text));

	if (*text)
		note(s, "%s", text);
	return err;
}

struct job {
	const struct folded_picture *picture;
	const struct flame_settings *settings;
};

static int draw_to(void *arg, FILE *out)
{
	const struct job *job = arg;

	return folded_picture_write(job->picture, job->settings, out);
}

static int draw(const struct flame_settings *s, const struct folded_picture *picture)
{
	struct job job = { .picture = picture, .settings = s };
	int err = s->output ? file_replace(s->output, "the picture", draw_to, &job)
			    : draw_to(&job, stdout);

	if (!err)
		err = flame_settings_save_map(s);
	/* As flamegraph.pl does: a picture that says so, and a failure. */
	if (!err && picture->is_empty)
		err = errf(-EINVAL, "no stack with a count was found; the picture is empty");
	return err;
}

static int read_and_draw(struct flame_settings *s, char *const *paths, size_t n)
{
	static char *const standard_input[] = { "-" };
	struct folded_picture picture;
	char text[512];
	size_t bad;
	int err = flame_settings_close(s, &bad);

	if (!err)
		err = folded_picture_read(n ? paths : standard_input, n ? n : 1, s, &picture);
	if (err)
		return err;
	if (bad)
		note(s, "%zu lines of palette.map were no colours", bad);
	if (folded_repairs_describe(&picture.repairs, text, sizeof(text)))
		note(s, "%s", text);
	err = draw(s, &picture);
	folded_picture_release(&picture);
	return err;
}

int main(int argc, char **argv)
{
	struct flame_settings s;
	int code, err;

	signal(SIGPIPE, SIG_IGN);
	flame_settings_init(&s);
	s.input.has_before = true;
	code = parse_options(&s, argc, argv);
	if (code < 0) {
		err = s.is_extract ? extract(&s, argv + optind, argc - optind)
				   : read_and_draw(&s, argv + optind, argc - optind);
		/* A reader that has seen enough (head) is no failure of ours. */
		if (err == -EPIPE && !s.output)
			err = 0;
		code = err ? fail(err) : EXIT_DONE;
	}
	flame_settings_release(&s);
	if (fflush(stdout) && code == EXIT_DONE && errno != EPIPE)
		code = fail(errf(-EIO, "cannot write to standard output: %m"));
	return code;
}
