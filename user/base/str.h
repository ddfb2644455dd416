/* SPDX-License-Identifier: BSD-2-Clause */
/* str: a growing byte string, always terminated by a NUL that 'len' does not count. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "user/base/cleanup.h"

struct str {
	char *data; /* NULL until something is added */
	size_t len;
	size_t cap;
};

void str_release(struct str *s);

/* Empties and keeps the storage. */
void str_clear(struct str *s);

/* Append; 0 or -ENOMEM with the string as it was. */
int str_add(struct str *s, const char *text);
int str_add_bytes(struct str *s, const void *bytes, size_t len);
int str_addf(struct str *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* What was built so far, "" if nothing. */
const char *str_text(const struct str *s);

/*
 * Appends 'text' as valid UTF-8 on one line: bytes that are not UTF-8 become U+FFFD, control
 * characters (C0, DEL, C1, U+2028 and U+2029) become '?', and the character 'avoid' (0 for none)
 * becomes ':'. Nothing else is changed. Source: Unicode 15, table 3-7 (well-formed UTF-8).
 */
int str_add_clean(struct str *s, const char *text, size_t len, char avoid);

/* Whether str_add_clean(.., avoid) would change nothing. */
bool text_is_clean(const char *text, size_t len, char avoid);
