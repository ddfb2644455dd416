/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sym_lines: where one file's source lines come from: its own debug information, that of its
 * separate debug file, or, of a Go program, its runtime's tables. Nothing is read before a line is
 * asked for.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "user/elf/elf_image.h"
#include "user/sym/code_line.h"
#include "user/sym/debug_file.h"
#include "user/sym/go_lines.h"
#include "user/sym/lines_worker.h"

struct sym_lines {
	struct lines_source source; /* the file that has them; its 'fd' is -1 if there is none */
	char *name;
	bool is_go;	   /* it is the Go runtime's tables */
	bool is_open;	   /* that was tried */
	bool is_too_large; /* for the budget */
	bool failed;	   /* they are there, but broken */
	struct elf_image *image;
	struct go_lines *go;
	struct lines_answers answers; /* to what was asked of the worker */
};

void sym_lines_init(struct sym_lines *lines);
void sym_lines_release(struct sym_lines *lines);

/*
 * Looks for them: 'image' is the file, read from 'fd', which stays the caller's; 'debug' is its
 * separate debug file if that was needed for names, or NULL: then it is searched here.
 */
void sym_lines_locate(struct sym_lines *lines, const struct elf_image *image, int fd,
		      struct elf_image *debug, const struct debug_search *search);

/*
 * That address will be asked for. What is wanted before the first one is asked for is read at once:
 * a tenth of the cost.
 */
void sym_lines_want(struct sym_lines *lines, uint64_t address);

/*
 * The functions at a virtual address: how many, or 0, or -EDQUOT if the budget did not allow to
 * look. Strings live until the next call for any file of the same worker.
 */
int sym_lines_find(struct sym_lines *lines, uint64_t address, const struct debug_search *search,
		   struct lines_worker *worker, struct code_line ret[CODE_LINES_MAX]);
