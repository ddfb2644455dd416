/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * folded_stream: folded stacks from anyone, read into a flame tree: block by block, on all CPUs,
 * with memory that grows with the tree and not with the text.
 */
#pragma once

#include <stdio.h>

#include "flamegraph/flame_tree.h"
#include "user/model/folded_line.h"

struct folded_stream_options {
	bool is_chart;	      /* stacks stay in the order of their lines */
	bool is_reversed;     /* the innermost frame becomes the root */
	bool has_before;      /* two counts at a line's end are before and after */
	const char *encoding; /* of the text, as iconv(1) names it; NULL: UTF-8 */
	double factor;	      /* counts are multiplied by it; 0: 1 */
};

/*
 * Reads 'n' files, "-" is standard input, which are added up. A line that cannot be used is left
 * out, or mended, and counted in *ret_repairs; all the rest is in the tree. An input without any
 * usable line is -ENODATA (the tree is there, and empty); other errors as folded_read() has them.
 */
int folded_stream_read(char *const *paths, size_t n, const struct folded_stream_options *options,
		       struct flame_tree **ret, struct folded_repairs *ret_repairs);
