/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flame_pack: the sections of a call tree as lines of text, "NAME BASE64", and back: zlib format
 * (RFC 1950) in base64 (RFC 4648). Numbers in a section are unsigned LEB128.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "user/base/array.h"
#include "user/base/str.h"

/* In the order of their lines. */
enum flame_section_number {
	FLAME_HEADER,
	FLAME_NAMES,
	FLAME_MODULES,
	FLAME_FRAMES,
	FLAME_SHAPE,
	FLAME_EDGES,
	FLAME_SELF,
	FLAME_BEFORE,
	FLAME_LEADS,
	FLAME_RESTS,
	FLAME_REST_FRAMES,
	FLAME_TIME,
	FLAME_N_SECTIONS
};
extern const char *const flame_section_names[FLAME_N_SECTIONS];

struct flame_section {
	const char *name;
	struct str raw;	 /* its bytes */
	struct str text; /* its line, with the LF */
	int err;
};

/*
 * Makes the text of each section that is not empty, on two CPUs; the bytes do not depend on who
 * did which. 0 or -ENOMEM with a sentence.
 */
int flame_pack(struct flame_section *sections, size_t n);

/*
 * The bytes of 'len' characters of base64. At most 'max' bytes: more are -EFBIG; -EINVAL for what
 * is neither base64 nor zlib format, or ends early; -ENOMEM. No sentence.
 */
int flame_unpack(const char *text, size_t len, size_t max, struct str *ret);

/* Appends; 0 or -ENOMEM. */
static inline int flame_add_varint(struct str *s, uint64_t v)
{
	char *to;

	if (s->cap - s->len < 12 && array_reserve(s->data, s->cap, s->len + 12))
		return -ENOMEM;
	to = s->data + s->len;
	for (; v > 0x7f; v >>= 7)
		*to++ = (char)(v | 0x80);
	*to++ = (char)v;
	*to = '\0';
	s->len = to - s->data;
	return 0;
}
