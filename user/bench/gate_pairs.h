/* SPDX-License-Identifier: BSD-2-Clause */
/* gate_pairs: which cases of two runs are compared, and their values in pairs. */
#pragma once

#include "user/bench/gate_judge.h"

struct gate_couple {
	const struct run_case *before, *after; /* the runs' */
};

/*
 * Cases of the same cell, of the variants asked for, in the order of 'after'. The caller frees
 * *ret. 0 or -ENOMEM; none at all is no error.
 */
int gate_couples_new(const struct gate_side *before, const struct gate_side *after,
		     struct gate_couple **ret, size_t *ret_n);

struct gate_pairs {
	struct metric_pairs *list; /* their values are owned here */
	size_t n, cap;
};

/*
 * Adds metric 'm' with the values of both cases: repetition by repetition. Of a side that has k
 * times as many, k in a row become one by their geometric mean (by their mean if one is not
 * positive). A metric that neither side knows is not added. 0 or -ENOMEM.
 */
int gate_pairs_add(struct gate_pairs *pairs, const struct run_case *before,
		   const struct run_case *after, const struct metric_pairs *m);
void gate_pairs_release(struct gate_pairs *pairs);

/* Pairs that let one of 'n_metrics' alert at all: the smallest n with 2^-n <= alpha / n_metrics. */
unsigned int gate_pairs_needed(size_t n_metrics, double alpha);
