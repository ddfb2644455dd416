/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sideband_records: records of a perf ring, as perf_event_open(2) describes them, checked and made
 * into events. They are those of an event with PERF_SAMPLE_TIME and sample_id_all, and of throttled
 * events beside it.
 */
#pragma once

#include <linux/perf_event.h>
#include <stddef.h>
#include <stdint.h>

#include "user/sym/sym.h"

/* The data area of a ring, which wraps. */
struct record_ring {
	const void *data;
	size_t size; /* bytes, not 0 */
};

/*
 * Copies the record at *tail, which the ring has bytes up to 'head' for, and moves *tail behind it.
 * 1: *ret is the record, in a block of the caller's; 0: there is no more; -EBADMSG: it was too
 * short for its type, or so wrong that *tail is now 'head', for where the next one begins is not
 * known; -ENOMEM with a sentence.
 */
int record_next(const struct record_ring *ring, uint64_t head, uint64_t *tail,
		struct perf_event_header **ret);

enum record_kind {
	RECORD_OTHER, /* nothing that we ask for, or of a process that is not visible to us */
	RECORD_MAPPING,
	RECORD_FORK,
	RECORD_EXEC,
	RECORD_LOST,
	RECORD_THROTTLE,
	RECORD_UNTHROTTLE,
};

struct record_event {
	enum record_kind kind;
	uint64_t time_ns; /* CLOCK_MONOTONIC; not of RECORD_OTHER and RECORD_LOST */
	uint32_t pid;
	uint32_t parent;	    /* RECORD_FORK; 0 if it is not visible to us */
	uint64_t lost;		    /* RECORD_LOST: records */
	struct sym_mapping mapping; /* RECORD_MAPPING; its path is in the record */
};

/* Decodes a record that record_next() returned. 0, or -EBADMSG if it is not what it should be. */
int record_decode(const struct perf_event_header *record, struct record_event *ret);
