/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tail: calls that are jumps: 'enters' calls 'goes_through', which jumps to tail_burn and so has no
 * frame any more: main, enters, tail_burn.
 *
 *   tail SECONDS
 */
#include "chain.h"

BURN(tail_burn)

NOINLINE void goes_through(double seconds);
NOINLINE void enters(double seconds);

NOINLINE void goes_through(double seconds)
{
	tail_burn(seconds / 100);
}

NOINLINE void enters(double seconds)
{
	int i;

	for (i = 0; i < 100; i++)
		goes_through(seconds);
	STAY();
}

int main(int argc, char **argv)
{
	enters(seconds_of(argc, argv));
	return 0;
}
