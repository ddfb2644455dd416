/* SPDX-License-Identifier: BSD-2-Clause */
#include "flamegraph/flame_pack.h"

#include <pthread.h>
#include <stdatomic.h>
#include <zlib.h>

#include "user/base/err.h"

const char *const flame_section_names[FLAME_N_SECTIONS] = {
	"header", "names",  "modules", "frames", "shape",	"edges",
	"self",	  "before", "leads",   "rests",	 "rest_frames", "time",
};

/*
 * What tells the frames of a tree apart is next to random: nothing of it comes again but runs, so
 * that looking for more takes ten times as long and the marks of matches take 10 % more room (of
 * trees of 1.7 M nodes, random walks in a graph of calls). Names, and trees with many equal
 * branches, are another matter. So a piece of each section is tried.
 */
#define LEVEL	    5 /* 6 takes twice as long for 2 % */
#define MEMORY	    9 /* of 9: fewer, larger blocks */
#define TRIAL_BYTES (128u << 10)

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* --- to text -------------------------------------------------------------------------------------
 */

static int deflate_with(int strategy, const char *data, size_t len, struct str *out)
{
	z_stream z = { .next_in = (Bytef *)data };
	size_t bound;
	int status = Z_OK;

	str_clear(out);
	if (deflateInit2(&z, LEVEL, Z_DEFLATED, MAX_WBITS, MEMORY, strategy) != Z_OK)
		return -ENOMEM;
	bound = deflateBound(&z, len);
	if (array_reserve(out->data, out->cap, bound + 1)) {
		deflateEnd(&z);
		return -ENOMEM;
	}
	while (status == Z_OK) {
		size_t room = bound - out->len;

		z.avail_in = len < UINT32_MAX ? len : UINT32_MAX;
		z.avail_out = room < UINT32_MAX ? room : UINT32_MAX;
		len -= z.avail_in;
		room = z.avail_out;
		z.next_out = (Bytef *)out->data + out->len;
		status = deflate(&z, len ? Z_NO_FLUSH : Z_FINISH);
		len += z.avail_in;
		out->len += room - z.avail_out;
	}
	deflateEnd(&z);
	return status == Z_STREAM_END ? 0 : -ENOMEM;
}

/* What makes the least of a piece from the middle. */
static int choose_strategy(const struct str *raw, int *ret)
{
	static const int strategies[] = { Z_HUFFMAN_ONLY, Z_RLE, Z_DEFAULT_STRATEGY };
	_cleanup_(str_release) struct str out = { 0 };
	size_t len = raw->len < TRIAL_BYTES ? raw->len : TRIAL_BYTES, least = SIZE_MAX, i;
	const char *piece = raw->data + (raw->len - len) / 2;

	for (i = 0; i < ARRAY_SIZE(strategies); i++) {
		int err = deflate_with(strategies[i], piece, len, &out);

		if (err)
			return err;
		if (out.len >= least)
			continue;
		least = out.len;
		*ret = strategies[i];
	}
	return 0;
}

static int deflate_all(const struct str *raw, struct str *out)
{
	int strategy = Z_DEFAULT_STRATEGY, err = choose_strategy(raw, &strategy);

	return err ? err : deflate_with(strategy, raw->data, raw->len, out);
}

static char *encode_group(const unsigned char *from, size_t n, char *to)
{
	uint32_t bits =
		(uint32_t)from[0] << 16 | (n > 1 ? from[1] << 8 : 0) | (n > 2 ? from[2] : 0);

	*to++ = digits[bits >> 18];
	*to++ = digits[bits >> 12 & 63];
	*to++ = n > 1 ? digits[bits >> 6 & 63] : '=';
	*to++ = n > 2 ? digits[bits & 63] : '=';
	return to;
}

static int encode(const struct str *bytes, struct str *out)
{
	const unsigned char *from = (const unsigned char *)bytes->data;
	size_t left = bytes->len;
	char *to;

	if (array_reserve(out->data, out->cap, out->len + (left / 3 + 1) * 4 + 1))
		return -ENOMEM;
	to = out->data + out->len;
	for (; left > 2; left -= 3, from += 3)
		to = encode_group(from, 3, to);
	if (left)
		to = encode_group(from, left, to);
	*to = '\0';
	out->len = to - out->data;
	return 0;
}

static int pack_section(struct flame_section *section)
{
	_cleanup_(str_release) struct str packed = { 0 };
	int err;

	if (!section->raw.len)
		return 0;
	err = deflate_all(&section->raw, &packed);
	if (!err)
		err = str_add(&section->text, section->name);
	if (!err)
		err = str_add(&section->text, " ");
	if (!err)
		err = encode(&packed, &section->text);
	return err ? err : str_add(&section->text, "\n");
}

struct work {
	struct flame_section **order; /* the largest first: the last ones level the load */
	size_t n;
	atomic_size_t next;
};

static void *pack_some(void *arg)
{
	struct work *work = arg;
	size_t i;

	while ((i = atomic_fetch_add(&work->next, 1)) < work->n)
		work->order[i]->err = pack_section(work->order[i]);
	return NULL;
}

static int compare_size(const void *a, const void *b)
{
	const struct flame_section *const *x = a, *const *y = b;

	return ((*x)->raw.len < (*y)->raw.len) - ((*x)->raw.len > (*y)->raw.len);
}

int flame_pack(struct flame_section *sections, size_t n)
{
	struct flame_section **order = calloc(n + 1, sizeof(*order));
	struct work work = { .order = order, .n = n };
	pthread_t helper;
	bool has_helper;
	size_t i;
	int err = 0;

	if (!order)
		return errf(-ENOMEM, "no memory for the data of a flame graph");
	for (i = 0; i < n; i++)
		order[i] = &sections[i];
	qsort(order, n, sizeof(*order), compare_size);
	has_helper = !pthread_create(&helper, NULL, pack_some, &work);
	pack_some(&work);
	if (has_helper)
		pthread_join(helper, NULL);
	free(order);
	for (i = 0; i < n && !err; i++)
		err = sections[i].err;
	return err ? errf(err, "no memory for the data of a flame graph") : 0;
}

/* --- from text -----------------------------------------------------------------------------------
 */

/* Six bits, or 64 for what is no digit. */
static unsigned int digit_value(unsigned char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : 64;
}

/* Whole groups of four characters; only the last may have '=' at its end. */
static int decode(const char *text, size_t len, struct str *out)
{
	size_t i;

	if (!len || len % 4)
		return -EINVAL;
	if (array_reserve(out->data, out->cap, len / 4 * 3 + 1))
		return -ENOMEM;
	for (i = 0; i < len; i += 4) {
		size_t pad = i + 4 < len || text[i + 3] != '=' ? 0 : text[i + 2] == '=' ? 2 : 1;
		uint32_t bits = 0;
		size_t j;

		for (j = 0; j < 4; j++) {
			unsigned int v = j < 4 - pad ? digit_value(text[i + j]) : 0;

			if (v > 63)
				return -EINVAL;
			bits = bits << 6 | v;
		}
		out->data[out->len++] = (char)(bits >> 16);
		if (pad < 2)
			out->data[out->len++] = (char)(bits >> 8);
		if (!pad)
			out->data[out->len++] = (char)bits;
	}
	return 0;
}

/* One more step into 'out', which grows; Z_OK, Z_STREAM_END, or another of zlib's codes. */
static int inflate_step(z_stream *z, size_t max, struct str *out)
{
	size_t room;
	int status;

	if (array_reserve(out->data, out->cap, out->len + 4096))
		return Z_MEM_ERROR;
	room = out->cap - 1 - out->len;
	/* One byte more than allowed tells that there is more. */
	if (room > max + 1 - out->len)
		room = max + 1 - out->len;
	z->next_out = (Bytef *)out->data + out->len;
	z->avail_out = room < UINT32_MAX ? room : UINT32_MAX;
	room = z->avail_out;
	status = inflate(z, Z_NO_FLUSH);
	out->len += room - z->avail_out;
	out->data[out->len] = '\0';
	return status;
}

int flame_unpack(const char *text, size_t len, size_t max, struct str *ret)
{
	_cleanup_(str_release) struct str packed = { 0 }, out = { 0 };
	z_stream z = { 0 };
	int status = Z_OK, err;

	err = decode(text, len, &packed);
	if (err)
		return err;
	if (packed.len > UINT32_MAX)
		return -EFBIG;
	if (inflateInit(&z) != Z_OK)
		return -ENOMEM;
	z.next_in = (Bytef *)packed.data;
	z.avail_in = packed.len;
	while (status == Z_OK && out.len <= max)
		status = inflate_step(&z, max, &out);
	inflateEnd(&z);
	if (out.len > max)
		return -EFBIG;
	if (status == Z_MEM_ERROR)
		return -ENOMEM;
	if (status != Z_STREAM_END || z.avail_in)
		return -EINVAL;
	str_release(ret);
	*ret = out;
	out = (struct str){ 0 };
	return 0;
}
