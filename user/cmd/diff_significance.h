/* SPDX-License-Identifier: BSD-2-Clause */
/* diff_significance: which changes of functions are noise. */
#pragma once

#include "user/cmd/diff_options.h"
#include "user/model/difference.h"

#define DIFF_ALPHA	 0.05 /* of all functions together */
#define DIFF_MIN_SAMPLES 10   /* fewer, on both sides together, can tell nothing */

/*
 * By the number of samples that ended in each function, as if each were drawn by itself: Fisher's
 * exact test for shares, a binomial one for the other scales, adjusted by Holm. Samples of one run
 * resemble each other, and runs differ by themselves: what is noise by this test is noise, what is
 * not may still be. 0 or -ENOMEM with a sentence.
 */
int diff_judge_by_samples(struct difference *d, enum difference_scale scale);

/*
 * As a gate's result says, in a file of schema fathom.gate/1 or the folder that has it: of the
 * collector and the case that the options name, or the only ones it has. Functions that it does not
 * have are noise without a p. 'value' is what is compared. 0 or -errno with a sentence; *ret_note
 * is a sentence in a block of the caller's, or NULL.
 */
int diff_judge_by_gate(struct difference *d, const struct diff_options *o, const char *value,
		       char **ret_note);
