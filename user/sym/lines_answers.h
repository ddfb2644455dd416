/* SPDX-License-Identifier: BSD-2-Clause */
/* lines_answers: what is known of one file's addresses: each is asked for once. */
#pragma once

#include "user/base/keyset.h"
#include "user/base/strtab.h"
#include "user/sym/code_line.h"

struct lines_answer {
	uint32_t first; /* of its places */
	int32_t n;	/* how many; or a negative errno */
};

struct lines_answers {
	struct keyset addresses; /* uint64_t; the first 'n' of them have an answer */
	struct lines_answer *all;
	size_t n, cap;
	struct stored_place {
		uint32_t function, file; /* strings; 0: not known */
		uint32_t line;
	} * places;
	size_t n_places, places_cap;
};

void lines_answers_init(struct lines_answers *answers);
void lines_answers_release(struct lines_answers *answers);

/* The next address's answer; strings go to 'strings'. 0, -ENOMEM or -EOVERFLOW. */
int lines_answers_add(struct lines_answers *answers, struct strtab *strings,
		      const struct code_line *lines, uint32_t n);

/* All other addresses have none, for this reason. 0 or -ENOMEM. */
int lines_answers_end(struct lines_answers *answers, int err);

/* Number i's: how many lines, or the reason. Strings live until 'strings' gets another one. */
int lines_answers_get(const struct lines_answers *answers, const struct strtab *strings, uint32_t i,
		      struct code_line ret[CODE_LINES_MAX]);
