/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * order: in what order the repetitions of a pass run. A machine that slowly changes must not favour
 * a variant: within a cell two rounds go forth and back (A B, B A), and which variant is first is
 * drawn for each two of them. More than two variants are shuffled instead of swapped.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/bench/scenario.h"

struct order_step {
	unsigned int case_number;
	unsigned int cell;   /* number of it, in the order of the cases */
	unsigned int number; /* of the repetition in its case, warm-ups first */
	bool is_warmup;
	bool starts_round, ends_round; /* a round: each variant of the cell once */
};

/* Warm-ups of all cases, then 'repeat' rounds of each cell, cell by cell. The same for the same
 * seed. *ret is the caller's. 0 or -ENOMEM. */
int order_new(const struct scenario_cases *cases, unsigned int warmup, unsigned int repeat,
	      uint64_t seed, struct order_step **ret, size_t *ret_n);
