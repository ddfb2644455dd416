/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * early: half of its CPU time goes into before_main, which the dynamic loader calls before any
 * other code of the program, half into in_main.
 *
 *   early
 */
#include <stdlib.h>

/* A count of rounds, not a clock: neither the C library nor the program is ready before main. */
#define WORK(name)                                  \
	__attribute__((noinline)) void name(void);  \
	__attribute__((noinline)) void name(void)   \
	{                                           \
		static volatile unsigned long sink; \
		unsigned long i;                    \
                                                    \
		for (i = 0; i < 100000000; i++)     \
			sink = sink * 31 + i;       \
	}
WORK(before_main)
WORK(in_main)

__attribute__((section(".preinit_array"), used)) static void (*const first)(void) = before_main;

int main(void)
{
	in_main();
	return EXIT_SUCCESS;
}
