/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vdso: half of its CPU time it asks the vDSO for the time, half it makes system calls.
 *
 *   vdso SECONDS
 */
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "spin.h"

__attribute__((noinline)) void ask_for_the_time(void);
__attribute__((noinline)) void make_system_calls(void);

static volatile double last;

/* Halves of CPU time: time that others take on a busy machine is in neither. */
void ask_for_the_time(void)
{
	double end = thread_cpu() + 0.005;
	int i;

	do {
		for (i = 0; i < 1000; i++)
			last = now();
	} while (thread_cpu() < end);
}

void make_system_calls(void)
{
	double end = thread_cpu() + 0.005;
	int i;

	do {
		for (i = 0; i < 200; i++)
			syscall(SYS_getppid);
	} while (thread_cpu() < end);
}

int main(int argc, char **argv)
{
	double until = now() + (argc > 1 ? atof(argv[1]) : 1);

	while (now() < until) {
		ask_for_the_time();
		make_system_calls();
	}
	return 0;
}
