/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/walk/dump.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "tests/walk/walk.h"
#include "user/base/array.h"
#include "user/elf/elf_image.h"

static void maps_free(struct maps *maps)
{
	size_t i;

	libdw_release(maps);
	own_release(maps);
	for (i = 0; i < maps->n; i++)
		free(maps->v[i].path);
	free(maps->v);
	free(maps->text);
	free(maps);
}

DEFINE_FREEP(struct maps, maps_free)

void dumps_release(struct dumps *dumps)
{
	size_t i;

	for (i = 0; i < dumps->n; i++)
		free(dumps->v[i].stack);
	for (i = 0; i < dumps->n_maps; i++)
		maps_free(dumps->maps[i]);
	free(dumps->v);
	free(dumps->maps);
	*dumps = (struct dumps){ 0 };
}

/* proc(5): "start-end perms offset dev inode   path". */
static int parse_line(const char *line, struct mapping *ret)
{
	struct mapping m = { 0 };
	int path = 0;

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %" SCNx64 " %*s %" SCNu64 " %n", &m.start,
		   &m.end, &m.pgoff, &m.ino, &path) < 4 ||
	    !path)
		return -EINVAL;
	m.path = strdup(line + path);
	if (!m.path)
		return -ENOMEM;
	*ret = m;
	return 0;
}

int maps_parse(char *text, struct maps **ret)
{
	_cleanup_(maps_freep) struct maps *maps = calloc(1, sizeof(*maps));
	_cleanup_(freep) char *lines = strdup(text);
	char *line, *next = lines;
	size_t cap = 0;
	int err;

	if (!maps || !lines)
		return -ENOMEM;
	while ((line = strsep(&next, "\n"))) {
		if (array_reserve(maps->v, cap, maps->n + 1))
			return -ENOMEM;
		err = parse_line(line, &maps->v[maps->n]);
		if (err == -ENOMEM)
			return err;
		maps->n += !err;
	}
	maps->text = text;
	*ret = take(maps);
	return 0;
}

const struct mapping *maps_find(const struct maps *maps, uint64_t address)
{
	size_t i;

	for (i = 0; i < maps->n; i++) {
		if (address >= maps->v[i].start && address < maps->v[i].end)
			return &maps->v[i];
	}
	return NULL;
}

bool mapping_bias(const struct mapping *m, const struct elf_image *image, uint64_t *ret)
{
	size_t i;

	for (i = 0; i < image->n_phdrs; i++) {
		const Elf64_Phdr *p = &image->phdrs[i];

		/* Segments begin and end anywhere, mappings at pages. */
		if (p->p_type == PT_LOAD && p->p_flags & PF_X &&
		    m->pgoff < p->p_offset + p->p_filesz &&
		    p->p_offset < m->pgoff + (m->end - m->start)) {
			*ret = m->start - m->pgoff + p->p_offset - p->p_vaddr;
			return true;
		}
	}
	return false;
}

bool dump_read(const struct dump *dump, void *to, size_t size, uint64_t from)
{
	uint64_t at = from - dump->sp;

	if (at >= dump->stack_bytes || size > dump->stack_bytes - at)
		return false;
	memcpy(to, dump->stack + at, size);
	return true;
}
