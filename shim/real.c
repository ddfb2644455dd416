/* SPDX-License-Identifier: BSD-2-Clause */
#include "shim/real.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "shim/early.h"
#include "shim/sampling.h"

/* Of this thread: what dlsym() asks for comes from the early memory. */
static __thread int is_resolving __attribute__((tls_model("initial-exec")));

/* True if the pointers are now those of real functions. */
static int resolve(void)
{
	if (is_resolving)
		return 0;
	real_resolve();
	return 1;
}

static void *first_malloc(size_t bytes)
{
	return resolve() ? real.malloc(bytes) : early_alloc(bytes, 0);
}

static void *first_calloc(size_t n, size_t bytes)
{
	size_t all;

	if (resolve())
		return real.calloc(n, bytes);
	if (__builtin_mul_overflow(n, bytes, &all)) {
		errno = ENOMEM;
		return NULL;
	}
	return early_alloc(all, 0);
}

/* Early memory is seen before it comes here (alloc.c). */
static void *first_realloc(void *old, size_t bytes)
{
	if (resolve())
		return real.realloc(old, bytes);
	if (!old)
		return early_alloc(bytes, 0);
	errno = ENOMEM;
	return NULL;
}

static void first_free(void *p)
{
	if (resolve())
		real.free(p);
}

static void *first_memalign(size_t align, size_t bytes)
{
	return resolve() ? real.memalign(align, bytes) : early_alloc(bytes, align);
}

static void *first_aligned_alloc(size_t align, size_t bytes)
{
	return resolve() ? real.aligned_alloc(align, bytes) : early_alloc(bytes, align);
}

static int first_posix_memalign(void **ret, size_t align, size_t bytes)
{
	void *p;

	if (resolve())
		return real.posix_memalign(ret, align, bytes);
	p = early_alloc(bytes, align);
	if (!p)
		return ENOMEM;
	*ret = p;
	return 0;
}

static void *first_valloc(size_t bytes)
{
	return resolve() ? real.valloc(bytes) : early_alloc(bytes, getpagesize());
}

static void *first_pvalloc(size_t bytes)
{
	return resolve() ? real.pvalloc(bytes) : early_alloc(bytes, getpagesize());
}

static void *first_mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t offset)
{
	if (resolve())
		return real.mmap(at, bytes, protection, flags, fd, offset);
	return (void *)syscall(SYS_mmap, at, bytes, protection, flags, fd, offset);
}

static int first_munmap(void *at, size_t bytes)
{
	return resolve() ? real.munmap(at, bytes) : (int)syscall(SYS_munmap, at, bytes);
}

static void *first_mremap(void *old, size_t old_bytes, size_t new_bytes, int flags, ...)
{
	va_list more;
	void *to;

	/* Whoever has no fifth argument has no MREMAP_FIXED, and then nobody looks at it. */
	va_start(more, flags);
	to = va_arg(more, void *);
	va_end(more);
	if (resolve())
		return real.mremap(old, old_bytes, new_bytes, flags, to);
	return (void *)syscall(SYS_mremap, old, old_bytes, new_bytes, flags, to);
}

struct real real = {
	.malloc = first_malloc,
	.calloc = first_calloc,
	.realloc = first_realloc,
	.free = first_free,
	.posix_memalign = first_posix_memalign,
	.aligned_alloc = first_aligned_alloc,
	.memalign = first_memalign,
	.valloc = first_valloc,
	.pvalloc = first_pvalloc,
	.mmap = first_mmap,
	.munmap = first_munmap,
	.mremap = first_mremap,
};

static void *no_memory(void)
{
	errno = ENOMEM;
	return NULL;
}

static int no_memory_status(void)
{
	return ENOMEM;
}

static void *no_mapping(void)
{
	errno = ENOSYS;
	return MAP_FAILED;
}

/* An allocator that is there without it: asked all the same, it has no memory. */
static void look_up(const char *name, void *function, void *missing)
{
	void *symbol = dlsym(RTLD_NEXT, name);

	if (!symbol)
		symbol = missing;
	__atomic_store((void **)function, &symbol, __ATOMIC_RELEASE);
}

void real_resolve(void)
{
	static int is_resolved;
	int err = errno;

	if (__atomic_load_n(&is_resolved, __ATOMIC_ACQUIRE))
		return;
	is_resolving = 1;
	look_up("malloc", &real.malloc, no_memory);
	look_up("calloc", &real.calloc, no_memory);
	look_up("realloc", &real.realloc, no_memory);
	look_up("free", &real.free, no_memory);
	look_up("posix_memalign", &real.posix_memalign, no_memory_status);
	look_up("aligned_alloc", &real.aligned_alloc, no_memory);
	look_up("memalign", &real.memalign, no_memory);
	look_up("valloc", &real.valloc, no_memory);
	look_up("pvalloc", &real.pvalloc, no_memory);
	look_up("mmap", &real.mmap, no_mapping);
	look_up("munmap", &real.munmap, no_mapping);
	look_up("mremap", &real.mremap, no_mapping);
	is_resolving = 0;
	__atomic_store_n(&is_resolved, 1, __ATOMIC_RELEASE);
	errno = err;
}

static void *(*nested_malloc)(size_t bytes);
static void (*nested_free)(void *p);

static void *nesting_malloc(size_t bytes)
{
	int64_t left = sampling_nest();
	void *p = nested_malloc(bytes);

	sampling_unnest(left);
	return p;
}

static void nesting_free(void *p)
{
	int64_t left = sampling_nest();

	nested_free(p);
	sampling_unnest(left);
}

void real_nest(void)
{
	real_resolve();
	nested_malloc = real.malloc;
	nested_free = real.free;
	__atomic_store_n(&real.malloc, nesting_malloc, __ATOMIC_RELEASE);
	__atomic_store_n(&real.free, nesting_free, __ATOMIC_RELEASE);
}
