/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/drain.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>

#include "user/base/cleanup.h"
#include "user/base/err.h"

#define BATCH_FIRST 512

int drain_map(int fd, size_t key_size, size_t value_size, drain_fn fn, void *ctx)
{
	_cleanup_(freep) char *keys = NULL, *values = NULL;
	uint32_t size = BATCH_FIRST, n, i;
	uint64_t at = 0; /* the kernel's own mark of how far it came: 4 bytes for hash maps */
	bool is_first = true;
	int err = 0, result;

	while (err != -ENOENT) {
		if (!keys) {
			keys = calloc(size, key_size);
			values = calloc(size, value_size);
			if (!keys || !values)
				return errf(-ENOMEM, "no memory to drain the kernel's tables");
		}
		n = size;
		err = bpf_map_lookup_and_delete_batch(fd, is_first ? NULL : &at, &at, keys, values,
						      &n, NULL);
		if (err)
			err = -errno;
		if (err == -ENOSPC) { /* one bucket holds more than a batch */
			size *= 2;
			free(take(keys));
			free(take(values));
			continue;
		}
		if (err && err != -ENOENT)
			return errf(err, "cannot drain the kernel's tables: %m");
		is_first = false;
		for (i = 0; i < n; i++) {
			result = fn(ctx, keys + i * key_size, values + i * value_size);
			if (result)
				return result;
		}
	}
	return 0;
}
