/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * own_memory: pages for the library's own tables, by the system call itself: mmap() is one of the
 * functions that it stands before. errno stays as it was.
 */
#pragma once

#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Zeroed, and no page of it is there before it is written to; NULL if there is none. */
static inline void *own_memory(size_t bytes)
{
	int err = errno;
	long p = syscall(SYS_mmap, NULL, bytes, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0L);

	errno = err;
	return p == -1 ? NULL : (void *)p;
}

static inline void own_memory_free(void *p, size_t bytes)
{
	int err = errno;

	if (p)
		syscall(SYS_munmap, p, bytes);
	errno = err;
}
