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
	uint64_t cpu_ns;     /* of this thread, left; UINT64_MAX: no limit */
	uint64_t file_bytes; /* of the debug sections of one file, uncompressed */
	uint64_t bytes;	     /* of memory, left */
	uint64_t began_ns; /* CPU clock of the thread: since then it is being spent; 0: not read */
	unsigned int steps;
};

/* 'cpu_ns' 0 is the default: 5 s, and files with up to 512 MiB; asked for, files of any size. */
void lines_budget_init(struct lines_budget *b, uint64_t cpu_ns);

/*
 * Around work; begin is false if nothing is left. Reading the clock is a system call: what is said
 * to be small is charged by its steps, and by the clock only when it is not small after all.
 */
bool lines_budget_begin(struct lines_budget *b, bool is_small);
void lines_budget_end(struct lines_budget *b);

/* In loops of it: false if the budget ran out in the middle. Cheap: looks now and then. */
bool lines_budget_step(struct lines_budget *b);

/* Takes so much memory off; false, and nothing is taken, if there is not so much left. */
bool lines_budget_take(struct lines_budget *b, uint64_t bytes);
