/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sym/lines_budget.h"

#include "user/base/clock.h"

#define DEFAULT_CPU_NS	   5000000000ull
#define DEFAULT_FILE_BYTES (512ull << 20)
#define DEFAULT_BYTES	   (1ull << 30)
#define ASKED_BYTES	   (16ull << 30)

#define STEPS_PER_LOOK 1024
#define STEP_NS	       150 /* an entry of .debug_info and what is made of it */

void lines_budget_init(struct lines_budget *b, uint64_t cpu_ns)
{
	*b = (struct lines_budget){
		.cpu_ns = cpu_ns ? cpu_ns : DEFAULT_CPU_NS,
		.file_bytes = cpu_ns ? ASKED_BYTES : DEFAULT_FILE_BYTES,
		.bytes = cpu_ns ? ASKED_BYTES : DEFAULT_BYTES,
	};
}

static void charge(struct lines_budget *b, uint64_t ns)
{
	if (b->cpu_ns != UINT64_MAX)
		b->cpu_ns -= ns < b->cpu_ns ? ns : b->cpu_ns;
}

bool lines_budget_begin(struct lines_budget *b, bool is_small)
{
	if (!b->cpu_ns)
		return false;
	b->began_ns = is_small ? 0 : clock_ns(CLOCK_THREAD_CPUTIME_ID);
	b->steps = 0;
	return true;
}

static void look_at_clock(struct lines_budget *b)
{
	uint64_t now = clock_ns(CLOCK_THREAD_CPUTIME_ID);

	charge(b, b->began_ns ? now - b->began_ns : STEPS_PER_LOOK * STEP_NS);
	b->began_ns = now;
}

void lines_budget_end(struct lines_budget *b)
{
	if (b->began_ns)
		look_at_clock(b);
	else
		charge(b, (b->steps + 1ull) * STEP_NS);
}

bool lines_budget_step(struct lines_budget *b)
{
	if (++b->steps % STEPS_PER_LOOK == 0)
		look_at_clock(b);
	return b->cpu_ns != 0;
}

bool lines_budget_take(struct lines_budget *b, uint64_t bytes)
{
	if (bytes > b->bytes)
		return false;
	b->bytes -= bytes;
	return true;
}
