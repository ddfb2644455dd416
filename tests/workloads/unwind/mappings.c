/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mappings: maps the code of a library many times and works in the copies, one after another: main,
 * visits, spot_enter, spot_burn.
 *
 *   mappings SECONDS LIBRARY [COUNT]	(default: 2000)
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "chain.h"

#define MAX_COPIES 60000

typedef void (*spot_fn)(unsigned long n);

static spot_fn copies[MAX_COPIES];

static NOINLINE void visits(int n, double until)
{
	int i = 0;

	while (cpu_now() < until) {
		copies[i](100000);
		i = (i + 1) % n;
	}
	STAY();
}

/* Where the library's code lies in its file, and in memory once: the distance to 'enter' is the
 * same in each copy. */
struct code {
	uintptr_t at;
	off_t offset;
	size_t bytes;
};

static int find_code(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct code *code = arg;
	int i;

	(void)size;
	for (i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		uintptr_t start = info->dlpi_addr + p->p_vaddr;

		if (p->p_type == PT_LOAD && p->p_flags & PF_X && code->at >= start &&
		    code->at < start + p->p_memsz) {
			*code = (struct code){ start & -4096ul, p->p_offset & -4096ul,
					       p->p_memsz + (p->p_offset & 4095) };
			return 1;
		}
	}
	return 0;
}

static int map_copies(int fd, const struct code *code, uintptr_t distance, int n)
{
	int i;

	for (i = 0; i < n; i++) {
		/* Of the same place in the file: the kernel cannot make one mapping of two. */
		char *at = mmap(NULL, code->bytes, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd,
				code->offset);

		if (at == MAP_FAILED)
			return -1;
		copies[i] = (spot_fn)(at + distance);
	}
	return 0;
}

int main(int argc, char **argv)
{
	int n = argc > 3 ? atoi(argv[3]) : 2000, fd;
	void *library, *enter;
	struct code code;

	library = argc > 2 ? dlopen(argv[2], RTLD_NOW) : NULL;
	enter = library ? dlsym(library, "spot_enter") : NULL;
	fd = enter ? open(argv[2], O_RDONLY | O_CLOEXEC) : -1;
	code.at = (uintptr_t)enter;
	if (n < 1 || n > MAX_COPIES || fd < 0 || !dl_iterate_phdr(find_code, &code) ||
	    map_copies(fd, &code, (uintptr_t)enter - code.at, n)) {
		perror("mappings");
		return 1;
	}
	visits(n, cpu_now() + seconds_of(argc, argv));
	return 0;
}
