/* SPDX-License-Identifier: BSD-2-Clause */
/* allocator_functions: names of functions that give out memory or take it back, and what they are.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/collect/allocators.h"

/* Which allocators have such a function. */
enum alloc_owner { ALLOC_OF_ANY, ALLOC_OF_JEMALLOC, ALLOC_OF_TCMALLOC, ALLOC_OF_MIMALLOC };

struct alloc_name {
	enum alloc_function function;
	bool is_operator; /* of C++ */
	bool is_prefixed;
};

/*
 * Whether it is the name of such a function in an allocator of that sort ("malloc", "je_malloc" in
 * jemalloc, "_Znwm" in any of them but a C library).
 */
bool alloc_name_find(const char *name, enum alloc_owner owner, struct alloc_name *ret);

/*
 * The allocator that a symbol's name gives away: a number, the lower the surer; -1 if none. Then
 * its name for people, and its sort.
 */
int alloc_mark_find(const char *symbol);
const char *alloc_mark_kind(int mark, enum alloc_owner *ret_owner, bool *ret_is_libc);

/* How many arguments must be in registers when its probe is hit. */
unsigned int alloc_function_args(enum alloc_function function);
