/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * noreturn: works in a function that does not return, called by the last instruction of
 * ends_in_a_call: the return address is that of the next function, whose frame is another. main,
 * ends_in_a_call, never_returns, noreturn_burn.
 *
 *   noreturn SECONDS
 */
#include <string.h>

#include "chain.h"

BURN(noreturn_burn)

static volatile unsigned long sink;

/* In one section, in the order in which they stand here, without room between them. */
#define PACKED NOINLINE __attribute__((aligned(1), section(".text.packed"), no_reorder))

PACKED __attribute__((noreturn)) void never_returns(double seconds);
PACKED __attribute__((noreturn)) void ends_in_a_call(unsigned long a, double seconds);
PACKED unsigned long the_next_function(unsigned long a);

PACKED void never_returns(double seconds)
{
	noreturn_burn(seconds);
	exit(0);
}

PACKED void ends_in_a_call(unsigned long a, double seconds)
{
	unsigned long local[20];

	memset(local, (int)a, sizeof(local));
	__asm__ volatile("" : : "r"(local) : "memory");
	sink += local[a % 20];
	never_returns(seconds);
}

PACKED unsigned long the_next_function(unsigned long a)
{
	return a * sink;
}

int main(int argc, char **argv)
{
	sink = the_next_function(argc);
	ends_in_a_call(argc, seconds_of(argc, argv));
}
