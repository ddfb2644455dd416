/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pairs - what a malloc with its free takes.
 *
 *   pairs same PAIRS THREADS     one block of 100 bytes again and again
 *   pairs pool PAIRS THREADS     2,000 blocks of 16 to 1,000 bytes, of which any one is made anew
 *
 * With a fourth argument it waits for a character first. Prints nanoseconds of CPU time per pair:
 * others that run here do not count.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define POOL 2000

static long pairs;

static void *run_same(void *arg)
{
	void *volatile p;
	long i;

	for (i = 0; i < pairs; i++) {
		p = malloc(100);
		free(p);
	}
	return arg;
}

static void *run_pool(void *arg)
{
	static __thread void *volatile pool[POOL];
	uint64_t random = 1;
	long i;

	for (i = 0; i < pairs; i++) {
		void *volatile *p;

		random = random * 6364136223846793005ull + 1442695040888963407ull;
		p = &pool[(random >> 33) % POOL];
		free(*p);
		*p = malloc(16 + (random >> 20) % 985);
	}
	for (i = 0; i < POOL; i++)
		free(pool[i]);
	return arg;
}

int main(int argc, char **argv)
{
	int is_pool = argc > 1 && !strcmp(argv[1], "pool"), n = argc > 3 ? atoi(argv[3]) : 0, i;
	struct timespec begin, end;
	pthread_t threads[64];

	pairs = argc > 2 ? atol(argv[2]) : 0;
	if (pairs < 1 || n < 1 || n > 64) {
		fputs("usage: pairs same|pool PAIRS THREADS\n", stderr);
		return 2;
	}
	if (argc > 4)
		getchar();
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
	for (i = 0; i < n; i++) {
		if (pthread_create(&threads[i], NULL, is_pool ? run_pool : run_same, NULL))
			return 1;
	}
	for (i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	printf("%.3f\n",
	       ((end.tv_sec - begin.tv_sec) * 1e9 + end.tv_nsec - begin.tv_nsec) / pairs / n);
	return 0;
}
