/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * jump: leaves frames by longjmp and works on in the one that is left over: main, jumps_back, then
 * goes_down, before_jump_burn, or after_jump_burn.
 *
 *   jump SECONDS
 */
#include <setjmp.h>

#include "chain.h"

BURN(before_jump_burn)
BURN(after_jump_burn)

static jmp_buf back;
static volatile int jumps = 1; /* the compiler cannot know that goes_down() never returns */

static NOINLINE void goes_down(int n)
{
	if (n) {
		goes_down(n - 1);
		STAY();
	} else {
		before_jump_burn(0.002);
		if (jumps)
			longjmp(back, jumps);
	}
}

static NOINLINE void jumps_back(void)
{
	if (!setjmp(back))
		goes_down(10);
	after_jump_burn(0.002);
	STAY();
}

int main(int argc, char **argv)
{
	double until = cpu_now() + seconds_of(argc, argv);

	while (cpu_now() < until)
		jumps_back();
	return 0;
}
