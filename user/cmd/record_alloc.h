/* SPDX-License-Identifier: BSD-2-Clause */
/* record_alloc: the options of 'fathom record' for the collectors of memory. */
#pragma once

#include "user/collect/alloc_settings.h"

/* Beyond those of record_options. */
enum record_alloc_option {
	OPT_ALLOC_INTERVAL = 512,
	OPT_ALLOC_MAPS,
	OPT_ALLOC_SEED,
	OPT_NO_FOLLOW,
	OPT_SLOW,
	OPT_MAX_SLOWDOWN,
	OPT_ALLOCATED_ONLY,
	OPT_MIN_AGE,
	OPT_LEAKS,
};

/* Defaults. */
void record_alloc_init(struct alloc_settings *s);

/* 0, 1 if 'option' is none of these, or -EINVAL or -ERANGE with a sentence. */
int record_alloc_option(struct alloc_settings *s, int option, const char *text);

/*
 * When all options are known, and 'weight' (NULL: none was given) has been taken: settles the
 * weight. 0, or -EINVAL with a sentence on options that exclude each other.
 */
int record_alloc_check(struct alloc_settings *s, const char *weight);
