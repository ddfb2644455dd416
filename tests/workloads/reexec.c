/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reexec: one process, two images at the same addresses: works in before_exec, which fills the
 * addresses where the other program has its functions, then executes that without randomization of
 * addresses.
 *
 *   reexec SECONDS PROGRAM [ARGUMENT]...
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/personality.h>
#include <unistd.h>

#include "spin.h"

/* Through 4096 instructions and back. */
__attribute__((noinline)) void before_exec(double until);

__attribute__((noinline)) void before_exec(double until)
{
	do {
		__asm__ volatile(".rept 4096\n\tnop\n\t.endr");
	} while (now() < until);
}

int main(int argc, char **argv)
{
	int persona = personality(0xffffffff);

	if (argc < 3) {
		fprintf(stderr, "usage: reexec SECONDS PROGRAM [ARGUMENT]...\n");
		return 2;
	}
	if (!(persona & ADDR_NO_RANDOMIZE)) {
		personality(persona | ADDR_NO_RANDOMIZE);
		execv(argv[0], argv);
	}
	before_exec(now() + atof(argv[1]));
	execv(argv[2], argv + 2);
	perror("reexec");
	return 127;
}
