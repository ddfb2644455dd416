/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/unwinder.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/clock.h"
#include "user/base/err.h"
#include "user/base/keyset.h"
#include "user/collect/late.h"
#include "user/collect/running.h"
#include "user/collect/unwind_lists.h"
#include "user/elf/vdso.h"

/* A table that was used within this time does not make room for another one. */
#define RECENT_NS 1000000000ull

/* A deferred sample: first with its stack, then unwound. */
struct sample {
	struct ft_deferred *d; /* with the bytes of its stack until it is unwound */
	struct ft_stack *user; /* NULL until then */
	uint64_t ready_ns;     /* it can be unwound when all up to then is known */
};

struct unwinder {
	struct unwind_maps *maps;
	struct unwind_tables *tables;
	struct unwind_lists *lists;
	struct processes *processes;
	struct ring_buffer *ring;
	struct sample *samples; /* in the order of their arrival */
	size_t n, cap;
	uint64_t vdso_bytes;   /* 0: there is none */
	struct keyset scanned; /* PIDs of before the recording, that have been looked at in /proc */
	uint64_t *scanned_ns;  /* and when */
	uint32_t pidns_inum;
	size_t scanned_cap;
	struct unwind_summary counts;
};

const struct unwind_maps *unwinder_maps(const struct unwinder *u)
{
	return u->maps;
}

int unwinder_fd(const struct unwinder *u)
{
	return ring_buffer__epoll_fd(u->ring);
}

static void sample_release(struct sample *s)
{
	free(s->d);
	free(s->user);
}

void unwinder_free(struct unwinder *u)
{
	size_t i;

	if (!u)
		return;
	for (i = 0; i < u->n; i++)
		sample_release(&u->samples[i]);
	free(u->samples);
	keyset_release(&u->scanned);
	free(u->scanned_ns);
	ring_buffer__free(u->ring);
	unwind_lists_free(u->lists);
	unwind_tables_free(u->tables);
	unwind_maps_free(u->maps);
	free(u);
}

/* --- samples come in -------------------------------------------------------------------------- */

/* As the kernel has it, or broken: then it is no sample. */
static bool is_whole(const struct ft_deferred *d, size_t size)
{
	return size >= sizeof(*d) && d->stack_bytes <= size - sizeof(*d);
}

static int on_deferred(void *ctx, void *data, size_t size)
{
	const struct ft_deferred *d = data;
	struct unwinder *u = ctx;
	size_t bytes;
	void *copy;

	if (!is_whole(d, size))
		return 0;
	bytes = sizeof(*d) + d->stack_bytes;
	copy = malloc(bytes);
	if (!copy || array_reserve(u->samples, u->cap, u->n + 1)) {
		free(copy);
		return -ENOMEM;
	}
	memcpy(copy, data, bytes);
	u->samples[u->n++] = (struct sample){ .d = copy, .ready_ns = d->time_ns };
	u->counts.deferred++;
	return 0;
}

/* What a process has had mapped from before the recording on is read while it probably lives. */
static int look_at_process(struct unwinder *u, struct sample *s)
{
	uint32_t pid = processes_before(u->processes, s->d->tgid), number;
	int added, err = 0;

	if (!pid)
		return 0;
	if (array_reserve(u->scanned_ns, u->scanned_cap, u->scanned.n + 1))
		return errf(-ENOMEM, "no memory for the unwinder's processes");
	added = keyset_add(&u->scanned, &pid, &number);
	if (added < 0)
		return errf(added, "no memory for the unwinder's processes");
	if (added) {
		err = processes_scan(u->processes, pid);
		u->scanned_ns[number] = clock_ns(CLOCK_MONOTONIC);
	}
	/* Also of its other samples, and those of its children: what was seen must be settled. */
	if (s->ready_ns < u->scanned_ns[number])
		s->ready_ns = u->scanned_ns[number];
	return err;
}

int unwinder_read(struct unwinder *u)
{
	size_t i = u->n;
	int err = ring_buffer__consume(u->ring);

	if (err < 0)
		return errf(err, "cannot read the samples that are to be unwound late: %s",
			    strerror(-err));
	for (err = 0; i < u->n && !err; i++)
		err = look_at_process(u, &u->samples[i]);
	return err;
}

/* --- tables ------------------------------------------------------------------------------- */

/* Frees the room of the table that has not been used for the longest time: false if all are. */
static bool evict(void *ctx)
{
	struct unwinder *u = ctx;
	uint64_t now = clock_ns(CLOCK_MONOTONIC);
	uint32_t table;

	unwind_lists_note_use(u->lists, now);
	table = unwind_tables_oldest(u->tables, now - RECENT_NS);
	if (table == UNWIND_TABLES_NONE)
		return false;
	unwind_tables_retire(u->tables, table);
	unwind_lists_update(u->lists, table);
	unwind_maps_wait();
	unwind_tables_drop(u->tables, table);
	return true;
}

static int need_table(void *ctx, uint32_t table, const struct sym_mapping *m)
{
	struct unwinder *u = ctx;
	int err = unwind_tables_make(u->tables, table, m, evict, u);

	if (!err)
		unwind_lists_update(u->lists, table);
	return err;
}

/* --- late work ---------------------------------------------------------------------------- */

/* perf tells of no vDSO, and /proc only while the process lives. */
static int add_vdso(struct unwinder *u, const struct ft_deferred *d)
{
	struct sym_mapping m = {
		.start = d->vdso,
		.end = d->vdso + u->vdso_bytes,
		.path = "[vdso]",
		.pid = d->tgid,
	};

	if (!d->vdso || !u->vdso_bytes || !d->tgid)
		return 0;
	return processes_add_missing(u->processes, &m, d->time_ns);
}

/* A list of what the process was before an exec would be of no use. */
static bool is_newest(const struct unwinder *u, const struct ft_deferred *d)
{
	return processes_image(u->processes, d->tgid, d->time_ns) ==
	       processes_image(u->processes, d->tgid, UINT64_MAX);
}

static int unwind_sample(struct unwinder *u, struct sample *s)
{
	struct late late = {
		.maps = u->maps,
		.processes = u->processes,
		.tables = u->tables,
		.need = need_table,
		.ctx = u,
	};
	struct ft_deferred *d;
	int err;

	s->user = malloc(sizeof(*s->user));
	if (!s->user)
		return errf(-ENOMEM, "no memory for late unwinding");
	err = add_vdso(u, s->d);
	if (!err)
		err = late_unwind(&late, s->d, s->user);
	if (!err && is_newest(u, s->d))
		err = unwind_lists_publish(u->lists, s->d->tgid, &s->d->process, s->d->mm);
	/* The stack's bytes are not needed any more. */
	d = realloc(s->d, sizeof(*s->d));
	if (d)
		s->d = d;
	return err;
}

int unwinder_work(struct unwinder *u, uint64_t settled_ns, uint64_t max_ns)
{
	uint64_t began_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	uint64_t until_ns = clock_ns(CLOCK_MONOTONIC) + max_ns;
	bool is_late = false;
	size_t i;
	int err = 0;

	for (i = 0; i < u->n && !err && !is_late; i++) {
		if (u->samples[i].user || u->samples[i].ready_ns > settled_ns)
			continue;
		err = unwind_sample(u, &u->samples[i]);
		/* Making a table may have taken long, and the ring is small. */
		if (!err)
			err = unwinder_read(u);
		is_late = clock_ns(CLOCK_MONOTONIC) > until_ns;
	}
	if (!err)
		err = unwind_lists_refresh(u->lists);
	u->counts.loader_ns += clock_ns(CLOCK_THREAD_CPUTIME_ID) - began_ns;
	return err ? err : is_late;
}

int unwinder_deliver(struct unwinder *u, uint32_t collector, unwinder_fn fn, void *ctx)
{
	size_t i, kept = 0;
	int err = 0, any = 0;

	for (i = 0; i < u->n; i++) {
		struct sample *s = &u->samples[i];

		if (err || !s->user || s->d->collector != collector) {
			u->samples[kept++] = *s;
			continue;
		}
		err = fn(ctx, s->d->number, s->user);
		any = 1;
		sample_release(s);
	}
	u->n = kept;
	return err ? err : any;
}

int unwinder_prepare_command(struct unwinder *u, uint32_t pid)
{
	struct ft_process_key key;
	uint64_t mm;

	if (!unwind_maps_command(u->maps, &key, &mm))
		return 0;
	return unwind_lists_publish_whole(u->lists, pid, &key, mm, need_table, u);
}

int unwinder_prepare(struct unwinder *u, uint32_t pid, const struct ft_process_key *key,
		     uint64_t mm)
{
	return unwind_lists_publish_whole(u->lists, pid, key, mm, need_table, u);
}

struct wanted {
	struct unwinder *u;
	const uint32_t *pids;
	size_t n;
};

static int prepare_if_wanted(void *ctx, const struct ft_running *one)
{
	const struct wanted *w = ctx;
	size_t i;

	for (i = 0; i < w->n && w->pids[i] != one->tgid; i++)
		;
	if (i == w->n)
		return 0;
	return unwinder_prepare(w->u, one->tgid, &one->process, one->mm);
}

int unwinder_prepare_running(struct unwinder *u, const uint32_t *pids, size_t n_pids)
{
	struct wanted wanted = { .u = u, .pids = pids, .n = n_pids };

	return n_pids ? running_read(u->pidns_inum, prepare_if_wanted, &wanted) : 0;
}

/* --- life and account --------------------------------------------------------------------- */

static uint64_t vdso_bytes(void)
{
	_cleanup_(elf_image_freep) struct elf_image *image = NULL;
	uint64_t page = sysconf(_SC_PAGESIZE), end = 0;
	size_t i;

	if (vdso_open(&image))
		return 0;
	for (i = 0; i < image->n_phdrs; i++) {
		const Elf64_Phdr *p = &image->phdrs[i];

		if (p->p_type == PT_LOAD && p->p_vaddr + p->p_memsz > end)
			end = p->p_vaddr + p->p_memsz;
	}
	return (end + page - 1) / page * page;
}

int unwinder_new(const struct unwind_maps_options *options, struct processes *processes,
		 struct symbolizer *symbolizer, struct unwinder **ret)
{
	_cleanup_(unwinder_freep) struct unwinder *u = calloc(1, sizeof(*u));
	int err;

	if (!u)
		return errf(-ENOMEM, "no memory for the unwinder");
	keyset_init(&u->scanned, sizeof(uint32_t));
	u->processes = processes;
	u->pidns_inum = options->pidns_inum;
	u->vdso_bytes = vdso_bytes();
	err = unwind_maps_new(options, &u->maps);
	if (!err)
		err = unwind_tables_new(u->maps, symbolizer, &u->tables);
	if (!err)
		err = unwind_lists_new(u->maps, processes, u->tables, &u->lists);
	if (err)
		return err;
	u->ring = ring_buffer__new(unwind_maps_ring_fd(u->maps), on_deferred, u, NULL);
	if (!u->ring)
		return errf(-errno, "cannot read the samples that are to be unwound late: %m");
	*ret = take(u);
	return 0;
}

void unwinder_summarize(const struct unwinder *u, struct unwind_summary *ret)
{
	struct unwind_tables_counts tables;

	unwind_tables_counts(u->tables, &tables);
	*ret = u->counts;
	ret->memory_bytes = (uint64_t)u->maps->memory.n_chunks * sizeof(struct ft_unwind_chunk) +
			    (uint64_t)u->maps->memory.n_pages * sizeof(struct ft_unwind_page) +
			    (uint64_t)u->maps->n_mappings * sizeof(struct ft_unwind_mapping);
	ret->tables = tables.tables;
	ret->table_bytes = tables.bytes;
	ret->files_without = tables.without;
	ret->files_failed = tables.failed;
	ret->entries_broken = tables.broken;
	ret->tables_full = tables.full;
	ret->tables_evicted = tables.evicted;
	ret->table_ns = tables.make_ns;
	ret->lists_full = unwind_lists_full(u->lists) + unwind_maps_forks_lost(u->maps);
}

void unwinder_cost(const struct unwinder *u, struct bpf_cost *ret)
{
	unwind_maps_cost(u->maps, ret);
}
