/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prologue: where in a function's first instructions a uprobe costs least. The kernel executes some
 * instructions itself (0.5 us), and lets a copy of any other be single-stepped, which takes a trap
 * more and, on a virtual machine, 20 us. Those that it executes itself:
 *
 * - x86-64 (arch/x86/kernel/uprobes.c, branch_setup_xol_ops() and push_setup_xol_ops()): nop (90),
 *   push of a register (5.0), and jmp, jcc and call to a fixed distance. Not endbr64, nor the long
 *   nops: some kernels do.
 * - arm64 (arch/arm64/kernel/probes/decode-insn.c): b, b.cond, bl, br, blr, ret, cbz, cbnz, tbz,
 *   tbnz, adr, adrp, and nop (6.13).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of a function that are looked at. */
#define PROLOGUE_MAX_BYTES 16384

/* The most that the stack pointer may have moved. */
#define PROLOGUE_MAX_STACK 1016

/* A function's code, as it is in its file. */
struct code {
	uint16_t machine; /* EM_X86_64 or EM_AARCH64 */
	const uint8_t *bytes;
	size_t len;	  /* of the function, as far as it is known */
	uint64_t address; /* virtual */
};

struct prologue_point {
	uint32_t offset;      /* from the function's first byte */
	uint32_t stack_bytes; /* how far the stack pointer has moved by then */
	bool is_slow;	      /* the instruction there is single-stepped */
};

/*
 * Chooses the first instruction that the kernel executes itself, among those that each call comes
 * to once, with the first 'n_args' arguments (at most 3) in their registers and the stack pointer
 * (and on arm64 the link register) as the caller left it, or, with 'stack_may_move', moved by a
 * known distance. Without one it is the first instruction of all, which is slow. -EINVAL if no
 * instruction begins the function, -ENOTSUP for another machine, -ENOMEM.
 */
int prologue_choose(const struct code *code, unsigned int n_args, bool stack_may_move,
		    struct prologue_point *ret);

/*
 * Hands to 'fn' each branch to a fixed target that is found by going through the code, until it
 * returns something else than 0, which is returned then.
 */
struct code_branch {
	uint64_t offset; /* in the code */
	uint64_t target; /* virtual address */
	bool is_call;	 /* and not a jump */
};
typedef int (*code_branch_fn)(void *ctx, const struct code_branch *b);
int code_branches(const struct code *code, code_branch_fn fn, void *ctx);
