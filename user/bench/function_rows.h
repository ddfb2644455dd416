/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * function_rows: the functions of two profiles side by side.
 *
 * Functions are the same by name and module. A module that only one side has may be the other's
 * under another name ("build-a" and "build-b", "libx.so.1.2" and "libx.so.1.3"): then functions are
 * the same by name alone, where each side has only one of that name in such modules.
 */
#pragma once

#include "user/bench/function_costs.h"

struct function_row {
	uint32_t before, after;		  /* functions; KEYSET_NONE: that side has none such */
	double self_before, self_after;	  /* means of the pairs, per iteration */
	double total_before, total_after; /* the same, with callees */
	double p;			  /* adjusted; NAN if it is no candidate */
	double low, high;		  /* interval of the difference in self cost, or NAN */
	enum function_class class;
	uint32_t caller, counterpart; /* rows; KEYSET_NONE */
};

struct function_rows {
	const struct function_costs *before, *after;
	size_t n_pairs;
	double all_before, all_after; /* means */
	struct function_row *rows;
	size_t n;
	uint32_t *row_of_before, *row_of_after; /* function -> row */
};

/* Functions in the order of the side before, then those that only the other has. -ENOMEM. */
int function_rows_init(struct function_rows *rows, const struct function_costs *before,
		       const struct function_costs *after);
void function_rows_release(struct function_rows *rows);

const char *function_row_name(const struct function_rows *rows, const struct function_row *row);
const char *function_row_module(const struct function_rows *rows, const struct function_row *row);

/* After less before of each pair: of the function itself, with its callees, and of everything. */
void function_row_self_deltas(const struct function_rows *rows, const struct function_row *row,
			      double *ret);
void function_row_total_deltas(const struct function_rows *rows, const struct function_row *row,
			       double *ret);
void function_rows_all_deltas(const struct function_rows *rows, double *ret);

/*
 * Which of the changed functions (class is not FUNCTION_SAME) only moved their cost: sets class,
 * caller and counterpart. 'alpha': below that p a caller has changed. -ENOMEM.
 */
int function_rows_find_moved(struct function_rows *rows, double alpha, uint64_t seed);
