/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plain: works at the end of a chain of calls main, then outer_wide and outer_narrow in turns, then
 * leaf_burn. Their frames are large and small, and hold saved registers.
 *
 *   plain SECONDS [CALLS]	(default: 40)
 */
#include <string.h>

#include "chain.h"

BURN(leaf_burn)

static volatile unsigned long sink;

void outer_wide(unsigned int calls, double seconds, unsigned long a);
void outer_narrow(unsigned int calls, double seconds, unsigned long a);

NOINLINE void outer_wide(unsigned int calls, double seconds, unsigned long a)
{
	unsigned long local[64], b = a * 3, c = a * 5, d = a * 7;

	memset(local, (int)a, sizeof(local));
	__asm__ volatile("" : : "r"(local) : "memory");
	if (calls <= 1)
		leaf_burn(seconds);
	else
		outer_narrow(calls - 1, seconds, local[calls % 64] + b);
	sink += local[a % 64] + b + c + d;
}

NOINLINE void outer_narrow(unsigned int calls, double seconds, unsigned long a)
{
	if (calls <= 1)
		leaf_burn(seconds);
	else
		outer_wide(calls - 1, seconds, a + 1);
	sink += a;
}

int main(int argc, char **argv)
{
	outer_wide(argc > 2 ? atoi(argv[2]) : 40, seconds_of(argc, argv), argc);
	return 0;
}
