/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/unwind_memory.h"

#include <ctype.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "user/base/clock.h"
#include "user/base/keyset.h"
#include "user/collect/maps_file.h"

#define PATIENCE_NS 20000000

/* A row has 4 bytes for some 60 of code (docs/overhead.md); pages and lists take their share. */
#define BYTES_PER_KIB 100

/* A compiler or two that may be started; and where there was no time to look at all processes. */
#define HEADROOM_BYTES (12ull << 20)
#define UNKNOWN_BYTES  (32ull << 20)

#define MAX_MAPPINGS 65536

struct text {
	struct keyset files; /* of struct part */
	uint64_t bytes;
	bool has_failed;
};

struct part {
	uint64_t dev, ino, pgoff;
};

static int on_mapping(void *ctx, const struct sym_mapping *m)
{
	struct part part = { .dev = m->dev, .ino = m->ino, .pgoff = m->pgoff };
	struct text *text = ctx;
	uint32_t number;
	int added = m->ino ? keyset_add(&text->files, &part, &number) : 0;

	if (added < 0)
		text->has_failed = true;
	if (added > 0)
		text->bytes += m->end - m->start;
	return 0;
}

/* False if not all has been seen. */
static bool add_all(struct text *text)
{
	uint64_t until_ns = clock_ns(CLOCK_MONOTONIC) + PATIENCE_NS;
	DIR *proc = opendir("/proc");
	struct dirent *entry = NULL;

	while (proc && clock_ns(CLOCK_MONOTONIC) < until_ns && (entry = readdir(proc))) {
		if (isdigit((unsigned char)entry->d_name[0]))
			maps_file_read(strtoul(entry->d_name, NULL, 10), MAX_MAPPINGS, on_mapping,
				       text);
	}
	if (proc)
		closedir(proc);
	return proc && !entry && !text->has_failed;
}

uint64_t unwind_memory_fitting(uint64_t limit_bytes)
{
	struct text text = { 0 };
	uint64_t bytes = UNKNOWN_BYTES;

	keyset_init(&text.files, sizeof(struct part));
	if (add_all(&text))
		bytes = 2 * (text.bytes / 1024 * BYTES_PER_KIB) + HEADROOM_BYTES;
	keyset_release(&text.files);
	if (bytes < UNWIND_MEMORY_MIN)
		bytes = UNWIND_MEMORY_MIN;
	return bytes < limit_bytes ? bytes : limit_bytes;
}
