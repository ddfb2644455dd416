/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sym/name_arena.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES 32768u

struct name_block {
	struct name_block *previous;
	size_t used;
	char text[BLOCK_BYTES];
};

_Static_assert(BLOCK_BYTES > NAME_MAX_BYTES, "every name fits into an empty block");

const char *name_arena_add(struct name_arena *arena, const char *text, size_t len)
{
	struct name_block *block = arena->last;
	char *copy;

	len = strnlen(text, len < NAME_MAX_BYTES ? len : NAME_MAX_BYTES);
	if (!block || BLOCK_BYTES - block->used <= len) {
		block = malloc(sizeof(*block));
		if (!block)
			return NULL;
		block->previous = arena->last;
		block->used = 0;
		arena->last = block;
	}
	copy = block->text + block->used;
	memcpy(copy, text, len);
	copy[len] = '\0';
	block->used += len + 1;
	return copy;
}

void name_arena_release(struct name_arena *arena)
{
	struct name_block *block = arena->last, *previous;

	for (; block; block = previous) {
		previous = block->previous;
		free(block);
	}
	arena->last = NULL;
}
