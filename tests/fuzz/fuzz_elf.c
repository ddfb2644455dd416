/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz_elf: any bytes as an ELF file: headers, build ID, symbols, .gnu_debugdata, PLT. */
#include <stdlib.h>

#include "user/sym/elf_symbols.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(elf_image_freep) struct elf_image *image = NULL;
	_cleanup_(elf_symbols_freep) struct elf_symbols *symbols = NULL;
	struct elf_function f;
	uint64_t address;
	size_t i;

	if (elf_image_open_memory(data, size, "fuzz", &image))
		return 0;
	for (i = 0; i < 0x10000; i += 0x800)
		elf_image_address(image, i, &address);
	if (elf_symbols_load(image, NULL, &symbols))
		return 0;
	for (i = 0; i < symbols->table.n; i++) {
		address = symbols->table.starts[i];
		if (!elf_symbols_find(symbols, address, &f) || !f.name)
			abort(); /* every piece has a name */
		if (i && address <= symbols->table.starts[i - 1])
			abort();
	}
	return 0;
}
