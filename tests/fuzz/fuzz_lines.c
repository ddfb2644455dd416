/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_lines: any bytes as what the process that reads debug information answers, and as an ELF
 * file with the tables of a Go program.
 */
#include <stdlib.h>
#include <string.h>

#include "user/sym/go_lines.h"
#include "user/sym/lines_reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(const struct code_line *lines, int n)
{
	volatile size_t sum = 0;
	int i;

	if (n > CODE_LINES_MAX)
		abort();
	for (i = 0; i < n; i++)
		sum += (lines[i].function ? strlen(lines[i].function) : 0) +
		       (lines[i].file ? strlen(lines[i].file) : 0);
}

static int count(void *ctx, const struct code_line *lines, uint32_t n)
{
	look(lines, n);
	++*(int *)ctx;
	return 0;
}

static void parse(const uint8_t *data, size_t size)
{
	int told = 0, n = lines_reply_parse(data, size, LINES_BATCH, count, &told);

	if (n > LINES_BATCH || told != (n > 0 ? n : 0))
		abort();
}

static void find_all(const struct go_lines *go, uint64_t start, uint64_t end)
{
	struct code_line lines[CODE_LINES_MAX];
	uint64_t step = (end - start) / 64 + 1, at;

	for (at = start; at < end && end - at <= end - start; at += step)
		look(lines, go_lines_find(go, at, lines));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(elf_image_freep) struct elf_image *image = NULL;
	_cleanup_(go_lines_freep) struct go_lines *go = NULL;
	size_t i;

	parse(data, size);
	if (elf_image_open_memory(data, size, "fuzz", &image) || go_lines_new(image, &go))
		return 0;
	for (i = 0; i < image->n_phdrs && i < 8; i++) {
		const Elf64_Phdr *p = &image->phdrs[i];

		if (p->p_type == PT_LOAD)
			find_all(go, p->p_vaddr, p->p_vaddr + p->p_memsz);
	}
	return 0;
}
