/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mappings: mmap and its like. Anonymous memory is told of to the byte, in whole pages: what is
 * new as a mapping of its own, what is gone by the number that it was told of with. A mapping that
 * moves stays the same one. What an allocator maps for itself is none of it.
 *
 * The table is locked while the kernel changes what it says; a new mapping where nothing was needs
 * no lock then, since nobody else knows of it.
 */
#include <linux/mman.h>
#include <stdarg.h>
#include <sys/auxv.h>
#include <sys/types.h>

#include "shim/probes.h"
#include "shim/ranges.h"
#include "shim/real.h"
#include "shim/sampling.h"

#ifndef SHIM_NAME
#define SHIM_NAME(name) name
#endif
#ifndef MAP_FAILED
#define MAP_FAILED ((void *)-1)
#endif
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4 /* Linux 5.7 */
#endif
#define EXPORT __attribute__((visibility("default")))
#define INLINE static inline __attribute__((always_inline))

EXPORT void *SHIM_NAME(mmap)(void *at, size_t bytes, int protection, int flags, int fd,
			     off_t offset);
EXPORT void *SHIM_NAME(mmap64)(void *at, size_t bytes, int protection, int flags, int fd,
			       off_t offset);
EXPORT int SHIM_NAME(munmap)(void *at, size_t bytes);
EXPORT void *SHIM_NAME(mremap)(void *old, size_t old_bytes, size_t new_bytes, int flags, ...);

/* Where mappings are noted; NULL if this one is not to be. The first call starts the library. */
static struct ranges *noted(void)
{
	return !sampling_me.nested && sampling_has_maps() ? &sampling_process->ranges : NULL;
}

/* Where bytes from 'start' on end, in whole pages. */
static uintptr_t end_of(const void *start, size_t bytes)
{
	uintptr_t page = getauxval(AT_PAGESZ);

	return ((uintptr_t)start + bytes + page - 1) & ~(page - 1);
}

INLINE void forget(struct ranges *r, uintptr_t start, uintptr_t end)
{
	uint64_t id, bytes;

	while (ranges_cut(r, start, end, &id, &bytes))
		probe_unmapped(id, bytes);
}

INLINE void remember(struct ranges *r, uintptr_t start, uintptr_t end)
{
	uint64_t id;

	/* There may be something: who asked the kernel directly was not seen. */
	forget(r, start, end);
	id = ranges_add(r, start, end);
	if (id)
		probe_mapped(id, end - start);
}

INLINE void *map(void *at, size_t bytes, int protection, int flags, int fd, off_t offset)
{
	bool is_fixed = flags & MAP_FIXED;
	struct ranges *r = noted();
	uint64_t signals = 0;
	void *p;

	if (!r)
		return real.mmap(at, bytes, protection, flags, fd, offset);
	if (is_fixed)
		signals = ranges_lock(r);
	p = real.mmap(at, bytes, protection, flags, fd, offset);
	if (!is_fixed)
		signals = ranges_lock(r);
	if (p != MAP_FAILED && flags & MAP_ANONYMOUS)
		remember(r, (uintptr_t)p, end_of(p, bytes));
	else if (p != MAP_FAILED)
		forget(r, (uintptr_t)p, end_of(p, bytes));
	ranges_unlock(r, signals);
	return p;
}

void *SHIM_NAME(mmap)(void *at, size_t bytes, int protection, int flags, int fd, off_t offset)
{
	return map(at, bytes, protection, flags, fd, offset);
}

void *SHIM_NAME(mmap64)(void *at, size_t bytes, int protection, int flags, int fd, off_t offset)
{
	return map(at, bytes, protection, flags, fd, offset);
}

int SHIM_NAME(munmap)(void *at, size_t bytes)
{
	struct ranges *r = noted();
	uint64_t signals;
	int err;

	if (!r)
		return real.munmap(at, bytes);
	signals = ranges_lock(r);
	err = real.munmap(at, bytes);
	if (!err)
		forget(r, (uintptr_t)at, end_of(at, bytes));
	ranges_unlock(r, signals);
	return err;
}

/* It has become 'new'. What was added to anonymous memory that was told of is anonymous, too. */
INLINE void remapped(struct ranges *r, void *old, size_t old_bytes, void *new, size_t new_bytes,
		     int flags)
{
	uintptr_t from = (uintptr_t)old, from_end = end_of(old, old_bytes);
	uintptr_t to = (uintptr_t) new, to_end = end_of(new, new_bytes), kept = from_end - from;
	bool is_ours = ranges_has(r, old_bytes ? from_end - 1 : from);

	if (kept > to_end - to)
		kept = to_end - to;
	/* A second view of the same pages, or new pages where the old ones were. */
	if (!old_bytes || flags & MREMAP_DONTUNMAP)
		kept = 0;
	else
		forget(r, from + kept, from_end);
	if (from != to)
		forget(r, to, to_end);
	if (kept && from != to)
		ranges_move(r, from, from + kept, to);
	if (is_ours && to + kept < to_end)
		remember(r, to + kept, to_end);
}

void *SHIM_NAME(mremap)(void *old, size_t old_bytes, size_t new_bytes, int flags, ...)
{
	struct ranges *r = noted();
	uint64_t signals;
	void *to = NULL, *p;
	va_list more;

	if (flags & MREMAP_FIXED) {
		va_start(more, flags);
		to = va_arg(more, void *);
		va_end(more);
	}
	if (!r)
		return real.mremap(old, old_bytes, new_bytes, flags, to);
	signals = ranges_lock(r);
	p = real.mremap(old, old_bytes, new_bytes, flags, to);
	if (p != MAP_FAILED)
		remapped(r, old, old_bytes, p, new_bytes, flags);
	ranges_unlock(r, signals);
	return p;
}
