/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vfork: children that borrow their parent's memory, work in it, and execute another program: main,
 * starts_one, in_the_child, child_burn.
 *
 *   vfork SECONDS
 */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "chain.h"

BURN(child_burn)

static NOINLINE void in_the_child(void)
{
	child_burn(0.02);
	execl("/bin/true", "true", (char *)NULL);
	_exit(127);
}

/* vfork() returns twice in the same frame. */
static NOINLINE void starts_one(void)
{
	pid_t pid = vfork();

	if (pid == 0)
		in_the_child();
	if (pid < 0)
		perror("vfork");
	else
		waitpid(pid, NULL, 0);
}

int main(int argc, char **argv)
{
	double until = now() + seconds_of(argc, argv);

	while (now() < until)
		starts_one();
	return 0;
}
