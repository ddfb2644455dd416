/* SPDX-License-Identifier: BSD-2-Clause */
/* spot: a library whose code works wherever it is mapped: it has no data and calls nobody else. */
#include "../chain.h"

void spot_enter(unsigned long n);

static NOINLINE void spot_burn(unsigned long n)
{
	while (n--)
		STAY();
}

NOINLINE void spot_enter(unsigned long n)
{
	spot_burn(n);
	STAY();
}
