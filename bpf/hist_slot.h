/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * hist_slot: which slot of a log-linear histogram a duration falls into. One source for the
 * programs in the kernel, which count by slot, and for the program, which reads the counts. The
 * includer provides __u32 and __u64 (vmlinux.h in the kernel, linux/types.h in user space).
 *
 * Slots are 1 ns wide below 64 ns; from there each octave has 32 of equal width, so that no slot is
 * wider than 1/32 (3.125 %) of its lower bound. The last slot also takes all that is longer.
 */
#pragma once

#define FT_HIST_STEP_BITS 5  /* 32 steps in an octave */
#define FT_HIST_END_BITS  37 /* 2^37 ns, 137 s: from there on all is in the last slot */
#define FT_HIST_SLOTS	  1056

_Static_assert((FT_HIST_END_BITS - FT_HIST_STEP_BITS + 1) << FT_HIST_STEP_BITS == FT_HIST_SLOTS,
	       "FT_HIST_SLOTS");

/*
 * The slot of a duration, below FT_HIST_SLOTS. A cascade of shifts instead of __builtin_clz, which
 * clang lowers to a table or a call that BPF does not have; it has neither loop nor division. An
 * array's index still needs a mask or a check of its own where the verifier has lost the bound.
 */
static inline __u32 ft_hist_slot(__u64 ns)
{
	__u64 rest = ns;
	__u32 log2 = 0;

	if (ns >> FT_HIST_END_BITS)
		return FT_HIST_SLOTS - 1;
	if (ns < 1u << FT_HIST_STEP_BITS)
		return (__u32)ns;
	if (rest >> 32) {
		log2 += 32;
		rest >>= 32;
	}
	if (rest >> 16) {
		log2 += 16;
		rest >>= 16;
	}
	if (rest >> 8) {
		log2 += 8;
		rest >>= 8;
	}
	if (rest >> 4) {
		log2 += 4;
		rest >>= 4;
	}
	if (rest >> 2) {
		log2 += 2;
		rest >>= 2;
	}
	if (rest >> 1)
		log2 += 1;
	return ((log2 - FT_HIST_STEP_BITS + 1) << FT_HIST_STEP_BITS) +
	       (__u32)(ns >> (log2 - FT_HIST_STEP_BITS) & ((1u << FT_HIST_STEP_BITS) - 1));
}

/* The shortest duration of a slot; slot FT_HIST_SLOTS is where the last one ends nominally. */
static inline __u64 ft_hist_lower_ns(__u32 slot)
{
	__u32 octave = slot >> FT_HIST_STEP_BITS, step = slot & ((1u << FT_HIST_STEP_BITS) - 1);

	if (!octave)
		return step;
	return (__u64)((1u << FT_HIST_STEP_BITS) + step) << (octave - 1);
}

/* The first duration beyond a slot. What the last slot took may be longer. */
static inline __u64 ft_hist_upper_ns(__u32 slot)
{
	return ft_hist_lower_ns(slot + 1);
}
