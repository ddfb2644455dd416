/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * elf_symbols: the functions of an ELF file by virtual address, from the best that there is:
 * .symtab; or else .dynsym and a separate debug file or .gnu_debugdata, and the table that a Go
 * program carries with it. Where functions overlap,
 * the one that begins last has the address; of several names at one address it is the one with a
 * size, then global before weak before local, then with fewer leading underscores, then the first
 * bytewise. A function without a size ends where the next symbol or its section does.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "user/base/cleanup.h"
#include "user/sym/addr_table.h"
#include "user/sym/debug_file.h"
#include "user/elf/elf_image.h"

struct elf_symbols {
	struct addr_table table; /* values are offsets in 'names' */
	char *names;
	size_t names_len, names_cap;
	uint64_t entry_start, entry_end; /* the function that e_entry is in */
	bool is_partial;		 /* some of the places where names are was broken */
	struct elf_image *debug_file;	 /* the separate file, if it was asked to be kept */
};

/*
 * 'search' NULL looks for no separate debug file. A file without symbols is a table without
 * functions, not an error. -EINVAL, -EFBIG, -EIO or -ENOMEM if it is broken.
 */
int elf_symbols_load(const struct elf_image *image, const struct debug_search *search,
		     struct elf_symbols **ret);
void elf_symbols_free(struct elf_symbols *symbols);
DEFINE_FREEP(struct elf_symbols, elf_symbols_free)

struct elf_function {
	uint32_t id;	  /* the same for every address in it */
	const char *name; /* as the file has it, "" if only its start is known; lives with the
			     symbols */
	uint64_t offset;  /* bytes from its start */
};

/* False if no function has that virtual address. */
bool elf_symbols_find(const struct elf_symbols *symbols, uint64_t address,
		      struct elf_function *ret);
