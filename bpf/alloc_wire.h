/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * alloc_wire: the border of the collectors of memory (alloc, kmem): what is known of each site (who
 * asked for memory, from which stack) and of each block that has not been freed. The includer
 * provides __u32 and the like.
 *
 * A sampled block of s bytes was kept with the probability p = 1 - exp(-s / interval): it stands
 * for 1/p objects and s/p bytes. Its weight is 1/p in units of 2^-FT_ALLOC_WEIGHT_BITS, and
 * FT_ALLOC_WEIGHT_ONE where every block is kept.
 */
#pragma once

#include "bpf/hist_slot.h"
#include "bpf/wire.h"

#define FT_ALLOC_WEIGHT_BITS 20
#define FT_ALLOC_WEIGHT_ONE  (1ull << FT_ALLOC_WEIGHT_BITS)

/* What asked for it: struct ft_alloc_site_key.kind. */
#define FT_ALLOC_HEAP	 0 /* malloc and its like */
#define FT_ALLOC_MAPPING 1 /* anonymous mmap */
#define FT_ALLOC_KMALLOC 2
#define FT_ALLOC_CACHE	 3 /* kmem_cache_alloc; 'detail' is the cache's number */
#define FT_ALLOC_PAGES	 4 /* alloc_pages; 'detail' is the order */
#define FT_ALLOC_KINDS	 5

/* The key of the tallies as well (FT_COLLECTOR's samples): it begins with the origin. */
struct ft_alloc_site_key {
	struct ft_origin origin;
	__u32 kind;
	__u32 detail;
};
_Static_assert(sizeof(struct ft_alloc_site_key) == 88, "ft_alloc_site_key");

/* A process that allocates; 0 is the kernel. */
struct ft_alloc_process_key {
	__u32 tgid;  /* in the initial PID namespace */
	__u32 image; /* tells programs and processes that had the same number in turn apart */
};

/* Sums of blocks as they were sampled, and as what they stand for. */
struct ft_alloc_sum {
	__u64 n;       /* blocks that were sampled */
	__u64 objects; /* they stand for, in units of 2^-FT_ALLOC_WEIGHT_BITS */
	__u64 bytes;   /* the same; each block's rounded to a byte */
	/* Estimated variances: sums of (1 - p) / p^2 * x^2, x being 1 object or s bytes. */
	__u64 var_objects; /* units of 2^-8 objects^2; saturates at 2^63 */
	__u64 var_bytes;   /* units of 2^-16 interval^2 */
};
_Static_assert(sizeof(struct ft_alloc_sum) == 40, "ft_alloc_sum");

/*
 * Of one site, by a 64-bit hash of its key. What is in use at the peak of all is known without
 * looking at all sites then: 'peak' counts the new peaks, and a site notes what it had in use when
 * it changes for the first time after one.
 */
struct ft_alloc_site {
	struct ft_alloc_site_key key;
	struct ft_alloc_process_key process;
	__u64 first_ns; /* CLOCK_MONOTONIC */
	struct ft_alloc_sum made;
	struct ft_alloc_sum freed;
	__u64 temporary_n;	 /* of those freed: before the thread's next allocation, */
	__u64 temporary_objects; /* units of 2^-FT_ALLOC_WEIGHT_BITS */
	__u64 temporary_bytes;
	__u64 in_use_bytes, in_use_objects;   /* now; objects as above */
	__u64 at_peak_bytes, at_peak_objects; /* if peak is that of ft_alloc_state */
	__u64 peak;
};

/* A process, for which in_use is taken back when it ends. */
struct ft_alloc_process {
	__u64 in_use_bytes, in_use_objects;
	__u64 ended_ns;	  /* CLOCK_MONOTONIC; 0: it lives */
	__u64 ended_peak; /* ft_alloc_state.peak then */
};

/* A block that was sampled and has not been freed. */
struct ft_alloc_block_key {
	__u64 address; /* of kernel memory too; of pages: the struct page's */
	struct ft_alloc_process_key process;
};
_Static_assert(sizeof(struct ft_alloc_block_key) == 16, "ft_alloc_block_key");
struct ft_alloc_block {
	__u64 site; /* hash of its key */
	__u64 bytes;
	__u64 weight;
	__u64 time_ns; /* CLOCK_MONOTONIC */
};
_Static_assert(sizeof(struct ft_alloc_block) == 32, "ft_alloc_block");

/* Probes of the shim. */
#define FT_ALLOC_PROBE_MADE	0
#define FT_ALLOC_PROBE_FREED	1
#define FT_ALLOC_PROBE_MOVING	2
#define FT_ALLOC_PROBE_MOVED	3
#define FT_ALLOC_PROBE_MAPPED	4
#define FT_ALLOC_PROBE_UNMAPPED 5
#define FT_ALLOC_PROBE_SETTLING 6
#define FT_ALLOC_PROBES		7

/* A process that waits until its stacks can be unwound. */
struct ft_alloc_settling {
	struct ft_process_key process;
	__u64 mm;
	__u64 since_ns; /* CLOCK_MONOTONIC */
	__u32 tgid;	/* as in ft_task */
	__u32 pad;
};
_Static_assert(sizeof(struct ft_alloc_settling) == 40, "ft_alloc_settling");

/* A process whose allocator may have to be probed. */
struct ft_alloc_news {
	__u32 tgid; /* as in ft_task */
	__u32 what; /* FT_ALLOC_* */
};
#define FT_ALLOC_BEGAN 0 /* or executed another program */
#define FT_ALLOC_ENDED 1

/* Of the whole collector. */
struct ft_alloc_state {
	__u64 in_use_bytes, in_use_objects;
	__u64 peak_bytes;   /* the most that was in use, */
	__u64 peak_objects; /* and objects at that time */
	__u64 peak_ns;	    /* CLOCK_MONOTONIC */
	__u64 peak;	    /* how many times it rose */
	__u64 blocks;	    /* in the table now */
	__u64 sites;	    /* the same */
	__u64 processes;
	__u64 processes_ended;
	__u64 blocks_full;     /* found no room: allocated, but never in use; counted here */
	__u64 frees;	       /* of sampled blocks */
	__u64 frees_unknown;   /* of blocks that are not in the table */
	__u64 frees_inherited; /* of those: in a child, of what its parent had allocated */
	__u64 frees_missed;    /* an address was given out once more before it was seen */
	__u64 failed;	       /* calls that returned NULL; not followed in the shim */
	__u64 execs;	       /* programs that were executed, */
	__u64 started;	       /* and those of them that have the shim */
	__u64 news_full;       /* processes that the loader was not told of */
	__u64 processes_full;  /* what they hold stays in use when they end */
};

/* Log-linear histograms: how large blocks are, and how long those lived that were freed. */
#define FT_ALLOC_HIST_SIZE     0 /* bytes instead of ns */
#define FT_ALLOC_HIST_LIFETIME 1
#define FT_ALLOC_HISTS	       2
struct ft_alloc_hist {
	__u64 objects[FT_HIST_SLOTS]; /* that they stand for, units of 2^-8 */
	__u64 max;
	__u64 sum; /* of sampled ones times what they stand for; saturates */
};

/* Functions of an allocator, by what their arguments are. */
#define FT_ALLOC_CALL_MALLOC	     0 /* bytes */
#define FT_ALLOC_CALL_CALLOC	     1 /* n, bytes of each */
#define FT_ALLOC_CALL_REALLOC	     2
#define FT_ALLOC_CALL_REALLOCARRAY   3
#define FT_ALLOC_CALL_POSIX_MEMALIGN 4
#define FT_ALLOC_CALL_MEMALIGN	     5 /* alignment, bytes */
#define FT_ALLOC_CALL_FREE	     6
#define FT_ALLOC_CALL_FUNCTIONS	     7

/*
 * The cookie of a probe on one: FT_ALLOC_CALL_* above. In a function that realloc calls: where
 * realloc is, as the distance of its first byte from the probe (32 bits, signed) and its size; 0
 * bytes: it is not called from there. In free, by how many words the stack pointer has moved, too.
 */
#define FT_ALLOC_CALL_BYTES_SHIFT    32
#define FT_ALLOC_CALL_BYTES_MAX	     0xfffffull
#define FT_ALLOC_CALL_FUNCTION_SHIFT 52
#define FT_ALLOC_CALL_FUNCTION_MAX   0xfull
#define FT_ALLOC_CALL_STACK_SHIFT    56
#define FT_ALLOC_CALL_STACK_MAX	     0x7full
#define FT_ALLOC_CALL_NOT_NULL	     (1ull << 63) /* realloc: given no block, it calls malloc */

/* Ledger slots of its own (bpf/wire.h). */
#define FT_ALLOC_LOST_SITES	FT_LEDGER_OWN	    /* the table of sites is full */
#define FT_ALLOC_LOST_COLLISION (FT_LEDGER_OWN + 1) /* another site has the same hash */
#define FT_ALLOC_LOST_CALLS	(FT_LEDGER_OWN + 2) /* no room to note a call until it returns */
#define FT_ALLOC_SLOTS		(FT_LEDGER_OWN + 3)
