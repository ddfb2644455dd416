// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* file_thread: what each thread is in the middle of, and the files that it has open. */
#pragma once

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/file_wire.h"

/*
 * By PID in the initial namespace. An entry stays until its thread ends: to insert one for each
 * system call would cost more than all the rest.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, struct ft_thread);
} threads SEC(".maps");

/* Of the current thread; NULL if there is no room. */
static __always_inline struct ft_thread *thread_get(void)
{
	__u32 pid = (__u32)bpf_get_current_pid_tgid();
	struct ft_thread *thread = bpf_map_lookup_elem(&threads, &pid), none = {};

	if (thread)
		return thread;
	if (bpf_map_update_elem(&threads, &pid, &none, BPF_NOEXIST))
		return NULL;
	return bpf_map_lookup_elem(&threads, &pid);
}

/* NULL if the descriptor is not open. */
static __always_inline struct file *task_file(struct task_struct *task, __u64 fd)
{
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	__u32 number = fd;
	struct file **files, *file = NULL;

	if (number >= BPF_CORE_READ(table, max_fds))
		return NULL;
	files = BPF_CORE_READ(table, fd);
	bpf_probe_read_kernel(&file, sizeof(file), files + number);
	return file;
}

/* include/uapi/linux/stat.h, include/uapi/linux/magic.h */
#define FILE_S_IFMT	      0170000
#define FILE_S_IFSOCK	      0140000
#define FILE_S_IFREG	      0100000
#define FILE_S_IFBLK	      0060000
#define FILE_S_IFDIR	      0040000
#define FILE_S_IFIFO	      0010000
#define FILE_ANON_INODE_MAGIC 0x09041934

/* FT_CLASS_* */
static __always_inline __u32 file_class(struct file *file)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);

	switch (BPF_CORE_READ(inode, i_mode) & FILE_S_IFMT) {
	case FILE_S_IFREG:
		/* From 6.16 on event descriptors and the like are regular files inside. */
		if (BPF_CORE_READ(inode, i_sb, s_magic) == FILE_ANON_INODE_MAGIC)
			return FT_CLASS_OTHER;
		return FT_CLASS_FILE;
	case FILE_S_IFDIR:
		return FT_CLASS_DIRECTORY;
	case FILE_S_IFBLK:
		return FT_CLASS_BLOCK;
	case FILE_S_IFSOCK:
		return FT_CLASS_SOCKET;
	case FILE_S_IFIFO:
		return FT_CLASS_PIPE;
	}
	return FT_CLASS_OTHER;
}
