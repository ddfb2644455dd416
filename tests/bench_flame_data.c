/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_flame_data: what writing the call tree inside a picture costs. Prints one line per measure,
 * "name value unit", on standard error, and the text itself on standard output.
 *
 *   bench_flame_data FILE.folded [BUDGET]        default: FLAME_DATA_BUDGET; 0: all
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "flamegraph/flame_data.h"
#include "user/base/cleanup.h"
#include "user/base/err.h"
#include "user/base/str.h"
#include "user/model/folded_line.h"

static double now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static int add_line(struct flame_tree *tree, const struct folded_line *line)
{
	uint32_t frames[PROFILE_MAX_DEPTH];
	const char *at = line->stack, *end = at + line->stack_len;
	size_t n = 0;

	while (at < end && n < PROFILE_MAX_DEPTH) {
		const char *stop = memchr(at, ';', end - at);
		size_t len = (stop ? stop : end) - at;
		uint32_t kind = folded_take_kind(at, &len);
		char name[1024];

		snprintf(name, sizeof(name), "%.*s", (int)len, at);
		if (flame_tree_add_frame(tree, name, kind == FRAME_KERNEL ? "[kernel]" : "", kind,
					 &frames[n++]))
			return -1;
		at = stop ? stop + 1 : end;
	}
	return flame_tree_add(tree, frames, n, line->count, 0);
}

static int read_tree(const char *path, struct flame_tree *tree)
{
	_cleanup_(fclosep) FILE *in = fopen(path, "re");
	_cleanup_(freep) char *text = NULL;
	struct folded_repairs repairs = { 0 };
	struct folded_line line;
	size_t cap = 0;
	ssize_t len;
	int err = 0;

	if (!in)
		return errf(-errno, "cannot open '%s': %m", path);
	while (!err && (len = getline(&text, &cap, in)) > 0) {
		len -= text[len - 1] == '\n';
		if (folded_line_parse(text, len, false, 1, &line, &repairs))
			err = add_line(tree, &line);
	}
	return err ? err : flame_tree_finish(tree);
}

int main(int argc, char **argv)
{
	_cleanup_(flame_tree_freep) struct flame_tree *tree = NULL;
	_cleanup_(str_release) struct str text = { 0 };
	struct flame_data_options options = {
		.title = "Flame Graph",
		.value = "samples",
		.unit = "count",
		.budget = argc > 2 ? strtoul(argv[2], NULL, 10) : FLAME_DATA_BUDGET,
	};
	double start, cpu;

	if (argc < 2) {
		fputs("usage: bench_flame_data FILE.folded [BUDGET]\n", stderr);
		return 2;
	}
	if (flame_tree_new(false, &tree) || read_tree(argv[1], tree)) {
		fprintf(stderr, "bench_flame_data: %s\n", err_text());
		return 1;
	}
	start = now(CLOCK_MONOTONIC);
	cpu = now(CLOCK_PROCESS_CPUTIME_ID);
	if (flame_data_add(tree, &options, &text)) {
		fprintf(stderr, "bench_flame_data: %s\n", err_text());
		return 1;
	}
	fprintf(stderr, "nodes %zu\ntext %zu bytes\ntime %.3f s\ncpu %.3f s\n", tree->n_nodes,
		text.len, now(CLOCK_MONOTONIC) - start, now(CLOCK_PROCESS_CPUTIME_ID) - cpu);
	fputs(text.data, stdout);
	return 0;
}
