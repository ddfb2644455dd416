/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sym_file: what is known of one mapped file, from its path to its functions; each step is done
 * when it is first asked for.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "user/base/cleanup.h"
#include "user/elf/elf_image.h"
#include "user/sym/elf_symbols.h"
#include "user/sym/name_arena.h"
#include "user/sym/sym.h"
#include "user/sym/sym_lines.h"

struct sym_file {
	uint32_t id;	  /* the symbolizer's */
	const char *path; /* without " (deleted)"; the symbolizer's */
	const char *base; /* its last component */
	int fd;		  /* while it is open and not yet read */
	unsigned int attempts;
	uint32_t last_pid; /* the process by which it was tried last */
	bool failed;	   /* asked for and not, or not wholly, readable */
	struct elf_image *image;
	struct elf_symbols *symbols;
	struct sym_lines lines;
	const char *build_id; /* hexadecimal; the symbolizer's; NULL until asked for */
};

/* 'path' and 'base' must outlive it. NULL without memory. */
struct sym_file *sym_file_new(uint32_t id, const char *path);
void sym_file_free(struct sym_file *file);

/* Where else than in the file itself its names and lines may be. */
struct sym_places {
	const char *debug_directory;
	struct debuginfod *debuginfod; /* or NULL */
	bool lines;		       /* are wanted at all */
};

/* Opens the file of 'm' if it was neither opened nor read before and may still be there. */
void sym_file_open(struct sym_file *file, const struct sym_mapping *m);
/* Its headers, or NULL; its sections can be read while the file is open. */
const struct elf_image *sym_file_image(struct sym_file *file, const struct sym_mapping *m);
/* Its functions, or NULL; the file is closed then. */
const struct elf_symbols *sym_file_symbols(struct sym_file *file, const struct sym_mapping *m,
					   const struct sym_places *places);

/* That address will be asked for: as sym_lines_want(). */
void sym_file_want_lines(struct sym_file *file, uint64_t address);

/*
 * The functions at a virtual address, of a file whose symbols have been read: as
 * sym_lines_find().
 */
int sym_file_lines(struct sym_file *file, const struct sym_mapping *m,
		   const struct sym_places *places, uint64_t address, struct lines_worker *worker,
		   struct code_line ret[CODE_LINES_MAX]);

/* One that is not of a file but of this process's vDSO. */
struct sym_file *sym_file_new_vdso(uint32_t id);
