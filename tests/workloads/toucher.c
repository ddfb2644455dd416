/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Touches memory of which it is known how much. Arguments:
 *
 *	toucher anon PAGES	touch_anon() writes to each page of an anonymous mapping
 *	toucher file PAGES	touch_file() reads each page of a file mapping, whose pages are
 *cached toucher shmem PAGES	touch_shmem() writes to each page of a shared anonymous mapping
 *	toucher release PAGES	like anon, then release_anon() gives half of it back
 *
 *	toucher forks PAGES	touch_anon(), and a child that touch_copied()s each of these pages
 *
 * Prints what the process has had, as getrusage(2) and /proc/self/status say, in JSON. Pages of
 * files come with their neighbours.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define HUGE (2ul << 20)

static size_t page;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static char *map(size_t pages, int flags, int fd)
{
	char *at = mmap(NULL, pages * page, PROT_READ | PROT_WRITE, flags, fd, 0);

	if (at == MAP_FAILED)
		fail("mmap");
	return at;
}

/* Anonymous memory that begins where a huge page may. */
static char *map_anon(size_t pages, int advice)
{
	char *at = map(pages + HUGE / page, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	at += -(uintptr_t)at % HUGE;
	madvise(at, pages * page, advice);
	return at;
}

static void touch_anon(volatile char *at, size_t pages)
{
	size_t i;

	for (i = 0; i < pages; i++)
		at[i * page] = 1;
}

static void touch_shmem(volatile char *at, size_t pages)
{
	size_t i;

	for (i = 0; i < pages; i++)
		at[i * page] = 1;
}

static int touch_file(const volatile char *at, size_t pages)
{
	size_t i;
	int sum = 0;

	for (i = 0; i < pages; i++)
		sum += at[i * page];
	return sum;
}

static void release_anon(char *at, size_t pages)
{
	if (madvise(at, pages / 2 * page, MADV_DONTNEED))
		fail("madvise");
}

static void touch_copied(volatile char *at, size_t pages)
{
	size_t i;

	for (i = 0; i < pages; i++)
		at[i * page] = 2;
}

static void fork_and_touch(char *at, size_t pages)
{
	pid_t child = fork();

	if (child < 0)
		fail("fork");
	if (!child) {
		touch_copied(at, pages);
		_exit(0);
	}
	waitpid(child, NULL, 0);
}

/* In bytes; 0 if it is not told. */
static size_t resident(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	size_t kib = 0;
	char line[256];

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "VmHWM: %zu", &kib) == 1)
			break;
	}
	if (f)
		fclose(f);
	return kib * 1024;
}

static int cached_file(size_t pages)
{
	char name[] = "/tmp/toucher.XXXXXX", *block = calloc(1, page);
	int fd = mkstemp(name);
	size_t i;

	if (fd < 0 || !block)
		fail("a file");
	unlink(name);
	for (i = 0; i < pages; i++) {
		if (write(fd, block, page) != (ssize_t)page)
			fail("write");
	}
	free(block);
	return fd;
}

int main(int argc, char **argv)
{
	size_t pages = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
	const char *what = argc > 1 ? argv[1] : "";
	struct rusage usage;

	page = sysconf(_SC_PAGESIZE);
	if (!strcmp(what, "file"))
		touch_file(map(pages, MAP_PRIVATE, cached_file(pages)), pages);
	else if (!strcmp(what, "shmem"))
		touch_shmem(map(pages, MAP_SHARED | MAP_ANONYMOUS, -1), pages);
	else if (!strcmp(what, "huge"))
		touch_anon(map_anon(pages, MADV_HUGEPAGE), pages);
	else if (!strcmp(what, "anon") || !strcmp(what, "release") || !strcmp(what, "forks")) {
		char *at = map_anon(pages, MADV_NOHUGEPAGE);

		touch_anon(at, pages);
		if (!strcmp(what, "release"))
			release_anon(at, pages);
		if (!strcmp(what, "forks"))
			fork_and_touch(at, pages);
	} else
		return 2;
	getrusage(RUSAGE_SELF, &usage);
	printf("{\"minor\": %ld, \"major\": %ld, \"bytes\": %zu, \"resident\": %zu}\n",
	       usage.ru_minflt, usage.ru_majflt, pages * page, resident());
	return 0;
}
