// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * alloc_draw: which blocks are sampled, and what each of those stands for.
 *
 * Bytes are a line with points on it, cfg_interval_bytes apart on average and exponentially
 * distributed; a block is sampled if there is a point on its bytes. So a block of s bytes has the
 * probability p = 1 - exp(-s / interval), whatever came before it, and stands for 1/p blocks.
 *
 * Each CPU has a line of its own. The loader fills cfg_draw for the interval (alloc_weights_fill())
 * unless that is 1. The includer has cfg_interval_bytes, as alloc_account.bpf.h has.
 */
#pragma once

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "bpf/draw_wire.h"

const volatile struct ft_alloc_draw cfg_draw = {};

/* Bytes to the next point of a CPU's line, rounded up; 0: none has been drawn yet. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} countdowns SEC(".maps");

/* floor(log2(x)) of a number that is not 0. By shifts, as in ft_hist_slot(). */
static __always_inline __u32 draw_log2(__u32 x)
{
	__u64 rest = x;
	__u32 log2 = 0;

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
	return log2 + (rest >> 1);
}

#define DRAW_REST_BITS (31 - FT_ALLOC_LOG_STEP_BITS)

/*
 * -ln(u / 2^32) in units of 2^-FT_ALLOC_LOG_BITS, u not being 0: the number is a power of two times
 * 1 + i / FT_ALLOC_LOG_STEPS and a rest, by which is interpolated.
 */
static __always_inline __u64 draw_minus_ln(__u32 u)
{
	__u32 log2 = draw_log2(u);
	/* 31 bits behind the point; the one in front of it is gone. */
	__u64 mantissa = (__u64)u << (31 - log2) & 0x7fffffff;
	__u64 i = mantissa >> DRAW_REST_BITS, rest = mantissa & ((1u << DRAW_REST_BITS) - 1), from;

	i &= FT_ALLOC_LOG_STEPS - 1;
	asm volatile("" : "+r"(i)); /* the mask stays, for the verifier */
	from = cfg_draw.logs[i];
	return (32 - log2) * (__u64)FT_ALLOC_LN2 - from -
	       ((cfg_draw.logs[i + 1] - from) * rest >> DRAW_REST_BITS);
}

/* Bytes to the next point, at least 1. */
static __always_inline __u64 draw_distance(void)
{
	__u32 u = bpf_get_prandom_u32();
	__u64 bytes;

	bytes = draw_minus_ln(u ? u : 1) * cfg_interval_bytes;
	return (bytes >> FT_ALLOC_LOG_BITS) + 1;
}

/* What a sampled block of that size stands for. */
static __always_inline __u64 draw_weight(__u64 bytes)
{
	__u64 slot = ft_hist_slot(bytes), octave, from;

	/* Otherwise clang knows the bound, and the verifier does not. */
	asm volatile("" : "+r"(slot));
	if (slot >= FT_HIST_SLOTS)
		return FT_ALLOC_WEIGHT_ONE;
	from = cfg_draw.weights[slot];
	octave = slot >> FT_HIST_STEP_BITS;
	if (octave < 2)
		return from; /* a slot for each size */
	return from - ((from - cfg_draw.weights[slot + 1]) * (bytes - ft_hist_lower_ns(slot)) >>
		       (octave - 1));
}

/*
 * 0: a block of that size is not sampled, else what it stands for, in units of
 * 2^-FT_ALLOC_WEIGHT_BITS. Blocks of no bytes never are.
 *
 * Who comes between the reading and the writing of a countdown decides by the same point, and what
 * it wrote is lost. That is no bias: to each of the two the distance was exponential, and what is
 * left of it is again. Only their two decisions are not independent of each other.
 */
static __always_inline __u64 alloc_draw(__u64 bytes)
{
	__u32 zero = 0;
	__u64 *countdown, left;

	if (cfg_interval_bytes <= 1)
		return FT_ALLOC_WEIGHT_ONE;
	countdown = bpf_map_lookup_elem(&countdowns, &zero);
	if (!countdown)
		return 0;
	left = *(volatile __u64 *)countdown; /* once: what is subtracted is what was compared */
	if (!left)
		left = draw_distance();
	if (bytes < left) {
		*(volatile __u64 *)countdown = left - bytes;
		return 0;
	}
	*(volatile __u64 *)countdown = draw_distance();
	return draw_weight(bytes);
}
