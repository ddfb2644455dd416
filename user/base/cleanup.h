/* SPDX-License-Identifier: BSD-2-Clause */
/* cleanup: owned locals that release themselves, in the manner of systemd's. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(f) __attribute__((cleanup(f)))

/* Gives away what 'ptr' owns: yields its value and leaves NULL behind. */
#define take(ptr)                          \
	({                                 \
		__typeof__(ptr) __p = ptr; \
		(ptr) = NULL;              \
		__p;                       \
	})

/* The same for a file descriptor, which is owned while it is >= 0. */
#define take_fd(fd)              \
	({                       \
		int __fd = (fd); \
		(fd) = -1;       \
		__fd;            \
	})

/* Defines func##p(), which calls func on the pointer that it is given the address of. */
#define DEFINE_FREEP(type, func)               \
	static inline void func##p(type **ptr) \
	{                                      \
		if (*ptr)                      \
			func(*ptr);            \
	}

static inline void freep(void *ptr)
{
	free(*(void **)ptr);
}

static inline void fclosep(FILE **f)
{
	if (*f)
		fclose(*f);
}

static inline void closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
