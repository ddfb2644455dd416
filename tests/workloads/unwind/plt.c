/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plt: calls a tiny function of the C library over and over through a lazily bound entry of the
 * procedure linkage table: main, calls_on. With LD_BIND_NOT=1 (ld.so(8)) each call goes through the
 * resolver.
 *
 *   plt SECONDS
 */
#include "chain.h"

static volatile long sink = -5;

static NOINLINE void calls_on(double until)
{
	int i;

	while (cpu_now() < until) {
		for (i = 0; i < 10000; i++)
			sink = -labs(sink);
	}
	STAY();
}

int main(int argc, char **argv)
{
	calls_on(cpu_now() + seconds_of(argc, argv));
	return 0;
}
