/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sym/sym_file.h"

#include <string.h>

#include "user/sym/mapped_file.h"
#include "user/elf/vdso.h"

/* Other processes may have it where the first ones no longer have; but not forever. */
#define MAX_ATTEMPTS 8

struct sym_file *sym_file_new(uint32_t id, const char *path)
{
	struct sym_file *file = calloc(1, sizeof(*file));
	const char *slash = strrchr(path, '/');

	if (!file)
		return NULL;
	file->id = id;
	file->path = path;
	file->base = slash && slash[1] ? slash + 1 : path;
	file->fd = -1;
	sym_lines_init(&file->lines);
	return file;
}

struct sym_file *sym_file_new_vdso(uint32_t id)
{
	struct sym_file *file = sym_file_new(id, "[vdso]");

	if (!file)
		return NULL;
	file->base = "vdso";
	file->attempts = MAX_ATTEMPTS;
	if (vdso_open(&file->image) || elf_symbols_load(file->image, NULL, &file->symbols))
		file->failed = true;
	return file;
}

void sym_file_free(struct sym_file *file)
{
	if (!file)
		return;
	elf_image_free(file->image);
	closep(&file->fd);
	elf_symbols_free(file->symbols);
	sym_lines_release(&file->lines);
	free(file);
}

void sym_file_open(struct sym_file *file, const struct sym_mapping *m)
{
	if (file->fd >= 0 || file->image || file->attempts >= MAX_ATTEMPTS ||
	    (file->attempts && file->last_pid == m->pid))
		return;
	file->attempts++;
	file->last_pid = m->pid;
	file->fd = mapped_file_open(m);
}

const struct elf_image *sym_file_image(struct sym_file *file, const struct sym_mapping *m)
{
	if (file->image)
		return file->image;
	sym_file_open(file, m);
	if (file->fd < 0 || elf_image_open(file->fd, file->path, &file->image)) {
		/* What is no ELF file, or a broken one, will not be a better one next time. */
		if (file->fd >= 0)
			file->attempts = MAX_ATTEMPTS;
		closep(&file->fd);
		file->fd = -1;
		file->failed = true;
		return NULL;
	}
	file->failed = false;
	return file->image;
}

static struct debug_search search_of(const struct sym_file *file, const struct sym_mapping *m,
				     const struct sym_places *places)
{
	return (struct debug_search){
		.directory = places->debug_directory,
		.path = file->path,
		.pid = m->pid,
		.debuginfod = places->debuginfod,
		.keep = places->lines,
	};
}

const struct elf_symbols *sym_file_symbols(struct sym_file *file, const struct sym_mapping *m,
					   const struct sym_places *places)
{
	struct debug_search search = search_of(file, m, places);

	if (file->symbols || !sym_file_image(file, m) || file->fd < 0)
		return file->symbols;
	if (elf_symbols_load(file->image, &search, &file->symbols))
		file->failed = true;
	else
		file->failed = file->symbols->is_partial;
	if (file->symbols && places->lines)
		sym_lines_locate(&file->lines, file->image, file->fd, file->symbols->debug_file,
				 &search);
	if (file->symbols)
		elf_image_free(take(file->symbols->debug_file));
	elf_image_detach(file->image);
	closep(&file->fd);
	file->fd = -1;
	return file->symbols;
}

void sym_file_want_lines(struct sym_file *file, uint64_t address)
{
	sym_lines_want(&file->lines, address);
}

int sym_file_lines(struct sym_file *file, const struct sym_mapping *m,
		   const struct sym_places *places, uint64_t address, struct lines_worker *worker,
		   struct code_line ret[CODE_LINES_MAX])
{
	struct debug_search search = search_of(file, m, places);
	int n = sym_lines_find(&file->lines, address, &search, worker, ret);

	file->failed |= file->lines.failed;
	return n;
}
