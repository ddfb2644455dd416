/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * file_wire: what crosses the border (see bpf/wire.h) between bpf/file.bpf.c and
 * user/collect/file.c.
 */
#pragma once

#include "bpf/hist_slot.h"
#include "bpf/wire.h"

/* Operations; user/collect/file_calls.c says which system call is which, and names them. */
#define FT_FILE_NOTHING		0
#define FT_FILE_OPEN		1
#define FT_FILE_READ		2
#define FT_FILE_WRITE		3
#define FT_FILE_SENDFILE	4
#define FT_FILE_COPY		5 /* copy_file_range */
#define FT_FILE_SPLICE		6
#define FT_FILE_FSYNC		7
#define FT_FILE_FDATASYNC	8
#define FT_FILE_SYNC_FILE_RANGE 9
#define FT_FILE_SYNCFS		10
#define FT_FILE_SYNC		11
#define FT_FILE_MSYNC		12
#define FT_FILE_FALLOCATE	13
#define FT_FILE_TRUNCATE	14
#define FT_FILE_UNLINK		15
#define FT_FILE_RENAME		16
#define FT_FILE_MKDIR		17
#define FT_FILE_LINK		18
#define FT_FILE_SYMLINK		19
#define FT_FILE_READDIR		20
#define FT_FILE_STAT		21
#define FT_FILE_ACCESS		22
#define FT_FILE_FAULT		23 /* a major page fault */
#define FT_FILE_READLINK	24
#define FT_FILE_XATTR		25 /* reads and writes of extended attributes */
#define FT_FILE_SETATTR		26 /* mode, owner, times */
#define FT_FILE_OPERATIONS	27

/* Where a system call says which file it is about; 'a' and 'b' are numbers of arguments. */
#define FT_AT_NOTHING 0 /* it is about none */
#define FT_AT_FD      1 /* descriptor a */
#define FT_AT_FDS     2 /* descriptor a, or b if that one is no file */
#define FT_AT_PATH    3 /* the path b, relative to descriptor a (FT_AT_CWD: to where the task is) */
#define FT_AT_OPENED  4 /* the same, and if it succeeds, the descriptor that it returns */
#define FT_AT_CWD     7 /* instead of an argument's number */

#define FT_SYSCALLS 512
struct ft_syscall {
	__u8 operation; /* FT_FILE_NOTHING: not followed */
	__u8 at;	/* FT_AT_* */
	__u8 a, b;
};
_Static_assert(sizeof(struct ft_syscall) == 4, "ft_syscall");

/* Operations of io_uring by their opcodes. */
#define FT_URING_OPCODES 128

/* What sort of a file it is. From FT_CLASS_SOCKET on only latencies are kept. */
#define FT_CLASS_FILE	   0 /* or what is known by a path alone, or nothing at all */
#define FT_CLASS_DIRECTORY 1
#define FT_CLASS_BLOCK	   2 /* a device opened by its node */
#define FT_CLASS_SOCKET	   3
#define FT_CLASS_PIPE	   4
#define FT_CLASS_OTHER	   5 /* terminals, event descriptors, memory without a file, no file */
#define FT_CLASSES	   6

/* How the operation was asked for. */
#define FT_BY_CALL  0
#define FT_BY_FAULT 1
#define FT_BY_URING 2
#define FT_BYS	    3
/*
 * With this bit a histogram is that of all file systems of the same type that have none of their
 * own; dev is one of them, or FT_DEV_ANY.
 */
#define FT_BY_TYPE 0x80
#define FT_DEV_ANY 0xffffffffu

/*
 * A path, in the 'paths' map by a hash of what it was made from: the file and its directory as the
 * kernel knows them, or a directory and what the task gave. Components above a mount are those of
 * the mount that the file was opened through.
 */
#define FT_PATH_BYTES	   512
#define FT_PATH_COMPONENTS 32 /* and mounts on the way */
#define FT_FS_NAME_BYTES   16
#define FT_PATH_CUT	   1  /* it is longer: what is missing is at its beginning */
#define FT_PATH_CUT_END	   2  /* and this: at its end */
#define FT_PATH_WANTED	   4  /* it is one of those asked for */
#define FT_PATH_HAS_DEVICE 8  /* its file system is on a block device */
#define FT_PATH_BY_NAME	   16 /* dev and fs are what is mounted there, as far as it is known, */
			      /* or else those of the directory that it begins at */
#define FT_PATH_UNDECIDED 32  /* it may be one of those asked for: too much of it is cut */
struct ft_path {
	__u32 bytes; /* of 'text', which does not end in NUL */
	__u32 flags; /* FT_PATH_* */
	__u64 ino;
	__u32 dev; /* the kernel's: major << 20 | minor */
	__u32 pad;
	char fs[FT_FS_NAME_BYTES]; /* the type of its file system; "": not known */
	char text[FT_PATH_BYTES];
};
_Static_assert(sizeof(struct ft_path) == 552, "ft_path");

/* Where file systems are mounted, as the loader knows it: by a hash of the path, "" for the root.
 */
#define FT_MOUNTS 1024
struct ft_mount {
	__u32 dev;
	char fs[FT_FS_NAME_BYTES];
};
_Static_assert(sizeof(struct ft_mount) == 20, "ft_mount");

#define FT_MOUNT_HASH_FIRST 1
static inline __u64 ft_mount_hash(__u64 hash, char c)
{
	hash = (hash ^ (__u8)c) * 0x9e3779b97f4a7c15ULL; /* as stack_hash() */
	return hash ^ hash >> 32;
}

/* What operations are counted by. */
struct ft_file_kind {
	__u32 dev; /* 0: not known */
	__u8 operation;
	__u8 class;   /* FT_CLASS_* */
	__u8 touched; /* 1: the thread gave a request to a block device meanwhile */
	__u8 by;      /* FT_BY_* */
};
_Static_assert(sizeof(struct ft_file_kind) == 8, "ft_file_kind");

struct ft_file_key {
	struct ft_origin origin;
	__u64 path; /* in 'paths'; 0: not known */
	struct ft_file_kind kind;
};
_Static_assert(sizeof(struct ft_file_key) == 96, "ft_file_key");

struct ft_file_tally {
	__u64 n;
	__u64 total_ns;
	__u64 max_ns;
	__u64 bytes;
	__u64 errors;
	__u64 first_ns; /* CLOCK_MONOTONIC: when the first one of this set of maps ended */
};
_Static_assert(sizeof(struct ft_file_tally) == 48, "ft_file_tally");

/*
 * Latencies of a kind, as long as the recording lasts. The loader makes the one of the kind that is
 * all zeros, which no operation has: there what finds no other one is counted.
 */
struct ft_file_hist {
	__u64 n;
	__u64 total_ns;
	__u64 max_ns;
	__u64 bytes;
	__u64 errors;
	__u32 slots[FT_HIST_SLOTS];
};
_Static_assert(sizeof(struct ft_file_hist) == 4264, "ft_file_hist");

/* One operation that took long. */
struct ft_file_outlier {
	struct ft_origin origin;
	__u64 path;
	struct ft_file_kind kind;
	__u64 end_ns; /* CLOCK_MONOTONIC */
	__u64 latency_ns;
	__s64 result; /* what it returned */
	__u32 lost;   /* 0, or the ledger slot of the loss: it has no stack then */
	__u32 pad;
};
_Static_assert(sizeof(struct ft_file_outlier) == 128, "ft_file_outlier");

/* A thread, and what it is in the middle of. */
struct ft_thread {
	__u64 start_ns;	    /* of a system call; 0: of none that is followed */
	__u64 fault_ns;	    /* of the last page fault that began in user mode */
	__u64 request;	    /* of io_uring, that it gave last */
	__u32 call;	    /* number of the system call */
	__u8 touched;	    /* a block device, since the system call began, */
	__u8 fault_touched; /* or since the fault did */
	__u16 pad;
};
_Static_assert(sizeof(struct ft_thread) == 32, "ft_thread");

/* Slots of the ledger. */
#define FT_FILE_FILTERED_APART FT_LEDGER_OWN	   /* no file: only its latency is kept */
#define FT_FILE_FILTERED_PATH  (FT_LEDGER_OWN + 1) /* not one of the paths asked for */
#define FT_FILE_LOST_THREADS   (FT_LEDGER_OWN + 2) /* no room to note when it began */
#define FT_FILE_LOST_REQUESTS  (FT_LEDGER_OWN + 3) /* the same, of io_uring */
#define FT_FILE_LOST_UNDECIDED (FT_LEDGER_OWN + 4) /* perhaps one of the paths asked for */

/* What is counted beside the ledger: of operations that are kept all the same. */
struct ft_file_notes {
	__u64 compat_calls;	/* system calls of 32-bit programs, which are not followed */
	__u64 unfinished;	/* operations whose thread ended in them */
	__u64 paths_full;	/* without their path: there was no room */
	__u64 paths_unread;	/* without their path: it could not be read */
	__u64 paths_made;	/* paths that found room */
	__u64 paths_cut;	/* and those of them that are too long or too deep */
	__u64 hists_full;	/* whose latency is only in the histogram of what found no other */
	__u64 outliers_lost;	/* that took long, and for which the ring had no room */
	__u64 stackless;	/* without a stack: it could not be had */
	__u64 faults_unmapped;	/* faults whose mapping could not be looked up */
	__u64 faults_not_noted; /* user faults, mostly minor ones, of threads without room */
	__u64 paths_left_out;	/* without their path, so that there is room for all operations */
	__u64 outliers_faster; /* that took long, but not as long as as many others as are listed */
};
_Static_assert(sizeof(struct ft_file_notes) == 104, "ft_file_notes");
