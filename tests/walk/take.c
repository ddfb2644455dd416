/* SPDX-License-Identifier: BSD-2-Clause */
/* Dumps by perf events with PERF_SAMPLE_REGS_USER and PERF_SAMPLE_STACK_USER (perf_event_open(2)).
 */
#include <errno.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/walk/dump.h"
#include "user/base/array.h"
#include "user/base/clock.h"
#include "user/base/err.h"
#include "user/base/file.h"
#include "user/collect/launch.h"
#include "user/collect/perf.h"

#define RING_PAGES 1024
#define MAX_CPUS   64
#define MAPS_MAX   (16u << 20)

/* Registers in the order of asm/perf_regs.h, by their DWARF numbers. */
#if defined(__x86_64__)
static const uint8_t dwarf_numbers[] = { 0, 3, 2, 1, 4, 5, 6, 7, FT_X86_RIP };
#define PC_AT	 8
#define REG_MASK (0x1ffull | 0xffull << 16) /* ax to ip, r8 to r15 */
#elif defined(__aarch64__)
#define PC_AT	 32
#define REG_MASK ((1ull << 33) - 1) /* x0 to x30, sp, pc */
#else
#error "no registers for this architecture"
#endif

struct ring {
	int fd;
	struct perf_event_mmap_page *page;
};

struct taker {
	const struct dump_options *options;
	struct ring rings[MAX_CPUS];
	unsigned int n_rings;
	size_t page_bytes;
	uint64_t keep_from_ns;
	struct dumps dumps;
	uint8_t *record; /* a copy of one that wraps around */
};

static void taker_release(struct taker *t)
{
	unsigned int i;

	for (i = 0; i < t->n_rings; i++) {
		munmap(t->rings[i].page, (RING_PAGES + 1) * t->page_bytes);
		close(t->rings[i].fd);
	}
	free(t->record);
	dumps_release(&t->dumps);
}

static int open_ring(struct taker *t, pid_t pid, int cpu)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.freq = 1,
		.sample_freq = t->options->rate_hz,
		.sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_REGS_USER |
			       PERF_SAMPLE_STACK_USER,
		.sample_regs_user = REG_MASK,
		.sample_stack_user = t->options->stack_bytes,
		.disabled = 1,
		.enable_on_exec = 1,
		.inherit = 1,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
	};
	struct ring ring;

	ring.fd = syscall(SYS_perf_event_open, &attr, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	if (ring.fd < 0)
		return errno == ENODEV ? 0 : errf(-errno, "cannot sample CPU %d: %m", cpu);
	ring.page = mmap(NULL, (RING_PAGES + 1) * t->page_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
			 ring.fd, 0);
	if (ring.page == MAP_FAILED) {
		close(ring.fd);
		return errf(-errno, "cannot map the samples of CPU %d: %m", cpu);
	}
	t->rings[t->n_rings++] = ring;
	return 0;
}

static int open_rings(struct taker *t, pid_t pid)
{
	_cleanup_(freep) struct cpu_set *online = calloc(1, sizeof(*online));
	int cpu, err = online ? cpu_set_online(online) : -ENOMEM;

	for (cpu = 0; !err && cpu < PERF_MAX_CPUS && t->n_rings < MAX_CPUS; cpu++) {
		if (cpu_set_has(online, cpu))
			err = open_ring(t, pid, cpu);
	}
	return err;
}

/* --- mappings ------------------------------------------------------------------------------ */

/* Leaves the lines of executable mappings: the others change all the time. */
static void keep_code(char *text)
{
	char *from, *next = text, *to = text;
	const char *rights;
	size_t len;

	while ((from = strsep(&next, "\n"))) {
		rights = strchr(from, ' ');
		if (!rights || strnlen(rights, 4) < 4 || rights[3] != 'x')
			continue;
		len = strlen(from);
		memmove(to, from, len);
		to += len;
		*to++ = '\n';
	}
	*to = '\0';
}

/* The process's executable mappings of this moment; NULL if it has none any more. */
static int maps_of(struct taker *t, uint32_t pid, struct maps **ret)
{
	_cleanup_(freep) char *text = NULL;
	char path[64];
	size_t i, len;
	int err;

	*ret = NULL;
	snprintf(path, sizeof(path), "/proc/%u/maps", pid);
	if (file_read(path, MAPS_MAX, &text, &len) || !len)
		return 0;
	keep_code(text);
	for (i = t->dumps.n_maps; i-- > 0;) {
		if (!strcmp(t->dumps.maps[i]->text, text)) {
			*ret = t->dumps.maps[i];
			return 0;
		}
	}
	if (array_reserve(t->dumps.maps, t->dumps.maps_cap, t->dumps.n_maps + 1))
		return -ENOMEM;
	err = maps_parse(text, ret);
	if (err)
		return err;
	(void)take(text);
	t->dumps.maps[t->dumps.n_maps++] = *ret;
	return 0;
}

static bool is_wanted(const struct taker *t, uint32_t pid, uint32_t tid)
{
	_cleanup_(freep) char *comm = NULL;
	char path[64];

	if (!t->options->comm)
		return true;
	snprintf(path, sizeof(path), "/proc/%u/task/%u/comm", pid, tid);
	return !file_read_line(path, &comm) && !strcmp(comm, t->options->comm);
}

/* --- samples -------------------------------------------------------------------------------- */

static void take_registers(struct dump *d, const uint64_t *regs)
{
#if defined(__x86_64__)
	size_t i;

	for (i = 0; i < PC_AT; i++)
		d->regs[dwarf_numbers[i]] = regs[i];
	for (i = 8; i < 16; i++)
		d->regs[i] = regs[PC_AT + 1 + i - 8];
	d->sp = d->regs[FT_X86_RSP];
#else
	memcpy(d->regs, regs, 32 * sizeof(*regs));
	d->sp = d->regs[FT_ARM64_SP];
#endif
	d->pc = regs[PC_AT];
}

/* A sample without its header: pid, tid, time, ABI, registers, size, stack, size that was read. */
static int take_sample(struct taker *t, const uint8_t *at, size_t size)
{
	size_t n_regs = __builtin_popcountll(REG_MASK), fixed = 8 + 8 + 8 + n_regs * 8 + 8;
	uint64_t time_ns, abi, regs[33], room, read;
	struct dump d = { 0 };
	int err;

	if (size < 24)
		return 0;
	memcpy(&d.pid, at, 4);
	memcpy(&d.tid, at + 4, 4);
	memcpy(&time_ns, at + 8, 8);
	memcpy(&abi, at + 16, 8);
	if (abi != PERF_SAMPLE_REGS_ABI_64 || size < fixed || t->dumps.n >= t->options->max ||
	    time_ns < t->keep_from_ns || !is_wanted(t, d.pid, d.tid))
		return 0;
	memcpy(regs, at + 24, n_regs * 8);
	memcpy(&room, at + fixed - 8, 8);
	if (!room || room > size - fixed - 8)
		return 0;
	memcpy(&read, at + fixed + room, 8);
	take_registers(&d, regs);
	d.stack_bytes = read < room ? read : room;
	err = maps_of(t, d.pid, &d.maps);
	if (err)
		return err;
	if (!d.maps || !maps_find(d.maps, d.pc)) {
		t->dumps.gone++;
		return 0;
	}
	d.stack = malloc(d.stack_bytes + 1);
	if (!d.stack || array_reserve(t->dumps.v, t->dumps.cap, t->dumps.n + 1)) {
		free(d.stack);
		return -ENOMEM;
	}
	memcpy(d.stack, at + fixed, d.stack_bytes);
	t->dumps.v[t->dumps.n++] = d;
	return 0;
}

static int read_ring(struct taker *t, struct ring *ring)
{
	uint64_t head = __atomic_load_n(&ring->page->data_head, __ATOMIC_ACQUIRE);
	uint64_t tail = ring->page->data_tail, bytes = RING_PAGES * t->page_bytes, first;
	const uint8_t *data = (const uint8_t *)ring->page + t->page_bytes;
	struct perf_event_header header;
	int err = 0;

	while (tail < head && !err) {
		/* A header does not wrap: records are multiples of 8 bytes, and so is it. */
		memcpy(&header, data + tail % bytes, sizeof(header));
		first = bytes - tail % bytes;
		if (header.size < first)
			first = header.size;
		memcpy(t->record, data + tail % bytes, first);
		memcpy(t->record + first, data, header.size - first);
		if (header.type == PERF_RECORD_SAMPLE)
			err = take_sample(t, t->record + sizeof(header),
					  header.size - sizeof(header));
		tail += header.size;
	}
	__atomic_store_n(&ring->page->data_tail, tail, __ATOMIC_RELEASE);
	return err;
}

static int take_until_end(struct taker *t, struct launch *l)
{
	int err = 0, status;
	unsigned int i;

	do {
		for (i = 0; i < t->n_rings && !err; i++)
			err = read_ring(t, &t->rings[i]);
	} while (!err && t->dumps.n < t->options->max && launch_wait(l, 5, &status) == 0);
	return err;
}

int dumps_take(const struct dump_options *options, char *const *argv, struct dumps *ret)
{
	_cleanup_(taker_release) struct taker t = { .options = options,
						    .page_bytes = sysconf(_SC_PAGESIZE) };
	struct launch l;
	int err;

	t.record = malloc(UINT16_MAX + 1);
	err = t.record ? launch_prepare(argv, NULL, &l) : -ENOMEM;
	if (err)
		return err;
	err = open_rings(&t, l.pid);
	if (!err)
		err = launch_go(&l, argv[0], NULL, NULL);
	t.keep_from_ns = clock_ns(CLOCK_MONOTONIC) + options->skip_ms * 1000000ull;
	if (!err)
		err = take_until_end(&t, &l);
	launch_stop(&l);
	if (!err) {
		*ret = t.dumps;
		t.dumps = (struct dumps){ 0 };
	}
	return err;
}
