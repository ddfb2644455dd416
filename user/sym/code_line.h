/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * code_line: one of the functions that an instruction is part of: the one that it was written in,
 * what that was inlined into, and so on to the one that stands there as a function of its own.
 */
#pragma once

#include <stdint.h>

/* At one address; further ones in the middle are left out. */
#define CODE_LINES_MAX 30

struct code_line {
	const char *function; /* as the file has it, mangled or not; NULL if that is not known */
	const char *file;     /* path of the source, or NULL */
	uint32_t line;	      /* in it: of the instruction, or of the call that was inlined; or 0 */
};
