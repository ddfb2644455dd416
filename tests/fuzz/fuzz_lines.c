/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz_lines: any bytes as an ELF file with debug information or the tables of a Go program. */
#include <stdlib.h>
#include <string.h>

#include "user/sym/dwarf_lines.h"
#include "user/sym/go_lines.h"

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

static void find_all(struct dwarf_lines *dwarf, const struct go_lines *go,
		     struct lines_budget *budget, uint64_t start, uint64_t end)
{
	struct code_line lines[CODE_LINES_MAX];
	uint64_t step = (end - start) / 64 + 1, at;

	for (at = start; at < end && end - at <= end - start; at += step) {
		if (dwarf)
			look(lines, dwarf_lines_find(dwarf, at, budget, lines));
		if (go)
			look(lines, go_lines_find(go, at, lines));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(elf_image_freep) struct elf_image *image = NULL;
	_cleanup_(dwarf_lines_freep) struct dwarf_lines *dwarf = NULL;
	_cleanup_(go_lines_freep) struct go_lines *go = NULL;
	struct lines_budget budget;
	struct dwarf_data *parts;
	size_t i;

	lines_budget_init(&budget, 0);
	budget.bytes = 64 << 20;
	if (elf_image_open_memory(data, size, "fuzz", &image))
		return 0;
	if (!dwarf_data_new(image, NULL, &budget, &parts))
		dwarf_lines_new(parts, &budget, &dwarf);
	go_lines_new(image, &go);
	for (i = 0; i < image->n_phdrs && i < 8; i++) {
		const Elf64_Phdr *p = &image->phdrs[i];

		if (p->p_type == PT_LOAD)
			find_all(dwarf, go, &budget, p->p_vaddr, p->p_vaddr + p->p_memsz);
	}
	return 0;
}
