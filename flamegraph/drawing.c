/* SPDX-License-Identifier: BSD-2-Clause */
#include "flamegraph/drawing.h"

#include <errno.h>
#include <stdarg.h>

#include "user/base/err.h"
#include "user/base/xml.h"

#define MUCH (64u << 10) /* bytes */

static void write_text(struct drawing *d)
{
	errno = 0;
	if (!d->err && fwrite(d->text.data, 1, d->text.len, d->out) != d->text.len)
		d->err = errno ? -errno : -EIO;
	str_clear(&d->text);
}

static void write_if_much(struct drawing *d)
{
	if (d->text.len >= MUCH)
		write_text(d);
}

void drawing_put(struct drawing *d, const char *text)
{
	if (!d->err)
		d->err = str_add(&d->text, text);
	write_if_much(d);
}

void drawing_putf(struct drawing *d, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!d->err)
		d->err = n < 0 || (size_t)n >= sizeof(text) ? -EOVERFLOW
							    : str_add_bytes(&d->text, text, n);
	write_if_much(d);
}

void drawing_put_xml(struct drawing *d, const char *text)
{
	if (!d->err)
		d->err = xml_add(&d->text, text);
	write_if_much(d);
}

/* Not %f, whose point may be a comma. */
void drawing_put_number(struct drawing *d, const char *attribute, long hundredths)
{
	long v = hundredths < 0 ? -hundredths : hundredths;

	drawing_putf(d, " %s=\"%s%ld", attribute, hundredths < 0 ? "-" : "", v / 100);
	if (v % 100)
		drawing_putf(d, v % 10 ? ".%02ld" : ".%ld", v % 10 ? v % 100 : v % 100 / 10);
	drawing_put(d, "\"");
}

int drawing_end(struct drawing *d, const char *what)
{
	if (d->text.len)
		write_text(d);
	errno = 0;
	if (!d->err && fflush(d->out))
		d->err = errno ? -errno : -EIO;
	str_release(&d->text);
	if (!d->err)
		return 0;
	errno = -d->err;
	return errf(d->err, "cannot write %s: %m", what);
}
