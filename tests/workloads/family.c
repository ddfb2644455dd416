/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * family: a process that works in parent_burn and all the time starts children, which work as much
 * in child_burn and start a grandchild each, which works in grandchild_burn.
 *
 *   family SECONDS
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "spin.h"

#define SLICE_S 0.02

BURN(parent_burn)
BURN(child_burn)
BURN(grandchild_burn)

static void child(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		grandchild_burn(SLICE_S);
		_exit(0);
	}
	child_burn(SLICE_S);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	_exit(0);
}

int main(int argc, char **argv)
{
	double until = now() + (argc > 1 ? atof(argv[1]) : 2);

	while (now() < until) {
		pid_t pid = fork();

		if (pid < 0) {
			perror("family: fork");
			return 1;
		}
		if (pid == 0)
			child();
		parent_burn(SLICE_S);
		waitpid(pid, NULL, 0);
	}
	return 0;
}
