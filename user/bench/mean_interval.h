/* SPDX-License-Identifier: BSD-2-Clause */
/* mean_interval: how far the mean of differences can be trusted if each sign is a fair coin. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * The values of the mean that a two-sided sign-flip test at 5 % does not reject: the means of all
 * subsets of d, sorted, without 2.5 % at either end (Hartigan 1969, "Using subsample values as
 * typical values"). Exact for n <= SIGN_FLIP_EXACT, else by random subsets of 'seed'. Covers at
 * least 95 %; *ret_low = -INFINITY, *ret_high = INFINITY if n is too small for that (below 6). The
 * mean of d is inside. 0 or -ENOMEM.
 */
int mean_interval(const double *d, size_t n, uint64_t seed, double *ret_low, double *ret_high);
