/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * io_world: the block layer as the programs of bpf/io.bpf.c see it, for their tests: tasks that
 * submit bios, requests that are made of them, and what the kernel does to those, in the order in
 * which block/blk-mq.c and block/blk-merge.c call the tracepoints.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "tests/native/random.h"

int user_stack_frames(__u32 place);
int piece_end(__u64 key, __u64 now_ns, __s32 error);

/* The loader sets cfg_* before the programs are loaded; here they are plain variables. */
#define const
#include "bpf/io.bpf.c"
#undef const

#define SELF  100
#define READ  0u
#define WRITE 1u
#define SYNC  (1u << 11)
#define META  (1u << 12)
#define FUA   (1u << 17)
#define FLUSH (1u << 18)
#define AHEAD (1u << 19)
#define VDA   (254u << 20)
#define VDA2  (254u << 20 | 2)
#define DM0   (253u << 20)

static struct {
	struct fake_map *tallies[FT_SETS], *stacks[FT_SETS], *ledger, *pieces, *histograms,
		*of_rest, *disks, *lineages, *dirtiers;
	struct mm_struct memory;
	struct pt_regs saved;
	__u64 kernel_pcs[3];
	struct gendisk disk;
	struct block_device whole, part;
} world;

static inline void world_add_maps(void)
{
	FAKE_MAP(targets);
	FAKE_MAP(target_tids);
	FAKE_MAP(samples);
	FAKE_MAP(histogram_zero);
	FAKE_MAP(refused);
	world.of_rest = FAKE_MAP(histograms_of_rest);
	world.ledger = FAKE_MAP(ledgers);
	world.stacks[0] = FAKE_MAP(stacks_0);
	world.stacks[1] = FAKE_MAP(stacks_1);
	world.tallies[0] = FAKE_MAP(tallies_0);
	world.tallies[1] = FAKE_MAP(tallies_1);
	world.pieces = FAKE_MAP(pieces);
	world.histograms = FAKE_MAP(histograms);
	world.disks = FAKE_MAP(disks);
	world.lineages = FAKE_MAP(lineages);
	world.dirtiers = FAKE_MAP(dirtiers);
	fake_map_resize(world.histograms, 64);
	fake_map_resize(world.of_rest, 64);
	fake_map_resize(world.lineages, 64);
	fake_map_resize(world.dirtiers, 64);
}

static inline int world_set_up(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	memset(&world, 0, sizeof(world));
	memset(&notes, 0, sizeof(notes));
	cfg_self_tgid = SELF;
	cfg_keep_idle = cfg_by_target = cfg_by_tid = cfg_by_cgroup = cfg_by_comm = 0;
	cfg_pidns_inum = 0;
	cfg_frame_pointers = 1;
	cfg_flush_seq = 1 << 4;
	cfg_slower_ns = 0;
	cfg_max_filtered = 512;
	n_filtered = n_without_entry = 0;
	active_set = 0;
	has_lineages = 0;
	is_on = 1;
	began_ns = 500;
	world_add_maps();
	world.kernel_pcs[0] = 0xffffffff81000000;
	fake.kernel_pcs = world.kernel_pcs;
	fake.kernel_bytes = sizeof(world.kernel_pcs);
	fake.saved = &world.saved;
	fake.cgroup_id = 4242;
	fake.now_ns = 1000;
	world.disk = (struct gendisk){ .major = 254 };
	world.whole = (struct block_device){ VDA, &world.disk };
	world.part = (struct block_device){ VDA2, &world.disk };
	return 0;
}

static inline int world_tear_down(void **state)
{
	(void)state;
	fake_maps_release();
	return 0;
}

static inline struct task_struct task_make(__u32 tgid, char *comm)
{
	struct task_struct task = {
		.pid = tgid,
		.tgid = tgid,
		.mm = &world.memory,
		.start_boottime = 1000 + tgid,
	};

	strcpy(task.comm, comm);
	return task;
}

/* Who runs from now on; its kernel stack tells it from the others. */
static inline void run(struct task_struct *task)
{
	task->group_leader = task;
	fake.current = task;
	world.kernel_pcs[1] = 0xffffffff81100000 + task->tgid;
}

static inline void at(__u64 ns)
{
	fake.now_ns = ns - 1; /* each look at the clock is a nanosecond later */
}

static inline struct bio bio_make(__u32 opf, __u32 bytes)
{
	return (struct bio){
		.bi_opf = opf,
		.bi_bdev = &world.whole,
		.bi_iter = { .bi_size = bytes, .bi_sector = 2048 },
	};
}

/* A request gets its first bio. */
static inline void request_start(struct request *rq, struct bio *bio)
{
	prog_on_getrq(bio);
	*rq = (struct request){
		.bio = bio,
		.biotail = bio,
		.cmd_flags = bio->bi_opf,
		.__data_len = bio->bi_iter.bi_size,
		.start_time_ns = fake.now_ns,
	};
	prog_on_io_start(rq);
}

static inline void merge_back(struct request *rq, struct bio *bio)
{
	prog_on_backmerge(bio);
	rq->biotail->bi_next = bio;
	rq->biotail = bio;
	rq->__data_len += bio->bi_iter.bi_size;
}

static inline void merge_front(struct request *rq, struct bio *bio)
{
	prog_on_frontmerge(bio);
	bio->bi_next = rq->bio;
	rq->bio = bio;
	rq->__data_len += bio->bi_iter.bi_size;
}

static inline void merge_requests(struct request *rq, struct request *next)
{
	rq->biotail->bi_next = next->bio;
	rq->biotail = next->biotail;
	rq->__data_len += next->__data_len;
	prog_on_rq_merge(next);
	next->bio = NULL;
}

/* blk_update_request(): true if there is more of it. Bios of a flush sequence do not end yet. */
static inline bool complete(struct request *rq, int error, __u32 bytes)
{
	prog_on_complete(rq, error, bytes);
	rq->__data_len -= bytes;
	while (rq->bio) {
		struct bio *bio = rq->bio;
		__u32 n = bio->bi_iter.bi_size < bytes ? bio->bi_iter.bi_size : bytes;

		bio->bi_iter.bi_size -= n;
		bytes -= n;
		if (bio->bi_iter.bi_size)
			return true;
		rq->bio = bio->bi_next;
	}
	return false;
}

static inline void request_end(struct request *rq)
{
	complete(rq, 0, rq->__data_len);
}

static inline __u64 ledger_slot(__u32 slot)
{
	struct ft_ledger *all = (void *)world.ledger->values;
	__u64 sum = 0;
	int cpu;

	for (cpu = 0; cpu < FAKE_CPUS; cpu++)
		sum += all[cpu].n[slot];
	return sum;
}

static struct ft_io_key no_key;

/* The tally of that process, and its key; there must be one. */
static inline struct ft_io_tally *tally_of(__u32 tgid, struct ft_io_key **ret)
{
	struct ft_io_tally *found = NULL;
	__u32 i;

	if (ret)
		*ret = &no_key;

	for (i = 0; i < world.tallies[0]->max_entries; i++) {
		struct ft_io_tally *t = fake_map_value(world.tallies[0], i);
		struct ft_io_key *key = fake_map_key(world.tallies[0], i);

		if (!t || key->origin.task.tgid != tgid)
			continue;
		assert_null(found);
		found = t;
		if (ret)
			*ret = key;
	}
	assert_non_null(found);
	return found;
}

static inline struct ft_io_hist *histogram(__u32 dev, __u8 op, __u8 flags, __u8 size)
{
	struct ft_io_hist_key key = { .dev = dev, .op = op, .flags = flags, .size = size };

	return bpf_map_lookup_elem(&histograms, &key);
}

static inline __u64 in_flight_of(__u32 dev)
{
	struct ft_io_disk *disk = bpf_map_lookup_elem(&disks, &dev);

	return disk ? disk->started - disk->ended : 0;
}
