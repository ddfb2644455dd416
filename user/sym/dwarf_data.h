/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dwarf_data: the sections of an ELF file that hold its debug information, uncompressed, and the
 * supplementary file that dwz(1) has moved parts of it to (.gnu_debugaltlink).
 */
#pragma once

#include "user/base/cleanup.h"
#include "user/elf/elf_image.h"
#include "user/sym/debug_file.h"
#include "user/sym/dwarf_cursor.h"
#include "user/sym/lines_budget.h"

enum dwarf_section_id {
	DWARF_INFO,
	DWARF_ABBREV,
	DWARF_LINE,
	DWARF_STR,	/* ends with a NUL, or is empty */
	DWARF_LINE_STR, /* likewise */
	DWARF_STR_OFFSETS,
	DWARF_ADDR,
	DWARF_RANGES,
	DWARF_RNGLISTS,
	DWARF_SECTIONS,
};

struct dwarf_section {
	const uint8_t *data;
	size_t size; /* 0 if it is not there */
};

struct dwarf_data {
	struct dwarf_section sections[DWARF_SECTIONS];
	struct dwarf_data *alt;	     /* or NULL */
	struct elf_image *alt_image; /* that it is in */
};

/* Whether the file has debug information worth opening. */
bool dwarf_data_is_in(const struct elf_image *image);

/*
 * Reads the sections, which live in the image: it must stay, and not be detached, as long. 'search'
 * is where the supplementary file is looked for. -ENOENT if there is no debug information or the
 * supplementary file is not there; -EFBIG if it is more than the budget has, with nothing taken
 * from it; -EINVAL or -EIO if it is broken; -ENOMEM.
 */
int dwarf_data_new(const struct elf_image *image, const struct debug_search *search,
		   struct lines_budget *budget, struct dwarf_data **ret);
void dwarf_data_free(struct dwarf_data *data);
DEFINE_FREEP(struct dwarf_data, dwarf_data_free)

/* The section from 'offset' on; bad if that is behind its end. */
static inline struct dwarf_cursor dwarf_data_at(const struct dwarf_data *data,
						enum dwarf_section_id id, uint64_t offset)
{
	static const uint8_t nothing[1];
	const struct dwarf_section *s = &data->sections[id];
	struct dwarf_cursor c = { nothing, nothing, false };

	if (s->size) {
		c.at = s->data;
		c.end = s->data + s->size;
	}

	dwarf_skip(&c, offset);
	return c;
}

/* A string of a section of strings; NULL if it is not in it. */
static inline const char *dwarf_data_string(const struct dwarf_data *data, enum dwarf_section_id id,
					    uint64_t offset)
{
	const struct dwarf_section *s = &data->sections[id];

	return offset < s->size ? (const char *)s->data + offset : NULL;
}
