// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * glob: shell patterns over comms and paths, as a bit-parallel automaton (Navarro and Raffinot,
 * "Flexible Pattern Matching in Strings", 2002, chapter 4: Shift-And with gaps): one shift and two
 * masks for each byte, no branches, no backtracking. user/collect/glob.c makes the tables.
 */
#pragma once

#include "bpf/wire.h"

/* The states behind one byte more. */
static inline __attribute__((always_inline)) __u64 glob_step(const volatile struct ft_glob *glob,
							     __u64 states, __u8 c)
{
	return ((states & glob->accept[c]) << 1) | (states & glob->loops);
}

/* 'comm' has FT_COMM_LEN bytes and ends at its first NUL. */
static inline __attribute__((always_inline)) int glob_match(const volatile struct ft_glob *glob,
							    const char *comm)
{
	__u64 states = glob->start;
	int i;

	for (i = 0; i < FT_COMM_LEN; i++) {
		__u8 c = comm[i];

		if (!c)
			break;
		states = glob_step(glob, states, c);
	}
	return (states & glob->final) != 0;
}
