/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * signals: is interrupted by signals, whose handler works: main, interrupted_outer,
 * interrupted_inner, spins, often at its first instruction, then the signal frame, on_alarm,
 * handler_burn. With "own-stack" the handler has a stack of its own.
 *
 *   signals SECONDS [own-stack]
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>

#include "chain.h"

#define EVERY_US 5000
#define BURN_S	 0.003

static volatile unsigned long sink;
static char own_stack[64 * 1024];

BURN(handler_burn)

static NOINLINE void on_alarm(int signal)
{
	handler_burn(BURN_S);
	sink += signal;
}

/* One behind the other: the byte before 'spins' belongs to a frame of another size. */
#define ORDERED NOINLINE __attribute__((section(".text.ordered"), no_reorder))

ORDERED __attribute__((noreturn)) void never_called(int n);
ORDERED void spins(void);

ORDERED void never_called(int n)
{
	unsigned char local[304];

	memset(local, n, sizeof(local));
	__asm__ volatile("" : : "r"(local) : "memory");
	sink = local[n];
	abort();
}

/* So small that interruptions find it at its first instruction. */
ORDERED void spins(void)
{
	__asm__ volatile("nop");
}

static NOINLINE void interrupted_inner(double until)
{
	int i;

	while (cpu_now() < until) {
		for (i = 0; i < 100000; i++)
			spins();
	}
	STAY();
}

static NOINLINE void interrupted_outer(double until)
{
	interrupted_inner(until);
	STAY();
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_alarm };
	struct itimerval timer = { .it_interval.tv_usec = EVERY_US, .it_value.tv_usec = EVERY_US };
	stack_t stack = { .ss_sp = own_stack, .ss_size = sizeof(own_stack) };

	if (argc > 2 && !strcmp(argv[2], "own-stack")) {
		action.sa_flags = SA_ONSTACK;
		if (sigaltstack(&stack, NULL))
			return 1;
	}
	if (sigaction(SIGALRM, &action, NULL) || setitimer(ITIMER_REAL, &timer, NULL)) {
		perror("signals");
		return 1;
	}
	interrupted_outer(cpu_now() + seconds_of(argc, argv));
	if (argc > 100)
		never_called(argc);
	return 0;
}
