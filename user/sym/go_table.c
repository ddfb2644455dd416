/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sym/go_table.h"

#include <errno.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/err.h"

#define MAX_BYTES     (512u << 20)
#define MAX_FUNCTIONS (4u << 20)
#define MAX_NOTES     65536
#define HEADER_BYTES  8 /* up to the first number */

const char *go_table_string(const struct go_table *table, uint64_t offset)
{
	struct dwarf_cursor c = go_table_at(table, offset);

	return dwarf_string(&c);
}

/* --- relocations ------------------------------------------------------------------------------ */

static bool is_relative(const struct elf_image *image, const GElf_Rela *r)
{
	uint64_t type = GELF_R_TYPE(r->r_info);

	return (image->machine == EM_X86_64 && type == R_X86_64_RELATIVE) ||
	       (image->machine == EM_AARCH64 && type == R_AARCH64_RELATIVE);
}

/* What a position-independent program's loader puts there. */
static bool relocated(const struct elf_image *image, uint64_t address, uint64_t *ret)
{
	size_t i, k;

	for (i = 1; i < image->n_shdrs; i++) {
		const Elf64_Shdr *s = &image->shdrs[i];
		Elf_Data *data = NULL;
		GElf_Rela r;

		if (s->sh_type != SHT_RELA || !(s->sh_flags & SHF_ALLOC) ||
		    elf_image_data(image, s, MAX_BYTES, &data) || !data)
			continue;
		for (k = 0; k < data->d_size / sizeof(Elf64_Rela) && k < INT32_MAX; k++) {
			if (gelf_getrela(data, (int)k, &r) && r.r_offset == address &&
			    is_relative(image, &r)) {
				*ret = r.r_addend;
				return true;
			}
		}
	}
	return false;
}

uint64_t go_pointer_at(const struct elf_image *image, uint64_t address)
{
	uint64_t value = 0;
	Elf_Data *data;
	size_t i;

	if (relocated(image, address, &value))
		return value;
	for (i = 0; i < image->n_phdrs; i++) {
		const Elf64_Phdr *p = &image->phdrs[i];

		if (p->p_type != PT_LOAD || address < p->p_vaddr || p->p_filesz < sizeof(value) ||
		    address - p->p_vaddr > p->p_filesz - sizeof(value))
			continue;
		data = elf_getdata_rawchunk(image->elf, p->p_offset + (address - p->p_vaddr),
					    sizeof(value), ELF_T_BYTE);
		if (data && data->d_size == sizeof(value))
			memcpy(&value, data->d_buf, sizeof(value));
		break;
	}
	return value;
}

/* --- the header ------------------------------------------------------------------------------- */

static bool version_of(uint32_t magic, enum go_version *ret)
{
	switch (magic) {
	case 0xfffffffb:
		*ret = GO_1_2;
		return true;
	case 0xfffffffa:
		*ret = GO_1_16;
		return true;
	case 0xfffffff0:
		*ret = GO_1_18;
		return true;
	case 0xfffffff1:
		*ret = GO_1_20;
		return true;
	default:
		return false;
	}
}

/* Where the code begins, for tables that are relative to it. */
static uint64_t text_of(const struct elf_image *image, const struct go_table *t, uint64_t stored)
{
	uint64_t field = t->address + HEADER_BYTES + 2 * t->pointer, address = 0;
	const Elf64_Shdr *text;

	if (stored)
		return stored;
	if (relocated(image, field, &address))
		return address;
	text = elf_image_section(image, ".text");
	return text ? text->sh_addr : 0;
}

static int read_offsets(const struct elf_image *image, struct dwarf_cursor *c, struct go_table *t)
{
	t->n = dwarf_uint(c, t->pointer);
	if (t->version == GO_1_2) {
		t->functions = HEADER_BYTES + t->pointer;
		return 0;
	}
	dwarf_uint(c, t->pointer); /* files */
	if (t->version >= GO_1_18)
		t->text = text_of(image, t, dwarf_uint(c, t->pointer));
	t->names = dwarf_uint(c, t->pointer);
	t->units = dwarf_uint(c, t->pointer);
	t->files = dwarf_uint(c, t->pointer);
	t->values = dwarf_uint(c, t->pointer);
	t->functions = dwarf_uint(c, t->pointer);
	return t->version >= GO_1_18 && !t->text ? -EINVAL : 0;
}

static unsigned int entry_bytes(const struct go_table *t)
{
	return t->version >= GO_1_18 ? 4 : t->pointer;
}

/* Whether a table begins there; all of 'data' from there on is its. */
static int read_header(const struct elf_image *image, const uint8_t *data, size_t size,
		       uint64_t address, struct go_table *ret)
{
	struct go_table t = { .data = data, .size = size, .address = address };
	struct dwarf_cursor c = { data, data + size, false };
	uint64_t room;
	int err;

	if (!version_of(dwarf_uint(&c, 4), &t.version) || dwarf_uint(&c, 2))
		return -EINVAL;
	t.quantum = dwarf_u8(&c);
	t.pointer = dwarf_u8(&c);
	if ((t.quantum != 1 && t.quantum != 2 && t.quantum != 4) ||
	    (t.pointer != 4 && t.pointer != 8))
		return -EINVAL;
	err = read_offsets(image, &c, &t);
	if (err || c.bad || !t.n || t.n > MAX_FUNCTIONS || t.functions > size)
		return -EINVAL;
	room = (size - t.functions) / entry_bytes(&t);
	if (2 * t.n + 1 > room)
		return -EINVAL;
	*ret = t;
	return 0;
}

/* --- finding it ------------------------------------------------------------------------------- */

static int by_section(const struct elf_image *image, const char *name, struct go_table *ret)
{
	const Elf64_Shdr *shdr = elf_image_section(image, name);
	Elf_Data *data;
	int err;

	if (!shdr)
		return -ENOENT;
	err = elf_image_data(image, shdr, MAX_BYTES, &data);
	if (err)
		return err;
	err = data->d_buf ? read_header(image, data->d_buf, data->d_size, shdr->sh_addr, ret)
			  : -EINVAL;
	return err ? errf(err, "the .gopclntab of '%s' is broken", image->name) : 0;
}

/* The note with its build ID, which every Go program has unless it was told not to. */
static bool has_go_note(const struct elf_image *image)
{
	size_t i, at, name, desc;
	GElf_Nhdr n;

	for (i = 0; i < image->n_phdrs; i++) {
		const Elf64_Phdr *p = &image->phdrs[i];
		Elf_Data *notes;

		if (p->p_type != PT_NOTE || !p->p_filesz || p->p_filesz > MAX_NOTES)
			continue;
		notes = elf_getdata_rawchunk(image->elf, p->p_offset, p->p_filesz, ELF_T_NHDR);
		for (at = 0; notes && (at = gelf_getnote(notes, at, &n, &name, &desc)) > 0;) {
			if (n.n_namesz == 4 &&
			    !memcmp((const char *)notes->d_buf + name, "Go\0", 4))
				return true;
		}
	}
	return false;
}

/* Tables begin at multiples of 32 in memory, and so of 8 wherever their data was cut. */
static int search(const struct elf_image *image, const uint8_t *data, size_t size, uint64_t address,
		  struct go_table *ret)
{
	size_t at;

	for (at = -address & 7; at + HEADER_BYTES < size; at += 8) {
		/* All versions of the number begin so, in this order of bytes. */
		if (data[at + 1] == 0xff && data[at + 2] == 0xff && !data[at + 4] &&
		    !read_header(image, data + at, size - at, address + at, ret))
			return 0;
	}
	return -ENOENT;
}

static int in_segments(const struct elf_image *image, struct go_table *ret)
{
	size_t i;

	for (i = 0; i < image->n_phdrs; i++) {
		const Elf64_Phdr *p = &image->phdrs[i];
		Elf_Data *data;

		if (p->p_type != PT_LOAD || (p->p_flags & PF_X) || !p->p_filesz ||
		    p->p_filesz > MAX_BYTES)
			continue;
		data = elf_getdata_rawchunk(image->elf, p->p_offset, p->p_filesz, ELF_T_BYTE);
		if (data && data->d_buf &&
		    !search(image, data->d_buf, data->d_size, p->p_vaddr, ret))
			return 0;
	}
	return -ENOENT;
}

int go_table_find(const struct elf_image *image, struct go_table *ret)
{
	int err = by_section(image, ".gopclntab", ret);

	if (err == -ENOENT)
		err = by_section(image, ".data.rel.ro.gopclntab", ret);
	if (err == -ENOENT && has_go_note(image))
		err = in_segments(image, ret);
	return err;
}

/* --- functions -------------------------------------------------------------------------------- */

bool go_table_function(const struct go_table *table, uint64_t i, struct go_function *ret)
{
	unsigned int size = entry_bytes(table);
	struct dwarf_cursor c = go_table_at(table, table->functions + 2 * size * i);
	struct go_function f = { .start = table->text + dwarf_uint(&c, size) };
	uint64_t name;

	f.at = dwarf_uint(&c, size);
	f.end = table->text + dwarf_uint(&c, size);
	/* Offsets are from the table of functions, in version 1.2 from the start of all. */
	if (table->version > GO_1_2)
		f.at += table->functions;
	if (c.bad || f.at > table->size || f.start >= f.end)
		return false;
	c = go_table_at(table, f.at + size);
	name = dwarf_uint(&c, 4);
	f.name =
		name || table->version == GO_1_2 ? go_table_string(table, table->names + name) : "";
	*ret = f;
	return !c.bad && *f.name;
}

int go_table_add(const struct go_table *table, struct elf_candidates *c)
{
	struct elf_candidate candidate = { .binding = ELF_GLOBAL, .sized = true };
	struct go_function f;
	uint64_t i;
	int err = 0;

	for (i = 0; i < table->n && !err; i++) {
		if (!go_table_function(table, i, &f))
			continue;
		candidate.start = f.start;
		candidate.end = f.end;
		candidate.name = f.name;
		err = elf_candidates_add(c, &candidate);
	}
	return err;
}
