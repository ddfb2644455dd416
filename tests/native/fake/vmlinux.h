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

#ifndef __TARGET_ARCH_arm64
#define __TARGET_ARCH_x86
#endif

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

struct task_struct {
	unsigned int flags, in_execve;
	int pid, tgid;
	struct mm_struct *mm;
	void *stack;
	__u64 self_exec_id, start_boottime;
	struct task_struct *group_leader;
	struct pid *thread_pid;
	struct signal_struct *signal;
	char comm[16];
};

/* Only their sizes and first members matter: see struct regs_abi in bpf/regs.bpf.h. */
struct pt_regs {
	__u64 words[42];
};

struct bpf_perf_event_data {
	struct pt_regs regs;
};
