/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/export/gzip.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/cleanup.h"
#include "user/base/err.h"

#define GZIP_WINDOW (MAX_WBITS + 16) /* zlib.h: 16 more asks for a gzip header */

int gzip_writer_init(struct gzip_writer *w)
{
	memset(&w->z, 0, sizeof(w->z));
	w->out = NULL;
	w->len = w->cap = w->in_len = 0;
	w->ready = deflateInit2(&w->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, 8,
				Z_DEFAULT_STRATEGY) == Z_OK;
	return w->ready ? 0 : -ENOMEM;
}

/* Compresses what has been gathered. */
static int drain(struct gzip_writer *w, int flush)
{
	int res;

	w->z.next_in = w->in;
	w->z.avail_in = w->in_len;
	do {
		if (array_reserve(w->out, w->cap, w->len + sizeof(w->in)))
			return -ENOMEM;
		w->z.next_out = w->out + w->len;
		w->z.avail_out = sizeof(w->in);
		res = deflate(&w->z, flush);
		w->len += sizeof(w->in) - w->z.avail_out;
	} while (w->z.avail_in || (flush == Z_FINISH && res == Z_OK));
	w->in_len = 0;
	return res == Z_OK || res == Z_STREAM_END || res == Z_BUF_ERROR ? 0 : -ENOMEM;
}

int gzip_writer_add(struct gzip_writer *w, const void *data, size_t len)
{
	const unsigned char *p = data;

	while (len) {
		size_t room = sizeof(w->in) - w->in_len, n = len < room ? len : room;
		int err;

		memcpy(w->in + w->in_len, p, n);
		w->in_len += n;
		p += n;
		len -= n;
		err = w->in_len == sizeof(w->in) ? drain(w, Z_NO_FLUSH) : 0;
		if (err)
			return err;
	}
	return 0;
}

int gzip_writer_finish(struct gzip_writer *w, void **ret, size_t *ret_len)
{
	int err = drain(w, Z_FINISH);

	if (err)
		return err;
	*ret_len = w->len;
	*ret = take(w->out);
	return 0;
}

void gzip_writer_release(struct gzip_writer *w)
{
	if (w->ready)
		deflateEnd(&w->z);
	w->ready = 0;
	free(w->out);
	w->out = NULL;
}

int gzip_is(const void *data, size_t len)
{
	return len >= 2 && !memcmp(data, "\x1f\x8b", 2);
}

struct expansion {
	z_stream z;
	const unsigned char *in;
	size_t in_left; /* not yet given to z, whose counters have 32 bits */
	unsigned char *out;
	size_t len, cap, max;
	const char *name;
};

/* More than 'max' is asked for by one byte, so that exactly 'max' is fine. */
static int give_room(struct expansion *e)
{
	size_t step = 1 << 20;

	if (e->len > e->max)
		return errf(-EFBIG, "'%s' expands to more than the limit of %zu bytes", e->name,
			    e->max);
	if (step > e->max + 1 - e->len)
		step = e->max + 1 - e->len;
	if (array_reserve(e->out, e->cap, e->len + step))
		return errf(-ENOMEM, "no memory to expand '%s'", e->name);
	e->z.next_out = e->out + e->len;
	e->z.avail_out = step;
	return 0;
}

static void give_input(struct expansion *e)
{
	size_t n = e->in_left < UINT_MAX ? e->in_left : UINT_MAX;

	if (e->z.avail_in)
		return;
	e->z.next_in = (unsigned char *)e->in;
	e->z.avail_in = n;
	e->in += n;
	e->in_left -= n;
}

/* One member, from its header to its checksum. */
static int expand_member(struct expansion *e)
{
	int err, res;

	do {
		err = give_room(e);
		if (err)
			return err;
		give_input(e);
		res = inflate(&e->z, Z_NO_FLUSH);
		e->len = e->z.next_out - e->out;
		if (res == Z_MEM_ERROR)
			return errf(-ENOMEM, "no memory to expand '%s'", e->name);
		if (res == Z_BUF_ERROR ||
		    (res == Z_OK && !e->z.avail_in && !e->in_left && e->z.avail_out))
			return errf(-EINVAL, "'%s' is cut short: its gzip data does not end",
				    e->name);
		if (res != Z_OK && res != Z_STREAM_END)
			return errf(-EINVAL, "'%s' has damaged gzip data: %s", e->name,
				    e->z.msg ? e->z.msg : "not the format");
	} while (res != Z_STREAM_END);
	return 0;
}

static int expand_all(struct expansion *e)
{
	int err;

	do {
		err = expand_member(e);
		if (!err && e->len > e->max)
			err = give_room(e);
		if (err)
			return err;
		inflateReset(&e->z);
	} while (e->z.avail_in || e->in_left);
	return 0;
}

int gzip_expand(const void *data, size_t len, size_t max, const char *name, unsigned char **ret,
		size_t *ret_len)
{
	struct expansion e = { .in = data, .in_left = len, .max = max, .name = name };
	int err;

	if (inflateInit2(&e.z, GZIP_WINDOW) != Z_OK)
		return errf(-ENOMEM, "no memory to expand '%s'", name);
	err = expand_all(&e);
	inflateEnd(&e.z);
	if (err) {
		free(e.out);
		return err;
	}
	*ret = e.out;
	*ret_len = e.len;
	return 0;
}
