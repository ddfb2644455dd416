/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vmlinux: the kernel's types as far as bpf/ uses them, so that its code can be compiled natively
 * and run on the fakes beside this file. x86-64 unless the includer says arm64.
 */
#pragma once

#include <linux/bpf.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifndef __TARGET_ARCH_arm64
#define __TARGET_ARCH_x86
#endif

#define preserve_access_index /* nothing is relocated */

struct ns_common {
	unsigned int inum;
};

struct pid_namespace {
	struct ns_common ns;
};

struct upid {
	int nr;
	struct pid_namespace *ns;
};

#define FAKE_PID_LEVELS 33

struct pid {
	unsigned int level;
	struct upid numbers[FAKE_PID_LEVELS];
};

struct mm_struct {
	unsigned long start_stack;
	struct {
		void *vdso;
	} context;
};

struct signal_struct {
	struct {
		int counter;
	} live;
};

struct files_struct;
struct fs_struct;

struct thread_info {
	unsigned int status;
};

struct task_struct {
	struct thread_info thread_info;
	struct files_struct *files;
	struct fs_struct *fs;
	unsigned int flags, in_execve;
	int pid, tgid;
	struct mm_struct *mm;
	void *stack;
	__u64 self_exec_id, start_boottime;
	struct task_struct *group_leader;
	struct pid *thread_pid;
	struct signal_struct *signal;
	int *set_child_tid;
	void *worker_private;
	char comm[16];
};

struct workqueue_struct {
	char name[24];
};

struct pool_workqueue {
	struct workqueue_struct *wq;
};

struct worker {
	struct pool_workqueue *current_pwq;
};

struct kthread {
	void *data;
};

/* Block I/O and the page cache. */

typedef __u64 sector_t;

struct kernfs_node {
	__u64 id;
};

struct cgroup_root {
	int hierarchy_id;
};

struct cgroup {
	struct kernfs_node *kn;
	int level;
	struct cgroup_root *root;
};

struct blkcg {
	struct {
		struct cgroup *cgroup;
	} css;
};

struct blkcg_gq {
	struct blkcg *blkcg;
};

struct gendisk {
	int major, first_minor;
};

struct block_device {
	__u32 bd_dev;
	struct gendisk *bd_disk;
};

struct super_block;

struct inode {
	unsigned short i_mode;
	unsigned long i_ino;
	struct super_block *i_sb;
};

struct address_space {
	struct inode *host;
};

struct kmem_cache {
	unsigned int size;
	char *name;
};

struct page {
	unsigned long flags; /* the first, as in the kernel */
	unsigned long compound_head;
	struct address_space *mapping;
};

struct bio_vec {
	struct page *bv_page;
};

struct bvec_iter {
	sector_t bi_sector;
	unsigned int bi_size, bi_idx;
};

struct bio {
	struct bio *bi_next;
	struct block_device *bi_bdev;
	__u32 bi_opf;
	struct bvec_iter bi_iter;
	void *bi_private;
	struct blkcg_gq *bi_blkg;
	struct bio_vec *bi_io_vec;
};

struct request {
	struct bio *bio, *biotail;
	__u32 cmd_flags, rq_flags, __data_len;
	__u64 start_time_ns;
};

/* Only their sizes and first members matter: see struct regs_abi in bpf/regs.bpf.h. */
struct pt_regs {
	__u64 words[42];
};

struct bpf_perf_event_data {
	struct pt_regs regs;
	__u64 sample_period, addr;
};

/* Files. */

struct file_system_type {
	char *name;
};

struct super_block {
	unsigned int s_dev;
	unsigned long s_magic;
	struct block_device *s_bdev;
	struct file_system_type *s_type;
};

struct qstr {
	unsigned int hash, len;
	unsigned char *name;
};

struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
	struct super_block *d_sb;
};

struct vfsmount {
	struct dentry *mnt_root;
};

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct fs_struct {
	struct path root, pwd;
};

struct file {
	struct path f_path;
	struct inode *f_inode;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct vm_area_struct {
	struct file *vm_file;
};

struct io_kiocb {
	struct file *file;
	__u8 opcode;
};

struct io_uring_cqe {
	__u64 user_data;
	__s32 res;
};
