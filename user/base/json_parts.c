/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/base/json_parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "user/base/str.h"

json_t *json_part_text(const char *text)
{
	_cleanup_(str_release) struct str clean = { 0 };

	if (!text)
		return json_null();
	if (str_add_clean(&clean, text, strlen(text), 0))
		return NULL;
	return json_string(str_text(&clean));
}

json_t *json_part_count(uint64_t n)
{
	return json_integer(n < INT64_MAX ? (json_int_t)n : INT64_MAX);
}

json_t *json_part_known(uint64_t n)
{
	return n ? json_part_count(n) : json_null();
}

json_t *json_part_number(double v)
{
	if (!isfinite(v))
		return json_null();
	/* Zero with a sign is none of the integers. */
	if (fabs(v) <= 0x1p53 && v == trunc(v) && !(v == 0 && signbit(v)))
		return json_integer((json_int_t)v);
	return json_real(v);
}

json_t *json_part_share(double part, double whole)
{
	if (whole == 0)
		return json_null();
	return json_real(round(part / whole * 1e6) / 1e6);
}

json_t *json_part_time(uint64_t ns_since_1970)
{
	time_t seconds = ns_since_1970 / 1000000000;
	char text[64];
	struct tm tm;
	size_t len;

	if (!ns_since_1970 || !gmtime_r(&seconds, &tm))
		return json_null();
	len = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + len, sizeof(text) - len, ".%09uZ",
		 (unsigned int)(ns_since_1970 % 1000000000));
	return json_string(text);
}

uint64_t json_time_ns(const json_t *time)
{
	const char *text = json_string_value(time);
	unsigned int fraction;
	struct tm tm = { 0 };
	time_t seconds;
	int end = 0;

	if (!text || strlen(text) != strlen("2024-05-01T12:34:56.123456789Z") ||
	    sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%9uZ%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
		   &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &fraction, &end) != 7 ||
	    !end || text[end])
		return 0;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	seconds = timegm(&tm);
	/* Until 2500: far below what 64 bits hold. */
	if (seconds < 0 || seconds > 16725225600)
		return 0;
	return (uint64_t)seconds * 1000000000 + fraction;
}

json_t *json_part_words(char *const *words)
{
	json_t *list;

	if (!words)
		return json_null();
	list = json_array();
	for (; *words; words++) {
		if (json_array_append_new(list, json_part_text(*words))) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

char *json_text(const json_t *value)
{
	/* Ten digits show a number that was rounded to six without the noise of its last bits. */
	char *text = json_dumps(value, JSON_INDENT(2) | JSON_REAL_PRECISION(10) | JSON_ENCODE_ANY);
	size_t len;
	char *grown;

	if (!text)
		return NULL;
	len = strlen(text);
	grown = realloc(text, len + 2);
	if (!grown) {
		free(text);
		return NULL;
	}
	memcpy(grown + len, "\n", 2);
	return grown;
}
