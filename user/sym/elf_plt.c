/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/sym/elf_candidates.h"

#define MAX_RELOCATION_BYTES (256u << 20) /* of all sections */
#define MAX_PLT_BYTES	     (16u << 20)
#define MAX_SLOTS	     (1u << 20)

/* A word that the dynamic linker fills with the address of a symbol. */
struct slot {
	uint64_t address;
	uint32_t symbol;
};

struct slots {
	struct slot *all;
	size_t n, cap;
};

static bool is_slot_type(uint16_t machine, uint32_t type)
{
	if (machine == EM_X86_64)
		return type == R_X86_64_JUMP_SLOT || type == R_X86_64_GLOB_DAT;
	return type == R_AARCH64_JUMP_SLOT || type == R_AARCH64_GLOB_DAT;
}

/* Takes what it reads from *left. */
static int add_slots(const struct elf_image *image, const Elf64_Shdr *shdr, size_t *left,
		     struct slots *slots)
{
	Elf_Data *data;
	GElf_Rela r;
	int err, i;

	err = elf_image_data(image, shdr, *left, &data);
	if (err)
		return err;
	*left -= data->d_size;
	for (i = 0; slots->n < MAX_SLOTS && gelf_getrela(data, i, &r); i++) {
		if (!is_slot_type(image->machine, GELF_R_TYPE(r.r_info)) || !GELF_R_SYM(r.r_info))
			continue;
		if (array_reserve(slots->all, slots->cap, slots->n + 1))
			return errf(-ENOMEM, "no memory for the PLT of '%s'", image->name);
		slots->all[slots->n++] = (struct slot){ r.r_offset, GELF_R_SYM(r.r_info) };
	}
	return 0;
}

static int compare_slots(const void *a, const void *b)
{
	const struct slot *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

/*
 * The slot by which the code at 'at' jumps, or 0. x86-64: jmp *displacement(%rip) (ff 25), after
 * endbr64 or bnd where there is control-flow protection.
 */
static uint64_t slot_of_x86_64(const uint8_t *code, size_t len, uint64_t address)
{
	int32_t displacement;
	size_t i;

	for (i = 0; i + 6 <= len; i++) {
		if (code[i] != 0xff || code[i + 1] != 0x25)
			continue;
		memcpy(&displacement, code + i + 2, sizeof(displacement));
		return address + i + 6 + displacement;
	}
	return 0;
}

/* arm64: adrp x16, PAGE; ldr x17, [x16, OFFSET] (AAELF64, "Procedure Linkage Table"). */
static uint64_t slot_of_arm64(const uint8_t *code, size_t len, uint64_t address)
{
	uint32_t adrp, ldr;
	uint64_t page;
	size_t i;

	for (i = 0; i + 8 <= len; i += 4) {
		memcpy(&adrp, code + i, 4);
		memcpy(&ldr, code + i + 4, 4);
		if ((adrp & 0x9f00001f) != 0x90000010 || (ldr & 0xffc003ff) != 0xf9400211)
			continue;
		page = (uint64_t)(adrp >> 5 & 0x7ffff) << 2 | (adrp >> 29 & 3);
		if (page & 1 << 20)
			page -= 1 << 21;
		return ((address + i) & ~0xfffull) + (page << 12) + (ldr >> 10 & 0xfffull) * 8;
	}
	return 0;
}

static size_t entry_size(const struct elf_image *image, const Elf64_Shdr *shdr)
{
	if (shdr->sh_entsize >= 8 && shdr->sh_entsize <= 32)
		return shdr->sh_entsize;
	/* .plt.got has entries of 8 bytes where it has no endbr64. */
	if (image->machine == EM_X86_64 && !strcmp(elf_image_section_name(image, shdr), ".plt.got"))
		return 8;
	return 16;
}

static int add_entries(struct elf_candidates *c, const struct elf_image *image,
		       const Elf64_Shdr *shdr, const struct slots *slots, const struct elf_table *t)
{
	size_t at, size = entry_size(image, shdr), n;
	const struct slot *slot;
	const uint8_t *code;
	Elf_Data *data;
	int err;

	err = elf_image_data(image, shdr, MAX_PLT_BYTES, &data);
	for (at = 0; !err && at < data->d_size; at += size) {
		uint64_t start = shdr->sh_addr + at;
		Elf64_Sym symbol;
		struct slot key = { 0 };
		struct elf_candidate entry = {
			.start = start, .end = start + size, .sized = true, .is_plt = true
		};

		code = (const uint8_t *)data->d_buf + at;
		n = data->d_size - at < size ? data->d_size - at : size;
		key.address = image->machine == EM_X86_64 ? slot_of_x86_64(code, n, start)
							  : slot_of_arm64(code, n, start);
		slot = bsearch(&key, slots->all, slots->n, sizeof(key), compare_slots);
		if (slot && elf_table_symbol(t, slot->symbol, &symbol, &entry.name) &&
		    entry.name[0])
			err = elf_candidates_add(c, &entry);
	}
	return err;
}

static int read_slots(const struct elf_image *image, struct slots *ret)
{
	size_t i, left = MAX_RELOCATION_BYTES;
	int err = 0;

	for (i = 0; i < image->n_shdrs && !err; i++) {
		const Elf64_Shdr *shdr = &image->shdrs[i];

		if (shdr->sh_type == SHT_RELA && shdr->sh_flags & SHF_ALLOC)
			err = add_slots(image, shdr, &left, ret);
	}
	if (ret->n)
		qsort(ret->all, ret->n, sizeof(*ret->all), compare_slots);
	return err;
}

int elf_candidates_add_plt(struct elf_candidates *c, const struct elf_image *image)
{
	static const char *const sections[] = { ".plt", ".plt.sec", ".plt.got" };
	const Elf64_Shdr *dynsym = elf_image_section(image, ".dynsym"), *plt;
	struct slots slots = { 0 };
	struct elf_table t;
	size_t i;
	int err;

	if (!image->is_64 || (image->machine != EM_X86_64 && image->machine != EM_AARCH64) ||
	    !dynsym || dynsym->sh_type != SHT_DYNSYM)
		return 0;
	err = read_slots(image, &slots);
	if (!err && slots.n)
		err = elf_table_read(image, dynsym, &t);
	for (i = 0; i < ARRAY_SIZE(sections) && !err && slots.n; i++) {
		plt = elf_image_section(image, sections[i]);
		if (plt && plt->sh_flags & SHF_EXECINSTR)
			err = add_entries(c, image, plt, &slots, &t);
	}
	free(slots.all);
	return err;
}
