/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * io_lineage: which device a bio came through before it reached its disk. Device mapper, md and
 * partitions say so when they send it on (block_bio_remap); a loop device by the name of the
 * workqueue on which it reads and writes its file.
 */
#pragma once

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/io_bio.bpf.h"
#include "bpf/task.bpf.h"

#define FT_PF_WQ_WORKER 0x00000020 /* include/linux/sched.h */
#define LOOP_MAJOR	7	   /* include/uapi/linux/major.h */

/* Where a bio came from, as long as it is where it was sent. */
struct lineage {
	__u64 sector;
	__u32 first_dev; /* of the devices that it came through */
	__u32 pad;
};

/* By the bio's address. What never becomes a request is pushed out by what comes later. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, __u64);
	__type(value, struct lineage);
} lineages SEC(".maps");

/* Something was remapped: without that, nothing is looked up. */
__u32 has_lineages = 0;

/* 'dev', where the bio was for sector 'from', has sent it on to where it says now. */
static __always_inline void lineage_add(struct bio *bio, __u32 dev, __u64 from)
{
	struct lineage line = { .sector = bio->bi_iter.bi_sector, .first_dev = dev }, *have;
	__u64 key = (__u64)bio;
	__u32 partition;

	have = has_lineages ? bpf_map_lookup_elem(&lineages, &key) : NULL;
	/* One that had another sector was left behind by a bio that had this address. */
	if (have && have->sector == from) {
		have->sector = line.sector;
		return;
	}
	/* The bio itself says what partition it is for, where it is not overwritten by this. */
	bio_dev(bio, &partition);
	if (partition == dev)
		return;
	has_lineages = 1;
	bpf_map_update_elem(&lineages, &key, &line, BPF_ANY);
}

/* 'bio' is the front part of 'rest', which is where that part ends now. */
static __always_inline void lineage_split(struct bio *bio, __u64 rest, __u64 rest_sector)
{
	struct lineage *have, line;
	__u64 key = (__u64)bio;

	if (!has_lineages)
		return;
	have = bpf_map_lookup_elem(&lineages, &rest);
	if (!have || have->sector != bio->bi_iter.bi_sector)
		return;
	line = *have;
	have->sector = rest_sector;
	bpf_map_update_elem(&lineages, &key, &line, BPF_ANY);
}

/* The device that the bio came through first, 0 if none is known. It is forgotten. */
static __always_inline __u32 lineage_take(struct bio *bio)
{
	__u64 key = (__u64)bio;
	struct lineage *have;
	__u32 dev;

	if (!has_lineages)
		return 0;
	have = bpf_map_lookup_elem(&lineages, &key);
	if (!have)
		return 0;
	dev = have->sector == bio->bi_iter.bi_sector ? have->first_dev : 0;
	bpf_map_delete_elem(&lineages, &key);
	return dev;
}

/* Of a workqueue's name, "loop" and a number: the loop device. 0: it is none. */
static __always_inline __u32 loop_dev(const char *name)
{
	__u32 number = 0, i;

	if (name[0] != 'l' || name[1] != 'o' || name[2] != 'o' || name[3] != 'p' || !name[4])
		return 0;
	for (i = 4; i < 12 && name[i]; i++) {
		if (name[i] < '0' || name[i] > '9')
			return 0;
		number = number * 10 + (name[i] - '0');
	}
	return number < 1u << 20 ? LOOP_MAJOR << 20 | number : 0;
}

/*
 * The loop device whose file the current task reads or writes, 0 if it does not. Before 5.14 that
 * was a thread of its own.
 */
static __always_inline __u32 current_loop_dev(void)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct workqueue_struct *queue;
	struct kthread *kthread;
	struct worker *worker;
	char name[16] = {};
	__u32 flags = BPF_CORE_READ(task, flags);

	if (!(flags & FT_PF_KTHREAD))
		return 0;
	if (!(flags & FT_PF_WQ_WORKER)) {
		bpf_get_current_comm(name, sizeof(name));
		return loop_dev(name);
	}
	/* kthread_data(), kernel/kthread.c; from 5.17 on in a field of its own. */
	if (bpf_core_field_exists(task->worker_private))
		kthread = BPF_CORE_READ(task, worker_private);
	else
		kthread = (struct kthread *)BPF_CORE_READ(task, set_child_tid);
	worker = BPF_CORE_READ(kthread, data);
	queue = BPF_CORE_READ(worker, current_pwq, wq);
	BPF_CORE_READ_STR_INTO(&name, queue, name);
	return loop_dev(name);
}
