/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * allocators: which functions of which files give out memory in a process, and where probes on them
 * go (prologue.h). The files belong to somebody else and may be hostile.
 *
 * A file has an allocator if it defines malloc, or jemalloc's, tcmalloc's or mimalloc's function of
 * that kind under its own prefix. Of all names that one address has, the first is taken. C++'s
 * operators count only where they live beside an allocator that serves them itself (jemalloc,
 * tcmalloc, mimalloc); libstdc++'s call malloc. A function that only calls another one of these is
 * left out, since the other one is probed: an alias that jumps there at once, an operator that
 * calls malloc, posix_memalign, reallocarray and valloc, and in a C library calloc, too.
 *
 * A process may have several such files: the C library's allocator is there beside the one that
 * takes its place. All of them are probed, for a probe that nobody comes to costs nothing, and who
 * calls past the one in front (from a library with symbols of its own, by dlsym) asks for memory as
 * well. Left out are wrappers: a file of an unknown name that looks up the next malloc by dlsym, if
 * there is another.
 *
 * Functions behind an IFUNC are not found: the symbol is that of its resolver.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/types.h>

#include "bpf/alloc_wire.h"

#include "user/base/cleanup.h"
#include "user/base/keyset.h"
#include "user/elf/elf_image.h"

enum alloc_function {
	ALLOC_MALLOC = FT_ALLOC_CALL_MALLOC,
	ALLOC_CALLOC = FT_ALLOC_CALL_CALLOC,
	ALLOC_REALLOC = FT_ALLOC_CALL_REALLOC,
	ALLOC_REALLOCARRAY = FT_ALLOC_CALL_REALLOCARRAY,
	ALLOC_POSIX_MEMALIGN = FT_ALLOC_CALL_POSIX_MEMALIGN,
	ALLOC_MEMALIGN = FT_ALLOC_CALL_MEMALIGN,
	ALLOC_FREE = FT_ALLOC_CALL_FREE,
	ALLOC_FUNCTIONS = FT_ALLOC_CALL_FUNCTIONS,
};

#define ALLOCATOR_NAME_LEN 48

struct allocator_probe {
	enum alloc_function function;
	char name[ALLOCATOR_NAME_LEN]; /* as the file has it */
	uint64_t address;	       /* virtual, of the function */
	uint64_t size;		       /* bytes, 0 if not known */
	uint64_t offset;	       /* of the probe, in the file */
	uint64_t cookie;	       /* FT_ALLOC_CALL_* (bpf/alloc_wire.h) */
	bool is_slow;		       /* each call will be single-stepped */
};

struct allocator {
	const char *kind; /* "glibc", "musl", "jemalloc", "tcmalloc", "mimalloc", or "malloc" */
	char *path;	  /* as the process has it */
	int fd;		  /* of the file, for reading; -1: none */
	bool is_wrapper;
	struct allocator_probe *probes;
	size_t n_probes, cap;
};

/*
 * The allocator of one ELF file, in *ret, whose 'fd' is -1. 'is_program': it is the main program,
 * whose local symbols are looked at, too. -ENOENT if it has none (no sentence), -ENOTSUP if it is
 * of another machine, or as for elf_image.h.
 */
int allocator_of_image(const struct elf_image *image, bool is_program, struct allocator *ret);
void allocator_release(struct allocator *a);

/* Files that were looked at, each once, with and without an allocator. */
struct allocators {
	struct keyset files;	/* struct allocator_file, by number: */
	struct allocator **all; /* NULL: it has none, or could not be read */
	size_t cap;
};

void allocators_init(struct allocators *list);
void allocators_release(struct allocators *list);

/* Those of one process. */
#define ALLOCATORS_MAX 16
struct allocator_set {
	const struct allocator *all[ALLOCATORS_MAX]; /* owned by the list */
	size_t n;
};

/*
 * Fills in those of a process. A file that cannot be read, or is broken, is passed over. -ENOENT
 * with a sentence if there is none at all, -EOPNOTSUPP with one if probes would end it, -ENOMEM.
 */
int allocators_of_process(struct allocators *list, uint32_t pid, struct allocator_set *ret);

/*
 * The same of a program that has not been started: what a static one brings with it. -ENOENT with a
 * sentence if it has none, which is so for one that is linked dynamically.
 */
int allocators_of_program(struct allocators *list, const char *path, struct allocator_set *ret);
