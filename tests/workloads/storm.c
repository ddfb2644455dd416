/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * storm: many short-lived processes, several at once. Each spends 5 ms of CPU time in storm_burn
 * and exits; with "exec" each first executes this program anew.
 *
 *   storm COUNT [exec|fork]
 *
 * Prints how many there were, the CPU time of all of them, and of that the time in storm_burn:
 *   400 processes, 2.431 s of CPU time, 2.012 s in storm_burn
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "spin.h"

#define AT_ONCE 4
#define BURN_S	0.005

BURN(storm_burn)

/* Shared with the processes that only fork: nanoseconds in storm_burn. */
static unsigned long *burnt_ns;

static unsigned long burn_once(void)
{
	double from = thread_cpu();

	storm_burn(BURN_S);
	return (thread_cpu() - from) * 1e9;
}

/* An executed process tells by a pipe on its standard output. */
static int executed(void)
{
	unsigned long ns = burn_once();

	return write(STDOUT_FILENO, &ns, sizeof(ns)) == sizeof(ns) ? 0 : 1;
}

static void start(const char *program, int out, int does_exec)
{
	pid_t pid = fork();

	if (pid < 0) {
		perror("storm: fork");
		exit(1);
	}
	if (pid)
		return;
	if (does_exec) {
		dup2(out, STDOUT_FILENO);
		execl(program, program, "child", NULL);
		_exit(127);
	}
	__atomic_fetch_add(burnt_ns, burn_once(), __ATOMIC_RELAXED);
	_exit(0);
}

static void reap(int *failed)
{
	int status;

	if (wait(&status) < 0 || status)
		(*failed)++;
}

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 200, i, failed = 0, out[2];
	int does_exec = argc > 2 && !strcmp(argv[2], "exec");
	struct rusage usage;
	unsigned long ns;

	if (argc > 1 && !strcmp(argv[1], "child"))
		return executed();
	burnt_ns = mmap(NULL, sizeof(*burnt_ns), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			-1, 0);
	if (burnt_ns == MAP_FAILED || pipe(out)) {
		perror("storm");
		return 1;
	}
	for (i = 0; i < count; i++) {
		if (i >= AT_ONCE)
			reap(&failed);
		start(argv[0], out[1], does_exec);
		/* Emptied as it goes: a pipe holds 64 KiB. */
		if (does_exec && i >= AT_ONCE && read(out[0], &ns, sizeof(ns)) == sizeof(ns))
			*burnt_ns += ns;
	}
	for (i = 0; i < count && i < AT_ONCE; i++)
		reap(&failed);
	close(out[1]);
	while (read(out[0], &ns, sizeof(ns)) == sizeof(ns))
		*burnt_ns += ns;
	getrusage(RUSAGE_CHILDREN, &usage);
	printf("%d processes, %.3f s of CPU time, %.3f s in storm_burn\n", count,
	       usage.ru_utime.tv_sec + usage.ru_stime.tv_sec +
		       (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6,
	       *burnt_ns / 1e9);
	return failed ? 1 : 0;
}
