/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz_folded: any bytes as folded stacks; what is read can be written and read again. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/cleanup.h"
#include "user/export/folded.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct profile *read_bytes(const void *data, size_t size)
{
	_cleanup_(fclosep) FILE *in = fmemopen((void *)data, size, "r");
	struct folded_repairs repairs;
	struct profile *p = NULL;

	return in && !folded_read(in, "input", &p, &repairs) ? p : NULL;
}

static char *write_text(const struct profile *p, size_t *ret_len)
{
	struct view view = { 0 };
	char *text = NULL;
	FILE *out = open_memstream(&text, ret_len);

	if (!out || folded_write(p, &view, out))
		abort();
	fclose(out);
	return text;
}

/* Every line is clean, and nothing is lost on the way back. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(profile_freep) struct profile *first = read_bytes(data, size);
	_cleanup_(profile_freep) struct profile *second = NULL;
	_cleanup_(freep) char *text = NULL;
	size_t len, i;

	if (!first)
		return 0;
	text = write_text(first, &len);
	if (!len)
		return 0;
	for (i = 0; i < len; i += strcspn(text + i, "\n") + 1) {
		if (!text_is_clean(text + i, strcspn(text + i, "\n"), 0))
			abort();
	}
	second = read_bytes(text, len);
	if (!second)
		abort();
	if (profile_total(first, 0) != profile_total(second, 0))
		abort();
	return 0;
}
