/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Touches memory of which it is known how much. Arguments:
 *
 *	toucher anon PAGES	touch_anon() writes to each page of an anonymous mapping
 *	toucher file PAGES	touch_file() reads each page of a file mapping, whose pages are cached
 *	toucher shmem PAGES	touch_shmem() writes to each page of a shared anonymous mapping
 *	toucher release PAGES	like anon, then release_anon() gives half of it back
 *
 * Huge pages and the pages around a fault are kept out. Prints what the process has had, as
 * getrusage(2) says: "minor MINOR major MAJOR pages PAGES page PAGE_BYTES".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

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
	madvise(at, pages * page, MADV_NOHUGEPAGE);
	madvise(at, pages * page, MADV_RANDOM); /* no fault brings its neighbours */
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
	else if (!strcmp(what, "anon") || !strcmp(what, "release")) {
		char *at = map(pages, MAP_PRIVATE | MAP_ANONYMOUS, -1);

		touch_anon(at, pages);
		if (!strcmp(what, "release"))
			release_anon(at, pages);
	} else
		return 2;
	getrusage(RUSAGE_SELF, &usage);
	printf("minor %ld major %ld pages %zu page %zu\n", usage.ru_minflt, usage.ru_majflt, pages,
	       page);
	return 0;
}
