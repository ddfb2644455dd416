/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz_latency: any JSON as what a summary says of latencies, read and shown to people. */
#include <stdlib.h>
#include <string.h>

#include "user/base/str.h"
#include "user/export/latency_read.h"
#include "user/export/report_latency.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Each line is clean, whatever was read. */
static void check_lines(const char *text)
{
	const char *end;

	for (; *text; text = end + 1) {
		end = strchr(text, '\n');
		if (!end || !text_is_clean(text, end - text, 0))
			abort();
	}
}

static void show(json_t *latency, bool utf8)
{
	const struct report_style style = { .utf8 = utf8 };
	const struct recording rec = { .latency = latency };
	_cleanup_(freep) char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out || report_latency(&rec, &style, out) || fclose(out))
		abort();
	check_lines(text);
}

/* A summary's first collector, or the value itself. */
static const json_t *find(const json_t *root)
{
	const json_t *collectors = json_object_get(root, "collectors");
	const json_t *found = json_object_get(json_array_get(collectors, 0), "latency");

	return found ? found : root;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *root = json_loadb((const char *)data, size, 0, NULL), *latency, *again;

	if (!root)
		return 0;
	latency = latency_read(find(root));
	again = latency_read(latency);
	/* What has the shape keeps it. */
	if (!latency || !again || !json_equal(latency, again))
		abort();
	show(latency, true);
	show(latency, false);
	json_decref(again);
	json_decref(latency);
	json_decref(root);
	return 0;
}
