/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * late: in the middle of its run loads a library that nobody had before, and works in it: main,
 * before_burn for the first half; then main, calls_library, spot_enter, spot_burn.
 *
 *   late SECONDS LIBRARY
 */
#include <dlfcn.h>
#include <stdio.h>

#include "chain.h"

BURN(before_burn)

static NOINLINE void calls_library(void (*enter)(unsigned long), double until)
{
	while (cpu_now() < until)
		enter(1000000);
	STAY();
}

int main(int argc, char **argv)
{
	double seconds = seconds_of(argc, argv);
	void (*enter)(unsigned long);
	void *library;

	before_burn(seconds / 2);
	library = argc > 2 ? dlopen(argv[2], RTLD_NOW) : NULL;
	enter = library ? (void (*)(unsigned long))dlsym(library, "spot_enter") : NULL;
	if (!enter) {
		fprintf(stderr, "late: %s\n", argc > 2 ? dlerror() : "which library?");
		return 1;
	}
	calls_library(enter, cpu_now() + seconds / 2);
	return 0;
}
