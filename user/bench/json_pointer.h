/* SPDX-License-Identifier: BSD-2-Clause */
/* json_pointer: RFC 6901. */
#pragma once

#include <jansson.h>

/* A borrowed reference; NULL if there is nothing, or the pointer is none. */
json_t *json_pointer_get(json_t *root, const char *pointer);
