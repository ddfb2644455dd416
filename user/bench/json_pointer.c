/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/json_pointer.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN_MAX 1024

/* "~1" is "/", "~0" is "~". */
static bool unescape(const char *token, size_t len, char ret[TOKEN_MAX])
{
	size_t i, n = 0;

	if (len >= TOKEN_MAX)
		return false;
	for (i = 0; i < len; i++) {
		char c = token[i];

		if (c == '~') {
			if (++i == len || (token[i] != '0' && token[i] != '1'))
				return false;
			c = token[i] == '0' ? '~' : '/';
		}
		ret[n++] = c;
	}
	ret[n] = '\0';
	return true;
}

static json_t *element(json_t *list, const char *token)
{
	size_t digits = strspn(token, "0123456789");

	if (!digits || token[digits] || digits > 9 || (*token == '0' && digits > 1))
		return NULL;
	return json_array_get(list, strtoul(token, NULL, 10));
}

json_t *json_pointer_get(json_t *root, const char *pointer)
{
	char token[TOKEN_MAX];
	json_t *value = root;
	size_t len;

	while (value && *pointer) {
		if (*pointer++ != '/')
			return NULL;
		len = strcspn(pointer, "/");
		if (!unescape(pointer, len, token))
			return NULL;
		pointer += len;
		value = json_is_array(value) ? element(value, token)
					     : json_object_get(value, token);
	}
	return value;
}
