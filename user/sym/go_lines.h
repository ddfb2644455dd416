/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * go_lines: source lines and inlined functions out of a Go program's own tables. Lines from Go 1.16
 * on, inlined functions from 1.18 on; the sources as in go_table.h.
 */
#pragma once

#include "user/base/cleanup.h"
#include "user/sym/code_line.h"
#include "user/sym/go_table.h"

struct go_lines;

/* The image must stay, and not be detached, as long. -ENOENT if it is no Go program or one of an
 * older version, -EINVAL if its table is broken, -ENOMEM. */
int go_lines_new(const struct elf_image *image, struct go_lines **ret);
void go_lines_free(struct go_lines *lines);
DEFINE_FREEP(struct go_lines, go_lines_free)

/* As dwarf_lines_find(); strings live as long as the image. */
int go_lines_find(const struct go_lines *lines, uint64_t address,
		  struct code_line ret[CODE_LINES_MAX]);
