/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * wire: the border between the kernel side and the program. Records that cross it have fields of
 * fixed width, no pointers, no bool, no enum, and a checked size. The includer provides __u32 and
 * the like (vmlinux.h in the kernel, linux/types.h in user space).
 */
#pragma once

#define FT_MAX_FRAMES 127
#define FT_COMM_LEN   16

/* How the walk of a user stack ended; user/model/summary.h names them for people. */
#define FT_END_NONE		0 /* the task has no user stack */
#define FT_END_ROOT		1 /* the outermost frame was reached */
#define FT_END_DEPTH		2 /* FT_MAX_FRAMES were not enough */
#define FT_END_NO_TABLE		3
#define FT_END_UNKNOWN_MAPPING	4
#define FT_END_READ_FAILED	5 /* stack memory could not be read */
#define FT_END_RULE_UNSUPPORTED 6
#define FT_END_NO_CFI		7
#define FT_END_FRAME_POINTER	8 /* the chain of frame pointers broke off */
#define FT_ENDS			9

/* A stack, innermost frame first, under a 64-bit hash of its frames in the 'stacks' maps. */
struct ft_stack {
	__u32 n;
	__u32 end;		  /* FT_END_*; FT_END_NONE for kernel stacks */
	__u64 pcs[FT_MAX_FRAMES]; /* the innermost pc, then return addresses */
};
_Static_assert(sizeof(struct ft_stack) == 1024, "ft_stack");

/* What samples are counted by. PIDs are those of the PID namespace that fathom runs in, 0 if the
 * process is not visible there. */
struct ft_count_key {
	__u64 user_stack;   /* hash, 0: none */
	__u64 kernel_stack; /* hash, 0: none */
	__u64 start_ns;	    /* of the process, since boot */
	__u64 cgroup_id;    /* of the cgroup2 hierarchy */
	__u64 exec_id;	    /* grows with each exec of the process */
	__u32 tgid;
	__u32 tid;
	char comm[FT_COMM_LEN];		/* of the thread */
	char process_comm[FT_COMM_LEN]; /* of its group leader */
};
_Static_assert(sizeof(struct ft_count_key) == 80, "ft_count_key");

struct ft_count {
	__u64 n;
	__u64 first_ns; /* CLOCK_MONOTONIC: when the key was first seen in this set of maps */
};
_Static_assert(sizeof(struct ft_count) == 16, "ft_count");

/* Slots of the per-CPU ledger: FT_FIRED = FT_KEPT + the sum of all others. */
#define FT_FIRED		0
#define FT_KEPT			1
#define FT_FILTERED_SELF	2 /* fathom itself */
#define FT_FILTERED_IDLE	3 /* the idle task */
#define FT_FILTERED_TARGET	4 /* not one of the tasks asked for */
#define FT_LOST_STACKS_FULL	5
#define FT_LOST_STACK_COLLISION 6 /* another stack with the same hash was there first */
#define FT_LOST_COUNTS_FULL	7
#define FT_LOST_MAP_BUSY	8 /* a bucket was locked by what this CPU was interrupted in */
#define FT_LOST_WALK_FAILED	9 /* neither a user nor a kernel stack could be had */
#define FT_LEDGER_SLOTS		10
struct ft_ledger {
	__u64 n[FT_LEDGER_SLOTS];
};

/* Two sets of maps: the programs fill one while the loader drains the other. */
#define FT_SETS 2

/* Values of the 'targets' map, by tgid. */
#define FT_TARGET_NOW	  1
#define FT_TARGET_AT_EXEC 2 /* from its next exec on: a command that fathom is about to start */

/* A glob over comms as a bit-parallel automaton (see bpf/glob.bpf.h). Bit i is "the first i
 * positions of the pattern are matched"; several patterns lie side by side. */
#define FT_GLOB_BITS 64
struct ft_glob {
	__u64 accept[256]; /* by byte: positions that it may step over */
	__u64 loops;	   /* states that stay on any byte ('*') */
	__u64 start;	   /* states before the first byte */
	__u64 final;	   /* states that mean a match */
};
