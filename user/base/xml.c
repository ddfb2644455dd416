/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/base/xml.h"

#include <stdbool.h>
#include <string.h>

static const char *entity(char c)
{
	switch (c) {
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '&':
		return "&amp;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

/*
 * Good UTF-8 that must not stand in one: U+FFFE and U+FFFF are no XML characters, and the
 * marks that turn the direction of text (U+200E-F, U+202A-E, U+2066-9) make one name look like
 * another.
 */
static bool is_unfit(const char *p, size_t n)
{
	unsigned char a = p[0], b = n == 3 ? p[1] : 0, c = n == 3 ? p[2] : 0;

	if (a == 0xef)
		return b == 0xbf && c >= 0xbe;
	if (b == 0x80)
		return c == 0x8e || c == 0x8f || (c >= 0xaa && c <= 0xae);
	return b == 0x81 && c >= 0xa6 && c <= 0xa9;
}

/* Of text that is clean. */
static int add_escaped(struct str *out, const char *text)
{
	const char *p = text;
	int err = 0;

	while (!err && *p) {
		size_t n = strcspn(p, "<>&\"'\xe2\xef");

		err = str_add_bytes(out, p, n);
		p += n;
		if (err || !*p)
			break;
		if (entity(*p)) {
			err = str_add(out, entity(*p));
			p++;
			continue;
		}
		n = p[1] && p[2] ? 3 : 1; /* what begins with these bytes */
		if (is_unfit(p, n))
			err = str_add(out, "\xef\xbf\xbd");
		else
			err = str_add_bytes(out, p, n);
		p += n;
	}
	return err;
}

int xml_add(struct str *out, const char *text)
{
	_cleanup_(str_release) struct str clean = { 0 };
	int err = str_add_clean(&clean, text, strlen(text), 0);

	return err ? err : add_escaped(out, str_text(&clean));
}
