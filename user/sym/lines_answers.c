/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sym/lines_answers.h"

#include <errno.h>

#include "user/base/array.h"

void lines_answers_init(struct lines_answers *a)
{
	*a = (struct lines_answers){ 0 };
	keyset_init(&a->addresses, sizeof(uint64_t));
}

void lines_answers_release(struct lines_answers *a)
{
	keyset_release(&a->addresses);
	free(a->all);
	free(a->places);
	lines_answers_init(a);
}

static int add_place(struct lines_answers *a, struct strtab *strings, const struct code_line *line)
{
	struct stored_place place = { .line = line->line };
	int err = 0;

	if (line->function)
		err = strtab_add(strings, line->function, &place.function);
	if (!err && line->file)
		err = strtab_add(strings, line->file, &place.file);
	if (!err && a->n_places >= UINT32_MAX - CODE_LINES_MAX)
		err = -EOVERFLOW;
	if (!err)
		err = array_reserve(a->places, a->places_cap, a->n_places + 1);
	if (!err)
		a->places[a->n_places++] = place;
	return err;
}

int lines_answers_add(struct lines_answers *a, struct strtab *strings,
		      const struct code_line *lines, uint32_t n)
{
	uint32_t first = a->n_places, i;
	int err = array_reserve(a->all, a->cap, a->n + 1);

	for (i = 0; i < n && !err; i++)
		err = add_place(a, strings, &lines[i]);
	if (!err)
		a->all[a->n++] = (struct lines_answer){ first, n };
	return err;
}

int lines_answers_end(struct lines_answers *a, int err)
{
	if (array_reserve(a->all, a->cap, a->addresses.n))
		return -ENOMEM;
	while (a->n < a->addresses.n)
		a->all[a->n++] = (struct lines_answer){ .n = err };
	return 0;
}

int lines_answers_get(const struct lines_answers *a, const struct strtab *strings, uint32_t i,
		      struct code_line ret[CODE_LINES_MAX])
{
	const struct lines_answer *answer = &a->all[i];
	int k;

	for (k = 0; k < answer->n; k++) {
		const struct stored_place *place = &a->places[answer->first + k];

		ret[k] = (struct code_line){
			.function = place->function ? strtab_get(strings, place->function) : NULL,
			.file = place->file ? strtab_get(strings, place->file) : NULL,
			.line = place->line,
		};
	}
	return answer->n;
}
