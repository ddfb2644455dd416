/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * io_wire: records of the 'io' collector that cross the kernel border; see bpf/wire.h. Devices are
 * dev_t as the kernel has it: major << 20 | minor. All times are CLOCK_MONOTONIC.
 *
 * A piece of I/O is one bio inside a block request. A request begins as one; what is merged into it
 * later are pieces of their own, with their own owners and times, but no requests.
 */
#pragma once

#include "bpf/hist_slot.h"
#include "bpf/wire.h"

#define FT_IO_READ    0
#define FT_IO_WRITE   1
#define FT_IO_FLUSH   2 /* a flush of the device's cache, without data */
#define FT_IO_DISCARD 3
#define FT_IO_OTHER   4 /* zeroing without data, zones */

#define FT_IO_SYNC  0x01
#define FT_IO_META  0x02
#define FT_IO_FUA   0x04
#define FT_IO_AHEAD 0x08
#define FT_IO_REST  0x80 /* in a histogram's key: whatever flags found no room, of any size */

/* Sizes of whole requests: n means at most 2^n bytes, and more than half of that. */
#define FT_IO_SIZE_NONE 0    /* no data */
#define FT_IO_SIZE_MIN	9    /* that much or less */
#define FT_IO_SIZE_MAX	21   /* this one has no upper end */
#define FT_IO_SIZE_REST 0xff /* see FT_IO_REST */

/* From the insertion into a queue (the start, without one) to the last issue, from there to the
 * completion, and from the start to the completion. */
#define FT_IO_QUEUE  0
#define FT_IO_DEVICE 1
#define FT_IO_TOTAL  2
#define FT_IO_STAGES 3

/* What pieces are counted by. */
struct ft_io_key {
	struct ft_origin origin;
	__u32 dev;	/* the disk */
	__u32 came_dev; /* that it came through first: a device above, or a partition; 0: none */
	__u8 op;	/* FT_IO_READ ... */
	__u8 flags;	/* FT_IO_SYNC ... */
	__u8 size;	/* FT_IO_SIZE_* */
	__u8 inferred;	/* 1: the origin is who dirtied the page, not who submitted it */
	__u32 pad;
};
_Static_assert(sizeof(struct ft_io_key) == 96, "ft_io_key");

struct ft_io_tally {
	__u64 n; /* pieces */
	__u64 requests;
	__u64 bytes;
	__u64 stage_ns[FT_IO_STAGES];
	__u64 errors;
	__u64 first_ns; /* when the key was first seen in this set of maps */
};
_Static_assert(sizeof(struct ft_io_tally) == 64, "ft_io_tally");

struct ft_io_hist_key {
	__u32 dev;
	__u8 op, flags, size, pad;
};
_Static_assert(sizeof(struct ft_io_hist_key) == 8, "ft_io_hist_key");

struct ft_io_stage {
	__u64 sum_ns;
	__u64 max_ns; /* nearly: one CPU may overwrite another's */
	__u32 slots[FT_HIST_SLOTS];
};

/* Grows as long as the programs are loaded. Without the pieces whose origin was not asked for. */
struct ft_io_hist {
	__u64 requests; /* the stages are of these, but for those whose end was not seen */
	__u64 merged;	/* pieces that were merged into them */
	__u64 bytes;	/* of both */
	__u64 inferred_bytes;
	__u64 errors; /* requests */
	__u64 pad;
	struct ft_io_stage stages[FT_IO_STAGES];
};
_Static_assert(sizeof(struct ft_io_hist) == 48 + 3 * (16 + 4 * FT_HIST_SLOTS), "ft_io_hist");

/* Of one disk: requests that began and that ended. What is between the two is on its way. */
struct ft_io_disk {
	__u64 started, ended;
};
_Static_assert(sizeof(struct ft_io_disk) == 16, "ft_io_disk");

/* A piece that took long. */
struct ft_io_outlier {
	struct ft_io_key key;
	__u64 start_ns, end_ns;
	__u64 stage_ns[FT_IO_STAGES];
	__u32 bytes;
	__s32 error; /* a blk_status_t, or from the kernel before 5.16 -errno; 0: none */
	__u32 lost;  /* ledger slot: there is no stack; 0: there is */
	__u32 pad;
};
_Static_assert(sizeof(struct ft_io_outlier) == 152, "ft_io_outlier");

/* A piece on its way, by the address of its bio. */
struct ft_io_piece {
	struct ft_origin origin;
	__u64 start_ns, insert_ns, issue_ns; /* 0: not yet */
	__u32 dev, came_dev;
	__u32 bytes;
	__u8 op, flags, size, inferred;
	__u8 merged; /* into a request that another piece began */
	__u8 lost;   /* ledger slot: there is no stack */
	__u8 filtered;
	__u8 pad[5];
};
_Static_assert(sizeof(struct ft_io_piece) == 128, "ft_io_piece");

/* Own slots of the ledger. */
#define FT_IO_LOST_PIECES_FULL FT_LEDGER_OWN	   /* too many on their way at once */
#define FT_IO_LOST_UNSEEN_END  (FT_LEDGER_OWN + 1) /* its bio began again, its end was not seen */
#define FT_IO_OWN	       2

/* What is outside of the ledger. */
struct ft_io_notes {
	__u64 began_before;    /* pieces that ended, but began before the recording */
	__u64 unseen_starts;   /* pieces that ended, and should have been seen beginning */
	__u64 undated_starts;  /* either of these: the kernel did not note when they began */
	__u64 requeues;	       /* of requests */
	__u64 chains_cut;      /* completions of more pieces than can be looked at */
	__u64 histograms_rest; /* pieces that are in the histogram of the rest of their kind */
	__u64 histograms_full; /* pieces that are in no histogram */
	__u64 disks_full;      /* and in no disk's count */
	__u64 outliers_lost;
	__u64 dirtiers_lost; /* times that nothing could be kept about who dirtied a page */
};
_Static_assert(sizeof(struct ft_io_notes) == 80, "ft_io_notes");
