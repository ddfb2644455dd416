/* SPDX-License-Identifier: BSD-2-Clause */
/* gzip: memory to gzip and back (RFC 1952), by zlib. */
#pragma once

#include <stddef.h>

#include <zlib.h>

/* Compresses piece by piece. Has no time and no name in its header: equal input, equal bytes. */
struct gzip_writer {
	z_stream z;
	int ready; /* z is initialized */
	unsigned char *out;
	size_t len, cap;
	unsigned char in[65536];
	size_t in_len;
};

/* 0 or -ENOMEM. */
int gzip_writer_init(struct gzip_writer *w);
int gzip_writer_add(struct gzip_writer *w, const void *data, size_t len);
/* Ends the stream; the block is the caller's. */
int gzip_writer_finish(struct gzip_writer *w, void **ret, size_t *ret_len);
void gzip_writer_release(struct gzip_writer *w);

/* Whether the bytes begin as a gzip file does. */
int gzip_is(const void *data, size_t len);

/*
 * Decompresses all members of a gzip file into a block of the caller's. -EFBIG if that is more
 * than 'max' bytes, -EINVAL if the file is damaged, cut short or followed by anything else, with a
 * sentence about 'name'.
 */
int gzip_expand(const void *data, size_t len, size_t max, const char *name, unsigned char **ret,
		size_t *ret_len);
