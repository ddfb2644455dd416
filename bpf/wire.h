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
/* Ends that do not leave the walk's own side: a chain of frame pointers came to a null pointer
 * (names tell whether that was the root); the process or a table is not known yet. */
#define FT_END_NULL    9
#define FT_END_PENDING 10

/* A stack, innermost frame first, under a 64-bit hash of its frames in the 'stacks' maps. */
struct ft_stack {
	__u32 n;
	__u32 end;		  /* FT_END_*; FT_END_NONE for kernel stacks */
	__u64 pcs[FT_MAX_FRAMES]; /* the innermost pc, then return addresses */
};
_Static_assert(sizeof(struct ft_stack) == 1024, "ft_stack");

/* A task as events are counted by it. PIDs are those of the PID namespace that fathom runs in, 0 if
 * the process is not visible there. */
struct ft_task {
	__u64 start_ns;	 /* of the process, since boot */
	__u64 cgroup_id; /* of the cgroup2 hierarchy */
	__u32 exec_id;	 /* grows with each exec of the process, modulo 2^32 */
	__u32 slot;	 /* of time that the event is counted in; 0: all are counted together */
	__u32 tgid;
	__u32 tid;
	char comm[FT_COMM_LEN];		/* of the thread */
	char process_comm[FT_COMM_LEN]; /* of its group leader */
};
_Static_assert(sizeof(struct ft_task) == 64, "ft_task");

#define FT_MAX_SLOT 0xfffffffeu

/* Where an event came from. */
struct ft_origin {
	__u64 user_stack;   /* hash, or the number of a deferred one (FT_STACK_IS_DEFERRED); 0: none
			     */
	__u64 kernel_stack; /* hash; 0: none */
	struct ft_task task;
};
_Static_assert(sizeof(struct ft_origin) == 80, "ft_origin");

/* Hashes are odd. The stack of an even number is passed up, to be unwound late. */
#define FT_STACK_IS_DEFERRED(number) ((number) && !((number)&1))

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
#define FT_LOST_MAP_BUSY	8  /* a bucket was locked by what this CPU was interrupted in */
#define FT_LOST_WALK_FAILED	9  /* neither a user nor a kernel stack could be had */
#define FT_LOST_NESTED		10 /* it interrupted too many others of its collector */
#define FT_LEDGER_OWN		11 /* from here on: each collector's own */
#define FT_LEDGER_SLOTS		24
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

/* --- unwinding ------------------------------------------------------------------------------ */

/* Registers by their DWARF numbers: System V ABI for x86-64, figure 3.36; "DWARF for the Arm 64-bit
 * Architecture", 4.1. x86-64 has 16 that matter here, arm64 32 with sp. */
#define FT_REGS	    32
#define FT_X86_RBX  3
#define FT_X86_RBP  6
#define FT_X86_RSP  7
#define FT_X86_RIP  16
#define FT_ARM64_FP 29
#define FT_ARM64_LR 30
#define FT_ARM64_SP 31

/*
 * How to come from a frame to its caller: what one row of call frame information says (DWARF 5,
 * 6.4), for the registers that the walk follows. Offsets are in bytes. The files of a machine share
 * their rules: a row holds a rule's number.
 */
struct ft_unwind_rule {
	__s32 cfa_offset;
	__s16 cfa_add;	 /* FT_CFA_DEREF: added to what was read; FT_CFA_PLT: see there */
	__s16 ra_offset; /* what 'ra' says; of FT_SAVED_IN_REG the register's number */
	__s16 fp_offset; /* rbp, x29 */
	__s16 bx_offset; /* rbx; unused on arm64 */
	__u8 cfa;	 /* FT_CFA_* | FT_CFA_SIGNAL */
	__u8 cfa_reg;	 /* DWARF number */
	__u8 ra;	 /* FT_SAVED_* */
	__u8 fp_bx;	 /* FT_SAVED_* of fp, and << 4 that of bx */
};
_Static_assert(sizeof(struct ft_unwind_rule) == 16, "ft_unwind_rule");

/* The canonical frame address. */
#define FT_CFA_NONE	   0 /* no call frame information here */
#define FT_CFA_REG	   1 /* cfa_reg + cfa_offset */
#define FT_CFA_DEREF	   2 /* *(cfa_reg + cfa_offset) + cfa_add */
#define FT_CFA_PLT	   3 /* rsp + cfa_offset + (pc % 16 >= cfa_add ? 8 : 0): x86-64's PLT */
#define FT_CFA_UNSUPPORTED 4 /* there is information, but the walk cannot use it */
#define FT_CFA_KIND	   0x0f
#define FT_CFA_SIGNAL	   0x80 /* a signal frame: its caller was interrupted, it did not call */

/* Where the caller's value of a register is. */
#define FT_SAVED_SAME	     0 /* in the register still; a return address: in the link register */
#define FT_SAVED_AT_CFA	     1 /* *(CFA + offset) */
#define FT_SAVED_AT_SP	     2 /* *(this frame's stack pointer + offset) */
#define FT_SAVED_AT_FP	     3 /* *(this frame's frame pointer + offset) */
#define FT_SAVED_IN_REG	     4 /* another register; only of ra */
#define FT_SAVED_UNDEFINED   5 /* nowhere; of ra: this is the outermost frame */
#define FT_SAVED_UNSUPPORTED 6
#define FT_SAVED_CFA_PLUS    7 /* CFA + offset itself (DW_CFA_val_offset) */

#define FT_UNWIND_MAX_RULES 32768
#define FT_RULE_NO_CFI	    0 /* this number is FT_CFA_NONE */
#define FT_RULE_ROOT	    1 /* and this: here programs begin, whatever the stack holds */

/* A row: from this virtual address of the file on (its low 16 bits) that rule holds. */
#define FT_ROW(address, rule) ((__u32)(rule) << 16 | ((address)&0xffff))
#define FT_ROW_RULE(row)      ((row) >> 16)
#define FT_ROW_LOW(row)	      ((row)&0xffff)

#define FT_CHUNK_ROWS 65536
struct ft_unwind_chunk {
	__u32 rows[FT_CHUNK_ROWS];
};

/*
 * 4 KiB of a file's virtual addresses: the number of the row that holds at their start (wherever it
 * begins), and how many rows begin after that start, behind it. All of them are in one chunk.
 */
#define FT_PAGE_SHIFT 12
struct ft_unwind_page {
	__u32 row; /* chunk * FT_CHUNK_ROWS + number in it */
	__u16 n;
	__u16 pad;
};
_Static_assert(sizeof(struct ft_unwind_page) == 8, "elements of an mmapable array have 8 bytes");

/* What a process has mapped executable; lists of these are sorted by address. */
struct ft_unwind_mapping {
	__u64 start, end;
	__u64 bias; /* address in memory less virtual address in the file */
	union {
		struct {
			__u32 page; /* number of that of virtual address 0, modulo 2^32 */
			__u16 kind; /* FT_MAPPING_* */
			__u16 used; /* set by the walk: the table is in use */
		};
		__u64 word; /* these three, written and read at once */
	};
};
_Static_assert(sizeof(struct ft_unwind_mapping) == 32, "ft_unwind_mapping");
#define FT_MAPPING_PENDING 0 /* its table is not there yet */
#define FT_MAPPING_TABLE   1
#define FT_MAPPING_NO_CFI  2 /* it has none: JIT code, or a file without */
#define FT_MAPPING_FULL	   3 /* there was no room for its table */

/* A process for the unwinder: whatever PID namespace fathom is in. */
struct ft_process_key {
	__u64 start_ns; /* since boot */
	__u32 tgid;	/* in the initial PID namespace */
	__u32 pad;
};
_Static_assert(sizeof(struct ft_process_key) == 16, "ft_process_key");

/* One that runs, with its address space. */
struct ft_running {
	struct ft_process_key process;
	__u64 mm;
	__u32 tgid; /* as in ft_task */
	__u32 pad;
};
_Static_assert(sizeof(struct ft_running) == 32, "ft_running");

/* Its mappings. Lists are not changed when they are in use, so a fork shares its parent's. */
struct ft_process {
	__u64 mm; /* address space that the list describes: an exec gets a new one */
	__u32 first, n;
	__u32 deferred; /* samples that were passed up although there is a list */
	__u32 list;	/* the loader's number for it */
};
_Static_assert(sizeof(struct ft_process) == 24, "ft_process");

/* A stack that cannot be unwound yet: passed up as registers and a piece of its memory. */
struct ft_deferred {
	__u64 time_ns; /* CLOCK_MONOTONIC */
	struct ft_process_key process;
	__u64 mm;
	__u64 vdso;   /* address of the process's vDSO, 0 if it has none */
	__u64 number; /* what stands for it in ft_origin.user_stack */
	__u64 pc;
	__u64 wanted_pc; /* where the walk gave up: the mapping or table that is missing is of this
			  */
	__u64 regs[FT_REGS]; /* by DWARF number */
	__u32 tgid;	     /* as in ft_task */
	__u32 collector;     /* FT_COLLECTOR_* */
	__u32 stack_bytes;   /* from the start of the page that the stack pointer is in */
	__u32 in_exec;	     /* 1: the task is in the middle of an exec */
};			     /* the stack's bytes follow */
_Static_assert(sizeof(struct ft_deferred) == 336, "ft_deferred");
#define FT_COLLECTOR_CPU       0
#define FT_COLLECTOR_IO	       1
#define FT_COLLECTOR_FILE      2
#define FT_COLLECTOR_ALLOC     3
#define FT_COLLECTOR_PAGEFAULT 4
#define FT_COLLECTOR_KMEM      5

/* Pieces of a stack that are passed up: whole pages of 4 KiB. */
#define FT_PIECE_BYTES 4096
#define FT_MAX_PIECES  16
