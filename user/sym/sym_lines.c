/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sym/sym_lines.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

void sym_lines_init(struct sym_lines *lines)
{
	*lines = (struct sym_lines){ .fd = -1 };
}

void sym_lines_release(struct sym_lines *lines)
{
	dwarf_lines_free(lines->dwarf);
	go_lines_free(lines->go);
	elf_image_free(lines->image);
	closep(&lines->fd);
	free(lines->name);
	sym_lines_init(lines);
}

/* An image of its own for the lines is opened later: this one holds what names needed. */
static void remember(struct sym_lines *lines, int fd, const char *name, bool is_go)
{
	lines->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	lines->name = strdup(name);
	lines->is_go = is_go;
	if (!lines->name) {
		closep(&lines->fd);
		lines->fd = -1;
	}
}

void sym_lines_locate(struct sym_lines *lines, const struct elf_image *image, int fd,
		      struct elf_image *debug, const struct debug_search *search)
{
	_cleanup_(elf_image_freep) struct elf_image *found = NULL;
	struct go_table go;

	if (dwarf_data_is_in(image)) {
		remember(lines, fd, image->name, false);
		return;
	}
	if (!go_table_find(image, &go)) {
		remember(lines, fd, image->name, true);
		return;
	}
	if (!debug && elf_image_section_of_type(image, SHT_SYMTAB) &&
	    !debug_file_open(image, search, &found))
		debug = found;
	if (debug && dwarf_data_is_in(debug))
		remember(lines, debug->own_fd, debug->name, false);
}

static int open_dwarf(struct sym_lines *lines, const struct debug_search *search,
		      struct lines_budget *budget)
{
	struct dwarf_data *data;
	int err;

	/* Reading and uncompressing it is the better part of small files' cost. */
	if (!lines_budget_begin(budget, false))
		return -EDQUOT;
	err = dwarf_data_new(lines->image, search, budget, &data);
	lines_budget_end(budget);
	if (err)
		return err == -EFBIG ? -EDQUOT : err;
	return dwarf_lines_new(data, budget, &lines->dwarf);
}

static void open_lines(struct sym_lines *lines, const struct debug_search *search,
		       struct lines_budget *budget)
{
	int err = elf_image_open(lines->fd, lines->name, &lines->image);

	if (!err)
		err = lines->is_go ? go_lines_new(lines->image, &lines->go)
				   : open_dwarf(lines, search, budget);
	lines->is_too_large = err == -EDQUOT;
	lines->failed = err && err != -EDQUOT && err != -ENOENT;
	if (!err)
		return;
	elf_image_free(take(lines->image));
	closep(&lines->fd);
	lines->fd = -1;
}

int sym_lines_find(struct sym_lines *lines, uint64_t address, const struct debug_search *search,
		   struct lines_budget *budget, struct code_line ret[CODE_LINES_MAX])
{
	if (lines->fd >= 0 && !lines->is_open) {
		lines->is_open = true;
		open_lines(lines, search, budget);
	}
	if (lines->is_too_large)
		return -EDQUOT;
	if (lines->dwarf)
		return dwarf_lines_find(lines->dwarf, address, budget, ret);
	return lines->go ? go_lines_find(lines->go, address, ret) : 0;
}
