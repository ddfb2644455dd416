/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/base/str.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "user/base/array.h"

void str_release(struct str *s)
{
	free(s->data);
	*s = (struct str){ 0 };
}

void str_clear(struct str *s)
{
	s->len = 0;
	if (s->data)
		s->data[0] = '\0';
}

int str_add_bytes(struct str *s, const void *bytes, size_t len)
{
	if (len >= SIZE_MAX - s->len || array_reserve(s->data, s->cap, s->len + len + 1))
		return -ENOMEM;
	if (len)
		memcpy(s->data + s->len, bytes, len);
	s->len += len;
	s->data[s->len] = '\0';
	return 0;
}

int str_add(struct str *s, const char *text)
{
	return str_add_bytes(s, text, strlen(text));
}

int str_addf(struct str *s, const char *fmt, ...)
{
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (len < 0 || array_reserve(s->data, s->cap, s->len + len + 1))
		return -ENOMEM;
	va_start(ap, fmt);
	vsnprintf(s->data + s->len, len + 1, fmt, ap);
	va_end(ap);
	s->len += len;
	return 0;
}

const char *str_text(const struct str *s)
{
	return s->data ? s->data : "";
}

/* Length of the well-formed UTF-8 sequence at 'p', 0 if there is none; its character in *ret_c. */
static size_t utf8_sequence(const unsigned char *p, size_t len, uint32_t *ret_c)
{
	uint32_t c = p[0], min;
	size_t need, i;

	if (c < 0x80) {
		*ret_c = c;
		return 1;
	}
	if (c >= 0xc2 && c <= 0xdf)
		need = 2, c &= 0x1f, min = 0x80;
	else if ((c & 0xf0) == 0xe0)
		need = 3, c &= 0x0f, min = 0x800;
	else if (c >= 0xf0 && c <= 0xf4)
		need = 4, c &= 0x07, min = 0x10000;
	else
		return 0;
	if (need > len)
		return 0;
	for (i = 1; i < need; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < min || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret_c = c;
	return need;
}

static bool is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029;
}

int str_add_clean(struct str *s, const char *text, size_t len, char avoid)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t n, i, was = s->len;
	uint32_t c;
	int err;

	if (text_is_clean(text, len, avoid))
		return str_add_bytes(s, text, len);
	for (i = 0; i < len; i += n) {
		n = utf8_sequence(p + i, len - i, &c);
		if (!n) {
			n = 1;
			err = str_add_bytes(s, "\xef\xbf\xbd", 3);
		} else if (is_control(c)) {
			err = str_add_bytes(s, "?", 1);
		} else if (avoid && c == (unsigned char)avoid) {
			err = str_add_bytes(s, ":", 1);
		} else {
			err = str_add_bytes(s, p + i, n);
		}
		if (err) {
			s->len = was;
			if (s->data)
				s->data[was] = '\0';
			return err;
		}
	}
	return 0;
}

bool text_is_clean(const char *text, size_t len, char avoid)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t n, i;
	uint32_t c;

	for (i = 0; i < len; i += n) {
		n = utf8_sequence(p + i, len - i, &c);
		if (!n || is_control(c) || (avoid && c == (unsigned char)avoid))
			return false;
	}
	return true;
}
