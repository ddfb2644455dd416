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
	unsigned int workers; /* 0: one for each CPU; the result is the same */
	size_t block_bytes;   /* read at a time; 0: the default */
};

#define FOLDED_STREAM_MAX_WORKERS 4 /* more would wait for the tree, which is one */
#define FOLDED_STREAM_MAX_NODES	  (1u << 27)
#define FOLDED_STREAM_MAX_NAMES	  (1ull << 30) /* bytes of distinct frames */

/*
 * Reads 'n' files, "-" is standard input, which are added up; lines as folded_line has them. A line
 * that cannot be used is left out, or mended, and counted in *ret_repairs; all the rest, as many
 * lines as *ret_n_stacks (may be NULL), is in the tree, which is finished; kernel frames have the
 * module "[kernel]". The same text gives the same tree but for the numbers of nodes and frames. An
 * input without any usable line is -ENODATA: the tree is there, and empty. Else 0, or with a
 * sentence and nothing returned -ENOMEM, -EFBIG (more than the limits above), -EINVAL (options), or
 * why a file cannot be opened or read.
 */
int folded_stream_read(char *const *paths, size_t n, const struct folded_stream_options *options,
		       struct flame_tree **ret, struct folded_repairs *ret_repairs,
		       uint64_t *ret_n_stacks);
