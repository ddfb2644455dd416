/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * threads: three threads, whose stacks begin in the C library and not in main: thread_body,
 * thread_inner, thread_burn.
 *
 *   threads SECONDS
 */
#include <pthread.h>

#include "chain.h"

#define THREADS 3

BURN(thread_burn)

static double seconds;

static NOINLINE void thread_inner(void)
{
	thread_burn(seconds / THREADS);
	STAY();
}

static NOINLINE void *thread_body(void *arg)
{
	thread_inner();
	STAY();
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS];
	int i;

	seconds = seconds_of(argc, argv);
	for (i = 0; i < THREADS; i++) {
		if (pthread_create(&threads[i], NULL, thread_body, NULL))
			return 1;
	}
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
