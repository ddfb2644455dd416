// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * syscall: number and arguments of a system call, from the registers that the tracepoints of its
 * entry and exit have. Which of them those are: syscall(2), "Architecture calling conventions".
 */
#pragma once

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/regs.bpf.h"

#define SYSCALL_ARGS 8 /* 6 of them; a power of two, for masks */

#if defined(__TARGET_ARCH_x86)

#define SYSCALL_REGS(regs) ((const volatile struct regs_abi *)(regs))

/* Of the call that is about to end: the return value has taken its place elsewhere. */
static __always_inline __u32 syscall_number(struct pt_regs *regs)
{
	return SYSCALL_REGS(regs)->orig_ax;
}

static __always_inline void syscall_args(struct pt_regs *regs, __u64 *args)
{
	args[0] = SYSCALL_REGS(regs)->di;
	args[1] = SYSCALL_REGS(regs)->si;
	args[2] = SYSCALL_REGS(regs)->dx;
	args[3] = SYSCALL_REGS(regs)->r10;
	args[4] = SYSCALL_REGS(regs)->r8;
	args[5] = SYSCALL_REGS(regs)->r9;
}

/* From 32-bit code. Only two bytes: from 6.9 on cs is a member of this size. */
static __always_inline bool syscall_is_compat(struct pt_regs *regs)
{
	const void *cs = (const void *)regs + __builtin_offsetof(struct regs_abi, cs);

	return *(const volatile __u16 *)cs == REGS_USER32_CS;
}

#define SYSCALL_TS_COMPAT 0x0002 /* arch/x86/include/asm/thread_info.h */

/* Or by "int 0x80" from 64-bit code: the numbers are those of 32-bit code all the same. */
static __always_inline bool syscall_is_compat_gate(struct task_struct *task)
{
	return BPF_CORE_READ(task, thread_info.status) & SYSCALL_TS_COMPAT;
}

#elif defined(__TARGET_ARCH_arm64)

static __always_inline __u32 syscall_number(struct pt_regs *regs)
{
	return regs->syscallno;
}

/* x0 is the result now. */
static __always_inline void syscall_args(struct pt_regs *regs, __u64 *args)
{
	args[0] = regs->orig_x0;
	args[1] = regs->regs[1];
	args[2] = regs->regs[2];
	args[3] = regs->regs[3];
	args[4] = regs->regs[4];
	args[5] = regs->regs[5];
}

static __always_inline bool syscall_is_compat(struct pt_regs *regs)
{
	return (regs->pstate & REGS_PSR_MODE32) != 0;
}

static __always_inline bool syscall_is_compat_gate(struct task_struct *task)
{
	return false;
}

#else
#error "unknown architecture"
#endif
