/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes as the contents of a perf ring: records are bounded and the reading comes to an end. */
#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>

#include "user/collect/sideband_records.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct perf_event_header *record)
{
	struct record_event e;
	const char *end = (const char *)record + record->size;

	if (record_decode(record, &e))
		return;
	if (e.kind == RECORD_MAPPING &&
	    (e.mapping.path < (const char *)record || e.mapping.path >= end ||
	     e.mapping.path + strlen(e.mapping.path) >= end || e.mapping.start >= e.mapping.end ||
	     !e.mapping.pid))
		abort();
	if (e.kind == RECORD_FORK && (!e.pid || e.pid == e.parent))
		abort();
}

/* The first two bytes say where in the ring the first record begins, and how full it is. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct record_ring ring = { .data = data + 2, .size = size - 2 };
	struct perf_event_header *record;
	uint64_t tail, head;
	int got;

	if (size < 3)
		return 0;
	tail = UINT64_MAX - ring.size - 4096 + data[0];
	tail -= tail % ring.size;
	tail += data[0] * ring.size / 256;
	head = tail + ring.size - data[1] * ring.size / 256;
	while ((got = record_next(&ring, head, &tail, &record))) {
		if (tail > head || (got != 1 && got != -EBADMSG))
			abort();
		if (got != 1)
			continue;
		check(record);
		free(record);
	}
	return 0;
}
