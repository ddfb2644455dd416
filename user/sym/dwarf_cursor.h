/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dwarf_cursor: reads numbers and strings as DWARF and Go's tables have them out of memory that
 * somebody hostile may have filled. What would be read behind the end is 0, and 'bad' from then on;
 * nothing is read twice backwards, so every loop over a cursor ends. Numbers have this machine's
 * byte order, as elf_image.h demands of the file. Source: DWARF 5, 7.4 and 7.6.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct dwarf_cursor {
	const uint8_t *at, *end;
	bool bad;
};

static inline size_t dwarf_left(const struct dwarf_cursor *c)
{
	return c->end - c->at;
}

static inline void dwarf_fail(struct dwarf_cursor *c)
{
	c->at = c->end;
	c->bad = true;
}

static inline void dwarf_skip(struct dwarf_cursor *c, uint64_t n)
{
	if (n > dwarf_left(c))
		dwarf_fail(c);
	else
		c->at += n;
}

/* A number of 1 to 8 bytes. */
static inline uint64_t dwarf_uint(struct dwarf_cursor *c, unsigned int size)
{
	uint64_t v = 0;

	if (size > sizeof(v) || size > dwarf_left(c)) {
		dwarf_fail(c);
		return 0;
	}
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	memcpy(&v, c->at, size);
#else
	memcpy((uint8_t *)&v + sizeof(v) - size, c->at, size);
#endif
	c->at += size;
	return v;
}

static inline uint64_t dwarf_u8(struct dwarf_cursor *c)
{
	return dwarf_uint(c, 1);
}

/* Bits beyond 64 are dropped. */
static inline uint64_t dwarf_uleb(struct dwarf_cursor *c)
{
	unsigned int shift = 0;
	uint64_t v = 0;

	while (c->at < c->end) {
		uint8_t byte = *c->at++;

		if (shift < 64)
			v |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
		if (!(byte & 0x80))
			return v;
	}
	dwarf_fail(c);
	return 0;
}

/* Up to its NUL; "" and bad if there is none. */
static inline const char *dwarf_string(struct dwarf_cursor *c)
{
	const uint8_t *text = c->at, *nul = dwarf_left(c) ? memchr(text, 0, dwarf_left(c)) : NULL;

	if (!nul) {
		dwarf_fail(c);
		return "";
	}
	c->at = nul + 1;
	return (const char *)text;
}
