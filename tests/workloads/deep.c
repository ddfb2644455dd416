/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * deep: works at the end of a recursion that is deeper than a stack can be recorded.
 *
 *   deep SECONDS [DEPTH]	default: 300 frames of go_deeper
 */
#include <stdlib.h>

#include "spin.h"

BURN(burn_at_the_bottom)

__attribute__((noinline)) int go_deeper(int depth, double seconds);

__attribute__((noinline)) int go_deeper(int depth, double seconds)
{
	if (depth)
		return go_deeper(depth - 1, seconds) + 1;
	burn_at_the_bottom(seconds);
	return 0;
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? atof(argv[1]) : 1;
	int depth = argc > 2 ? atoi(argv[2]) : 300;

	return go_deeper(depth - 1, seconds) == depth - 1 ? 0 : 1;
}
