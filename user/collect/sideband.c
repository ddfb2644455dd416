/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/sideband.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "user/base/array.h"
#include "user/base/clock.h"
#include "user/base/err.h"
#include "user/collect/sideband_records.h"

#define RING_PAGES 128 /* data pages of a CPU's ring: 512 KiB with 4 KiB pages */

/* The longest time between two ticks of a busy CPU: CONFIG_HZ is at least 100. */
#define TICK_MAX_NS 10000000

/* A record's time is taken before it is in its ring: later ones may still be under way. */
#define SETTLE_NS 10000000

struct ring {
	int fd;
	struct perf_event_mmap_page *page; /* NULL while closed */
	size_t bytes;			   /* of the whole mapping */
	uint64_t throttled_since_ns;	   /* 0: not now */
	uint64_t enabled_ns;		   /* when it was asked whether it has stopped */
};

/* A record that waits for its turn. */
struct pending {
	struct record_event event;
	uint64_t order; /* of arrival: keeps equal times in the order of their ring */
	struct perf_event_header *record; /* what the event's path is in */
	unsigned int cpu;
};

struct sideband {
	struct processes *ps;
	sideband_mapping_fn on_mapping;
	void *ctx;
	struct ring *rings;
	size_t n_rings, rings_cap;
	struct pending *pending;
	size_t n_pending, pending_cap;
	uint64_t order;
	uint64_t settled_ns;
	struct sideband_counts counts;
};

int sideband_new(struct processes *ps, sideband_mapping_fn on_mapping, void *ctx,
		 struct sideband **ret)
{
	struct sideband *sb = calloc(1, sizeof(*sb));

	if (!sb)
		return errf(-ENOMEM, "no memory for the side band");
	sb->ps = ps;
	sb->on_mapping = on_mapping;
	sb->ctx = ctx;
	*ret = sb;
	return 0;
}

void sideband_free(struct sideband *sb)
{
	size_t i;

	if (!sb)
		return;
	for (i = 0; i < sb->n_rings; i++)
		sideband_close_cpu(sb, i);
	for (i = 0; i < sb->n_pending; i++)
		free(sb->pending[i].record);
	free(sb->pending);
	free(sb->rings);
	free(sb);
}

void sideband_counts(const struct sideband *sb, struct sideband_counts *ret)
{
	*ret = sb->counts;
}

int sideband_fd(const struct sideband *sb, unsigned int cpu)
{
	return cpu < sb->n_rings && sb->rings[cpu].page ? sb->rings[cpu].fd : -1;
}

/* --- rings --------------------------------------------------------------------------------- */

static int map_ring(struct ring *ring, int fd, unsigned int cpu)
{
	size_t page = sysconf(_SC_PAGESIZE), pages;
	void *at = MAP_FAILED;

	/* What may be locked (perf_event_mlock_kb) can be little: take what one gets. */
	for (pages = RING_PAGES; pages >= 4 && at == MAP_FAILED; pages /= 2) {
		ring->bytes = (pages + 1) * page;
		at = mmap(NULL, ring->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	}
	if (at == MAP_FAILED)
		return errf(
			-errno,
			"cannot map the side band of CPU %u: %m: raise kernel.perf_event_mlock_kb",
			cpu);
	ring->fd = fd;
	ring->page = at;
	return 0;
}

int sideband_open_cpu(struct sideband *sb, unsigned int cpu)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_DUMMY,
		.sample_type = PERF_SAMPLE_TIME,
		.sample_id_all = 1,
		.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING,
		.mmap = 1,
		.mmap2 = 1,
		.comm = 1,
		.comm_exec = 1,
		.task = 1,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
		.watermark = 1,
		.wakeup_watermark = UINT32_MAX, /* it is read by the clock, not woken for */
	};
	_cleanup_(closep) int fd = -1;
	int err;

	if (array_reserve(sb->rings, sb->rings_cap, (size_t)cpu + 1))
		return errf(-ENOMEM, "no memory for the side band");
	while (sb->n_rings <= cpu)
		sb->rings[sb->n_rings++] = (struct ring){ .fd = -1 };
	sideband_close_cpu(sb, cpu);
	fd = perf_open(&attr, cpu);
	if (fd == -ENODEV)
		return -ENODEV;
	if (fd < 0) {
		/* The first thing of a recording that needs rights: it names all that are needed.
		 */
		errno = -fd;
		if (fd == -EACCES || fd == -EPERM)
			return errf(fd,
				    "cannot open perf events of CPU %u: %m: run as root, or with "
				    "CAP_PERFMON and CAP_BPF",
				    cpu);
		return errf(fd, "cannot open the side band of CPU %u: %m", cpu);
	}
	err = map_ring(&sb->rings[cpu], fd, cpu);
	if (!err)
		take_fd(fd);
	return err;
}

void sideband_close_cpu(struct sideband *sb, unsigned int cpu)
{
	struct ring *ring = cpu < sb->n_rings ? &sb->rings[cpu] : NULL;

	if (!ring || !ring->page)
		return;
	munmap(ring->page, ring->bytes);
	close(ring->fd);
	*ring = (struct ring){ .fd = -1 };
}

bool sideband_has_stopped(struct sideband *sb, unsigned int cpu)
{
	struct ring *ring = cpu < sb->n_rings ? &sb->rings[cpu] : NULL;
	struct perf_reading r;
	uint64_t before;

	if (!ring || !ring->page)
		return false;
	if (read(ring->fd, &r, sizeof(r)) != sizeof(r))
		return true;
	before = ring->enabled_ns;
	ring->enabled_ns = r.enabled_ns;
	return r.enabled_ns == before;
}

/* --- records ------------------------------------------------------------------------------- */

static void on_throttle(struct sideband *sb, unsigned int cpu, bool begins, uint64_t time_ns)
{
	struct ring *ring = &sb->rings[cpu];
	uint64_t since_ns = ring->throttled_since_ns;

	ring->throttled_since_ns = begins ? time_ns : 0;
	if (begins || !since_ns || time_ns <= since_ns)
		return;
	/* The next tick of a busy CPU ends it; only an idle one, which has no tick, stays longer.
	 */
	if (time_ns - since_ns <= TICK_MAX_NS)
		sb->counts.throttled_ns += time_ns - since_ns;
}

static int handle(struct sideband *sb, const struct pending *p)
{
	const struct record_event *e = &p->event;

	switch (e->kind) {
	case RECORD_MAPPING:
		return processes_mmap(sb->ps, &e->mapping, e->time_ns);
	case RECORD_EXEC:
		return processes_exec(sb->ps, e->pid, e->time_ns);
	case RECORD_FORK:
		/* A parent that we do not see is 0, which has no mappings. */
		return processes_fork(sb->ps, e->pid, e->parent, e->time_ns);
	case RECORD_THROTTLE:
	case RECORD_UNTHROTTLE:
		on_throttle(sb, p->cpu, e->kind == RECORD_THROTTLE, e->time_ns);
		return 0;
	default:
		return 0;
	}
}

/* Owns the record from here on. */
static int take_record(struct sideband *sb, unsigned int cpu, struct perf_event_header *record)
{
	_cleanup_(freep) struct perf_event_header *owned = record;
	struct record_event event;

	if (record_decode(record, &event)) {
		sb->counts.malformed++;
		return 0;
	}
	if (event.kind == RECORD_LOST)
		sb->counts.lost += event.lost;
	if (event.kind == RECORD_LOST || event.kind == RECORD_OTHER)
		return 0;
	if (array_reserve(sb->pending, sb->pending_cap, sb->n_pending + 1))
		return errf(-ENOMEM, "no memory for the side band");
	/* The file can still be opened now; all else waits until its time has come. */
	if (event.kind == RECORD_MAPPING && sb->on_mapping)
		sb->on_mapping(sb->ctx, &event.mapping);
	sb->pending[sb->n_pending++] = (struct pending){
		.event = event,
		.order = sb->order++,
		.record = take(owned),
		.cpu = cpu,
	};
	return 0;
}

static int read_ring(struct sideband *sb, unsigned int cpu)
{
	struct ring *ring = &sb->rings[cpu];
	size_t page = sysconf(_SC_PAGESIZE);
	struct perf_event_header *record;
	struct record_ring data;
	uint64_t head, tail;
	int err = 0, got;

	if (!ring->page)
		return 0;
	data.data = (const char *)ring->page + page;
	data.size = ring->bytes - page;
	head = __atomic_load_n(&ring->page->data_head, __ATOMIC_ACQUIRE);
	tail = ring->page->data_tail;
	while (!err && (got = record_next(&data, head, &tail, &record))) {
		sb->counts.records++;
		if (got == -EBADMSG)
			sb->counts.malformed++;
		else
			err = got < 0 ? got : take_record(sb, cpu, record);
	}
	__atomic_store_n(&ring->page->data_tail, tail, __ATOMIC_RELEASE);
	return err;
}

static int by_time(const void *a, const void *b)
{
	const struct pending *x = a, *y = b;

	if (x->event.time_ns != y->event.time_ns)
		return x->event.time_ns < y->event.time_ns ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

static int read_until(struct sideband *sb, uint64_t until)
{
	size_t i, done;
	int err = 0;

	for (i = 0; i < sb->n_rings && !err; i++)
		err = read_ring(sb, i);
	if (err)
		return err;
	if (sb->n_pending)
		qsort(sb->pending, sb->n_pending, sizeof(*sb->pending), by_time);
	for (done = 0; done < sb->n_pending && sb->pending[done].event.time_ns <= until; done++) {
		if (!err)
			err = handle(sb, &sb->pending[done]);
		free(sb->pending[done].record);
	}
	sb->n_pending -= done;
	if (done)
		memmove(sb->pending, sb->pending + done, sb->n_pending * sizeof(*sb->pending));
	sb->settled_ns = until;
	return err ? err : processes_settle(sb->ps, until);
}

int sideband_read(struct sideband *sb)
{
	return read_until(sb, clock_ns(CLOCK_MONOTONIC) - SETTLE_NS);
}

int sideband_read_all(struct sideband *sb)
{
	return read_until(sb, UINT64_MAX);
}

void sideband_end(struct sideband *sb)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC);
	size_t i;

	for (i = 0; i < sb->n_rings; i++)
		on_throttle(sb, i, false, now);
}

uint64_t sideband_settled(const struct sideband *sb)
{
	return sb->settled_ns;
}
