// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* regs: the user-mode registers of the interrupted task, on x86-64 and arm64. */
#pragma once

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/task.bpf.h"
#include "bpf/unwind_step.h"

struct user_regs {
	struct unwind_entry entry; /* pc 0: the task has no user registers */
	__u32 compat;		   /* 32-bit code */
	__u32 is_user;		   /* 0: these are registers of kernel mode */
};

#if defined(__TARGET_ARCH_x86)

/*
 * What the context of a perf event program and the top of a kernel stack look like:
 * arch/x86/include/uapi/asm/ptrace.h, the same in all kernels. Not kernel's own struct pt_regs: its
 * cs became part of a union in 6.9, and the verifier allows only whole words of a context.
 */
struct regs_abi {
	__u64 r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax;
	__u64 ip, cs, flags, sp, ss;
};

/* arch/x86/include/asm/segment.h: __USER32_CS; the low two bits of cs are the privilege level, and
 * only 16 bits are the selector. */
#define REGS_USER32_CS 0x23

static __always_inline __u64 regs_strip(__u64 pc)
{
	return pc;
}

/* Whether they are registers of user mode. */
static __always_inline bool regs_are_user(const volatile struct regs_abi *regs)
{
	return (regs->cs & 3) != 0;
}

static __always_inline void regs_take(const volatile struct regs_abi *regs, struct user_regs *out)
{
	out->entry.pc = regs->ip;
	out->entry.regs[0] = regs->ax;
	out->entry.regs[1] = regs->dx;
	out->entry.regs[2] = regs->cx;
	out->entry.regs[3] = regs->bx;
	out->entry.regs[4] = regs->si;
	out->entry.regs[5] = regs->di;
	out->entry.regs[6] = regs->bp;
	out->entry.regs[7] = regs->sp;
	out->entry.regs[8] = regs->r8;
	out->entry.regs[9] = regs->r9;
	out->entry.regs[10] = regs->r10;
	out->entry.regs[11] = regs->r11;
	out->entry.regs[12] = regs->r12;
	out->entry.regs[13] = regs->r13;
	out->entry.regs[14] = regs->r14;
	out->entry.regs[15] = regs->r15;
	out->compat = (regs->cs & 0xffff) == REGS_USER32_CS;
	out->is_user = regs_are_user(regs);
}

/*
 * From the first instruction of a function to the call of it, in the middle of which 'pc' is then:
 * a return address may belong to the next function.
 */
static __always_inline void regs_to_caller(struct user_regs *regs)
{
	__u64 ret = 0;

	if (!regs->entry.pc || regs->compat ||
	    bpf_probe_read_user(&ret, sizeof(ret), (const void *)regs->entry.regs[FT_X86_RSP]))
		return;
	regs->entry.pc = ret - 1;
	regs->entry.regs[FT_X86_RSP] += sizeof(ret);
}

/* From the instruction behind a call to the call. */
static __always_inline void regs_to_call(struct user_regs *regs)
{
	if (regs->entry.pc)
		regs->entry.pc--;
}

#elif defined(__TARGET_ARCH_arm64)

/* struct user_pt_regs of arch/arm64/include/uapi/asm/ptrace.h; kernel's struct pt_regs begins with
 * it. */
struct regs_abi {
	__u64 regs[31];
	__u64 sp, pc, pstate;
};

/* The same header: PSR_MODE_MASK, PSR_MODE32_BIT; user mode is EL0t = 0. */
#define REGS_PSR_MODE_MASK 0x0000000f
#define REGS_PSR_MODE32	   0x00000010

/*
 * Return addresses may be signed: the code is in bits 54 down to the size of the address space
 * (ptrauth_user_pac_mask(), arch/arm64/include/asm/pointer_auth.h). That is 48 bits or fewer, or
 * 52; but then, too, nothing lies above 48 bits unless a program asks for it by a hint to mmap(2).
 */
static __always_inline __u64 regs_strip(__u64 pc)
{
	return pc & ((1ULL << 48) - 1);
}

static __always_inline bool regs_are_user(const volatile struct regs_abi *regs)
{
	return (regs->pstate & REGS_PSR_MODE_MASK) == 0;
}

static __always_inline void regs_take(const volatile struct regs_abi *regs, struct user_regs *out)
{
	__u32 i;

	out->entry.pc = regs->pc;
	out->entry.regs[FT_ARM64_SP] = regs->sp;
#pragma unroll
	for (i = 0; i < 31; i++)
		out->entry.regs[i] = regs->regs[i];
	out->compat = (regs->pstate & REGS_PSR_MODE32) != 0;
	out->is_user = regs_are_user(regs);
}

/* From the first instruction of a function to the call of it. */
static __always_inline void regs_to_caller(struct user_regs *regs)
{
	if (regs->entry.pc && !regs->compat)
		regs->entry.pc = regs_strip(regs->entry.regs[FT_ARM64_LR]) - 4;
}

static __always_inline void regs_to_call(struct user_regs *regs)
{
	if (regs->entry.pc && !regs->compat)
		regs->entry.pc -= 4;
}

#else
#error "unknown architecture"
#endif

/* Size of kernel stacks (arch/x86/include/asm/page_64_types.h, arch/arm64/include/asm/memory.h): 16
 * KiB, or a page where pages are larger. Only used where kernels lack bpf_task_pt_regs. */
const volatile __u32 cfg_kernel_stack_bytes = 16384;

/*
 * Replaces registers of kernel mode by the user registers that were saved at the top of the current
 * task's stack when it entered the kernel. pc is 0 for kernel threads and tasks without memory.
 * The event's own registers are read by regs_take() before: the verifier allows no pointer that may
 * be the context or something else. 'saved' is room that is not on the BPF stack.
 */
static __always_inline void regs_to_user(struct task_struct *task, struct user_regs *regs,
					 struct regs_abi *saved)
{
	const void *at;

	if (regs->is_user)
		return;
	regs->entry.pc = 0;
	if ((BPF_CORE_READ(task, flags) & FT_PF_KTHREAD) || !BPF_CORE_READ(task, mm))
		return;
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs) &&
	    bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf))
		at = (const void *)bpf_task_pt_regs(bpf_get_current_task_btf());
	else
		at = BPF_CORE_READ(task, stack) + cfg_kernel_stack_bytes -
		     bpf_core_type_size(struct pt_regs);
	if (bpf_probe_read_kernel(saved, sizeof(*saved), at))
		return;
	regs_take(saved, regs);
	if (!regs->is_user)
		regs->entry.pc = 0;
}
