/* SPDX-License-Identifier: BSD-2-Clause */
#include "shim/settings.h"

#include <stddef.h>
#include <string.h>

#define PRELOAD "LD_PRELOAD="

/* A decimal number that ends at ',' or at the end. */
static bool parse_number(const char **at, uint64_t *ret)
{
	const char *p = *at;
	uint64_t n = 0;

	if (*p < '0' || *p > '9')
		return false;
	for (; *p >= '0' && *p <= '9'; p++) {
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(*p - '0'), &n))
			return false;
	}
	if (*p && *p != ',')
		return false;
	*at = *p ? p + 1 : p;
	*ret = n;
	return true;
}

static bool parse_switch(const char **at, bool *ret)
{
	uint64_t n;

	if (!parse_number(at, &n) || n > 1)
		return false;
	*ret = n;
	return true;
}

/* A path that ends at ',' or at the end. */
static bool parse_path(const char **at, char *ret, size_t size)
{
	size_t len = strcspn(*at, ",");

	if (!len || len >= size)
		return false;
	memcpy(ret, *at, len);
	ret[len] = '\0';
	*at += len;
	*at += **at == ',';
	return true;
}

static bool takes(const char **at, const char *key)
{
	size_t len = strlen(key);

	if (strncmp(*at, key, len) != 0)
		return false;
	*at += len;
	return true;
}

bool settings_parse(const char *text, struct settings *ret)
{
	struct settings s = { .follow = true };
	bool ok = true;

	while (ok && *text) {
		if (takes(&text, "interval="))
			ok = parse_number(&text, &s.interval_bytes);
		else if (takes(&text, "seed="))
			ok = s.has_seed = parse_number(&text, &s.seed);
		else if (takes(&text, "maps="))
			ok = parse_switch(&text, &s.maps);
		else if (takes(&text, "known="))
			ok = parse_path(&text, s.known, sizeof(s.known));
		else if (takes(&text, "follow="))
			ok = parse_switch(&text, &s.follow);
		else
			ok = false;
	}
	if (!ok || !s.interval_bytes || s.interval_bytes > SETTINGS_MAX_INTERVAL)
		return false;
	*ret = s;
	return true;
}

static bool is_named(const char *entry, size_t len, const char *library)
{
	size_t n = strlen(library);

	return len >= n && !memcmp(entry + len - n, library, n) &&
	       (len == n || entry[len - n - 1] == '/');
}

/* ld.so(8): entries are separated by spaces or colons. False if nothing is left. */
static bool remove_entries(char *value, const char *library)
{
	char *start = value, *to = value;
	size_t len;

	while (*value) {
		len = strcspn(value, ": ");
		if (len && !is_named(value, len, library)) {
			if (to != start)
				*to++ = ':';
			memmove(to, value, len);
			to += len;
		}
		value += len;
		value += *value != '\0';
	}
	*to = '\0';
	return to != start;
}

void settings_forget(char **environment, const char *library)
{
	char **to = environment;
	size_t n = strlen(PRELOAD);

	for (; *environment; environment++) {
		if (!strncmp(*environment, SETTINGS_VARIABLE "=", strlen(SETTINGS_VARIABLE "=")))
			continue;
		if (!strncmp(*environment, PRELOAD, n) &&
		    !remove_entries(*environment + n, library))
			continue;
		*to++ = *environment;
	}
	*to = NULL;
}
