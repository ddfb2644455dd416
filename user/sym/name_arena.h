/* SPDX-License-Identifier: BSD-2-Clause */
/* name_arena: strings that stay where they are until all of them go. */
#pragma once

#include <stddef.h>

struct name_block;

struct name_arena {
	struct name_block *last;
};

/* Longest name that is kept, bytes without its NUL; longer ones are cut. */
#define NAME_MAX_BYTES 4096

/* A copy of 'text' up to its first NUL or 'len', cut at NAME_MAX_BYTES; NULL without memory. */
const char *name_arena_add(struct name_arena *arena, const char *text, size_t len);

void name_arena_release(struct name_arena *arena);
