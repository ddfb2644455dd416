/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * alloc: the functions of the heap. Each calls the next allocator's and tells of what is kept.
 *
 * A call that returns no memory tells nothing. realloc() gives up its block and gets another one.
 * Blocks of 0 bytes are told of where every block is (interval=1), and never else: no byte of them
 * is ever a point.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

#include "shim/early.h"
#include "shim/filter.h"
#include "shim/probes.h"
#include "shim/real.h"
#include "shim/sampling.h"

/* The tests compile this file with other names. */
#ifndef SHIM_NAME
#define SHIM_NAME(name) name
#endif
#define EXPORT	 __attribute__((visibility("default")))
#define INLINE	 static inline __attribute__((always_inline))
#define RARE(it) __builtin_expect(!!(it), 0)

EXPORT void *SHIM_NAME(malloc)(size_t bytes);
EXPORT void *SHIM_NAME(calloc)(size_t n, size_t bytes);
EXPORT void *SHIM_NAME(realloc)(void *old, size_t bytes);
EXPORT void *SHIM_NAME(reallocarray)(void *old, size_t n, size_t bytes);
EXPORT int SHIM_NAME(posix_memalign)(void **ret, size_t align, size_t bytes);
EXPORT void *SHIM_NAME(aligned_alloc)(size_t align, size_t bytes);
EXPORT void *SHIM_NAME(memalign)(size_t align, size_t bytes);
EXPORT void *SHIM_NAME(valloc)(size_t bytes);
EXPORT void *SHIM_NAME(pvalloc)(size_t bytes);
EXPORT void SHIM_NAME(free)(void *p);
EXPORT void SHIM_NAME(cfree)(void *p);
EXPORT void SHIM_NAME(free_sized)(void *p, size_t bytes);
EXPORT void SHIM_NAME(free_aligned_sized)(void *p, size_t align, size_t bytes);
EXPORT uint64_t fathom_alloc_kept(void);

/* Inlined: the probe's caller is to be the function that the program knows. */
INLINE void *made(void *p, size_t bytes)
{
	uint64_t weight;

	if (RARE(!p))
		return NULL;
	sampling_me.last = p;
	sampling_me.left -= (int64_t)bytes;
	if (RARE(sampling_me.left < 0)) {
		weight = sampling_weigh(p, bytes);
		if (weight)
			probe_made(p, bytes, weight);
	}
	return p;
}

INLINE void freed(void *p)
{
	if (RARE(filter_may_hold(p))) {
		if (sampling_forgets(p))
			probe_freed(p, p == sampling_me.last);
		if (early_has(p))
			return;
	}
	real.free(p);
}

void *SHIM_NAME(malloc)(size_t bytes)
{
	return made(real.malloc(bytes), bytes);
}

void *SHIM_NAME(calloc)(size_t n, size_t bytes)
{
	int64_t left = sampling_nest();
	void *p = real.calloc(n, bytes);

	sampling_unnest(left);
	return made(p, n * bytes);
}

static void *real_realloc(void *old, size_t bytes)
{
	int64_t left = sampling_nest();
	void *p;

	if (RARE(early_has(old))) {
		p = real.malloc(bytes);
		if (p)
			memcpy(p, old, bytes < early_size(old) ? bytes : early_size(old));
	} else {
		p = real.realloc(old, bytes);
	}
	sampling_unnest(left);
	return p;
}

INLINE void *moved(void *old, size_t bytes)
{
	bool is_kept = filter_may_hold(old) && sampling_forgets(old), ok;
	void *p;

	/* Before: as soon as it is freed another thread may be given the same address. */
	if (RARE(is_kept))
		probe_moving(old);
	p = real_realloc(old, bytes);
	if (RARE(is_kept)) {
		/* glibc's realloc(p, 0) is free(p). */
		ok = p || !bytes;
		if (!ok)
			sampling_remembers(old);
		probe_moved(old, ok);
	}
	return made(p, bytes);
}

void *SHIM_NAME(realloc)(void *old, size_t bytes)
{
	return moved(old, bytes);
}

void *SHIM_NAME(reallocarray)(void *old, size_t n, size_t bytes)
{
	size_t all;

	if (__builtin_mul_overflow(n, bytes, &all)) {
		errno = ENOMEM;
		return NULL;
	}
	return moved(old, all);
}

int SHIM_NAME(posix_memalign)(void **ret, size_t align, size_t bytes)
{
	int64_t left = sampling_nest();
	int err = real.posix_memalign(ret, align, bytes);

	sampling_unnest(left);
	if (!err)
		made(*ret, bytes);
	return err;
}

void *SHIM_NAME(aligned_alloc)(size_t align, size_t bytes)
{
	int64_t left = sampling_nest();
	void *p = real.aligned_alloc(align, bytes);

	sampling_unnest(left);
	return made(p, bytes);
}

void *SHIM_NAME(memalign)(size_t align, size_t bytes)
{
	int64_t left = sampling_nest();
	void *p = real.memalign(align, bytes);

	sampling_unnest(left);
	return made(p, bytes);
}

void *SHIM_NAME(valloc)(size_t bytes)
{
	int64_t left = sampling_nest();
	void *p = real.valloc(bytes);

	sampling_unnest(left);
	return made(p, bytes);
}

void *SHIM_NAME(pvalloc)(size_t bytes)
{
	int64_t left = sampling_nest();
	void *p = real.pvalloc(bytes);

	sampling_unnest(left);
	return made(p, bytes);
}

void SHIM_NAME(free)(void *p)
{
	freed(p);
}

/* glibc before 2.26 */
void SHIM_NAME(cfree)(void *p)
{
	freed(p);
}

/* C23 */
void SHIM_NAME(free_sized)(void *p, size_t bytes)
{
	(void)bytes;
	freed(p);
}

void SHIM_NAME(free_aligned_sized)(void *p, size_t align, size_t bytes)
{
	(void)align;
	(void)bytes;
	freed(p);
}

/* For tests: how many blocks are kept at this moment; 0 where every block is. */
uint64_t fathom_alloc_kept(void)
{
	return filter_count();
}
