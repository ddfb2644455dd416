// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * io: how long block I/O takes, in the queue and in the device, by disk and by who caused it.
 *
 * What is followed is the bio inside a request (a "piece", see bpf/io_wire.h): it keeps its address
 * and its owner while requests are merged, requeued and completed in parts. It begins in the
 * context of who submits it, when it gets a request (block_getrq) or is merged into one. The
 * kernel's own accounting (iostats) does not matter. Commands that pass through (SG_IO, NVMe's
 * ioctls) have no such beginning, and are not block I/O.
 */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define FT_COLLECTOR FT_COLLECTOR_IO

#include "bpf/io_account.bpf.h"
#include "bpf/io_bio.bpf.h"
#include "bpf/io_dirtier.bpf.h"
#include "bpf/io_lineage.bpf.h"
#include "bpf/io_wire.h"
#include "bpf/ledger.bpf.h"
#include "bpf/sample.bpf.h"

/* RQF_FLUSH_SEQ of include/linux/blk-mq.h: from 6.11 on an enumerator, which the loader looks up.
 */
const volatile __u32 cfg_flush_seq = 1 << 4;

/* Set by the loader. Nothing is counted before the start and after the stop. */
__u32 is_on = 0;
__u64 began_ns = 0; /* CLOCK_MONOTONIC: the start; what was requested earlier was not seen */

/* By the bio's address. The loader sets the number of entries. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, struct ft_io_piece);
} pieces SEC(".maps");

/* Of these, pieces that nobody asked for: so many at most, and how many there are. */
const volatile __u32 cfg_max_filtered = 512;
__s64 n_filtered = 0;

/* Pieces that have begun without getting an entry, and have not ended: known by their number only.
 */
__s64 n_without_entry = 0;

/* The last bio on this CPU for which there was no room. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} refused SEC(".maps");

/* More bios than a request has of most disks; each round of the loops over them is short. */
#define MAX_CHAIN 256

/* --- the beginning ------------------------------------------------------------------------- */

/* The stacks of the current task, and its name: 0, or the ledger slot of the filter or the loss. */
static __always_inline __u32 origin_take(void *ctx, struct ft_origin *origin, bool with_user)
{
	struct sample *s = sample_take();
	__u32 lost;

	if (!s)
		return FT_LOST_NESTED;
	lost = sample_task(s);
	if (!lost && !with_user && !is_kernel_thread())
		lost = FT_LOST_NESTED;
	if (!lost) {
		sample_kernel_stack(ctx, s);
		if (with_user)
			sample_user_stack(s);
		lost = sample_keep(s, active_set);
		*origin = s->origin;
	}
	sample_release(s);
	return lost;
}

/* Who causes it: the same. */
static __always_inline __u32 piece_origin(void *ctx, struct bio *bio, struct ft_io_piece *p,
					  bool with_user)
{
	struct dirtier *dirtier = p->op == FT_IO_WRITE ? dirtier_of(bio) : NULL;

	/* Whoever writes a loop device's file back, it came through that device. */
	if (dirtier && dirtier->loop)
		p->came_dev = dirtier->loop;
	if (!dirtier || is_current(dirtier))
		return origin_take(ctx, &p->origin, with_user);
	p->inferred = 1;
	p->origin = dirtier->origin;
	origin_date(&p->origin);
	return dirtier->lost;
}

static __always_inline bool is_filter(__u32 slot)
{
	return slot == FT_FILTERED_SELF || slot == FT_FILTERED_IDLE || slot == FT_FILTERED_TARGET;
}

static __always_inline void piece_delete(__u64 key, __u8 filtered)
{
	if (!bpf_map_delete_elem(&pieces, &key) && filtered)
		__sync_fetch_and_add(&n_filtered, -1);
}

/*
 * What is filtered is kept all the same, so that its end is known for what it is; but it must not
 * take the room of what was asked for. 0: it has no entry.
 */
static __always_inline bool piece_keep(__u64 key, const struct ft_io_piece *p)
{
	if (p->filtered && *(volatile __s64 *)&n_filtered >= (__s64)cfg_max_filtered)
		return false;
	if (bpf_map_update_elem(&pieces, &key, p, BPF_ANY))
		return false;
	if (p->filtered)
		__sync_fetch_and_add(&n_filtered, 1);
	return true;
}

/*
 * If a piece with this address is still there, nobody said that it ended. What the kernel misses is
 * as a rule the program and not the end: the piece counts as I/O, of which it is not known how long
 * it took.
 */
static __always_inline void piece_forget(__u64 key)
{
	struct ft_io_piece *p = bpf_map_lookup_elem(&pieces, &key);

	if (!p)
		return;
	if (!p->filtered) {
		if (!p->merged)
			disk_ended(p->dev);
		histogram_count(p);
		ledger_end(FT_IO_LOST_UNSEEN_END);
	}
	/* What takes its place may find none. */
	piece_delete(key, p->filtered);
}

static __always_inline void piece_fill(struct ft_io_piece *p, struct bio *bio)
{
	__u32 partition, loop, opf = bio->bi_opf;

	p->bytes = bio->bi_iter.bi_size;
	p->op = bio_operation(opf, p->bytes);
	p->flags = bio_flags(opf);
	p->size = size_class(p->bytes);
	p->dev = bio_dev(bio, &partition);
	p->came_dev = lineage_take(bio);
	loop = current_loop_dev();
	if (loop)
		p->came_dev = loop;
	else if (!p->came_dev)
		p->came_dev = partition;
}

static __always_inline void refuse(const struct bio *bio)
{
	__u32 zero = 0;
	__u64 *last = bpf_map_lookup_elem(&refused, &zero);

	__sync_fetch_and_add(&n_without_entry, 1);
	if (last)
		*last = (__u64)bio;
}

static __always_inline bool is_refused(const struct bio *bio)
{
	__u32 zero = 0;
	__u64 *last = bpf_map_lookup_elem(&refused, &zero);

	return last && *last == (__u64)bio;
}

/* No part of each program that begins a piece: there are two of most, of which one is loaded. */
static __noinline int piece_begin(void *ctx, struct bio *bio, bool merged, bool with_user)
{
	struct ft_io_piece p = {};
	__u64 key = (__u64)bio, cgroup;
	bool is_kept;
	__u32 lost;

	if (!is_on || !bio)
		return 0;
	piece_fill(&p, bio);
	p.merged = merged;
	lost = piece_origin(ctx, bio, &p, with_user);
	p.lost = lost;
	p.filtered = is_filter(lost);
	cgroup = bio_cgroup(bio);
	if (cgroup)
		p.origin.task.cgroup_id = cgroup;
	piece_forget(key);
	/* Not before: what this has cost is no part of its latency. */
	p.start_ns = bpf_ktime_get_ns();
	is_kept = piece_keep(key, &p);
	if (!is_kept)
		refuse(bio);
	if (p.filtered) {
		ledger_close(lost);
	} else if (!is_kept) {
		ledger_close(FT_IO_LOST_PIECES_FULL);
	} else {
		ledger_fire();
		if (!merged)
			disk_started(p.dev);
	}
	return 0;
}

SEC("tp_btf/block_getrq")
int BPF_PROG(on_getrq, struct bio *bio)
{
	return piece_begin(ctx, bio, false, true);
}

static __always_inline bool is_known(const struct bio *bio)
{
	__u64 key = (__u64)bio;

	return bpf_map_lookup_elem(&pieces, &key) != NULL;
}

/*
 * From 6.5 on: the same once more, right behind it. The kernel does not run a program on a CPU on
 * which it is running already, and counts that nowhere that we would see: from 7.0 on they are
 * preempted, and another task that comes there passes by. The requests that multipath clones for
 * the devices below it come here alone. A user stack is not walked, or this would be one more large
 * program to verify: without it a request counts in the histograms only, its stack as lost.
 */
SEC("tp_btf/block_io_start")
int BPF_PROG(on_io_start, struct request *rq)
{
	struct bio *bio = rq->bio;

	if (!is_on || !bio || (rq->cmd_flags & BIO_OP_MASK) >= BIO_OP_DRIVER || is_known(bio) ||
	    is_refused(bio))
		return 0;
	return piece_begin(ctx, bio, false, false);
}

SEC("tp_btf/block_bio_backmerge")
int BPF_PROG(on_backmerge, struct bio *bio)
{
	return piece_begin(ctx, bio, true, true);
}

SEC("tp_btf/block_bio_frontmerge")
int BPF_PROG(on_frontmerge, struct bio *bio)
{
	return piece_begin(ctx, bio, true, true);
}

/* --- on its way ---------------------------------------------------------------------------- */

#define PIECE_INSERTED 0
#define PIECE_ISSUED   1
#define PIECE_REQUEUED 2

/* Notes for all pieces of a request what became of it. */
static __noinline int request_mark(struct request *rq, __u32 what)
{
	struct bio *bio = rq->bio;
	__u64 now;
	__u8 size;
	__u32 i;

	if (!is_on)
		return 0;
	now = bpf_ktime_get_ns();
	size = size_class(rq->__data_len);
	for (i = 0; i < MAX_CHAIN && bio; i++) {
		__u64 key = (__u64)bio;
		struct ft_io_piece *p = bpf_map_lookup_elem(&pieces, &key);

		bio = bio->bi_next;
		if (!p)
			continue;
		if (what == PIECE_REQUEUED) {
			p->issue_ns = 0;
		} else if (what == PIECE_ISSUED) {
			p->issue_ns = now;
			/* What is issued once more may be the rest of it. */
			if (size > p->size)
				p->size = size;
		} else if (!p->insert_ns) {
			p->insert_ns = now;
		}
	}
	return 0;
}

SEC("tp_btf/block_rq_insert")
int BPF_PROG(on_insert, struct request *rq)
{
	return request_mark(rq, PIECE_INSERTED);
}

SEC("tp_btf/block_rq_issue")
int BPF_PROG(on_issue, struct request *rq)
{
	return request_mark(rq, PIECE_ISSUED);
}

/* The device did not take it: it comes once more. */
SEC("tp_btf/block_rq_requeue")
int BPF_PROG(on_requeue, struct request *rq)
{
	request_mark(rq, PIECE_REQUEUED);
	if (is_on)
		NOTE(requeues);
	return 0;
}

/* All of this request's bios have become another's. */
static __always_inline int request_merge(struct request *rq)
{
	struct bio *bio = rq->bio;
	__u32 i;

	if (!is_on)
		return 0;
	for (i = 0; i < MAX_CHAIN && bio; i++) {
		__u64 key = (__u64)bio;
		struct ft_io_piece *p = bpf_map_lookup_elem(&pieces, &key);

		bio = bio->bi_next;
		if (!p || p->merged)
			continue;
		p->merged = 1;
		if (!p->filtered)
			disk_ended(p->dev);
		return 0;
	}
	return 0;
}

SEC("tp_btf/block_rq_merge")
int BPF_PROG(on_rq_merge, struct request *rq)
{
	return request_merge(rq);
}

/* --- the end ------------------------------------------------------------------------------- */

/*
 * Ends the piece with this address. 0 if it is not known. Global, so that the verifier looks at it
 * once and not in each round of its caller's loop.
 */
__noinline int piece_end(__u64 key, __u64 now_ns, __s32 error)
{
	struct ft_io_piece *p = bpf_map_lookup_elem(&pieces, &key);

	if (!p)
		return 0;
	if (!p->filtered)
		ledger_end(piece_account(p, now_ns, error));
	piece_delete(key, p->filtered);
	return 1;
}

static __always_inline void unknown_end(struct request *rq)
{
	/* Which one it is does not matter: that one was counted when it began. */
	if (*(volatile __s64 *)&n_without_entry > 0)
		__sync_fetch_and_add(&n_without_entry, -1);
	/* Without the kernel's own accounting (queue/iostats) most requests have no time. */
	else if (!rq->start_time_ns)
		NOTE(undated_starts);
	else if (rq->start_time_ns < began_ns)
		NOTE(began_before);
	else
		NOTE(unseen_starts);
}

/*
 * 'bytes' of the request are done, from its first bio on; of a bio that is done in part only the
 * rest is left in it the next time. A flush sequence comes here once more when all of it is done.
 */
static __always_inline int request_complete(struct request *rq, int error, __u32 bytes)
{
	__u64 now, key;
	struct bio *bio = rq->bio;
	__u32 i;

	if (!is_on || rq->rq_flags & cfg_flush_seq ||
	    (rq->cmd_flags & BIO_OP_MASK) >= BIO_OP_DRIVER)
		return 0;
	now = bpf_ktime_get_ns();
	/* The bio as a number, which is what a global function takes. */
	key = (__u64)BPF_CORE_READ(rq, bio);
	for (i = 0; i < MAX_CHAIN && bio; i++) {
		__u64 next = (__u64)BPF_CORE_READ(bio, bi_next);
		__u32 size = bio->bi_iter.bi_size;

		if (size > bytes)
			return 0;
		bytes -= size;
		if (!piece_end(key, now, error))
			unknown_end(rq);
		bio = bio->bi_next;
		key = next;
	}
	if (bio)
		NOTE(chains_cut);
	return 0;
}

SEC("tp_btf/block_rq_complete")
int BPF_PROG(on_complete, struct request *rq, int error, unsigned int bytes)
{
	return request_complete(rq, error, bytes);
}

/* --- where it comes from ------------------------------------------------------------------- */

SEC("tp_btf/block_bio_remap")
int BPF_PROG(on_remap, struct bio *bio, dev_t dev, sector_t from)
{
	if (is_on)
		lineage_add(bio, dev, from);
	return 0;
}

/* The first part of a bio becomes one of its own, which has the rest as its parent. */
SEC("tp_btf/block_split")
int BPF_PROG(on_split, struct bio *bio, unsigned int rest_sector)
{
	struct bio *rest = bio->bi_private;

	if (is_on)
		lineage_split(bio, (__u64)rest, BPF_CORE_READ(rest, bi_iter.bi_sector));
	return 0;
}

SEC("tp_btf/writeback_dirty_folio")
int BPF_PROG(on_dirty_folio, void *folio, struct address_space *mapping)
{
	if (is_on && dirtier_note(ctx, mapping))
		NOTE(dirtiers_lost);
	return 0;
}

/* --- the same on kernels before 5.17, and before 5.11 with the queue as an argument ---------- */

SEC("tp_btf/writeback_dirty_page")
int BPF_PROG(on_dirty_page, void *page, struct address_space *mapping)
{
	if (is_on && dirtier_note(ctx, mapping))
		NOTE(dirtiers_lost);
	return 0;
}

SEC("tp_btf/block_getrq")
int BPF_PROG(on_getrq_q, void *q, struct bio *bio)
{
	return piece_begin(ctx, bio, false, true);
}

SEC("tp_btf/block_bio_backmerge")
int BPF_PROG(on_backmerge_q, void *q, struct request *rq, struct bio *bio)
{
	return piece_begin(ctx, bio, true, true);
}

SEC("tp_btf/block_bio_frontmerge")
int BPF_PROG(on_frontmerge_q, void *q, struct request *rq, struct bio *bio)
{
	return piece_begin(ctx, bio, true, true);
}

SEC("tp_btf/block_rq_insert")
int BPF_PROG(on_insert_q, void *q, struct request *rq)
{
	return request_mark(rq, PIECE_INSERTED);
}

SEC("tp_btf/block_rq_issue")
int BPF_PROG(on_issue_q, void *q, struct request *rq)
{
	return request_mark(rq, PIECE_ISSUED);
}

SEC("tp_btf/block_rq_requeue")
int BPF_PROG(on_requeue_q, void *q, struct request *rq)
{
	request_mark(rq, PIECE_REQUEUED);
	if (is_on)
		NOTE(requeues);
	return 0;
}

SEC("tp_btf/block_rq_merge")
int BPF_PROG(on_rq_merge_q, void *q, struct request *rq)
{
	return request_merge(rq);
}

SEC("tp_btf/block_bio_remap")
int BPF_PROG(on_remap_q, void *q, struct bio *bio, dev_t dev, sector_t from)
{
	if (is_on)
		lineage_add(bio, dev, from);
	return 0;
}

SEC("tp_btf/block_split")
int BPF_PROG(on_split_q, void *q, struct bio *bio, unsigned int rest_sector)
{
	struct bio *rest = bio->bi_private;

	if (is_on)
		lineage_split(bio, (__u64)rest, BPF_CORE_READ(rest, bi_iter.bi_sector));
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
