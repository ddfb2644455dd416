/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_eh_frame: any bytes as .eh_frame or .debug_frame of x86-64 or arm64, found by section or by
 * segment as the first byte says; or as a whole ELF file. Tables must be consistent in themselves,
 * and in a store.
 */
#include <stdlib.h>
#include <string.h>

#include "user/unwind/store.h"
#include "user/unwind/table.h"

#define TEXT	   0x401000ull
#define FRAME	   0x500000ull
#define FRAME_AT   0x400
#define MAX_INPUT  65536
#define N_PAGES	   (1u << 17)
#define IS_DEBUG   1
#define IS_ARM64   2
#define BY_SEGMENT 4
#define IS_PACKED  8
#define IS_FILE	   16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ft_unwind_rule storage[FT_UNWIND_MAX_RULES];
static struct ft_unwind_chunk chunks[2];
static struct ft_unwind_page pages[N_PAGES];

struct file {
	Elf64_Ehdr e;
	Elf64_Phdr p[3];
	Elf64_Shdr s[3];
	char names[32];
	uint8_t hdr[12];
};
_Static_assert(sizeof(struct file) <= FRAME_AT, "headers");

static void make_headers(struct file *f, uint8_t flags, size_t len)
{
	size_t name = flags & IS_DEBUG ? 11 : 1;
	int32_t relative = -0x1000 - 4;

	*f = (struct file){ .names = "\0.eh_frame\0.debug_frame", .hdr = { 1, 0x1b, 0x03, 0xff } };
	memcpy(f->hdr + 4, &relative, 4);
	f->hdr[8] = 3;
	memcpy(f->e.e_ident, ELFMAG "\2\1\1", 7);
	f->e.e_machine = flags & IS_ARM64 ? EM_AARCH64 : EM_X86_64;
	f->e.e_version = EV_CURRENT;
	f->e.e_entry = TEXT + 0x100;
	f->e.e_ehsize = sizeof(f->e);
	f->e.e_phoff = offsetof(struct file, p);
	f->e.e_phentsize = sizeof(f->p[0]);
	f->e.e_phnum = 3;
	f->p[0] = (Elf64_Phdr){ .p_type = PT_LOAD,
				.p_flags = PF_X,
				.p_vaddr = TEXT,
				.p_filesz = 64,
				.p_memsz = 0x10000 };
	f->p[1] = (Elf64_Phdr){ .p_type = PT_LOAD,
				.p_offset = FRAME_AT,
				.p_vaddr = FRAME,
				.p_filesz = len,
				.p_memsz = len };
	if (flags & BY_SEGMENT) {
		f->p[2] = (Elf64_Phdr){ .p_type = PT_GNU_EH_FRAME, .p_vaddr = FRAME + 0x1000000 };
		f->p[0].p_vaddr = FRAME + 0x1000000 - offsetof(struct file, hdr);
		f->p[0].p_filesz = FRAME_AT;
		f->p[1].p_vaddr = FRAME + 0x1000000 - 0x1000;
		return;
	}
	f->e.e_shoff = offsetof(struct file, s);
	f->e.e_shentsize = sizeof(f->s[0]);
	f->e.e_shnum = 3;
	f->e.e_shstrndx = 1;
	f->s[1] = (Elf64_Shdr){ .sh_type = SHT_STRTAB,
				.sh_offset = offsetof(struct file, names),
				.sh_size = sizeof(f->names) };
	f->s[2] = (Elf64_Shdr){ .sh_name = name,
				.sh_type = SHT_PROGBITS,
				.sh_flags = flags & IS_PACKED ? SHF_COMPRESSED : 0,
				.sh_addr = FRAME,
				.sh_offset = FRAME_AT,
				.sh_size = len,
				.sh_addralign = 1 };
}

static void check_table(const struct unwind_table *t)
{
	size_t i;
	uint32_t k;

	if (t->n_pages != (t->end - t->start) >> FT_PAGE_SHIFT || !t->n_rows)
		abort();
	for (i = 0; i < t->n_pages; i++) {
		const struct ft_unwind_page *p = &t->pages[i];
		uint64_t start = t->start + (i << FT_PAGE_SHIFT);

		if ((uint64_t)p->row + p->n >= t->n_rows)
			abort();
		for (k = 1; k <= p->n; k++) {
			uint32_t row = t->rows[p->row + k], low = FT_ROW_LOW(row);

			if (low <= (k > 1 ? FT_ROW_LOW(t->rows[p->row + k - 1]) : start % 65536) ||
			    low >> FT_PAGE_SHIFT != (start % 65536) >> FT_PAGE_SHIFT)
				abort();
			if (unwind_table_find(t, start - start % 65536 + low) != FT_ROW_RULE(row))
				abort();
		}
		if (unwind_table_find(t, start) != FT_ROW_RULE(t->rows[p->row]))
			abort();
	}
}

static void check_store(const struct unwind_table *t)
{
	const struct unwind_memory memory = {
		.chunks = chunks, .n_chunks = 2, .pages = pages, .n_pages = N_PAGES
	};
	_cleanup_(unwind_store_freep) struct unwind_store *store = NULL;
	uint32_t id, page, other, other_page;

	if (unwind_store_new(&memory, &store))
		abort();
	if (unwind_store_put(store, t, &id, &page))
		return;
	if (!unwind_store_put(store, t, &other, &other_page))
		unwind_store_drop(store, other);
	unwind_store_drop(store, id);
	if (unwind_store_used(store))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static union {
		struct file file;
		uint8_t bytes[FRAME_AT + MAX_INPUT];
	} made;
	_cleanup_(elf_image_freep) struct elf_image *image = NULL;
	_cleanup_(unwind_rules_freep) struct unwind_rules *rules = NULL;
	_cleanup_(unwind_table_freep) struct unwind_table *table = NULL;
	const uint8_t *bytes = made.bytes;
	uint8_t flags;

	if (!size || size > MAX_INPUT)
		return 0;
	flags = *data++;
	size--;
	if (flags & IS_FILE) {
		bytes = data;
	} else {
		make_headers(&made.file, flags, size);
		memcpy(made.bytes + FRAME_AT, data, size);
		size += FRAME_AT;
	}
	if (elf_image_open_memory(bytes, size, "fuzz", &image))
		return 0;
	if (unwind_rules_new(storage, FT_UNWIND_MAX_RULES, &rules))
		abort();
	if (unwind_table_build(image, rules, &table))
		return 0;
	check_table(table);
	check_store(table);
	return 0;
}
