/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cursor: reads call frame information byte by byte. Reading behind the end gives zeros and says so
 * from then on: check 'bad' once after several reads.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct cursor {
	const uint8_t *at, *end;
	bool bad;
};

static inline size_t cursor_left(const struct cursor *c)
{
	return c->end - c->at;
}

static inline bool cursor_copy(struct cursor *c, void *to, size_t len)
{
	if (cursor_left(c) < len) {
		memset(to, 0, len);
		c->at = c->end;
		c->bad = true;
		return false;
	}
	memcpy(to, c->at, len);
	c->at += len;
	return true;
}

/* The next 'len' bytes, or NULL. */
static inline const uint8_t *cursor_skip(struct cursor *c, uint64_t len)
{
	const uint8_t *from = c->at;

	if (cursor_left(c) < len) {
		c->at = c->end;
		c->bad = true;
		return NULL;
	}
	c->at += len;
	return from;
}

/* cursor_u8() to cursor_u64(): of this machine's byte order, at any address. */
#define CURSOR_READ(bits)                                             \
	static inline uint##bits##_t cursor_u##bits(struct cursor *c) \
	{                                                             \
		uint##bits##_t x;                                     \
		cursor_copy(c, &x, sizeof(x));                        \
		return x;                                             \
	}
CURSOR_READ(8)
CURSOR_READ(16)
CURSOR_READ(32)
CURSOR_READ(64)

/* LEB128 (DWARF 5, 7.6); what does not fit into 64 bits is bad. */
static inline uint64_t cursor_leb(struct cursor *c, bool is_signed)
{
	unsigned int shift = 0;
	uint64_t x = 0;
	uint8_t byte;

	do {
		if (c->at == c->end || shift > 63) {
			c->bad = true;
			return 0;
		}
		byte = *c->at++;
		x |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80);
	if (is_signed && shift < 64 && (byte & 0x40))
		x |= -1ull << shift;
	return x;
}

static inline uint64_t cursor_uleb(struct cursor *c)
{
	return cursor_leb(c, false);
}

static inline int64_t cursor_sleb(struct cursor *c)
{
	return (int64_t)cursor_leb(c, true);
}
