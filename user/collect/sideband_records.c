/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/sideband_records.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "user/base/err.h"

/* What perf_event_open(2) calls struct sample_id, with PERF_SAMPLE_TIME alone. */
struct sample_id {
	uint64_t time_ns;
};

struct record_mmap2 {
	struct perf_event_header header;
	uint32_t pid, tid;
	uint64_t addr, len, pgoff;
	uint32_t major, minor;
	uint64_t ino, generation;
	uint32_t prot, flags;
	char path[];
};

struct record_comm {
	struct perf_event_header header;
	uint32_t pid, tid;
};

struct record_task { /* fork and exit */
	struct perf_event_header header;
	uint32_t pid, ppid, tid, ptid;
	uint64_t time_ns;
};

struct record_lost {
	struct perf_event_header header;
	uint64_t id, lost;
};

struct record_throttle {
	struct perf_event_header header;
	uint64_t time_ns, id, stream_id;
};

/* --- out of the ring ----------------------------------------------------------------------- */

static void ring_copy(const struct record_ring *ring, uint64_t at, void *to, size_t len)
{
	size_t offset = at % ring->size;
	size_t first = len < ring->size - offset ? len : ring->size - offset;

	memcpy(to, (const char *)ring->data + offset, first);
	memcpy((char *)to + first, ring->data, len - first);
}

/* Sizes that the kernel gives; a record that is too short for its type is malformed. */
static size_t record_min(uint32_t type)
{
	switch (type) {
	case PERF_RECORD_MMAP2:
		return sizeof(struct record_mmap2) + 1 + sizeof(struct sample_id);
	case PERF_RECORD_COMM:
		return sizeof(struct record_comm) + 1 + sizeof(struct sample_id);
	case PERF_RECORD_FORK:
	case PERF_RECORD_EXIT:
		return sizeof(struct record_task);
	case PERF_RECORD_LOST:
		return sizeof(struct record_lost);
	case PERF_RECORD_THROTTLE:
	case PERF_RECORD_UNTHROTTLE:
		return sizeof(struct record_throttle);
	default:
		return sizeof(struct perf_event_header);
	}
}

int record_next(const struct record_ring *ring, uint64_t head, uint64_t *tail,
		struct perf_event_header **ret)
{
	struct perf_event_header h, *copy;

	if (head - *tail < sizeof(h))
		return 0;
	ring_copy(ring, *tail, &h, sizeof(h));
	if (h.size < sizeof(h) || h.size > head - *tail || h.size > ring->size) {
		*tail = head;
		return -EBADMSG;
	}
	if (h.size < record_min(h.type)) {
		*tail += h.size;
		return -EBADMSG;
	}
	copy = malloc(h.size);
	if (!copy)
		return errf(-ENOMEM, "no memory for the side band");
	ring_copy(ring, *tail, copy, h.size);
	*tail += h.size;
	*ret = copy;
	return 1;
}

/* --- decoding ------------------------------------------------------------------------------ */

/* perf gives processes outside our PID namespace 0, and tasks that are gone by now -1. */
static bool is_visible(uint32_t pid)
{
	return pid && pid != UINT32_MAX;
}

static uint64_t sample_time(const struct perf_event_header *h)
{
	struct sample_id id;

	memcpy(&id, (const char *)h + h->size - sizeof(id), sizeof(id));
	return id.time_ns;
}

static int decode_mmap2(const struct record_mmap2 *r, struct record_event *e)
{
	size_t room = r->header.size - sizeof(*r) - sizeof(struct sample_id);

	if (strnlen(r->path, room) == room || r->addr + r->len <= r->addr)
		return -EBADMSG;
	if (!is_visible(r->pid))
		return 0;
	e->kind = RECORD_MAPPING;
	e->time_ns = sample_time(&r->header);
	e->pid = r->pid;
	e->mapping = (struct sym_mapping){
		.start = r->addr,
		.end = r->addr + r->len,
		.pgoff = r->pgoff,
		.dev = makedev(r->major, r->minor),
		.ino = r->ino,
		.generation = r->generation,
		.path = r->path,
		.pid = r->pid,
	};
	return 0;
}

static void decode_comm(const struct record_comm *r, struct record_event *e)
{
	if (!(r->header.misc & PERF_RECORD_MISC_COMM_EXEC) || !is_visible(r->pid))
		return;
	e->kind = RECORD_EXEC;
	e->time_ns = sample_time(&r->header);
	e->pid = r->pid;
}

static void decode_fork(const struct record_task *r, struct record_event *e)
{
	/* A new thread has the memory of its process. */
	if (r->pid == r->ppid || !is_visible(r->pid))
		return;
	e->kind = RECORD_FORK;
	e->time_ns = r->time_ns;
	e->pid = r->pid;
	e->parent = is_visible(r->ppid) ? r->ppid : 0;
}

int record_decode(const struct perf_event_header *record, struct record_event *ret)
{
	const void *r = record;
	struct record_event e = { .kind = RECORD_OTHER };
	int err = 0;

	switch (record->type) {
	case PERF_RECORD_MMAP2:
		err = decode_mmap2(r, &e);
		break;
	case PERF_RECORD_COMM:
		decode_comm(r, &e);
		break;
	case PERF_RECORD_FORK:
		decode_fork(r, &e);
		break;
	case PERF_RECORD_LOST:
		e.kind = RECORD_LOST;
		e.lost = ((const struct record_lost *)r)->lost;
		break;
	case PERF_RECORD_THROTTLE:
	case PERF_RECORD_UNTHROTTLE:
		e.kind = record->type == PERF_RECORD_THROTTLE ? RECORD_THROTTLE : RECORD_UNTHROTTLE;
		e.time_ns = ((const struct record_throttle *)r)->time_ns;
		break;
	default:
		break;
	}
	if (!err)
		*ret = e;
	return err;
}
