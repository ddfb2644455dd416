/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clock: asks for the time, which the vDSO answers: main, asks, clock_gettime, the vDSO.
 *
 *   clock SECONDS
 */
#include "chain.h"

static NOINLINE void asks(double until)
{
	int i;

	while (cpu_now() < until) {
		for (i = 0; i < 1000; i++)
			now();
	}
	STAY();
}

int main(int argc, char **argv)
{
	asks(cpu_now() + seconds_of(argc, argv));
	return 0;
}
