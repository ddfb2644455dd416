/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* pagefault_wire: the border of the pagefault collector. The includer provides __u32 and the like.
 */
#pragma once

#include "bpf/draw_wire.h"
#include "bpf/wire.h"

/* What happened. */
#define FT_FAULT_MINOR	0 /* a page fault that was handled without waiting for a device */
#define FT_FAULT_MAJOR	1
#define FT_RSS_GROWN	2 /* memory became resident */
#define FT_RSS_RELEASED 3 /* and was given back, but for what the end of the process gives back */

/* Of what memory. */
#define FT_MEMORY_UNKNOWN 0
#define FT_MEMORY_FILE	  1
#define FT_MEMORY_ANON	  2
#define FT_MEMORY_SHMEM	  3
#define FT_MEMORY_KINDS	  4

struct ft_pagefault_key {
	struct ft_origin origin;
	__u32 what;
	__u32 memory;
};
_Static_assert(sizeof(struct ft_pagefault_key) == 88, "ft_pagefault_key");

struct ft_pagefault_tally {
	__u64 n;      /* samples */
	__u64 amount; /* they stand for: faults, or bytes */
	__u64 first_ns;
};
_Static_assert(sizeof(struct ft_pagefault_tally) == 24, "ft_pagefault_tally");

/* What was known of a process's resident memory when it changed last, in pages by enum
 * mm's member (include/linux/mm_types_task.h): file, anonymous, swap entries, shared. */
#define FT_RSS_MEMBERS 4
struct ft_rss_key {
	__u64 mm;
	__u32 tgid; /* in the initial PID namespace */
	__u32 exec_id;
};
struct ft_rss_process {
	__s64 pages[FT_RSS_MEMBERS];
	__u64 cpus;	/* that have a slot of their own for it; of those from 64 on: modulo that */
	__u32 known;	/* members of which 'pages' is right: bits */
	__u32 is_young; /* it began, and began its program, after the recording did */
};

/* The part of a CPU, from 6.2 on. */
#define FT_RSS_SLOT_BITS 10
struct ft_rss_slot {
	struct ft_rss_key key;
	__u64 offset; /* from a percpu pointer to this CPU's part */
	__s32 pages[FT_RSS_MEMBERS];
	__u32 known;
	__u32 pad;
};
_Static_assert(sizeof(struct ft_rss_slot) == 48, "ft_rss_slot");

struct ft_pagefault_notes {
	__u64 first_seen;     /* changes of unknown size, taken for one page each */
	__u64 processes_full; /* changes of processes without room: not counted */
	__u64 unmapped;	      /* faults whose mapping could not be looked up */
};
