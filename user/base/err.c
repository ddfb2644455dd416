/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char sentence[1024];

/* What is printed to a terminal must not be able to steer it. */
static void clean(char *s)
{
	for (; *s; s++) {
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			*s = '?';
		/* U+0080 to U+009F in UTF-8: some terminals take U+009B for ESC [. */
		if ((unsigned char)s[0] == 0xc2 && (unsigned char)s[1] >= 0x80 &&
		    (unsigned char)s[1] < 0xa0)
			s[0] = s[1] = '?';
	}
}

int errf(int err, const char *fmt, ...)
{
	char text[sizeof(sentence)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap); /* an argument may be err_text() itself */
	va_end(ap);
	clean(text);
	memcpy(sentence, text, sizeof(sentence));
	return err;
}

int err_prefix(int err, const char *fmt, ...)
{
	char text[2 * sizeof(sentence) + 2];
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(text, sizeof(sentence), fmt, ap);
	va_end(ap);
	if (len < 0 || (size_t)len >= sizeof(sentence))
		len = sizeof(sentence) - 1;
	snprintf(text + len, sizeof(text) - len, ": %s", sentence);
	text[sizeof(sentence) - 1] = '\0';
	clean(text);
	memcpy(sentence, text, sizeof(sentence));
	return err;
}

const char *err_text(void)
{
	return sentence;
}
