/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * special_code: code that has no call frame information although callers can be found from it:
 * where a program begins, and where signal handlers return to.
 */
#pragma once

#include "user/elf/elf_image.h"
#include "user/unwind/cfi.h"

struct special_range {
	uint64_t start, end; /* virtual addresses */
	uint64_t code;	     /* where it really begins: not before 'start' */
	struct ft_unwind_rule rule;
};

#define SPECIAL_CODE_MAX 16

struct special_code {
	struct special_range at[SPECIAL_CODE_MAX]; /* in the order of addresses */
	size_t n;
};

/*
 * Looks for it, whether or not call frame information covers it: in code that is not much, since it
 * has to be read. What cannot be read has none.
 */
void special_code_find(struct special_code *special, const struct elf_image *image);

/* The first whose code begins in from..to, cut to that. */
bool special_code_next(const struct special_code *special, uint64_t from, uint64_t to,
		       struct special_range *ret);
