/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * allocator: asks for memory and gives it back as it is told on standard input, a line for each:
 *
 *   each          calls each function of the allocator once, from each(); what is still there is
 * kept release       frees that nothing N     asks N times for more than there is, which fails
 *   pairs N BYTES asks for a block and frees it, N times
 *   time N BYTES  the same, and tells ns for one pair
 *   threads N     N threads ask for 1000 bytes and free them, 1000 times each
 *   fork          a child does "pairs 100 500"
 *
 * Each answers with a line: "ok", or ns. At first it tells, in hexadecimal, where the code is:
 * "EACH END MAIN END". It asks for no memory but what is told here.
 */
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void *volatile kept[16];
static void *volatile sink;

/* The sum of bytes is that of tests/unit/test_alloc_calls.c. */
static void __attribute__((noinline, section("each_code"))) each(void)
{
	void *p = NULL;

	kept[0] = malloc(1001);
	kept[1] = calloc(3, 1000);
	kept[2] = realloc(NULL, 2001);
	kept[0] = realloc(kept[0], 40001);
	kept[2] = reallocarray(kept[2], 10, 5000);
	if (posix_memalign(&p, 64, 6001))
		abort();
	kept[3] = p;
	kept[4] = aligned_alloc(64, 6400);
	kept[5] = memalign(32, 7001);
	kept[6] = valloc(8001);
}

static void __attribute__((noinline)) release(void)
{
	int i;

	for (i = 0; i < 16; i++) {
		free(kept[i]);
		kept[i] = NULL;
	}
}

static void __attribute__((noinline)) pairs(long n, size_t bytes)
{
	while (n--) {
		sink = malloc(bytes);
		free(sink);
	}
}

static void *thread(void *arg)
{
	pairs(1000, 1000);
	return arg;
}

static void threads(long n)
{
	pthread_t all[16];
	long i;

	for (i = 0; i < n && i < 16; i++) {
		if (pthread_create(&all[i], NULL, thread, NULL))
			abort();
	}
	while (i--)
		pthread_join(all[i], NULL);
}

static void nothing(long n)
{
	while (n--)
		sink = malloc(SIZE_MAX / 4);
}

static void forked(void)
{
	int status;

	if (!fork()) {
		usleep(200000);
		pairs(100, 500);
		_exit(0);
	}
	wait(&status);
}

static double timed(long n, size_t bytes)
{
	struct timespec a, b;

	clock_gettime(CLOCK_MONOTONIC, &a);
	pairs(n, bytes);
	clock_gettime(CLOCK_MONOTONIC, &b);
	return ((b.tv_sec - a.tv_sec) * 1e9 + (b.tv_nsec - a.tv_nsec)) / n;
}

static void say(const char *text)
{
	if (write(1, text, strlen(text)) < 0)
		exit(1);
}

static void obey(char *line)
{
	char *word = strtok(line, " "), *first = strtok(NULL, " "), *second = strtok(NULL, " ");
	long n = first ? atol(first) : 0, bytes = second ? atol(second) : 0;
	char text[64] = "ok\n";

	if (!word)
		return;
	if (!strcmp(word, "each"))
		each();
	else if (!strcmp(word, "release"))
		release();
	else if (!strcmp(word, "pairs"))
		pairs(n, bytes);
	else if (!strcmp(word, "nothing"))
		nothing(n);
	else if (!strcmp(word, "threads"))
		threads(n);
	else if (!strcmp(word, "fork"))
		forked();
	else if (!strcmp(word, "time"))
		snprintf(text, sizeof(text), "%.1f\n", timed(n, bytes));
	say(text);
}

extern const char __start_each_code[], __stop_each_code[];

int __attribute__((section("outer_code"))) main(void)
{
	extern const char __start_outer_code[], __stop_outer_code[];
	char line[256];
	ssize_t n;

	snprintf(line, sizeof(line), "%lx %lx %lx %lx\n", (long)__start_each_code,
		 (long)__stop_each_code, (long)__start_outer_code, (long)__stop_outer_code);
	say(line);
	while ((n = read(0, line, sizeof(line) - 1)) > 0) {
		line[n] = '\0';
		line[strcspn(line, "\n")] = '\0';
		obey(line);
	}
	return 0;
}
