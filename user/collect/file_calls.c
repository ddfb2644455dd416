/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/file_calls.h"

#include <linux/io_uring.h>
#include <stddef.h>
#include <sys/syscall.h>

#include "user/base/array.h"

struct call {
	unsigned int number;
	struct ft_syscall is;
};

#define FD(name, operation, a)                    \
	{                                         \
		SYS_##name,                       \
		{                                 \
			operation, FT_AT_FD, a, 0 \
		}                                 \
	}
#define FDS(name, operation, a, b)                 \
	{                                          \
		SYS_##name,                        \
		{                                  \
			operation, FT_AT_FDS, a, b \
		}                                  \
	}
#define PATH(name, operation, at, path)                 \
	{                                               \
		SYS_##name,                             \
		{                                       \
			operation, FT_AT_PATH, at, path \
		}                                       \
	}
#define OPENED(name, operation, at, path)                 \
	{                                                 \
		SYS_##name,                               \
		{                                         \
			operation, FT_AT_OPENED, at, path \
		}                                         \
	}
#define NOTHING(name, operation)                       \
	{                                              \
		SYS_##name,                            \
		{                                      \
			operation, FT_AT_NOTHING, 0, 0 \
		}                                      \
	}

/* Of two paths it is the old one's, but for links: there it is the new one's. */
static const struct call calls_of_all[] = {
	OPENED(openat, FT_FILE_OPEN, 0, 1),
	OPENED(openat2, FT_FILE_OPEN, 0, 1),
	FD(read, FT_FILE_READ, 0),
	FD(readv, FT_FILE_READ, 0),
	FD(pread64, FT_FILE_READ, 0),
	FD(preadv, FT_FILE_READ, 0),
	FD(preadv2, FT_FILE_READ, 0),
	FD(write, FT_FILE_WRITE, 0),
	FD(writev, FT_FILE_WRITE, 0),
	FD(pwrite64, FT_FILE_WRITE, 0),
	FD(pwritev, FT_FILE_WRITE, 0),
	FD(pwritev2, FT_FILE_WRITE, 0),
	FDS(sendfile, FT_FILE_SENDFILE, 1, 0),
	FDS(copy_file_range, FT_FILE_COPY, 2, 0),
	FDS(splice, FT_FILE_SPLICE, 0, 2),
	FD(fsync, FT_FILE_FSYNC, 0),
	FD(fdatasync, FT_FILE_FDATASYNC, 0),
	FD(sync_file_range, FT_FILE_SYNC_FILE_RANGE, 0),
	FD(syncfs, FT_FILE_SYNCFS, 0),
	NOTHING(sync, FT_FILE_SYNC),
	NOTHING(msync, FT_FILE_MSYNC),
	FD(fallocate, FT_FILE_FALLOCATE, 0),
	FD(ftruncate, FT_FILE_TRUNCATE, 0),
	PATH(truncate, FT_FILE_TRUNCATE, FT_AT_CWD, 0),
	PATH(unlinkat, FT_FILE_UNLINK, 0, 1),
	PATH(renameat, FT_FILE_RENAME, 0, 1),
	PATH(renameat2, FT_FILE_RENAME, 0, 1),
	PATH(mkdirat, FT_FILE_MKDIR, 0, 1),
	PATH(linkat, FT_FILE_LINK, 2, 3),
	PATH(symlinkat, FT_FILE_SYMLINK, 1, 2),
	FD(getdents64, FT_FILE_READDIR, 0),
	FD(fstat, FT_FILE_STAT, 0),
	PATH(newfstatat, FT_FILE_STAT, 0, 1),
	PATH(statx, FT_FILE_STAT, 0, 1),
	PATH(faccessat, FT_FILE_ACCESS, 0, 1),
	PATH(faccessat2, FT_FILE_ACCESS, 0, 1),
	PATH(readlinkat, FT_FILE_READLINK, 0, 1),
	PATH(getxattr, FT_FILE_XATTR, FT_AT_CWD, 0),
	PATH(lgetxattr, FT_FILE_XATTR, FT_AT_CWD, 0),
	FD(fgetxattr, FT_FILE_XATTR, 0),
	PATH(setxattr, FT_FILE_XATTR, FT_AT_CWD, 0),
	PATH(lsetxattr, FT_FILE_XATTR, FT_AT_CWD, 0),
	FD(fsetxattr, FT_FILE_XATTR, 0),
	PATH(listxattr, FT_FILE_XATTR, FT_AT_CWD, 0),
	PATH(llistxattr, FT_FILE_XATTR, FT_AT_CWD, 0),
	FD(flistxattr, FT_FILE_XATTR, 0),
	PATH(removexattr, FT_FILE_XATTR, FT_AT_CWD, 0),
	PATH(lremovexattr, FT_FILE_XATTR, FT_AT_CWD, 0),
	FD(fremovexattr, FT_FILE_XATTR, 0),
	FD(fchmod, FT_FILE_SETATTR, 0),
	PATH(fchmodat, FT_FILE_SETATTR, 0, 1),
	FD(fchown, FT_FILE_SETATTR, 0),
	PATH(fchownat, FT_FILE_SETATTR, 0, 1),
	PATH(utimensat, FT_FILE_SETATTR, 0, 1),
#ifdef SYS_open /* what newer architectures have no calls of their own for */
	OPENED(open, FT_FILE_OPEN, FT_AT_CWD, 0),
	OPENED(creat, FT_FILE_OPEN, FT_AT_CWD, 0),
	PATH(unlink, FT_FILE_UNLINK, FT_AT_CWD, 0),
	PATH(rmdir, FT_FILE_UNLINK, FT_AT_CWD, 0),
	PATH(rename, FT_FILE_RENAME, FT_AT_CWD, 0),
	PATH(mkdir, FT_FILE_MKDIR, FT_AT_CWD, 0),
	PATH(link, FT_FILE_LINK, FT_AT_CWD, 1),
	PATH(symlink, FT_FILE_SYMLINK, FT_AT_CWD, 1),
	FD(getdents, FT_FILE_READDIR, 0),
	PATH(stat, FT_FILE_STAT, FT_AT_CWD, 0),
	PATH(lstat, FT_FILE_STAT, FT_AT_CWD, 0),
	PATH(access, FT_FILE_ACCESS, FT_AT_CWD, 0),
	PATH(readlink, FT_FILE_READLINK, FT_AT_CWD, 0),
	PATH(chmod, FT_FILE_SETATTR, FT_AT_CWD, 0),
	PATH(chown, FT_FILE_SETATTR, FT_AT_CWD, 0),
	PATH(lchown, FT_FILE_SETATTR, FT_AT_CWD, 0),
	PATH(utimes, FT_FILE_SETATTR, FT_AT_CWD, 0),
#endif
};

static const struct {
	unsigned int opcode;
	uint8_t operation;
} urings[] = {
	{ IORING_OP_READV, FT_FILE_READ },
	{ IORING_OP_WRITEV, FT_FILE_WRITE },
	{ IORING_OP_READ_FIXED, FT_FILE_READ },
	{ IORING_OP_WRITE_FIXED, FT_FILE_WRITE },
	{ IORING_OP_READ, FT_FILE_READ },
	{ IORING_OP_WRITE, FT_FILE_WRITE },
	{ IORING_OP_FSYNC, FT_FILE_FSYNC },
	{ IORING_OP_SYNC_FILE_RANGE, FT_FILE_SYNC_FILE_RANGE },
	{ IORING_OP_FALLOCATE, FT_FILE_FALLOCATE },
	{ IORING_OP_SPLICE, FT_FILE_SPLICE },
	{ IORING_OP_OPENAT, FT_FILE_OPEN },
	{ IORING_OP_OPENAT2, FT_FILE_OPEN },
	{ IORING_OP_STATX, FT_FILE_STAT },
	{ IORING_OP_RENAMEAT, FT_FILE_RENAME },
	{ IORING_OP_UNLINKAT, FT_FILE_UNLINK },
	{ IORING_OP_MKDIRAT, FT_FILE_MKDIR },
	{ IORING_OP_SYMLINKAT, FT_FILE_SYMLINK },
	{ IORING_OP_LINKAT, FT_FILE_LINK },
	{ 49 /* IORING_OP_READ_MULTISHOT, from 6.7 on: its first completion */, FT_FILE_READ },
	{ 55 /* IORING_OP_FTRUNCATE, from 6.9 on */, FT_FILE_TRUNCATE },
};

void file_calls_fill(struct ft_syscall calls[FT_SYSCALLS])
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(calls_of_all); i++) {
		if (calls_of_all[i].number < FT_SYSCALLS)
			calls[calls_of_all[i].number] = calls_of_all[i].is;
	}
}

void file_calls_fill_uring(uint8_t operations[FT_URING_OPCODES])
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(urings); i++)
		operations[urings[i].opcode] = urings[i].operation;
}

const char *file_operation_name(unsigned int operation)
{
	static const char *const names[FT_FILE_OPERATIONS] = {
		[FT_FILE_OPEN] = "open",
		[FT_FILE_READ] = "read",
		[FT_FILE_WRITE] = "write",
		[FT_FILE_SENDFILE] = "sendfile",
		[FT_FILE_COPY] = "copy_file_range",
		[FT_FILE_SPLICE] = "splice",
		[FT_FILE_FSYNC] = "fsync",
		[FT_FILE_FDATASYNC] = "fdatasync",
		[FT_FILE_SYNC_FILE_RANGE] = "sync_file_range",
		[FT_FILE_SYNCFS] = "syncfs",
		[FT_FILE_SYNC] = "sync",
		[FT_FILE_MSYNC] = "msync",
		[FT_FILE_FALLOCATE] = "fallocate",
		[FT_FILE_TRUNCATE] = "truncate",
		[FT_FILE_UNLINK] = "unlink",
		[FT_FILE_RENAME] = "rename",
		[FT_FILE_MKDIR] = "mkdir",
		[FT_FILE_LINK] = "link",
		[FT_FILE_SYMLINK] = "symlink",
		[FT_FILE_READDIR] = "readdir",
		[FT_FILE_STAT] = "stat",
		[FT_FILE_ACCESS] = "access",
		[FT_FILE_FAULT] = "fault",
		[FT_FILE_READLINK] = "readlink",
		[FT_FILE_XATTR] = "xattr",
		[FT_FILE_SETATTR] = "setattr",
	};

	return operation < FT_FILE_OPERATIONS && names[operation] ? names[operation] : "?";
}

bool file_operation_has_bytes(unsigned int operation)
{
	return operation >= FT_FILE_READ && operation <= FT_FILE_SPLICE;
}

enum latency_direction file_operation_direction(unsigned int operation)
{
	switch (operation) {
	case FT_FILE_READ:
	case FT_FILE_SENDFILE:
		return LATENCY_READ;
	case FT_FILE_WRITE:
	case FT_FILE_COPY:
		return LATENCY_WRITE;
	default:
		return LATENCY_NEITHER;
	}
}

const char *file_class_name(unsigned int file_class)
{
	static const char *const names[FT_CLASSES] = {
		[FT_CLASS_FILE] = "file",	   [FT_CLASS_DIRECTORY] = "directory",
		[FT_CLASS_BLOCK] = "block device", [FT_CLASS_SOCKET] = "socket",
		[FT_CLASS_PIPE] = "pipe",	   [FT_CLASS_OTHER] = "other",
	};

	return file_class < FT_CLASSES ? names[file_class] : "?";
}
