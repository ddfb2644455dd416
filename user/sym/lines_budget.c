/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sym/lines_budget.h"

#include "user/base/clock.h"

#define DEFAULT_CPU_NS	   5000000000ull
#define DEFAULT_FILE_BYTES (512ull << 20)
#define DEFAULT_BYTES	   (1ull << 30)
#define ASKED_BYTES	   (16ull << 30)

/* Reading that clock is a system call: some 20 us of work between two looks at it. */
#define STEPS_PER_LOOK 1024

void lines_budget_init(struct lines_budget *b, uint64_t cpu_ns)
{
	*b = (struct lines_budget){
		.cpu_ns = cpu_ns ? cpu_ns : DEFAULT_CPU_NS,
		.file_bytes = cpu_ns ? ASKED_BYTES : DEFAULT_FILE_BYTES,
		.bytes = cpu_ns ? ASKED_BYTES : DEFAULT_BYTES,
	};
}

bool lines_budget_begin(struct lines_budget *b)
{
	if (!b->cpu_ns)
		return false;
	b->began_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	b->steps = 0;
	return true;
}

static void spend(struct lines_budget *b)
{
	uint64_t now = clock_ns(CLOCK_THREAD_CPUTIME_ID), spent = now - b->began_ns;

	b->began_ns = now;
	if (b->cpu_ns != UINT64_MAX)
		b->cpu_ns -= spent < b->cpu_ns ? spent : b->cpu_ns;
}

void lines_budget_end(struct lines_budget *b)
{
	spend(b);
}

bool lines_budget_step(struct lines_budget *b)
{
	if (++b->steps % STEPS_PER_LOOK == 0)
		spend(b);
	return b->cpu_ns != 0;
}

bool lines_budget_take(struct lines_budget *b, uint64_t bytes)
{
	if (bytes > b->bytes)
		return false;
	b->bytes -= bytes;
	return true;
}
