/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sym/lines_reply.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define NO_STRING UINT32_MAX

/* --- writing --------------------------------------------------------------------------------- */

void lines_writer_begin(struct lines_writer *w)
{
	w->header = (struct lines_reply_header){ 0 };
	w->strings_len = 0;
	memset(w->recent, 0, sizeof(w->recent));
}

static bool put_string(struct lines_writer *w, const char *text, uint32_t *ret)
{
	size_t slot = ((uintptr_t)text ^ (uintptr_t)text >> 8) % LINES_RECENT, n;

	*ret = NO_STRING;
	if (!text)
		return true;
	if (w->recent[slot].text == text) {
		*ret = w->recent[slot].at;
		return true;
	}
	n = strnlen(text, LINES_STRING_MAX - 1);
	if (n + 1 > sizeof(w->strings) - w->strings_len)
		return false;
	memcpy(w->strings + w->strings_len, text, n);
	w->strings[w->strings_len + n] = '\0';
	w->recent[slot].text = text;
	w->recent[slot].at = *ret = w->strings_len;
	w->strings_len += n + 1;
	return true;
}

bool lines_writer_add(struct lines_writer *w, const struct code_line *lines, size_t n)
{
	struct lines_place *place = w->places + w->header.n_places;
	size_t i;

	if (w->header.n_answers >= LINES_BATCH || n > LINES_PLACES_MAX - w->header.n_places)
		return false;
	/* What it leaves among the strings when one has no room is of no answer. */
	for (i = 0; i < n; i++) {
		if (!put_string(w, lines[i].function, &place[i].function) ||
		    !put_string(w, lines[i].file, &place[i].file))
			return false;
		place[i].line = lines[i].line;
	}
	w->counts[w->header.n_answers++] = n;
	w->header.n_places += n;
	return true;
}

bool lines_writer_send(struct lines_writer *w, int err, int socket)
{
	struct iovec parts[] = {
		{ &w->header, sizeof(w->header) },
		{ w->counts, 0 },
		{ w->places, 0 },
		{ w->strings, 0 },
	};
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 4 };

	if (err) {
		w->header = (struct lines_reply_header){ .err = err };
		w->strings_len = 0;
	}
	parts[1].iov_len = w->header.n_answers * sizeof(w->counts[0]);
	parts[2].iov_len = w->header.n_places * sizeof(w->places[0]);
	parts[3].iov_len = w->strings_len;
	return sendmsg(socket, &message, MSG_NOSIGNAL) > 0;
}

/* --- parsing --------------------------------------------------------------------------------- */

/* A message whose parts are all in it. */
struct reply {
	struct lines_reply_header header;
	const char *counts, *places, *strings;
	size_t strings_len;
};

static bool is_error(int err)
{
	return err == -ENOENT || err == -EINVAL || err == -EFBIG || err == -ESTALE ||
	       err == -ENOMEM;
}

static bool split(const char *message, size_t len, uint32_t n_asked, struct reply *ret)
{
	struct lines_reply_header *h = &ret->header;
	size_t parts = sizeof(*h);

	if (len < sizeof(*h) || len > LINES_REPLY_MAX)
		return false;
	memcpy(h, message, sizeof(*h));
	if (h->err)
		return is_error(h->err) && len == sizeof(*h);
	if (h->n_answers > n_asked || !h->n_answers != !n_asked || h->n_places > LINES_PLACES_MAX)
		return false;
	ret->counts = message + parts;
	parts += h->n_answers * sizeof(uint32_t);
	ret->places = message + parts;
	parts += h->n_places * sizeof(struct lines_place);
	ret->strings = message + parts;
	ret->strings_len = len - parts;
	return parts <= len && (parts == len || !message[len - 1]);
}

static uint32_t count_at(const struct reply *r, uint32_t i)
{
	uint32_t n;

	memcpy(&n, r->counts + i * sizeof(n), sizeof(n));
	return n;
}

static bool string_at(const struct reply *r, uint32_t at, const char **ret)
{
	*ret = at < r->strings_len ? r->strings + at : NULL;
	return at < r->strings_len || at == NO_STRING;
}

static bool line_at(const struct reply *r, uint32_t i, struct code_line *ret)
{
	struct lines_place place;

	memcpy(&place, r->places + i * sizeof(place), sizeof(place));
	ret->line = place.line;
	return string_at(r, place.function, &ret->function) && string_at(r, place.file, &ret->file);
}

static bool is_sound(const struct reply *r)
{
	struct code_line line;
	uint64_t sum = 0;
	uint32_t i;

	for (i = 0; i < r->header.n_answers; i++) {
		if (count_at(r, i) > CODE_LINES_MAX)
			return false;
		sum += count_at(r, i);
	}
	for (i = 0; i < r->header.n_places; i++) {
		if (!line_at(r, i, &line))
			return false;
	}
	return sum == r->header.n_places;
}

int lines_reply_parse(const void *message, size_t len, uint32_t n_asked, lines_answer_fn answer,
		      void *ctx)
{
	struct code_line lines[CODE_LINES_MAX];
	uint32_t i, k, n, place = 0;
	struct reply r;
	int err;

	if (!split(message, len, n_asked, &r))
		return -EPROTO;
	if (r.header.err)
		return r.header.err;
	if (!is_sound(&r))
		return -EPROTO;
	for (i = 0; i < r.header.n_answers; i++) {
		n = count_at(&r, i);
		for (k = 0; k < n; k++)
			line_at(&r, place++, &lines[k]);
		err = answer(ctx, lines, n);
		if (err)
			return err;
	}
	return r.header.n_answers;
}
