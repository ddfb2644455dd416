/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz_palette_map: any bytes as colours by name; what is read can be written and read again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "flamegraph/palette_map.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads 'text' and appends what is written of it. */
static size_t write_again(const void *text, size_t len, struct str *out)
{
	_cleanup_(palette_map_freep) struct palette_map *map = NULL;
	size_t bad;

	if (palette_map_read(text, len, &map, &bad) || palette_map_write(map, out))
		abort();
	return bad;
}

/* Names that differ only in what was not clean may become one, the first time. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(str_release) struct str once = { 0 }, again = { 0 }, more = { 0 };

	write_again(data, size, &once);
	if (write_again(str_text(&once), once.len, &again) || again.len > once.len)
		abort();
	if (write_again(str_text(&again), again.len, &more) ||
	    strcmp(str_text(&again), str_text(&more)) != 0)
		abort();
	return 0;
}
