/* SPDX-License-Identifier: BSD-2-Clause */
/* wrapper: a malloc that only calls the next one, as tools do that are preloaded. */
#include <dlfcn.h>
#include <stddef.h>

void *malloc(size_t bytes)
{
	static void *(*volatile next)(size_t);

	if (!next)
		next = (void *(*)(size_t))dlsym(RTLD_NEXT, "malloc");
	return next(bytes);
}
