/* SPDX-License-Identifier: BSD-2-Clause */
#include "flamegraph/label.h"

#include <math.h>
#include <string.h>

#define ELLIPSIS "\xe2\x80\xa6"

/* Advance widths of DejaVu Sans 2.37, U+0020 to U+007E, thousandths of an em. */
static const short widths[] = {
	318,  401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337,
	636,  636, 636, 636, 636, 636, 636, 636, 636, 636, 337, 337, 838, 838, 838, 531,
	1000, 684, 686, 698, 770, 632, 575, 775, 752, 295, 295, 656, 557, 863, 748, 787,
	603,  787, 695, 635, 611, 732, 684, 989, 685, 611, 685, 390, 337, 390, 838, 500,
	500,  613, 635, 550, 635, 615, 352, 635, 634, 278, 278, 579, 278, 974, 634, 612,
	635,  635, 411, 521, 392, 634, 592, 818, 592, 592, 525, 636, 337, 636, 838,
};

static long char_width(const char *p, double size, short least)
{
	unsigned char c = *p;
	short width = c >= 0x20 && c < 0x7f ? widths[c - 0x20] : 1000;

	return (long)ceil((width > least ? width : least) * size / 10);
}

/* Bytes of the character at 'p': up to where the next one can begin. */
static size_t char_bytes(const char *p)
{
	size_t n = 1;

	while (((unsigned char)p[n] & 0xc0) == 0x80)
		n++;
	return n;
}

short label_least_width(const char *font)
{
	return font && strcmp(font, LABEL_FONT) ? 620 : 0;
}

long label_width(const char *text, double size)
{
	return label_width_font(text, size, 0);
}

long label_width_font(const char *text, double size, short least)
{
	long width = 0;

	for (; *text; text += char_bytes(text))
		width += char_width(text, size, least);
	return width;
}

int label_fit(const char *text, double size, long room, struct str *out)
{
	return label_fit_font(text, size, 0, room, out);
}

int label_fit_font(const char *text, double size, short least, long room, struct str *out)
{
	long width = 0, left = room - char_width(ELLIPSIS, size, least);
	size_t i = 0, cut = 0, chars = 0;
	int err;

	for (; text[i]; i += char_bytes(text + i)) {
		if (width <= left) {
			cut = i;
			chars += i > 0;
		}
		width += char_width(text + i, size, least);
		if (width > room)
			break;
	}
	if (!text[i])
		return str_add_bytes(out, text, i);
	if (chars < 3)
		return 0;
	err = str_add_bytes(out, text, cut);
	return err ? err : str_add(out, ELLIPSIS);
}
