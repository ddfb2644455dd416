/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/dev_number.h"

/* Digits at *at, which moves behind them; false if there are none or they are more than 'max'. */
static bool parse_decimal(const char *text, size_t len, size_t *at, unsigned int max,
			  unsigned int *ret)
{
	size_t start = *at;

	for (*ret = 0; *at < len && text[*at] >= '0' && text[*at] <= '9'; (*at)++) {
		*ret = *ret * 10 + (text[*at] - '0');
		if (*ret > max)
			return false;
	}
	return *at > start;
}

bool dev_number_parse(const char *text, size_t len, uint32_t *ret)
{
	unsigned int major, minor;
	size_t at = 0;

	if (!parse_decimal(text, len, &at, DEV_NUMBER_MAX_MAJOR, &major) || at == len ||
	    text[at++] != ':' || !parse_decimal(text, len, &at, DEV_NUMBER_MAX_MINOR, &minor) ||
	    at != len)
		return false;
	*ret = dev_number(major, minor);
	return true;
}
