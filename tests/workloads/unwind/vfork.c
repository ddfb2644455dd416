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

#define CHILD_S 0.02

BURN(child_burn)

static NOINLINE void in_the_child(void)
{
	child_burn(CHILD_S);
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
	int n = (int)(seconds_of(argc, argv) / CHILD_S);

	while (n-- > 0)
		starts_one();
	return 0;
}
