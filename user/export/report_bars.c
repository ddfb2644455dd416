/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/export/report_bars.h"

#include "user/base/str.h"

#define BAR_WIDTH 40 /* characters */

static uint64_t count_of(const json_t *o, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(o, key));
}

/* At least a mark for what is there at all. */
static void print_bar(const struct report_style *style, uint64_t n, uint64_t most, FILE *out)
{
	static const char *const eighths[] = { "", "▏", "▎", "▍", "▌", "▋", "▊", "▉" };
	unsigned int length =
		n ? (unsigned int)((double)n / (double)most * BAR_WIDTH * 8 + 0.5) : 0;
	unsigned int full, i, used;

	if (n && !length)
		length = 1;
	full = style->utf8 ? length / 8 : (length + 7) / 8;
	used = full + (style->utf8 && length % 8);
	fputs(style->utf8 ? "  │" : "  |", out);
	for (i = 0; i < full; i++)
		fputs(style->utf8 ? "█" : "#", out);
	fputs(style->utf8 ? eighths[length % 8] : "", out);
	fprintf(out, "%*s%s\n", (int)(BAR_WIDTH - used), "", style->utf8 ? "│" : "|");
}

static int print_end(const struct report_bars *b, uint64_t v, FILE *out)
{
	_cleanup_(str_release) struct str s = { 0 };
	int err = view_amount((int64_t)v, b->unit, &s);

	if (!err)
		fprintf(out, "  %*s", b->unit_width, str_text(&s));
	return err;
}

static int print_line(const struct report_bars *b, const json_t *one, uint64_t most, int width,
		      const struct report_style *style, FILE *out)
{
	_cleanup_(str_release) struct str count = { 0 };
	int err = print_end(b, count_of(one, b->lower), out);

	if (err)
		return err;
	fputs(style->utf8 ? " …" : " ..", out);
	err = print_end(b, count_of(one, b->upper), out);
	if (!err)
		err = view_amount((int64_t)count_of(one, "n"), "count", &count);
	if (err)
		return err;
	fprintf(out, "  %*s", width, str_text(&count));
	print_bar(style, count_of(one, "n"), most, out);
	return 0;
}

uint64_t report_bars_most(const struct report_bars *bars)
{
	uint64_t most = 0;
	size_t i;

	for (i = 0; i < json_array_size(bars->list); i++) {
		uint64_t here = count_of(json_array_get(bars->list, i), "n");

		most = most < here ? here : most;
	}
	return most;
}

int report_bars(const struct report_bars *bars, const struct report_style *style, FILE *out)
{
	uint64_t most = report_bars_most(bars);
	_cleanup_(str_release) struct str count = { 0 };
	size_t i;
	int err = view_amount((int64_t)most, "count", &count);

	for (i = 0; i < json_array_size(bars->list) && most && !err; i++)
		err = print_line(bars, json_array_get(bars->list, i), most, (int)count.len, style,
				 out);
	return err;
}
