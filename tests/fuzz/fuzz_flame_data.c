/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_flame_data: any bytes as a picture with a call tree inside, or as the sections of one, told
 * apart by lines of "--". What is read can be written and read again.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flamegraph/flame_data.h"
#include "flamegraph/flame_pack.h"
#include "user/base/array.h"
#include "user/base/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = {
	"header", "names", "modules", "frames", "shape", "edges", "self", "before", "rests",
};

static struct flame_data *read_bytes(const void *bytes, size_t size)
{
	_cleanup_(fclosep) FILE *in = fmemopen((void *)bytes, size, "r");
	struct flame_data *ret = NULL;

	return in && !flame_data_read(in, "input", &ret) ? ret : NULL;
}

static int wrap(const struct str *lines, struct str *out)
{
	return str_add(out, "<m id=\"flame-data\">") || str_add(out, str_text(lines)) ||
	       str_add(out, "</m>");
}

static void pack_sections(const char *at, size_t size, struct str *out)
{
	struct flame_section sections[ARRAY_SIZE(names)] = { 0 };
	_cleanup_(str_release) struct str lines = { 0 };
	const char *end = at + size;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		const char *stop = memmem(at, end - at, "\n--\n", 4);

		sections[i].name = names[i];
		if (str_add_bytes(&sections[i].raw, at, (stop ? stop : end) - at))
			abort();
		at = stop ? stop + 4 : end;
	}
	if (flame_pack(sections, i))
		abort();
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (str_add(&lines, str_text(&sections[i].text)))
			abort();
		str_release(&sections[i].raw);
		str_release(&sections[i].text);
	}
	if (wrap(&lines, out))
		abort();
}

static void write_again(const struct flame_data *first)
{
	struct flame_data_options options = { .title = "again" };
	_cleanup_(flame_data_freep) struct flame_data *second = NULL;
	_cleanup_(str_release) struct str lines = { 0 }, file = { 0 };

	if (flame_data_add(first->tree, &options, &lines) || wrap(&lines, &file))
		abort();
	second = read_bytes(file.data, file.len);
	if (!second || second->tree->n_nodes != first->tree->n_nodes || second->n_rests)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(flame_data_freep) struct flame_data *read = NULL;
	_cleanup_(str_release) struct str file = { 0 };

	if (size && data[0] == '{') {
		pack_sections((const char *)data, size, &file);
		read = read_bytes(file.data, file.len);
	} else {
		read = read_bytes(data, size);
	}
	if (read)
		write_again(read);
	return 0;
}
