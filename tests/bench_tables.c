/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_tables: what making an unwind table costs, in processor time. Prints one line for each
 * file: path, milliseconds (the best of several), functions, rows, bytes, rules that it added, and
 * rows that the walk cannot use. bench_tables [-n TIMES] ELF-FILE...
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "user/base/err.h"
#include "user/base/file.h"
#include "user/unwind/table.h"

static struct ft_unwind_rule storage[FT_UNWIND_MAX_RULES];

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static int build(const char *path, struct unwind_rules *rules, struct unwind_table **ret)
{
	_cleanup_(elf_image_freep) struct elf_image *image = NULL;
	_cleanup_(closep) int fd = file_open(path, FILE_TRUSTED);
	int err = fd < 0 ? fd : elf_image_open(fd, path, &image);

	return err ? err : unwind_table_build(image, rules, ret);
}

static int bench(const char *path, int times, struct unwind_rules *rules)
{
	_cleanup_(unwind_table_freep) struct unwind_table *t = NULL;
	uint32_t before = unwind_rules_count(rules);
	double best = 1e9;
	int i;

	for (i = 0; i < times; i++) {
		double start = now(), took;
		int err;

		if (t)
			unwind_table_free(take(t));
		err = build(path, rules, &t);
		if (err)
			return err;
		took = now() - start;
		best = took < best ? took : best;
	}
	printf("%s %.2f ms %zu functions %zu rows %zu bytes %u rules %zu unsupported\n", path,
	       best * 1e3, t->n_fdes, t->n_rows,
	       t->n_rows * sizeof(*t->rows) + t->n_pages * sizeof(*t->pages),
	       unwind_rules_count(rules) - before, t->n_unsupported);
	return 0;
}

int main(int argc, char **argv)
{
	_cleanup_(unwind_rules_freep) struct unwind_rules *rules = NULL;
	int i = 1, times = 5, failed = 0;

	if (argc > 2 && !strcmp(argv[1], "-n")) {
		times = atoi(argv[2]);
		i = 3;
	}
	if (i >= argc || times < 1) {
		fprintf(stderr, "usage: bench_tables [-n TIMES] ELF-FILE...\n");
		return 2;
	}
	if (unwind_rules_new(storage, FT_UNWIND_MAX_RULES, &rules))
		return 3;
	for (; i < argc; i++) {
		if (bench(argv[i], times, rules)) {
			printf("%s: %s\n", argv[i], err_text());
			failed = 3;
		}
	}
	return failed;
}
