/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clock: asks for the time, which the vDSO answers: main, asks, clock_gettime, the vDSO.
 *
 *   clock SECONDS
 */
#include "chain.h"

static NOINLINE void asks(double until)
{
	while (now() < until)
		STAY();
	STAY();
}

int main(int argc, char **argv)
{
	asks(now() + seconds_of(argc, argv));
	return 0;
}
