/* SPDX-License-Identifier: BSD-2-Clause */
/* unwind_fixture: the unwinder's memory without the kernel, and processes that have things mapped.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/collect/processes.h"
#include "user/collect/unwind_maps.h"
#include "user/collect/unwind_tables.h"

struct unwind_fixture {
	struct unwind_maps maps;
	struct processes *processes;
	struct symbolizer *symbolizer;
	struct unwind_tables *tables;
};

static inline void unwind_fixture_init(struct unwind_fixture *f, uint32_t n_chunks,
				       uint32_t n_pages, uint32_t n_mappings)
{
	const struct symbolizer_options options = { .kallsyms = "tests/data/kallsyms.good" };

	f->maps = (struct unwind_maps){
		.memory = {
			.chunks = calloc(n_chunks, sizeof(struct ft_unwind_chunk)),
			.n_chunks = n_chunks,
			.pages = calloc(n_pages, sizeof(struct ft_unwind_page)),
			.n_pages = n_pages,
		},
		.rules = calloc(FT_UNWIND_MAX_RULES, sizeof(struct ft_unwind_rule)),
		.mappings = calloc(n_mappings, sizeof(struct ft_unwind_mapping)),
		.n_mappings = n_mappings,
	};
	assert_true(f->maps.memory.chunks && f->maps.memory.pages && f->maps.rules &&
		    f->maps.mappings);
	assert_int_equal(processes_new(&f->processes), 0);
	assert_int_equal(symbolizer_new(&options, &f->symbolizer), 0);
	assert_int_equal(unwind_tables_new(&f->maps, f->symbolizer, &f->tables), 0);
}

static inline void unwind_fixture_release(struct unwind_fixture *f)
{
	unwind_tables_free(f->tables);
	symbolizer_free(f->symbolizer);
	processes_free(f->processes);
	free(f->maps.memory.chunks);
	free(f->maps.memory.pages);
	free(f->maps.rules);
	free(f->maps.mappings);
}

/* Code in memory, which no file is behind. */
static inline void unwind_fixture_map(struct unwind_fixture *f, uint32_t pid, uint64_t start,
				      uint64_t end, uint64_t time_ns)
{
	struct sym_mapping m = { .start = start, .end = end, .path = "//anon", .pid = pid };

	assert_int_equal(processes_mmap(f->processes, &m, time_ns), 0);
}

/* What this program has mapped there, as the newest that 'pid' has. */
static inline struct sym_mapping unwind_fixture_find(struct unwind_fixture *f, uint64_t address)
{
	const struct sym_mapping *m;
	uint32_t image;

	assert_int_equal(processes_scan(f->processes, getpid()), 0);
	assert_int_equal(processes_settle(f->processes, UINT64_MAX), 0);
	image = processes_image(f->processes, getpid(), UINT64_MAX);
	m = processes_find(f->processes, image, UINT64_MAX, address);
	assert_non_null(m);
	return *m;
}
