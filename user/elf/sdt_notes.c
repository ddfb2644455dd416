/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/elf/sdt_notes.h"

#include <errno.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/err.h"

#define SECTION "stapsdt"
#define TYPE	3

struct cursor {
	const char *at;
	size_t left;
};

static bool take_bytes(struct cursor *c, size_t n, const char **ret)
{
	if (n > c->left)
		return false;
	*ret = c->at;
	c->at += n;
	c->left -= n;
	return true;
}

static bool take_number(struct cursor *c, size_t size, uint64_t *ret)
{
	const char *bytes;
	uint32_t half;

	if (!take_bytes(c, size, &bytes))
		return false;
	if (size == sizeof(half)) {
		memcpy(&half, bytes, sizeof(half));
		*ret = half;
	} else {
		memcpy(ret, bytes, sizeof(*ret));
	}
	return true;
}

static bool take_text(struct cursor *c, const char **ret)
{
	const char *end = c->left ? memchr(c->at, '\0', c->left) : NULL;

	return end && take_bytes(c, end + 1 - c->at, ret);
}

/* Padding may be missing behind the last one. */
static bool take_padded(struct cursor *c, size_t n, struct cursor *ret)
{
	size_t padding = -n & 3;
	const char *bytes;

	if (!take_bytes(c, n, &bytes))
		return false;
	*ret = (struct cursor){ bytes, n };
	return take_bytes(c, padding < c->left ? padding : c->left, &bytes);
}

static int add(struct sdt_notes *notes, const struct sdt_note *note, const char *name)
{
	if (notes->n == SDT_NOTES_MAX)
		return errf(-EFBIG, "'%s' has more than %d probes", name, SDT_NOTES_MAX);
	if (array_reserve(notes->all, notes->cap, notes->n + 1))
		return errf(-ENOMEM, "no memory for the probes of '%s'", name);
	notes->all[notes->n++] = *note;
	return 0;
}

/* 'base': where .stapsdt.base is; a prelinker moves it with everything but what is not loaded. */
static int read_note(const struct elf_image *image, uint64_t base, struct cursor *description,
		     struct sdt_notes *notes)
{
	size_t size = image->is_64 ? 8 : 4;
	uint64_t address, old_base, semaphore, moved;
	struct sdt_note note;

	if (!take_number(description, size, &address) ||
	    !take_number(description, size, &old_base) ||
	    !take_number(description, size, &semaphore) ||
	    !take_text(description, &note.provider) || !take_text(description, &note.name))
		return errf(-EINVAL, "'%s' is broken: a probe's note ends too early", image->name);
	/* Some leave out the last text if it is empty. */
	if (!take_text(description, &note.args))
		note.args = "";
	moved = base && old_base ? base - old_base : 0;
	note.address = address + moved;
	note.semaphore = semaphore ? semaphore + moved : 0;
	return add(notes, &note, image->name);
}

static int read_section(const struct elf_image *image, const Elf64_Shdr *section, uint64_t base,
			struct sdt_notes *notes)
{
	uint64_t name_len, description_len, type;
	struct cursor c, name, description;
	Elf_Data *data;
	int err = elf_image_data(image, section, SDT_NOTES_MAX_BYTES, &data);

	if (err)
		return err;
	c = (struct cursor){ data->d_buf, data->d_size };
	while (c.left) {
		if (!take_number(&c, 4, &name_len) || !take_number(&c, 4, &description_len) ||
		    !take_number(&c, 4, &type) || !take_padded(&c, name_len, &name) ||
		    !take_padded(&c, description_len, &description))
			return errf(-EINVAL, "'%s' is broken: a note ends behind its section",
				    image->name);
		if (type != TYPE || name.left != sizeof(SECTION) ||
		    memcmp(name.at, SECTION, sizeof(SECTION)) != 0)
			continue;
		err = read_note(image, base, &description, notes);
		if (err)
			return err;
	}
	return 0;
}

int sdt_notes_read(const struct elf_image *image, struct sdt_notes *ret)
{
	const Elf64_Shdr *base = elf_image_section(image, ".stapsdt.base");
	struct sdt_notes notes = {};
	uint64_t all = 0;
	size_t i;
	int err = 0;

	for (i = 0; !err && i < image->n_shdrs; i++) {
		const Elf64_Shdr *s = &image->shdrs[i];

		if (s->sh_type != SHT_NOTE ||
		    strcmp(elf_image_section_name(image, s), ".note.stapsdt") != 0)
			continue;
		/* Many headers may point to the same bytes. */
		if (s->sh_size > SDT_NOTES_MAX_BYTES || (all += s->sh_size) > SDT_NOTES_MAX_BYTES)
			err = errf(-EFBIG, "'%s' has more than %u bytes of probes", image->name,
				   SDT_NOTES_MAX_BYTES);
		else
			err = read_section(image, s, base ? base->sh_addr : 0, &notes);
	}
	if (err) {
		sdt_notes_release(&notes);
		return err;
	}
	*ret = notes;
	return 0;
}

void sdt_notes_release(struct sdt_notes *notes)
{
	free(notes->all);
	*notes = (struct sdt_notes){};
}

bool sdt_offset(const struct elf_image *image, uint64_t address, uint64_t *ret)
{
	size_t i;

	for (i = 0; i < image->n_phdrs; i++) {
		const Elf64_Phdr *p = &image->phdrs[i];
		uint64_t offset;

		if (p->p_type != PT_LOAD || address < p->p_vaddr ||
		    address - p->p_vaddr >= p->p_filesz ||
		    __builtin_add_overflow(address - p->p_vaddr, p->p_offset, &offset))
			continue;
		*ret = offset;
		return true;
	}
	return false;
}
