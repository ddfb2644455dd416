/* SPDX-License-Identifier: BSD-2-Clause */
#include "flamegraph/folded_source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/model/folded_line.h"

void folded_source_init(struct folded_source *s, char *const *paths, size_t n, size_t block_bytes)
{
	*s = (struct folded_source){
		.paths = paths,
		.n_paths = n,
		.fd = -1,
		.block_bytes = block_bytes,
	};
	pthread_mutex_init(&s->lock, NULL);
}

static void close_file(struct folded_source *s)
{
	if (s->fd > STDIN_FILENO)
		close(s->fd);
	s->fd = -1;
}

void folded_source_release(struct folded_source *s)
{
	close_file(s);
	str_release(&s->rest);
	pthread_mutex_destroy(&s->lock);
}

void folded_block_release(struct folded_block *block)
{
	free(block->data);
	*block = (struct folded_block){ 0 };
}

bool folded_source_is_done(const struct folded_source *s)
{
	return s->fd < 0 && s->next == s->n_paths;
}

/* A person has named the file: waiting for a FIFO or following a link is right. */
static int open_next(struct folded_source *s)
{
	const char *path = s->paths[s->next++];

	s->at_start = true;
	s->is_skipping = false;
	if (!strcmp(path, "-")) {
		s->name = "standard input";
		s->fd = STDIN_FILENO;
		return 0;
	}
	s->name = path;
	s->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (s->fd < 0)
		return errf(-errno, "cannot open '%s': %m", path);
	posix_fadvise(s->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	return 0;
}

static int reserve(struct folded_source *s, struct folded_block *block, size_t n)
{
	if (array_reserve(block->data, block->cap, block->len + n + FOLDED_PADDING))
		return errf(-ENOMEM, "no memory to read '%s'", s->name);
	return 0;
}

/* Adds up to 'n' bytes. 1, 0 at the end of the file, or -errno. */
static int read_some(struct folded_source *s, struct folded_block *block, size_t n)
{
	ssize_t got;
	int err = reserve(s, block, n);

	if (err)
		return err;
	do
		got = read(s->fd, block->data + block->len, n);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return errf(-errno, "cannot read '%s': %m", s->name);
	block->len += got;
	return got > 0;
}

/* Drops what belongs to a line that was too long. */
static void skip(struct folded_source *s, struct folded_block *block)
{
	const char *newline = block->len ? memchr(block->data, '\n', block->len) : NULL;

	block->begins_file = false;
	if (newline) {
		block->len -= newline + 1 - block->data;
		memmove(block->data, newline + 1, block->len);
		s->is_skipping = false;
	} else {
		block->len = 0;
	}
}

/* Bytes until there are as many as a block has, or the file is at its end. */
static int fill(struct folded_source *s, struct folded_block *block, size_t from)
{
	int more = 1;

	while (more > 0 && block->len - from < s->block_bytes) {
		more = read_some(s, block, s->block_bytes - (block->len - from));
		if (s->is_skipping)
			skip(s, block);
	}
	return more;
}

/* Keeps what is behind the last newline for the next block. */
static int keep_rest(struct folded_source *s, struct folded_block *block, const char *newline)
{
	size_t len = newline + 1 - block->data;

	if (str_add_bytes(&s->rest, newline + 1, block->len - len))
		return errf(-ENOMEM, "no memory to read '%s'", s->name);
	block->len = len;
	return 1;
}

/* The file is at its end: the last line may have no newline. */
static int end_file(struct folded_source *s, struct folded_block *block)
{
	int err = 0;

	if (block->len && block->data[block->len - 1] != '\n') {
		err = reserve(s, block, 1);
		if (err)
			return err;
		block->data[block->len++] = '\n';
	}
	close_file(s);
	return block->len > 0;
}

/* Lines of the open file; 0 if there are none left. */
static int read_lines(struct folded_source *s, struct folded_block *block)
{
	size_t from = s->rest.len;
	const char *newline;
	int more;

	block->len = 0;
	block->begins_file = s->at_start;
	more = reserve(s, block, from);
	if (more)
		return more;
	if (from)
		memcpy(block->data, s->rest.data, from);
	block->len = from;
	str_clear(&s->rest);
	for (;;) {
		more = fill(s, block, from);
		if (more < 0)
			return more;
		if (!more)
			return end_file(s, block);
		newline = memrchr(block->data + from, '\n', block->len - from);
		if (newline)
			return keep_rest(s, block, newline);
		from = block->len;
		if (block->len > FOLDED_MAX_LINE) {
			s->too_long++;
			s->is_skipping = true;
			block->len = from = 0;
		}
	}
}

static int read_block(struct folded_source *s, struct folded_block *block)
{
	int err = 0, some = 0;

	while (!err && !some && !folded_source_is_done(s)) {
		if (s->fd < 0)
			err = open_next(s);
		if (!err)
			some = read_lines(s, block);
		s->at_start = false;
	}
	return err ? err : some;
}

int folded_source_read(struct folded_source *s, struct folded_block *block)
{
	int some;

	pthread_mutex_lock(&s->lock);
	some = read_block(s, block);
	pthread_mutex_unlock(&s->lock);
	return some;
}

void folded_source_stop(struct folded_source *s)
{
	pthread_mutex_lock(&s->lock);
	close_file(s);
	s->next = s->n_paths;
	pthread_mutex_unlock(&s->lock);
}
