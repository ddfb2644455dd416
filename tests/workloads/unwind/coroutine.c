/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * coroutine: works on a stack from the heap that makecontext() has set up: there the outermost
 * function is coroutine_body, which calls coroutine_burn; on the stack of the process itself main
 * calls resumes, own_burn. Both take half of the time.
 *
 *   coroutine SECONDS
 */
#include <ucontext.h>

#include "chain.h"

#define STACK_BYTES (64 * 1024)

BURN(coroutine_burn)
BURN(own_burn)

static ucontext_t of_main, of_coroutine;

static NOINLINE void coroutine_body(void)
{
	for (;;) {
		coroutine_burn(0.002);
		swapcontext(&of_coroutine, &of_main);
	}
}

static NOINLINE void resumes(double until)
{
	while (cpu_now() < until) {
		own_burn(0.002);
		swapcontext(&of_main, &of_coroutine);
	}
	STAY();
}

int main(int argc, char **argv)
{
	char *stack = malloc(STACK_BYTES);

	if (!stack || getcontext(&of_coroutine))
		return 1;
	of_coroutine.uc_stack.ss_sp = stack;
	of_coroutine.uc_stack.ss_size = STACK_BYTES;
	of_coroutine.uc_link = &of_main;
	makecontext(&of_coroutine, coroutine_body, 0);
	resumes(cpu_now() + seconds_of(argc, argv));
	free(stack);
	return 0;
}
