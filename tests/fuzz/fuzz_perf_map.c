/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz_perf_map: any bytes as a perf map, the second half of them added later. */
#include <stdlib.h>
#include <sys/mman.h>

#include "user/base/file.h"
#include "user/sym/demangle.h"
#include "user/sym/perf_map.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(struct perf_map *map)
{
	struct perf_map_function f;
	char text[4097];
	uint64_t i;

	for (i = 0; i < 64; i++) {
		if (perf_map_find(map, 1ull << i, &f)) {
			if (!f.name[0])
				abort();
			demangle_name(f.name, DEMANGLE_FULL, text, sizeof(text));
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(closep) int fd = memfd_create("fuzz", MFD_CLOEXEC);
	_cleanup_(perf_map_freep) struct perf_map *map = NULL;
	size_t half = size / 2;

	if (fd < 0 || perf_map_new(1, &map) || file_write_all(fd, "fuzz", data, half))
		abort();
	perf_map_read(map, fd);
	look(map);
	if (lseek(fd, 0, SEEK_END) < 0 || file_write_all(fd, "fuzz", data + half, size - half))
		abort();
	perf_map_read(map, fd);
	look(map);
	return 0;
}
