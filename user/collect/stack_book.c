/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/stack_book.h"

#include <errno.h>
#include <linux/types.h>
#include <stdlib.h>

#include "bpf/wire.h"
#include "user/base/array.h"
#include "user/base/err.h"
#include "user/collect/capture.h"

void stack_book_init(struct stack_book *book)
{
	*book = (struct stack_book){ 0 };
	keyset_init(&book->numbers, sizeof(uint64_t));
}

void stack_book_release(struct stack_book *book)
{
	keyset_release(&book->numbers);
	free(book->entries);
	stack_book_init(book);
}

int stack_book_add(struct stack_book *book, uint64_t number, struct stack_entry entry)
{
	uint32_t i;

	if (array_reserve(book->entries, book->entries_cap, book->numbers.n + 1) ||
	    keyset_add(&book->numbers, &number, &i) < 0)
		return errf(-ENOMEM, "no memory for another stack beside %zu", book->numbers.n);
	book->entries[i] = entry;
	return 0;
}

const struct stack_entry *stack_book_find(const struct stack_book *book, uint64_t number)
{
	static const struct stack_entry none = { .node = CAPTURE_NO_STACK, .end = FT_END_NONE };
	uint32_t i;

	if (!number)
		return &none;
	i = keyset_find(&book->numbers, &number);
	return i == KEYSET_NONE ? NULL : &book->entries[i];
}
