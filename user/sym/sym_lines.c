/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sym/sym_lines.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

void sym_lines_init(struct sym_lines *lines)
{
	*lines = (struct sym_lines){ .source = { .fd = -1, .alt_fd = -1 } };
	lines_answers_init(&lines->answers);
}

static void give_up(struct sym_lines *lines)
{
	elf_image_free(take(lines->image));
	closep(&lines->source.fd);
	closep(&lines->source.alt_fd);
	lines->source = (struct lines_source){ .fd = -1, .alt_fd = -1 };
}

void sym_lines_release(struct sym_lines *lines)
{
	go_lines_free(lines->go);
	give_up(lines);
	lines_answers_release(&lines->answers);
	free(lines->name);
	sym_lines_init(lines);
}

/* Whether the file has debug information worth opening. */
static bool has_dwarf(const struct elf_image *image)
{
	const Elf64_Shdr *info = elf_image_section(image, ".debug_info");

	if (!info)
		info = elf_image_section(image, ".zdebug_info");
	return image->elf && info && info->sh_type != SHT_NOBITS && info->sh_type != SHT_NULL;
}

/* An image of its own for the lines is opened later: this one holds what names needed. */
static void remember(struct sym_lines *lines, int fd, const char *name, bool is_go)
{
	lines->source.fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	lines->name = strdup(name);
	lines->is_go = is_go;
	if (!lines->name)
		give_up(lines);
}

void sym_lines_locate(struct sym_lines *lines, const struct elf_image *image, int fd,
		      struct elf_image *debug, const struct debug_search *search)
{
	_cleanup_(elf_image_freep) struct elf_image *found = NULL;
	struct go_table go;

	if (has_dwarf(image)) {
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
	if (debug && has_dwarf(debug))
		remember(lines, debug->own_fd, debug->name, false);
}

/* Names may stand in the supplementary file: without it there would be lines of nobody. */
static int find_alt(struct sym_lines *lines, const struct debug_search *search)
{
	_cleanup_(elf_image_freep) struct elf_image *alt = NULL;
	int err = debug_file_open_alt(lines->image, search, &alt);

	if (alt)
		lines->source.alt_fd = take_fd(alt->own_fd);
	elf_image_free(take(lines->image));
	return err;
}

static int open_lines(struct sym_lines *lines, const struct debug_search *search)
{
	int err = elf_image_open(lines->source.fd, lines->name, &lines->image);

	if (err)
		return err;
	return lines->is_go ? go_lines_new(lines->image, &lines->go) : find_alt(lines, search);
}

void sym_lines_want(struct sym_lines *lines, uint64_t address)
{
	uint32_t i;

	/* Without memory for that it is asked for alone, later. */
	if (lines->source.fd >= 0 && !lines->is_go)
		keyset_add(&lines->answers.addresses, &address, &i);
}

/* What is wrong with the file has been found out: nothing more is asked of it. */
static int fail(struct sym_lines *lines, int err)
{
	lines->is_too_large = err == -EFBIG;
	lines->failed = err != -EFBIG && err != -ENOENT;
	give_up(lines);
	return lines->is_too_large ? -EDQUOT : 0;
}

static int find(struct sym_lines *lines, uint64_t address, struct lines_worker *worker,
		struct code_line ret[CODE_LINES_MAX])
{
	struct lines_answers *answers = &lines->answers;
	int err = 0, none = 0;
	uint32_t i;

	if (keyset_add(&answers->addresses, &address, &i) < 0)
		return -ENOMEM;
	if (i >= answers->n && lines->source.fd >= 0)
		err = lines_worker_ask(worker, &lines->source, answers);
	if (err)
		none = err == -EDQUOT ? err : fail(lines, err);
	if (i >= answers->n && lines_answers_end(answers, none))
		return -ENOMEM;
	return lines_answers_get(answers, &worker->strings, i, ret);
}

int sym_lines_find(struct sym_lines *lines, uint64_t address, const struct debug_search *search,
		   struct lines_worker *worker, struct code_line ret[CODE_LINES_MAX])
{
	int err = 0;

	if (lines->source.fd >= 0 && !lines->is_open) {
		lines->is_open = true;
		err = open_lines(lines, search);
	}
	if (err)
		return fail(lines, err);
	if (lines->is_too_large)
		return -EDQUOT;
	if (lines->go)
		return go_lines_find(lines->go, address, ret);
	return lines->name ? find(lines, address, worker, ret) : 0;
}
