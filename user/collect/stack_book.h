/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stack_book: the stacks that a collector's programs have told of so far, by the numbers that its
 * events refer to them by (see struct ft_origin in bpf/wire.h). It only grows: an event may end
 * long after its stack was taken.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "user/base/keyset.h"

struct stack_entry {
	uint32_t node; /* of the capture, or CAPTURE_NO_STACK */
	uint32_t end;  /* FT_END_*: how the walk ended */
};

struct stack_book {
	struct keyset numbers;
	struct stack_entry *entries;
	size_t entries_cap;
};

void stack_book_init(struct stack_book *book);
void stack_book_release(struct stack_book *book);

/* A number that is there already now means this stack. 0 or -ENOMEM with a sentence. */
int stack_book_add(struct stack_book *book, uint64_t number, struct stack_entry entry);

/* NULL: not known (yet). Number 0 is the stack without frames. Valid until the next addition. */
const struct stack_entry *stack_book_find(const struct stack_book *book, uint64_t number);
