/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inlined: spends its time in a function that was inlined twice over: spin_innermost into
 * spin_middle into spin_outermost, which main calls. The rest is in spin_plain, a function of its
 * own, 25 %.
 *
 *   inlined SECONDS
 */
#include <stdlib.h>

#include "spin.h"

#define INLINED static inline __attribute__((always_inline))
#define WHOLE	static __attribute__((noinline))

/* A function that calls none has no frame of its own. */
WHOLE void have_a_frame(void)
{
	__asm__ volatile("");
}

INLINED unsigned long spin_innermost(unsigned long x)
{
	unsigned int i;

	for (i = 0; i < 100000; i++)
		x = x * 6364136223846793005ul + 1442695040888963407ul; /* the line of the loop */
	return x;
}

INLINED unsigned long spin_middle(unsigned long x)
{
	return spin_innermost(x | 1); /* the line of the inner call */
}

WHOLE unsigned long spin_outermost(unsigned long x)
{
	have_a_frame();
	return spin_middle(x) + 3; /* the line of the outer call */
}

WHOLE unsigned long spin_plain(unsigned long x)
{
	unsigned int i;

	have_a_frame();
	for (i = 0; i < 100000; i++)
		x = x * 2862933555777941757ul + 3037000493ul;
	return x + 1;
}

int main(int argc, char **argv)
{
	double until = now() + (argc > 1 ? atof(argv[1]) : 2);
	volatile unsigned long sink = 1;

	while (now() < until) {
		sink = spin_outermost(sink);
		sink = spin_outermost(sink);
		sink = spin_outermost(sink);
		sink = spin_plain(sink);
	}
	return 0;
}
