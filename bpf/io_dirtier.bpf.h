/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * io_dirtier: who made the pages of a file dirty. They are written back later, mostly by a thread
 * of the kernel, or by whoever calls sync: what it writes belongs to the process that dirtied the
 * file last, by inference.
 */
#pragma once

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/io_bio.bpf.h"
#include "bpf/io_lineage.bpf.h"
#include "bpf/sample.bpf.h"

#define FT_S_IFMT  0170000 /* include/uapi/linux/stat.h */
#define FT_S_IFREG 0100000

/* A stack is taken anew after that: in between there are thousands of pages. */
#define DIRTIER_MAX_AGE_NS 10000000

struct dirtier {
	struct ft_origin origin;
	__u64 time_ns;
	__u32 pid;  /* of the process, in the initial PID namespace */
	__u32 lost; /* ledger slot: it has no stack, or was not asked for; 0: it is whole */
	__u32 loop; /* the loop device whose file it is, and for which it was dirtied; 0: none */
	__u32 pad;
};

/* By the inode's address: it stays where it is as long as it has dirty pages. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, __u64);
	__type(value, struct dirtier);
} dirtiers SEC(".maps");

/* The current task makes pages of the mapping dirty. 0, or a ledger slot if it cannot be noted. */
static __noinline __u32 dirtier_note(void *ctx, struct address_space *mapping)
{
	struct inode *inode = mapping ? mapping->host : NULL;
	struct dirtier now = {}, *have;
	__u64 key = (__u64)inode;
	struct sample *s;

	if (!inode || (inode->i_mode & FT_S_IFMT) != FT_S_IFREG)
		return 0;
	now.time_ns = bpf_ktime_get_ns();
	now.pid = bpf_get_current_pid_tgid() >> 32;
	have = bpf_map_lookup_elem(&dirtiers, &key);
	if (have && have->pid == now.pid && now.time_ns - have->time_ns < DIRTIER_MAX_AGE_NS)
		return 0;
	now.loop = current_loop_dev();
	s = sample_take();
	if (!s)
		return FT_LOST_NESTED;
	now.lost = sample_task(s);
	if (!now.lost) {
		sample_kernel_stack(ctx, s);
		sample_user_stack(s);
		now.lost = sample_keep(s, active_set);
		now.origin = s->origin;
	}
	sample_release(s);
	return bpf_map_update_elem(&dirtiers, &key, &now, BPF_ANY) ? FT_LOST_MAP_BUSY : 0;
}

/* Kernels from 7.1 on; before that it is 'compound_head'. */
struct page___from_7_1 {
	unsigned long compound_info;
} __attribute__((preserve_access_index));

enum pageflags___io {
	PG_writeback___io = 15,
};

#define PAGE_MAPPING_IS_NOT_FILE 3ul /* in 'mapping': anonymous, or movable */

/*
 * The first page of what this one is part of. A tail page has bit 0 of the field set; the rest is
 * the head's address, or, if that would lie behind the tail, a mask that makes it of the tail's
 * (include/linux/page-flags.h).
 */
static __always_inline struct page *page_head(struct page *page)
{
	unsigned long info = 0;

	if (bpf_core_field_exists(page->compound_head))
		info = BPF_CORE_READ(page, compound_head);
	else if (bpf_core_field_exists(((struct page___from_7_1 *)page)->compound_info))
		info = BPF_CORE_READ((struct page___from_7_1 *)page, compound_info);
	if (!(info & 1))
		return page;
	info--;
	return (struct page *)(info <= (unsigned long)page ? info : info & (unsigned long)page);
}

/* The inode whose cached pages a bio writes back; 0: it does not, but writes what a process gave
 * it, or what is no file's. */
static __always_inline __u64 bio_written_back(struct bio *bio)
{
	struct bio_vec *vec = bio->bi_io_vec;
	unsigned long flags = 0, mapping;
	struct page *page;

	if (!vec || !bio->bi_iter.bi_size)
		return 0;
	vec = (void *)vec + bio->bi_iter.bi_idx * bpf_core_type_size(struct bio_vec);
	page = page_head(BPF_CORE_READ(vec, bv_page));
	/* Flags are a page's first word, under whatever type. Without this one the page may be any:
	 * a buffer of a direct write that is itself a file, mapped. */
	bpf_probe_read_kernel(&flags, sizeof(flags), page);
	if (!(flags >> bpf_core_enum_value(enum pageflags___io, PG_writeback___io) & 1))
		return 0;
	mapping = (unsigned long)BPF_CORE_READ(page, mapping);
	if (!mapping || mapping & PAGE_MAPPING_IS_NOT_FILE)
		return 0;
	return (__u64)BPF_CORE_READ((struct address_space *)mapping, host);
}

/* Who dirtied what the bio writes back; NULL: it does not, or nobody was seen doing it. */
static __always_inline struct dirtier *dirtier_of(struct bio *bio)
{
	__u64 inode = bio_written_back(bio);

	return inode ? bpf_map_lookup_elem(&dirtiers, &inode) : NULL;
}

static __always_inline bool is_current(const struct dirtier *d)
{
	return d->pid == (__u32)(bpf_get_current_pid_tgid() >> 32);
}
