/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lines_reply: what the process that asks for lines and the one that reads them say to each other.
 * The second may have been taken over by the file that it reads: its replies are hostile.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/sym/code_line.h"

#define LINES_BATCH 256 /* addresses in one request */

enum lines_request_kind {
	LINES_OPEN, /* with the file's descriptor, and that of its supplementary file if it has one
		     */
	LINES_FIND,
};

struct lines_request {
	uint32_t kind;
	uint32_t file; /* its number, from 0 on, the asker's */
	uint32_t n;    /* LINES_FIND: addresses; LINES_OPEN: 1 */
	uint32_t zero;
	uint64_t values[LINES_BATCH]; /* addresses; LINES_OPEN: the most bytes of debug sections */
};

_Static_assert(sizeof(struct lines_request) == 16 + 8 * LINES_BATCH, "a request has no padding");

/* A string is cut at 4096 bytes with its NUL; what one address may have fits into a reply. */
#define LINES_STRING_MAX  4096
#define LINES_STRINGS_MAX (CODE_LINES_MAX * 2 * LINES_STRING_MAX)
#define LINES_PLACES_MAX  4096

struct lines_place {
	uint32_t function, file; /* where the string begins among the strings; UINT32_MAX: none */
	uint32_t line;
};

struct lines_reply_header {
	int32_t err;	    /* 0 or a negative errno */
	uint32_t n_answers; /* to the first of the addresses; the others have to be asked again */
	uint32_t n_places;  /* of all answers */
	uint32_t zero;
};

/* The header, the number of places of each answer (uint32_t), the places, the strings. */
#define LINES_REPLY_MAX                                        \
	(sizeof(struct lines_reply_header) + 4 * LINES_BATCH + \
	 sizeof(struct lines_place) * LINES_PLACES_MAX + LINES_STRINGS_MAX)

/* --- the worker's side: a reply that is being written ----------------------------------------- */

#define LINES_RECENT 256

struct lines_writer {
	struct lines_reply_header header;
	uint32_t counts[LINES_BATCH];
	struct lines_place places[LINES_PLACES_MAX];
	char strings[LINES_STRINGS_MAX];
	size_t strings_len;
	struct {
		const char *text;
		uint32_t at;
	} recent[LINES_RECENT]; /* strings of this reply, by their address */
};

void lines_writer_begin(struct lines_writer *w);

/* False, and nothing is added, if the reply is full; the first answer always has room. */
bool lines_writer_add(struct lines_writer *w, const struct code_line *lines, size_t n);

/* Sends it: false if the other side is gone. */
bool lines_writer_send(struct lines_writer *w, int err, int socket);

/* --- the asker's side ------------------------------------------------------------------------- */

/* One answer; its strings are gone with the message. Other than 0 ends the parsing. */
typedef int (*lines_answer_fn)(void *ctx, const struct code_line *lines, uint32_t n);

/*
 * Takes a message apart: how many answers it has, from 1 to 'n_asked' (for LINES_OPEN, n_asked 0,
 * none); or the errno that it tells (-ENOENT, -EINVAL, -EFBIG, -ESTALE or -ENOMEM); or what
 * 'answer' has returned; -EPROTO, with no answer told, for what is no reply.
 */
int lines_reply_parse(const void *message, size_t len, uint32_t n_asked, lines_answer_fn answer,
		      void *ctx);
