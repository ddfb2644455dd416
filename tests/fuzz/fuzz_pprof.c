/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz_pprof: any bytes as a pprof file; what is read is written the same from then on. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/cleanup.h"
#include "user/export/pprof.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(profile_freep) struct profile *first = NULL, *second = NULL;
	_cleanup_(freep) void *once = NULL, *twice = NULL;
	size_t once_len, twice_len;

	if (pprof_read(data, size, "input", &first))
		return 0;
	if (pprof_write(first, &once, &once_len) || pprof_read(once, once_len, "own", &second) ||
	    pprof_write(second, &twice, &twice_len))
		abort();
	if (once_len != twice_len || memcmp(once, twice, once_len))
		abort();
	return 0;
}
