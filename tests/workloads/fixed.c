/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fixed: forks children that work for 20 ms and then execute another program, which works for 20
 * ms, too. Built twice with another name for WORK and without PIE, so that both have their work at
 * the same address.
 *
 *   fixed [CHILDREN PROGRAM]
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "spin.h"

#ifndef WORK
#define WORK fixed_work
#endif

#define WORK_SECONDS 0.02

BURN(WORK)

int main(int argc, char **argv)
{
	int i, n = argc > 2 ? atoi(argv[1]) : 0;

	for (i = 0; i < n; i++) {
		pid_t pid = fork();

		if (pid < 0)
			return 1;
		if (pid == 0) {
			WORK(WORK_SECONDS);
			execl(argv[2], argv[2], (char *)NULL);
			_exit(127);
		}
		waitpid(pid, NULL, 0);
	}
	if (n == 0)
		WORK(WORK_SECONDS);
	return 0;
}
