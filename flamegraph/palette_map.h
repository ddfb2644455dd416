/* SPDX-License-Identifier: BSD-2-Clause */
/* palette_map: colours by name, as flamegraph.pl keeps them in palette.map (--cp). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/base/cleanup.h"
#include "user/base/str.h"

struct palette_map;

#define PALETTE_MAP_MAX (64u << 20) /* bytes of text */

/*
 * Lines "NAME->rgb(R,G,B)", of which the last of a name counts. Bad ones are left out and counted
 * in *ret_bad; blank ones are fine. 0, -ENOMEM, -EFBIG with a sentence.
 */
int palette_map_read(const char *text, size_t len, struct palette_map **ret, size_t *ret_bad);

bool palette_map_find(const struct palette_map *map, const char *name, uint32_t *ret);

/* A name that is there gets the new colour. 0 or -ENOMEM with a sentence. */
int palette_map_add(struct palette_map *map, const char *name, uint32_t color);

/* Appends lines in bytewise order of names, which are clean there. 0 or -ENOMEM. */
int palette_map_write(const struct palette_map *map, struct str *out);

void palette_map_free(struct palette_map *map);
DEFINE_FREEP(struct palette_map, palette_map_free)
