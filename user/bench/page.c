/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/page.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/base/xml.h"

void page_release(struct page *p)
{
	str_release(&p->text);
}

static void add(struct page *p, const char *bytes, size_t len)
{
	if (!p->err)
		p->err = str_add_bytes(&p->text, bytes, len);
}

void page_put(struct page *p, const char *text)
{
	add(p, text, strlen(text));
}

void page_putf(struct page *p, const char *fmt, ...)
{
	_cleanup_(freep) char *text = NULL;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0) {
		text = NULL;
		p->err = p->err ?: -ENOMEM;
	}
	va_end(args);
	if (text)
		page_put(p, text);
}

/* Appends what str_add_clean() makes of it, with each character of 'special' replaced as in
 * 'instead'. */
static void add_replaced(struct page *p, const char *text, const char *special,
			 const char *const *instead)
{
	_cleanup_(str_release) struct str clean = { 0 };
	const char *at;
	size_t n;

	if (p->err || !text)
		return;
	p->err = str_add_clean(&clean, text, strlen(text), 0);
	for (at = str_text(&clean); *at && !p->err; at += n) {
		n = strcspn(at, special);
		add(p, at, n);
		if (!at[n])
			break;
		page_put(p, instead[strchr(special, at[n]) - special]);
		n++;
	}
}

void page_clean(struct page *p, const char *text)
{
	add_replaced(p, text, "", NULL);
}

void page_column(struct page *p, const char *text, unsigned int width)
{
	_cleanup_(str_release) struct str clean = { 0 };
	unsigned int chars = 0;
	const char *at;

	if (p->err)
		return;
	p->err = text ? str_add_clean(&clean, text, strlen(text), 0) : 0;
	for (at = str_text(&clean); *at; at++) {
		bool is_start = ((unsigned char)*at & 0xc0) != 0x80;

		if (is_start && chars++ == width)
			return;
		add(p, at, 1);
	}
	for (; chars < width; chars++)
		page_put(p, " ");
}

void page_xml(struct page *p, const char *text)
{
	if (!p->err && text)
		p->err = xml_add(&p->text, text);
}

void page_code(struct page *p, const char *text)
{
	/* Nothing can be escaped in there but the border of a table's cells. */
	static const char *const instead[] = { "'", "\\|" };

	page_put(p, "`");
	add_replaced(p, text && *text ? text : "-", "`|", instead);
	page_put(p, "`");
}

void page_words(struct page *p, const char *text)
{
	static const char *const instead[] = { "\\\\", "\\`", "\\*", "\\_",   "\\[", "\\]", "&lt;",
					       "&gt;", "\\#", "\\|", "&amp;", "\\~", "\\@" };

	add_replaced(p, text, "\\`*_[]<>#|&~@", instead);
}

void page_label(struct page *p, const char *text)
{
	static const char *const instead[] = { "\\\\", "\\\"" };

	add_replaced(p, text, "\\\"", instead);
}

void page_message(struct page *p, const char *text)
{
	/* Line ends, which are to be %0D and %0A, are no part of clean text. */
	static const char *const instead[] = { "%25" };

	add_replaced(p, text, "%", instead);
}

void page_property(struct page *p, const char *text)
{
	static const char *const instead[] = { "%25", "%3A", "%2C" };

	add_replaced(p, text, "%:,", instead);
}

struct scale {
	const char *unit;
	double from;
	const char *name;
	double factor;
};

/* The first that fits of each unit. */
static const struct scale scales[] = {
	{ "ns", 1e9, "s", 1e-9 },
	{ "ns", 1e6, "ms", 1e-6 },
	{ "ns", 1e3, "us", 1e-3 },
	{ "nanoseconds", 1e9, "s", 1e-9 },
	{ "nanoseconds", 1e6, "ms", 1e-6 },
	{ "nanoseconds", 1e3, "us", 1e-3 },
	{ "nanoseconds", 0, "ns", 1 },
	{ "bytes", 0x1p30, "GiB", 0x1p-30 },
	{ "bytes", 0x1p20, "MiB", 0x1p-20 },
	{ "bytes", 0x1p10, "KiB", 0x1p-10 },
	{ "count", 0, "", 1 },
};

void page_quantity(struct page *p, double value, const char *unit)
{
	size_t i;

	if (!isfinite(value)) {
		page_put(p, "-");
		return;
	}
	if (!unit)
		unit = "";
	for (i = 0; i < ARRAY_SIZE(scales); i++) {
		if (strcmp(unit, scales[i].unit) || fabs(value) < scales[i].from)
			continue;
		value *= scales[i].factor;
		unit = scales[i].name;
		break;
	}
	page_putf(p, fabs(value) >= 1000 && fabs(value) < 1e15 ? "%.0f" : "%.4g", value);
	if (*unit)
		page_put(p, " ");
	page_clean(p, unit);
}

void page_change(struct page *p, double change, bool is_points)
{
	if (!isfinite(change))
		page_put(p, "-");
	else
		page_putf(p, is_points ? "%+.1f points" : "%+.1f %%", 100 * change);
}

int page_write(struct page *p, const char *name, FILE *out)
{
	if (p->err)
		return errf(p->err, "no memory for '%s'", name);
	if (fwrite(str_text(&p->text), 1, p->text.len, out) != p->text.len || fflush(out))
		return errf(-EIO, "cannot write all of '%s': %m", name);
	return 0;
}

void page_limits(struct page *p, double value, double min, double max)
{
	if (isfinite(value))
		page_putf(p, " is %.10g", value);
	else
		page_put(p, " is not known");
	if (isfinite(min))
		page_putf(p, ", at least %.10g", min);
	if (isfinite(max))
		page_putf(p, ", at most %.10g", max);
}
