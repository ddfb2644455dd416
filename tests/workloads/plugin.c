/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plugin: works in a library (crc32 of zlib) that it loads, unloads, and survives; then half as
 * long in after_dlclose.
 *
 *   plugin SECONDS
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include "spin.h"

typedef unsigned long crc32_function(unsigned long crc, const unsigned char *data, unsigned int n);

BURN(after_dlclose)

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? atof(argv[1]) : 1, end;
	static unsigned char data[65536];
	static volatile unsigned long sink;
	crc32_function *crc32;
	void *library = dlopen("libz.so.1", RTLD_NOW);

	if (library)
		*(void **)&crc32 = dlsym(library, "crc32");
	if (!library || !crc32) {
		fprintf(stderr, "plugin: %s\n", dlerror());
		return 1;
	}
	end = thread_cpu() + seconds;
	while (thread_cpu() < end)
		sink = crc32(sink, data, sizeof(data));
	dlclose(library);
	after_dlclose(seconds / 2);
	return 0;
}
