/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * io_bio: what a bio says about its I/O, whatever the kernel. Pointers that come from a
 * tracepoint's arguments are typed: reads through them need no helper, and give 0 where they fail.
 */
#pragma once

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/io_wire.h"

/* Kernels before 5.12: a bio has a disk and a number of a partition. */
struct bio___before_5_12 {
	struct gendisk *bi_disk;
} __attribute__((preserve_access_index));

/* Flags of bios are an enumeration, and as such relocated by their names. */
enum req_flag_bits___io {
	__REQ_SYNC___io = 11,
	__REQ_META___io = 12,
	__REQ_FUA___io = 17,
	__REQ_PREFLUSH___io = 18,
	__REQ_RAHEAD___io = 19,
};
#define BIO_FLAG(name) (1u << bpf_core_enum_value(enum req_flag_bits___io, __REQ_##name##___io))

/* include/linux/blk_types.h: the operation is in the low byte. */
#define BIO_OP_MASK	    0xff
#define BIO_OP_READ	    0
#define BIO_OP_WRITE	    1
#define BIO_OP_FLUSH	    2
#define BIO_OP_DISCARD	    3
#define BIO_OP_SECURE_ERASE 5
#define BIO_OP_ZONE_APPEND  7  /* before 5.18: the same data over and over, a write as well */
#define BIO_OP_DRIVER	    32 /* from here on: commands of drivers, which pass through */

static __always_inline __u8 bio_operation(__u32 opf, __u32 bytes)
{
	switch (opf & BIO_OP_MASK) {
	case BIO_OP_READ:
		return FT_IO_READ;
	case BIO_OP_WRITE:
	case BIO_OP_ZONE_APPEND:
		return !bytes && opf & BIO_FLAG(PREFLUSH) ? FT_IO_FLUSH : FT_IO_WRITE;
	case BIO_OP_FLUSH:
		return FT_IO_FLUSH;
	case BIO_OP_DISCARD:
	case BIO_OP_SECURE_ERASE:
		return FT_IO_DISCARD;
	default:
		return FT_IO_OTHER;
	}
}

static __always_inline __u8 bio_flags(__u32 opf)
{
	return (opf & BIO_FLAG(SYNC) ? FT_IO_SYNC : 0) | (opf & BIO_FLAG(META) ? FT_IO_META : 0) |
	       (opf & BIO_FLAG(FUA) ? FT_IO_FUA : 0) | (opf & BIO_FLAG(RAHEAD) ? FT_IO_AHEAD : 0);
}

/* FT_IO_SIZE_* */
static __always_inline __u8 size_class(__u32 bytes)
{
	__u8 size = FT_IO_SIZE_MIN;
	__u32 rest = bytes ? (bytes - 1) >> FT_IO_SIZE_MIN : 0;

	if (!bytes)
		return FT_IO_SIZE_NONE;
	if (rest >> 12)
		return FT_IO_SIZE_MAX;
	if (rest >> 8) {
		size += 8;
		rest >>= 8;
	}
	if (rest >> 4) {
		size += 4;
		rest >>= 4;
	}
	if (rest >> 2) {
		size += 2;
		rest >>= 2;
	}
	return size + rest - (rest == 3);
}

static __always_inline __u32 disk_dev(struct gendisk *disk)
{
	return disk ? (__u32)disk->major << 20 | (__u32)disk->first_minor : 0;
}

/* The disk that the bio is for, and the partition of it, 0 if there is none or is not known. */
static __always_inline __u32 bio_dev(struct bio *bio, __u32 *ret_partition)
{
	struct block_device *bdev;
	__u32 dev, part;

	*ret_partition = 0;
	if (!bpf_core_field_exists(bio->bi_bdev))
		return disk_dev(((struct bio___before_5_12 *)bio)->bi_disk);
	bdev = bio->bi_bdev;
	if (!bdev)
		return 0;
	dev = disk_dev(bdev->bd_disk);
	part = bdev->bd_dev;
	if (part != dev)
		*ret_partition = part;
	return dev;
}

/*
 * The cgroup that the bio is charged to, 0 if that is the root or not of the cgroup2 hierarchy,
 * whose number is 0. A thread of the kernel that writes pages back does it for their cgroup.
 */
static __always_inline __u64 bio_cgroup(struct bio *bio)
{
	struct blkcg_gq *blkg;
	struct cgroup *cgroup;

	if (!bpf_core_field_exists(bio->bi_blkg))
		return 0;
	blkg = bio->bi_blkg;
	if (!blkg || !blkg->blkcg)
		return 0;
	cgroup = blkg->blkcg->css.cgroup;
	if (!cgroup || cgroup->level <= 0 || !cgroup->root || cgroup->root->hierarchy_id)
		return 0;
	return cgroup->kn ? cgroup->kn->id : 0;
}
