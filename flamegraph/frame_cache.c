/* SPDX-License-Identifier: BSD-2-Clause */
#include "flamegraph/frame_cache.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/base/hash.h"
#include "user/model/folded_line.h"

#define BYTES(byte) (0x0101010101010101u * (byte))

/* --- what bytes mean ------------------------------------------------------------------------- */

/* Appends the bytes as UTF-8; what is not in their encoding becomes U+FFFD, byte by byte. */
static int convert(struct frame_cache *cache, const char *text, size_t len, bool *ret_mended)
{
	char *from = (char *)text, out[256], *to;
	struct str *converted = &cache->converted;
	size_t room, n;
	int err = 0;

	str_clear(converted);
	iconv(cache->encoding, NULL, NULL, NULL, NULL);
	while (!err && len) {
		to = out;
		room = sizeof(out);
		n = iconv(cache->encoding, &from, &len, &to, &room);
		err = str_add_bytes(converted, out, to - out);
		if (n == (size_t)-1 && errno != E2BIG && !err) {
			*ret_mended = true;
			err = str_add(converted, "\xef\xbf\xbd");
			from++;
			len--;
		}
	}
	to = out;
	room = sizeof(out);
	if (!err && iconv(cache->encoding, NULL, NULL, &to, &room) != (size_t)-1)
		err = str_add_bytes(converted, out, to - out);
	return err;
}

static int add_frame(struct frame_cache *cache, const char *name, uint32_t kind, uint32_t *ret)
{
	const char *module = kind == FRAME_KERNEL ? "[kernel]" : "";
	int err;

	if (cache->lock)
		pthread_mutex_lock(cache->lock);
	err = flame_tree_add_frame(cache->tree, name, module, kind, ret);
	if (cache->lock)
		pthread_mutex_unlock(cache->lock);
	return err;
}

static int find_out(struct frame_cache *cache, const char *text, size_t len,
		    struct cached_frame *ret)
{
	struct str *clean = &cache->clean;
	bool is_mended = false;
	const char *name;
	uint32_t kind;
	int err = 0;

	str_clear(clean);
	if (cache->encoding != (iconv_t)-1) {
		err = convert(cache, text, len, &is_mended);
		text = str_text(&cache->converted);
		len = cache->converted.len;
	}
	if (err || str_add_clean(clean, text, len, 0))
		return errf(-ENOMEM, "no memory for the name of a frame");
	ret->is_mended = is_mended || !text_is_clean(text, len, 0);
	name = str_text(clean);
	len = clean->len;
	folded_trim(&name, &len);
	ret->frame = FRAME_CACHE_BLANK;
	if (!len)
		return 0;
	kind = folded_take_kind(name, &len);
	clean->data[name + len - clean->data] = '\0';
	return add_frame(cache, name, kind, &ret->frame);
}

/* --- the table ------------------------------------------------------------------------------- */

static uint64_t fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/*
 * Eight bytes at a time, and the end in the same go: a byte that is ';' is the lowest one whose top
 * bit is set after a borrow ("Bit Twiddling Hacks", Anderson: determine if a word has a zero byte).
 */
static uint64_t hash_to_end(const struct frame_cache *cache, const char *text, size_t *ret_len)
{
	uint64_t h = cache->seeds[0], word, x, ends;
	const char *p = text;

	for (;; p += sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		word = le64toh(word);
		x = word ^ BYTES(';');
		ends = (x - BYTES(1)) & ~x & BYTES(0x80);
		if (ends)
			break;
		h = fold(h ^ word, cache->seeds[1]);
	}
	x = __builtin_ctzll(ends) & ~7u; /* bits before the end */
	*ret_len = p - text + x / 8;
	word &= (1ull << x) - 1;
	return fold(fold(h ^ word, cache->seeds[1]) ^ *ret_len, cache->seeds[1]);
}

/* The bytes that are kept end in 0 up to a whole word; 7 more than 'len' can be read of 'text'. */
static bool is_same(const struct frame_cache *cache, const struct cached_frame *slot,
		    const char *text, size_t len)
{
	const uint64_t *kept = cache->text + slot->text;
	uint64_t word;

	if (slot->len != len)
		return false;
	for (; len >= sizeof(word); len -= sizeof(word), text += sizeof(word)) {
		memcpy(&word, text, sizeof(word));
		if (word != *kept++)
			return false;
	}
	memcpy(&word, text, sizeof(word));
	return !((le64toh(word) ^ le64toh(*kept)) & ((1ull << len * 8) - 1));
}

/* The slot that holds the frame, or the empty one where it would go. The table is never full. */
static struct cached_frame *slot_of(const struct frame_cache *cache, const char *text, size_t len,
				    uint64_t hash)
{
	size_t mask = cache->n_slots - 1, i;

	for (i = hash & mask; cache->slots[i].len; i = (i + 1) & mask) {
		if (cache->slots[i].tag == hash >> 32 &&
		    is_same(cache, &cache->slots[i], text, len))
			break;
	}
	return &cache->slots[i];
}

static int grow(struct frame_cache *cache)
{
	size_t n_slots = cache->n_slots * 2, i, to, len;
	struct cached_frame *slots = calloc(n_slots, sizeof(*slots));

	if (!slots)
		return errf(-ENOMEM, "no memory for the names of %zu frames", cache->n);
	for (i = 0; i < cache->n_slots; i++) {
		if (!cache->slots[i].len)
			continue;
		to = hash_to_end(cache, (char *)(cache->text + cache->slots[i].text), &len);
		for (to &= n_slots - 1; slots[to].len;)
			to = (to + 1) & (n_slots - 1);
		slots[to] = cache->slots[i];
	}
	free(cache->slots);
	cache->slots = slots;
	cache->n_slots = n_slots;
	return 0;
}

/* Keeps the bytes with the ';' behind them. */
static int keep_text(struct frame_cache *cache, const char *text, size_t len, uint32_t *ret)
{
	size_t words = len / sizeof(*cache->text) + 1, start = cache->text_len;

	if (start + words > UINT32_MAX ||
	    array_reserve(cache->text, cache->text_cap, start + words))
		return errf(-ENOMEM, "no memory for the names of %zu frames", cache->n);
	cache->text[start + words - 1] = 0;
	memcpy(cache->text + start, text, len + 1);
	cache->text_len += words;
	*ret = start;
	return 0;
}

static int add(struct frame_cache *cache, const char *text, size_t len, uint64_t hash,
	       const struct cached_frame **ret)
{
	struct cached_frame frame = { .tag = hash >> 32, .len = len }, *slot;
	int err = cache->n * 3 >= cache->n_slots * 2 ? grow(cache) : 0;

	if (!err)
		err = find_out(cache, text, len, &frame);
	if (!err)
		err = keep_text(cache, text, len, &frame.text);
	if (err)
		return err;
	slot = slot_of(cache, text, len, hash);
	*slot = frame;
	cache->n++;
	*ret = slot;
	return 0;
}

void frame_cache_key(const struct frame_cache *cache, const char *text, struct frame_key *ret)
{
	ret->text = text;
	ret->hash = hash_to_end(cache, text, &ret->len);
	__builtin_prefetch(&cache->slots[ret->hash & (cache->n_slots - 1)]);
}

void frame_cache_ask(const struct frame_cache *cache, const struct frame_key *key)
{
	const struct cached_frame *slot = &cache->slots[key->hash & (cache->n_slots - 1)];

	__builtin_prefetch(cache->text + slot->text);
}

int frame_cache_find(struct frame_cache *cache, const struct frame_key *key,
		     const struct cached_frame **ret)
{
	const struct cached_frame *slot = slot_of(cache, key->text, key->len, key->hash);

	if (!slot->len)
		return add(cache, key->text, key->len, key->hash, ret);
	*ret = slot;
	return 0;
}

/* --- its life -------------------------------------------------------------------------------- */

void frame_cache_free(struct frame_cache *cache)
{
	if (!cache)
		return;
	if (cache->encoding != (iconv_t)-1)
		iconv_close(cache->encoding);
	str_release(&cache->converted);
	str_release(&cache->clean);
	free(cache->slots);
	free(cache->text);
	free(cache);
}

/* Lines are taken apart before they are converted. */
static int check_ascii(iconv_t encoding, const char *name)
{
	static const char needed[] = "\t\n\r #;.0123456789";
	const char *c;

	for (c = needed; *c; c++) {
		char in = *c, out[8], *from = &in, *to = out;
		size_t n_from = 1, room = sizeof(out);

		iconv(encoding, NULL, NULL, NULL, NULL);
		if (iconv(encoding, &from, &n_from, &to, &room) == (size_t)-1 || to != out + 1 ||
		    out[0] != *c)
			return errf(
				-EINVAL,
				"stacks in '%s' cannot be read: it has other bytes than ASCII for "
				"';', spaces and digits; convert them with iconv(1)",
				name);
	}
	return 0;
}

static int open_encoding(struct frame_cache *cache, const char *name)
{
	if (!name || !strcasecmp(name, "UTF-8") || !strcasecmp(name, "UTF8"))
		return 0;
	cache->encoding = iconv_open("UTF-8", name);
	if (cache->encoding == (iconv_t)-1)
		return errf(-EINVAL, "'%s' is no known encoding of text; 'iconv -l' lists them",
			    name);
	return check_ascii(cache->encoding, name);
}

int frame_cache_new(struct flame_tree *tree, pthread_mutex_t *lock, const char *encoding,
		    struct frame_cache **ret)
{
	_cleanup_(frame_cache_freep) struct frame_cache *cache = calloc(1, sizeof(*cache));
	int err;

	if (!cache)
		return errf(-ENOMEM, "no memory for the names of frames");
	cache->tree = tree;
	cache->lock = lock;
	cache->encoding = (iconv_t)-1;
	cache->n_slots = 64;
	cache->slots = calloc(cache->n_slots, sizeof(*cache->slots));
	if (!cache->slots)
		return errf(-ENOMEM, "no memory for the names of frames");
	/* Keyed as hash_bytes() is: names chosen by others cannot be made to fall into one slot. */
	cache->seeds[0] = hash_bytes("0", 1);
	cache->seeds[1] = hash_bytes("1", 1) | 1;
	err = open_encoding(cache, encoding);
	if (!err)
		*ret = take(cache);
	return err;
}
