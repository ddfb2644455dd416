/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * io_account: what pieces of I/O that have ended are counted in: tallies by origin, histograms and
 * gauges by disk, and the list of those that took long.
 */
#pragma once

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "bpf/hist_slot.h"
#include "bpf/io_wire.h"
#include "bpf/sample.bpf.h"

const volatile __u64 cfg_slower_ns = 0; /* pieces that took longer are listed; 0: none */

struct ft_io_notes notes = {};

#define NOTE(what) __sync_fetch_and_add(&notes.what, 1)

/* --- tallies ------------------------------------------------------------------------------- */

/* The loader sets the number of entries. */
struct tally_table {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct ft_io_key);
	__type(value, struct ft_io_tally);
};
struct tally_table tallies_0 SEC(".maps");
struct tally_table tallies_1 SEC(".maps");

/* A piece, or rather what is counted of it when it ends. */
struct ended {
	__u64 now_ns;
	__u64 stage_ns[FT_IO_STAGES];
	__s32 error;
	__u32 was_issued; /* else only the total is known: a flush that the kernel carried out apart
			   */
};

static __always_inline void tally_sum(struct ft_io_tally *t, const struct ft_io_piece *p,
				      const struct ended *e)
{
	__sync_fetch_and_add(&t->n, 1);
	if (!p->merged)
		__sync_fetch_and_add(&t->requests, 1);
	__sync_fetch_and_add(&t->bytes, p->bytes);
	__sync_fetch_and_add(&t->stage_ns[FT_IO_TOTAL], e->stage_ns[FT_IO_TOTAL]);
	__sync_fetch_and_add(&t->stage_ns[FT_IO_QUEUE], e->stage_ns[FT_IO_QUEUE]);
	__sync_fetch_and_add(&t->stage_ns[FT_IO_DEVICE], e->stage_ns[FT_IO_DEVICE]);
	if (e->error)
		__sync_fetch_and_add(&t->errors, 1);
}

static __always_inline void tally_key(struct ft_io_key *key, const struct ft_io_piece *p)
{
	key->origin = p->origin;
	key->dev = p->dev;
	key->came_dev = p->came_dev;
	key->op = p->op;
	key->flags = p->flags;
	key->size = p->size;
	key->inferred = p->inferred;
	key->pad = 0;
}

/* 0, or the ledger slot of the loss. */
static __always_inline __u32 tally_add(void *table, const struct ft_io_piece *p,
				       const struct ended *e)
{
	struct ft_io_tally first = {}, *have;
	struct ft_io_key key;
	long err;

	tally_key(&key, p);
	have = bpf_map_lookup_elem(table, &key);
	if (!have) {
		first.first_ns = e->now_ns;
		err = bpf_map_update_elem(table, &key, &first, BPF_NOEXIST);
		if (err == -16 /* EBUSY */)
			return FT_LOST_MAP_BUSY;
		if (err && err != -17 /* EEXIST */)
			return FT_LOST_COUNTS_FULL;
		have = bpf_map_lookup_elem(table, &key);
		if (!have)
			return FT_LOST_MAP_BUSY;
	}
	tally_sum(have, p, e);
	return 0;
}

/* --- histograms ---------------------------------------------------------------------------- */

/* The loader sets the number of entries of both. */
struct histogram_table {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, struct ft_io_hist_key);
	__type(value, struct ft_io_hist);
};
struct histogram_table histograms SEC(".maps");
/* Of what found no room there, by disk and operation only. */
struct histogram_table histograms_of_rest SEC(".maps");

/* What a new one begins as: too large for the BPF stack. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ft_io_hist);
} histogram_zero SEC(".maps");

static __always_inline struct ft_io_hist *histogram_in(void *table,
						       const struct ft_io_hist_key *key)
{
	struct ft_io_hist *have = bpf_map_lookup_elem(table, key);
	__u32 zero = 0;
	void *empty;

	if (have)
		return have;
	empty = bpf_map_lookup_elem(&histogram_zero, &zero);
	if (empty)
		bpf_map_update_elem(table, key, empty, BPF_NOEXIST);
	return bpf_map_lookup_elem(table, key);
}

static __always_inline struct ft_io_hist *histogram_of(const struct ft_io_piece *p)
{
	struct ft_io_hist_key key = {
		.dev = p->dev, .op = p->op, .flags = p->flags, .size = p->size
	};
	struct ft_io_hist *have = histogram_in(&histograms, &key);

	if (have)
		return have;
	key.flags = FT_IO_REST;
	key.size = FT_IO_SIZE_REST;
	have = histogram_in(&histograms_of_rest, &key);
	if (have)
		NOTE(histograms_rest);
	else
		NOTE(histograms_full);
	return have;
}

static __always_inline void stage_add(struct ft_io_stage *stage, __u64 ns)
{
	__u32 slot = ft_hist_slot(ns);

	__sync_fetch_and_add(&stage->sum_ns, ns);
	if (ns > stage->max_ns)
		stage->max_ns = ns;
	if (slot < FT_HIST_SLOTS)
		__sync_fetch_and_add(&stage->slots[slot], 1);
}

/* The piece, but not how long it took. The histogram, NULL if there is no room for one. */
static __always_inline struct ft_io_hist *histogram_count(const struct ft_io_piece *p)
{
	struct ft_io_hist *hist = histogram_of(p);

	if (!hist)
		return NULL;
	__sync_fetch_and_add(&hist->bytes, p->bytes);
	if (p->inferred)
		__sync_fetch_and_add(&hist->inferred_bytes, p->bytes);
	if (p->merged)
		__sync_fetch_and_add(&hist->merged, 1);
	else
		__sync_fetch_and_add(&hist->requests, 1);
	return hist;
}

static __always_inline void histogram_add(const struct ft_io_piece *p, const struct ended *e)
{
	struct ft_io_hist *hist = histogram_count(p);

	if (!hist || p->merged)
		return;
	if (e->error)
		__sync_fetch_and_add(&hist->errors, 1);
	stage_add(&hist->stages[FT_IO_TOTAL], e->stage_ns[FT_IO_TOTAL]);
	if (!e->was_issued)
		return;
	stage_add(&hist->stages[FT_IO_QUEUE], e->stage_ns[FT_IO_QUEUE]);
	stage_add(&hist->stages[FT_IO_DEVICE], e->stage_ns[FT_IO_DEVICE]);
}

/* --- gauges -------------------------------------------------------------------------------- */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 512);
	__type(key, __u32); /* dev */
	__type(value, struct ft_io_disk);
} disks SEC(".maps");

static __always_inline struct ft_io_disk *disk_of(__u32 dev)
{
	struct ft_io_disk *have = bpf_map_lookup_elem(&disks, &dev), first = {};

	if (have)
		return have;
	bpf_map_update_elem(&disks, &dev, &first, BPF_NOEXIST);
	have = bpf_map_lookup_elem(&disks, &dev);
	if (!have)
		NOTE(disks_full);
	return have;
}

static __always_inline void disk_started(__u32 dev)
{
	struct ft_io_disk *disk = disk_of(dev);

	if (disk)
		__sync_fetch_and_add(&disk->started, 1);
}

static __always_inline void disk_ended(__u32 dev)
{
	struct ft_io_disk *disk = bpf_map_lookup_elem(&disks, &dev);

	if (disk)
		__sync_fetch_and_add(&disk->ended, 1);
}

/* --- outliers ------------------------------------------------------------------------------ */

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} outliers SEC(".maps");

static __always_inline void outlier_tell(const struct ft_io_piece *p, const struct ended *e)
{
	struct ft_io_outlier *o;

	o = bpf_ringbuf_reserve(&outliers, sizeof(*o), 0);
	if (!o) {
		NOTE(outliers_lost);
		return;
	}
	tally_key(&o->key, p);
	o->start_ns = p->start_ns;
	o->end_ns = e->now_ns;
	o->stage_ns[FT_IO_QUEUE] = e->stage_ns[FT_IO_QUEUE];
	o->stage_ns[FT_IO_DEVICE] = e->stage_ns[FT_IO_DEVICE];
	o->stage_ns[FT_IO_TOTAL] = e->stage_ns[FT_IO_TOTAL];
	o->bytes = p->bytes;
	o->error = e->error;
	o->lost = p->lost;
	o->pad = 0;
	/* Nobody waits for it. */
	bpf_ringbuf_submit(o, BPF_RB_NO_WAKEUP);
}

/* --- the end of a piece -------------------------------------------------------------------- */

static __always_inline __u64 since(__u64 from_ns, __u64 to_ns)
{
	return to_ns > from_ns ? to_ns - from_ns : 0;
}

static __always_inline void ended_at(struct ended *e, const struct ft_io_piece *p, __u64 now_ns,
				     __s32 error)
{
	__u64 queued_ns = p->insert_ns ? p->insert_ns : p->start_ns;

	e->now_ns = now_ns;
	e->error = error;
	e->was_issued = p->issue_ns != 0;
	e->stage_ns[FT_IO_TOTAL] = since(p->start_ns, now_ns);
	e->stage_ns[FT_IO_QUEUE] = p->issue_ns ? since(queued_ns, p->issue_ns) : 0;
	e->stage_ns[FT_IO_DEVICE] = p->issue_ns ? since(p->issue_ns, now_ns) : 0;
}

/* Counts a piece that was asked for: what became of it, as a ledger slot. */
static __always_inline __u32 piece_account(const struct ft_io_piece *p, __u64 now_ns, __s32 error)
{
	__u32 set = active_set, lost;
	struct ended e;

	ended_at(&e, p, now_ns, error);
	histogram_add(p, &e);
	if (!p->merged)
		disk_ended(p->dev);
	if (cfg_slower_ns && e.stage_ns[FT_IO_TOTAL] > cfg_slower_ns)
		outlier_tell(p, &e);
	if (p->lost)
		return p->lost;
	lost = set ? tally_add(&tallies_1, p, &e) : tally_add(&tallies_0, p, &e);
	return lost ? lost : FT_KEPT;
}
