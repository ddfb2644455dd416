/* SPDX-License-Identifier: BSD-2-Clause */
#include "flamegraph/provenance.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "user/base/array.h"
#include "user/base/err.h"

int provenance_add(struct provenance *p, const char *key, const char *fmt, ...)
{
	_cleanup_(freep) char *text = NULL;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (len < 0) {
		text = NULL;
		return errf(-ENOMEM, "no memory for what a picture is of");
	}
	if (!len)
		return 0;
	if (array_reserve(p->pairs, p->cap, p->n + 1))
		return errf(-ENOMEM, "no memory for what a picture is of");
	p->pairs[p->n][0] = key;
	p->pairs[p->n++][1] = take(text);
	return 0;
}

void provenance_release(struct provenance *p)
{
	while (p->n)
		free((void *)p->pairs[--p->n][1]);
	free(p->pairs);
	*p = (struct provenance){ 0 };
}
