/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * real: the functions that this library stands before, of libc or of whatever allocator comes next.
 * Each of them is looked up by the first call, whenever that is; the pointers are never NULL.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

struct real {
	void *(*malloc)(size_t bytes);
	void *(*calloc)(size_t n, size_t bytes);
	void *(*realloc)(void *old, size_t bytes);
	void (*free)(void *p);
	int (*posix_memalign)(void **ret, size_t align, size_t bytes);
	void *(*aligned_alloc)(size_t align, size_t bytes);
	void *(*memalign)(size_t align, size_t bytes);
	void *(*valloc)(size_t bytes);
	void *(*pvalloc)(size_t bytes);
	void *(*mmap)(void *at, size_t bytes, int protection, int flags, int fd, off_t offset);
	int (*munmap)(void *at, size_t bytes);
	void *(*mremap)(void *old, size_t old_bytes, size_t new_bytes, int flags, ...);
};
extern struct real real __attribute__((visibility("hidden")));

/* Looks all of them up, once. */
void real_resolve(void);

/*
 * From now on what malloc and free call in turn is known as such (sampling_nest), as it is of the
 * others always: other allocators than libc's call mmap() by its name.
 */
void real_nest(void);
