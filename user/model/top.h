/* SPDX-License-Identifier: BSD-2-Clause */
/* top: functions by self and total value, and the callers and callees of one of them. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "user/model/calltree.h"

struct top_row {
	const char *function; /* owned by the call tree */
	const char *module;
	const char *file; /* source, "" if unknown */
	uint32_t line;	  /* 0 unless the view tells lines apart */
	uint32_t kind;	  /* enum frame_kind */
	int64_t self;
	int64_t total; /* recursion counted once */
};

struct top {
	struct top_row *rows;
	size_t n;
	int64_t total; /* of all samples */
};

/*
 * Sums a call tree by (function, module, kind, and line if it has any); process and thread names
 * are left out. Sorted by self, then total (both descending), then name and line, so that equal
 * inputs give equal order. The tree
 * must outlive the result. 0 or -ENOMEM.
 */
int top_new(const struct calltree *tree, struct top **ret);
void top_free(struct top *top);
DEFINE_FREEP(struct top, top_free)

/* Sorts the rows by total, then self, then name. */
void top_sort_by_total(struct top *top);

/*
 * Callers and callees of all frames called 'function': each caller row's 'total' is the value that
 * passed through it into the function, each callee row's the value below it; 'self' is what the
 * function spent itself in 'ret_self', and all of it in 'ret_total' (recursion counted once).
 * -ENOENT with a sentence if no frame has that name.
 */
struct top_neighbours {
	struct top_row *callers, *callees; /* by total, descending, then name */
	size_t n_callers, n_callees;
	int64_t self, total;
};
int top_neighbours_new(const struct calltree *tree, const char *function,
		       struct top_neighbours **ret);
void top_neighbours_free(struct top_neighbours *n);
DEFINE_FREEP(struct top_neighbours, top_neighbours_free)
