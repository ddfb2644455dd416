/* SPDX-License-Identifier: BSD-2-Clause */
/* provenance: what a picture says of where it comes from, as keys and texts. */
#pragma once

#include <stddef.h>

#include "user/base/cleanup.h"

struct provenance {
	const char *(*pairs)[2]; /* as picture_options has them; keys are not owned */
	size_t n, cap;
};

/* The text is made by printf's rules; nothing is added if it is empty. 0 or -ENOMEM with a
 * sentence. */
int provenance_add(struct provenance *p, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void provenance_release(struct provenance *p);
