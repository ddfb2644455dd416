/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lines_budget: what looking up source lines and inlined functions may cost in one run, for all
 * files together. Debug information can be a thousand times the program's size, and somebody
 * hostile may have made it: what is over the budget is left out, and counted by who asked.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct lines_budget {
	uint64_t cpu_ns;      /* of the worker, left; UINT64_MAX: no limit */
	uint64_t wait_ns;     /* by the wall clock, left; likewise */
	uint64_t request_ns;  /* by the wall clock, for one answer */
	uint64_t file_bytes;  /* of the debug sections of one file, uncompressed */
	uint64_t bytes;	      /* of the worker's memory */
	uint64_t reply_bytes; /* of all answers, left */
};

/* 'cpu_ns' 0 is the default: 5 s, and files with up to 512 MiB; asked for, files of any size. */
void lines_budget_init(struct lines_budget *b, uint64_t cpu_ns);

/* Takes off what an answer has cost. */
void lines_budget_spend(struct lines_budget *b, uint64_t cpu_ns, uint64_t wait_ns, uint64_t bytes);

bool lines_budget_is_spent(const struct lines_budget *b);
