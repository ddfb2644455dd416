/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * deep: works for ever below DEPTH frames of its own (default 60), going up and down a few of them
 * in turn, so that stacks differ as a recursive program's do.
 *
 *   deep [DEPTH]
 */
#include <stdlib.h>

volatile unsigned long sink;

__attribute__((noinline)) static void work(unsigned long n)
{
	unsigned long i;

	for (i = 0; i < n; i++)
		sink = sink * 31 + i;
}

/* Two calls, so that neither is a tail call nor a loop. */
__attribute__((noinline)) static void descend(int depth)
{
	if (depth <= 0) {
		work(2000);
		return;
	}
	descend(depth - 1);
	if (depth <= 6)
		descend(depth - 1);
	sink++;
}

int main(int argc, char **argv)
{
	int depth = argc > 1 ? atoi(argv[1]) : 60;

	for (;;)
		descend(depth);
}
