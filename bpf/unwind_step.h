/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * unwind_step: from a stack frame to its caller. One source for the walk in the kernel and for the
 * late one in the program. The architecture is that of the registers: __TARGET_ARCH_x86 or
 * __TARGET_ARCH_arm64. The includer says how to reach things, each declared below and defined by
 * it: memory of the process, tables, and the mapping of an address.
 */
#pragma once

#include "bpf/wire.h"

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

#if defined(__TARGET_ARCH_x86)
#define UNWIND_FP     FT_X86_RBP
#define UNWIND_SP     FT_X86_RSP
#define UNWIND_WINDOW 8 /* words that are read at once, the return address being the last */
#define UNWIND_SIGNAL_WORDS \
	16		    /* r8-r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp of a ucontext ... */
#define UNWIND_SIGNAL_AT 40 /* ... and where: arch/x86/include/uapi/asm/sigcontext.h */
#elif defined(__TARGET_ARCH_arm64)
#define UNWIND_FP	    FT_ARM64_FP
#define UNWIND_SP	    FT_ARM64_SP
#define UNWIND_WINDOW	    2	/* a frame record */
#define UNWIND_SIGNAL_WORDS 32	/* x0-x30, sp in an rt_sigframe: siginfo, then a ucontext, ... */
#define UNWIND_SIGNAL_AT    312 /* ... arch/arm64/include/uapi/asm/{sigcontext,ucontext}.h */
#else
#error "unknown architecture"
#endif

/* The compiler may not drop a bound because it has proved it: the verifier has not. */
#define UNWIND_OPAQUE(x) asm volatile("" : "+r"(x))

/* Which registers besides pc, sp, fp and bx are known. */
#define UNWIND_CALLER	   0 /* none: pc is a return address */
#define UNWIND_INNERMOST   1 /* entry->regs */
#define UNWIND_INTERRUPTED 2 /* 'restored': a signal came here */

#define UNWIND_USED_FP	  1
#define UNWIND_USED_BX	  2
#define UNWIND_USED_OTHER 4

/* The registers that a walk begins with. */
struct unwind_entry {
	__u64 pc;
	__u64 regs[FT_REGS]; /* by DWARF number */
};

struct unwind_walk {
	__u64 pc, sp, fp, bx;
	struct ft_unwind_mapping at; /* the mapping of the last pc; end is 0 before the first */
	__u32 first, n_mappings;     /* the process's list */
	__u32 known;		     /* UNWIND_* */
	__u32 end;		     /* FT_END_*, once the walk is over */
	__u32 used;		     /* UNWIND_USED_*: frames were found by it */
	__u32 pad;
	__u64 window[UNWIND_WINDOW];
	__u64 restored[FT_REGS];
};

/* --- what the includer defines ------------------------------------------------------------- */

/* Copies memory of the process: 0, or not 0. The second is for its code, which arm64 does not need.
 */
static long unwind_read(void *ctx, void *to, __u32 size, __u64 from);
static long unwind_read_code(void *ctx, void *to, __u32 size, __u64 from) __attribute__((unused));
/* Finds the mapping of an address into walk->at: 0 or FT_END_*. */
static __u32 unwind_locate(void *ctx, struct unwind_walk *w, __u64 address);
/* Elements of the tables, or NULL; and the chunk that holds a row. */
static const struct ft_unwind_page *unwind_page_at(void *ctx, __u32 number);
static const struct ft_unwind_chunk *unwind_chunk_of(void *ctx, __u32 row);
static const struct ft_unwind_rule *unwind_rule_at(void *ctx, __u32 number);

/* --- tables -------------------------------------------------------------------------------- */

/* Pages have fewer than 4096 rows: that many halvings leave one. */
#define UNWIND_HALVINGS 12

static __always_inline const struct ft_unwind_rule *
unwind_find_rule(void *ctx, const struct ft_unwind_mapping *at, __u64 pc)
{
	__u64 address = pc - at->bias;
	const struct ft_unwind_page *page =
		unwind_page_at(ctx, at->page + (__u32)(address >> FT_PAGE_SHIFT));
	const struct ft_unwind_chunk *chunk;
	__u32 low = address & 0xffff, row, n, i;

	if (!page)
		return 0;
	chunk = unwind_chunk_of(ctx, page->row);
	if (!chunk)
		return 0;
	/* The last of the rows that begin in this page at or before the address, or that before
	 * them.
	 */
	row = page->row & (FT_CHUNK_ROWS - 1);
	n = page->n;
	for (i = 0; i < UNWIND_HALVINGS && n; i++) {
		__u32 half = (n + 1) / 2;

		if (FT_ROW_LOW(chunk->rows[(row + half) & (FT_CHUNK_ROWS - 1)]) <= low) {
			row += half;
			n -= half;
		} else {
			n = half - 1;
		}
	}
	return unwind_rule_at(ctx, FT_ROW_RULE(chunk->rows[row & (FT_CHUNK_ROWS - 1)]));
}

/* --- by call frame information -------------------------------------------------------------- */

/* A register by its DWARF number: 0 if it is not known. */
static __always_inline __u64 unwind_reg(const struct unwind_entry *entry,
					const struct unwind_walk *w, __u32 number)
{
	if (number == UNWIND_SP)
		return w->sp;
	if (number == UNWIND_FP)
		return w->fp;
#if defined(__TARGET_ARCH_x86)
	if (number == FT_X86_RBX)
		return w->bx;
#endif
	if (w->known == UNWIND_INNERMOST)
		return entry->regs[number & (FT_REGS - 1)];
	if (w->known == UNWIND_INTERRUPTED)
		return w->restored[number & (FT_REGS - 1)];
	return 0;
}

/* The canonical frame address, or 0. */
static __always_inline __u64 unwind_cfa(void *ctx, const struct unwind_entry *entry,
					struct unwind_walk *w, const struct ft_unwind_rule *rule)
{
	__u32 kind = rule->cfa & FT_CFA_KIND;
	__u64 base;

	if (kind == FT_CFA_PLT)
		return w->sp + rule->cfa_offset + ((w->pc & 15) >= (__u64)rule->cfa_add ? 8 : 0);
	if (kind != FT_CFA_REG && kind != FT_CFA_DEREF)
		return 0;
	base = unwind_reg(entry, w, rule->cfa_reg);
	if (!base)
		return 0;
	if (rule->cfa_reg == UNWIND_FP)
		w->used |= UNWIND_USED_FP;
	else if (rule->cfa_reg == FT_X86_RBX)
		w->used |= UNWIND_USED_BX;
	else if (rule->cfa_reg != UNWIND_SP)
		w->used |= UNWIND_USED_OTHER;
	base += rule->cfa_offset;
	if (kind == FT_CFA_REG)
		return base;
	if (unwind_read(ctx, w->window, sizeof(base), base))
		return 0;
	return w->window[0] + rule->cfa_add;
}

/* Where in memory a register was saved, or 0. */
static __always_inline __u64 unwind_saved_at(struct unwind_walk *w, __u64 cfa, __u32 how,
					     __s16 offset)
{
	if (how == FT_SAVED_AT_CFA)
		return cfa + offset;
	if (how == FT_SAVED_AT_SP)
		return w->sp + offset;
	if (how == FT_SAVED_AT_FP) {
		w->used |= UNWIND_USED_FP;
		return w->fp + offset;
	}
	return 0;
}

/*
 * A register of the caller, which may lie in the window of memory that has been read already
 * ('from' is where that begins, 0 if there is none). One that cannot be told is 0.
 */
static __always_inline __u64 unwind_restore(void *ctx, struct unwind_walk *w, __u64 cfa, __u64 from,
					    __u32 how, __s16 offset, __u64 now)
{
	__u64 at, index, word = 0;

	if (how == FT_SAVED_SAME)
		return now;
	if (how == FT_SAVED_CFA_PLUS)
		return cfa + offset;
	at = unwind_saved_at(w, cfa, how, offset);
	if (!at)
		return 0;
	index = (at - from) / 8;
	if (from && index < UNWIND_WINDOW && !((at - from) & 7)) {
		UNWIND_OPAQUE(index);
		return w->window[index & (UNWIND_WINDOW - 1)];
	}
	return unwind_read(ctx, &word, sizeof(word), at) ? 0 : word;
}

/* After a signal frame all registers are known again: the kernel has saved them there. */
static __always_inline __u32 unwind_restore_all(void *ctx, struct unwind_walk *w)
{
#if defined(__TARGET_ARCH_x86)
	/* DWARF numbers in the order of struct sigcontext. */
	static const __u8 order[UNWIND_SIGNAL_WORDS] = { 8, 9, 10, 11, 12, 13, 14, 15,
							 5, 4, 6,  3,  1,  0,  2,  7 };
	__u64 *saved = &w->restored[UNWIND_SIGNAL_WORDS];
	__u32 i;

	if (unwind_read(ctx, saved, UNWIND_SIGNAL_WORDS * 8, w->sp + UNWIND_SIGNAL_AT))
		return UNWIND_CALLER;
	for (i = 0; i < UNWIND_SIGNAL_WORDS; i++)
		w->restored[order[i]] = saved[i];
#else
	if (unwind_read(ctx, w->restored, UNWIND_SIGNAL_WORDS * 8, w->sp + UNWIND_SIGNAL_AT))
		return UNWIND_CALLER;
#endif
	return UNWIND_INTERRUPTED;
}

/* The return address where it is not in memory, or 0. */
static __always_inline __u64 unwind_ra_in_register(const struct unwind_entry *entry,
						   const struct unwind_walk *w,
						   const struct ft_unwind_rule *rule)
{
	__u32 number = rule->ra_offset;

#if defined(__TARGET_ARCH_arm64)
	if (rule->ra == FT_SAVED_SAME)
		number = FT_ARM64_LR;
	else
#endif
		if (rule->ra != FT_SAVED_IN_REG)
		return 0;
	return w->known == UNWIND_CALLER ? 0 : unwind_reg(entry, w, number);
}

static __always_inline __u32 unwind_by_rule(void *ctx, const struct unwind_entry *entry,
					    struct unwind_walk *w,
					    const struct ft_unwind_rule *rule)
{
	__u32 is_signal = rule->cfa & FT_CFA_SIGNAL, known = UNWIND_CALLER;
	__u64 cfa, at, from = 0, pc, fp, bx = 0;

	if (rule->ra == FT_SAVED_UNDEFINED)
		return FT_END_ROOT;
	cfa = unwind_cfa(ctx, entry, w, rule);
	if (!cfa)
		return FT_END_RULE_UNSUPPORTED;
	/* Stacks grow down, and a caller's frame has at least its return address. */
	if (cfa <= w->sp && w->known == UNWIND_CALLER && !is_signal)
		return FT_END_RULE_UNSUPPORTED;
	at = unwind_saved_at(w, cfa, rule->ra, rule->ra_offset);
	if (at) {
		from = at + 8 - sizeof(w->window);
		if (unwind_read(ctx, w->window, sizeof(w->window), from)) {
			from = 0; /* it begins below the stack */
			if (unwind_read(ctx, w->window, 8, at))
				return FT_END_READ_FAILED;
			pc = w->window[0];
		} else {
			pc = w->window[UNWIND_WINDOW - 1];
		}
	} else {
		pc = unwind_ra_in_register(entry, w, rule);
		/* arm64's link register is 0 where programs begin: glibc says only behind the first
		 * instruction that nobody has called it. */
		if (!pc && w->known != UNWIND_CALLER && rule->ra == FT_SAVED_SAME)
			return FT_END_NULL;
		if (!pc)
			return FT_END_RULE_UNSUPPORTED;
	}
	fp = unwind_restore(ctx, w, cfa, from, rule->fp_bx & 15, rule->fp_offset, w->fp);
#if defined(__TARGET_ARCH_x86)
	bx = unwind_restore(ctx, w, cfa, from, rule->fp_bx >> 4, rule->bx_offset, w->bx);
#endif
	if (is_signal)
		known = unwind_restore_all(ctx, w);
	w->pc = pc;
	w->sp = cfa;
	w->fp = fp;
	w->bx = bx;
	w->known = known;
	return 0;
}

/* --- where there is none ------------------------------------------------------------------ */

#if defined(__TARGET_ARCH_x86)
/*
 * Whether the instruction before a return address may be a call: e8 with 32 bits, or ff /2 with
 * any of its address forms (Intel SDM, volume 2, CALL).
 */
static __always_inline __u32 unwind_follows_call(const __u8 *before)
{
	__u32 i;

	if (before[3] == 0xe8)
		return 1;
	for (i = 1; i < 7; i++) {
		if (before[i] == 0xff && (before[i + 1] & 0x38) == 0x10)
			return 1;
	}
	return 0;
}

/* Hand-written leaves and thunks: the return address is where the stack pointer is. */
static __always_inline __u32 unwind_leaf(void *ctx, const struct unwind_entry *entry,
					 struct unwind_walk *w)
{
	struct ft_unwind_mapping here = w->at;
	__u64 pc = 0;

	(void)entry;
	if (unwind_read(ctx, &pc, sizeof(pc), w->sp) || pc < 4096)
		return 0;
	if (!unwind_locate(ctx, w, pc - 1) && !unwind_read_code(ctx, w->window, 8, pc - 8) &&
	    unwind_follows_call((const __u8 *)w->window)) {
		w->pc = pc;
		w->sp += 8;
		w->known = UNWIND_CALLER;
		return 1;
	}
	w->at = here;
	return 0;
}
#else
/*
 * The same, and PLT entries, which have no call frame information on arm64: the return address is
 * in the link register. Code that has called something has its own address there, and no
 * information about that either.
 */
static __always_inline __u32 unwind_leaf(void *ctx, const struct unwind_entry *entry,
					 struct unwind_walk *w)
{
	__u64 pc = unwind_reg(entry, w, FT_ARM64_LR), *record = w->window;
	struct ft_unwind_mapping here = w->at;
	const struct ft_unwind_rule *rule;

	if (pc < 4096)
		return 0;
	/* It has its frame record already, in a frame of an unknown size. */
	w->used |= UNWIND_USED_FP;
	if (!(w->fp & 7) && !unwind_read(ctx, record, 16, w->fp) && record[1] == pc)
		return 0;
	if (!unwind_locate(ctx, w, pc - 1) && w->at.kind == FT_MAPPING_TABLE) {
		rule = unwind_find_rule(ctx, &w->at, pc - 1);
		if (rule && rule->cfa != FT_CFA_NONE) {
			w->pc = pc;
			w->known = UNWIND_CALLER;
			return 1;
		}
	}
	w->at = here;
	return 0;
}
#endif

/*
 * Code without call frame information: what a JIT compiler made, assembly. A leaf first, then the
 * frame pointer, by which such code is found most often; after that tables again.
 */
static __always_inline __u32 unwind_by_frame_pointer(void *ctx, const struct unwind_entry *entry,
						     struct unwind_walk *w)
{
	__u64 *record = w->window;

	if (w->known != UNWIND_CALLER && unwind_leaf(ctx, entry, w))
		return 0;
	w->used |= UNWIND_USED_FP;
	if (!w->fp)
		return FT_END_NULL;
	if ((w->fp & 7) || w->fp < w->sp)
		return FT_END_NO_CFI;
	if (unwind_read(ctx, record, 16, w->fp))
		return FT_END_NO_CFI;
	w->sp = w->fp + 16;
	w->fp = record[0];
	w->pc = record[1];
	w->known = UNWIND_CALLER;
	return 0;
}

/* --- one step ----------------------------------------------------------------------------- */

/*
 * Goes from the frame that the walk is at to its caller, whose return address is then w->pc (not
 * stripped of what pointer authentication put into it). 0, or FT_END_*: the walk is over.
 */
static __always_inline __u32 unwind_step(void *ctx, const struct unwind_entry *entry,
					 struct unwind_walk *w)
{
	/* A return address may be the first byte of the next function. */
	__u64 pc = w->pc - (w->known == UNWIND_CALLER);
	const struct ft_unwind_rule *rule;
	__u32 end;

	if (pc < w->at.start || pc >= w->at.end) {
		end = unwind_locate(ctx, w, pc);
		if (end)
			return end;
	}
	if (w->at.kind == FT_MAPPING_TABLE) {
		rule = unwind_find_rule(ctx, &w->at, pc);
		if (rule && rule->cfa != FT_CFA_NONE)
			return unwind_by_rule(ctx, entry, w, rule);
	} else if (w->at.kind != FT_MAPPING_NO_CFI) {
		return w->at.kind == FT_MAPPING_PENDING ? FT_END_PENDING : FT_END_NO_TABLE;
	}
	return unwind_by_frame_pointer(ctx, entry, w);
}

/*
 * What stands in a stack for the frame that the walk has come to: a return address; or, of what a
 * signal interrupted, one more than the address of its instruction, so that what is before it is
 * where every caller stands. 'pc' is stripped.
 */
static __always_inline __u64 unwind_frame(const struct unwind_walk *w, __u64 pc)
{
	return pc + (w->known == UNWIND_INTERRUPTED);
}

static __always_inline void unwind_begin(const struct unwind_entry *entry, struct unwind_walk *w)
{
	w->pc = entry->pc;
	w->sp = entry->regs[UNWIND_SP];
	w->fp = entry->regs[UNWIND_FP];
#if defined(__TARGET_ARCH_x86)
	w->bx = entry->regs[FT_X86_RBX];
#endif
	w->at.start = w->at.end = 0;
	w->known = UNWIND_INNERMOST;
	w->end = FT_END_NONE;
	w->used = 0;
}
