/* SPDX-License-Identifier: BSD-2-Clause */
/* frames: ELF files in memory with call frame information that a test puts together byte by byte.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "user/unwind/table.h"

#define TEXT	     0x401000ull  /* where the code is */
#define FRAME	     0x2000000ull /* where .eh_frame is */
#define TEXT_OFFSET  0x1000
#define MAX_FRAME    (1u << 20)
#define FRAMES_NAMES 64

/* Bytes of an initializer list. */
#define BYTES(...) ((const uint8_t[]){ __VA_ARGS__ }), sizeof((const uint8_t[]){ __VA_ARGS__ })

/* What an x86-64 CIE says: the CFA is rsp + 8, the return address is at CFA - 8. */
#define X86_ENTRY DW_CFA_def_cfa, 7, 8, DW_CFA_offset | 16, 1

struct frames {
	uint8_t *bytes;
	size_t len;
	bool is_eh;
};

static inline void frames_init(struct frames *f, bool is_eh)
{
	*f = (struct frames){ .bytes = calloc(1, MAX_FRAME), .is_eh = is_eh };
	assert_non_null(f->bytes);
}

static inline void frames_put(struct frames *f, const void *bytes, size_t len)
{
	assert_true(f->len + len <= MAX_FRAME);
	memcpy(f->bytes + f->len, bytes, len);
	f->len += len;
}

static inline void frames_u8(struct frames *f, uint8_t x)
{
	frames_put(f, &x, sizeof(x));
}

static inline void frames_u32(struct frames *f, uint32_t x)
{
	frames_put(f, &x, sizeof(x));
}

static inline void frames_u64(struct frames *f, uint64_t x)
{
	frames_put(f, &x, sizeof(x));
}

/* Completes the entry that begins at that place with its length. */
static inline void frames_end(struct frames *f, size_t at)
{
	uint32_t len;

	while ((f->len - at) % 8 != 4)
		frames_u8(f, DW_CFA_nop);
	len = f->len - at - 4;
	memcpy(f->bytes + at, &len, sizeof(len));
	f->len = at + 4 + len;
}

/* A CIE with code in units of 1 and data in units of -8; returns its place. */
static inline size_t frames_cie(struct frames *f, const char *augmentation, uint8_t ra,
				const uint8_t *code, size_t len)
{
	size_t at = f->len;
	const char *letter;

	frames_u32(f, 0);
	frames_u32(f, f->is_eh ? 0 : UINT32_MAX);
	frames_u8(f, 1);
	frames_put(f, augmentation, strlen(augmentation) + 1);
	frames_u8(f, 1);
	frames_u8(f, 0x78);
	frames_u8(f, ra);
	if (*augmentation == 'z') {
		frames_u8(f, !!strchr(augmentation, 'R'));
		for (letter = augmentation; *letter; letter++) {
			if (*letter == 'R')
				frames_u8(f, DW_EH_PE_pcrel | DW_EH_PE_sdata4);
		}
	}
	frames_put(f, code, len);
	frames_end(f, at);
	return at;
}

/* The usual one of x86-64. */
static inline size_t frames_x86_cie(struct frames *f)
{
	return frames_cie(f, f->is_eh ? "zR" : "", 16, BYTES(X86_ENTRY));
}

/* A function of one of the CIEs above. */
static inline void frames_fde(struct frames *f, size_t cie, uint64_t start, uint64_t size,
			      const uint8_t *code, size_t len)
{
	size_t at = f->len;

	frames_u32(f, 0);
	frames_u32(f, f->is_eh ? f->len - cie : cie);
	if (f->is_eh) {
		frames_u32(f, start - (FRAME + f->len));
		frames_u32(f, size);
		frames_u8(f, 0); /* augmentation */
	} else {
		frames_u64(f, start);
		frames_u64(f, size);
	}
	frames_put(f, code, len);
	frames_end(f, at);
}

/* A function whose CFA is rsp + 'offset' everywhere, so many bytes from TEXT on. */
static inline void frames_function(struct frames *f, size_t cie, uint64_t at, uint64_t size,
				   uint8_t offset)
{
	frames_fde(f, cie, TEXT + at, size, BYTES(DW_CFA_def_cfa_offset, offset));
}

/* The file around it. */
struct frames_file {
	uint16_t machine; /* 0: x86-64 */
	uint64_t entry;
	const uint8_t *code; /* at TEXT, or NULL for zeros */
	size_t code_len;
	uint64_t memsz;	     /* of the text, or 0: 16 pages */
	const char *section; /* name of the section, NULL: ".eh_frame" or ".debug_frame" */
	uint64_t section_flags;
	bool no_count;		     /* of functions in .eh_frame_hdr */
	bool no_sections;	     /* but PT_GNU_EH_FRAME */
	const struct frames *second; /* .debug_frame beside it */
	/* Made from it: */
	uint8_t *bytes;
	size_t len;
	struct elf_image *image;
};

static inline void frames_phdr(Elf64_Phdr *p, uint32_t type, uint32_t flags, uint64_t offset,
			       uint64_t address, uint64_t size, uint64_t memsz)
{
	*p = (Elf64_Phdr){ .p_type = type,
			   .p_flags = flags,
			   .p_offset = offset,
			   .p_vaddr = address,
			   .p_filesz = size,
			   .p_memsz = memsz,
			   .p_align = 4096 };
}

/* .eh_frame_hdr with no table: version, encodings of the address, of the count, of the table. */
static inline size_t frames_hdr(uint8_t *to, uint64_t address, bool no_count)
{
	int32_t relative = FRAME - (address + 4);
	uint32_t n = 2;

	to[0] = 1;
	to[1] = DW_EH_PE_pcrel | DW_EH_PE_sdata4;
	to[2] = no_count ? DW_EH_PE_omit : DW_EH_PE_udata4;
	to[3] = DW_EH_PE_omit;
	memcpy(to + 4, &relative, 4);
	memcpy(to + 8, &n, 4);
	return 12;
}

/* Where its parts are. */
struct frames_layout {
	size_t text_len, frame, second, sections;
};

static inline void frames_segments(struct frames_file *file, const struct frames *f,
				   const struct frames_layout *at)
{
	Elf64_Phdr *p = (Elf64_Phdr *)(file->bytes + sizeof(Elf64_Ehdr));
	size_t len = frames_hdr(file->bytes + at->frame + f->len, FRAME + f->len, file->no_count);

	frames_phdr(&p[0], PT_LOAD, PF_R | PF_X, TEXT_OFFSET, TEXT, at->text_len,
		    file->memsz ? file->memsz : 16 << FT_PAGE_SHIFT);
	frames_phdr(&p[1], PT_LOAD, PF_R, at->frame, FRAME, f->len + 64, f->len + 64);
	frames_phdr(&p[2], PT_GNU_EH_FRAME, PF_R, at->frame + f->len, FRAME + f->len, len, len);
}

static inline void frames_sections(struct frames_file *file, const struct frames *f,
				   const struct frames_layout *at)
{
	static const char names[FRAMES_NAMES] =
		"\0.shstrtab\0.eh_frame\0.debug_frame\0.zdebug_frame";
	const char *section = file->section ? file->section
			      : f->is_eh    ? ".eh_frame"
					    : ".debug_frame";
	Elf64_Shdr *s = (Elf64_Shdr *)(file->bytes + at->sections);
	size_t i;

	memcpy(&s[4], names, sizeof(names));
	s[1] = (Elf64_Shdr){ .sh_name = 1,
			     .sh_type = SHT_STRTAB,
			     .sh_offset = at->sections + 4 * sizeof(*s),
			     .sh_size = sizeof(names) };
	for (i = 1; strcmp(names + i, section); i += strlen(names + i) + 1)
		assert_true(i < sizeof(names));
	s[2] = (Elf64_Shdr){ .sh_name = i,
			     .sh_type = SHT_PROGBITS,
			     .sh_flags = file->section_flags,
			     .sh_addr = f->is_eh ? FRAME : 0,
			     .sh_offset = at->frame,
			     .sh_size = f->len,
			     .sh_addralign = 8 };
	if (file->second)
		s[3] = (Elf64_Shdr){ .sh_name = 1 + sizeof(".shstrtab") + sizeof(".eh_frame"),
				     .sh_type = SHT_PROGBITS,
				     .sh_offset = at->second,
				     .sh_size = file->second->len };
}

static inline void frames_open(struct frames_file *file, const struct frames *f)
{
	struct frames_layout at = { .text_len = file->code ? file->code_len : 16 };
	Elf64_Ehdr *e;

	at.frame = (TEXT_OFFSET + at.text_len + 63) & ~63ull;
	at.second = at.frame + f->len + 64;
	at.sections = (at.second + (file->second ? file->second->len : 0) + 7) & ~7ull;
	file->len = at.sections + 4 * sizeof(Elf64_Shdr) + FRAMES_NAMES;
	file->bytes = calloc(1, file->len);
	assert_non_null(file->bytes);
	e = (Elf64_Ehdr *)file->bytes;
	memcpy(e->e_ident, ELFMAG, SELFMAG);
	e->e_ident[EI_CLASS] = ELFCLASS64;
	e->e_ident[EI_DATA] = ELFDATA2LSB;
	e->e_ident[EI_VERSION] = EV_CURRENT;
	e->e_type = ET_EXEC;
	e->e_machine = file->machine ? file->machine : EM_X86_64;
	e->e_version = EV_CURRENT;
	e->e_entry = file->entry;
	e->e_ehsize = sizeof(*e);
	e->e_phoff = sizeof(*e);
	e->e_phentsize = sizeof(Elf64_Phdr);
	e->e_phnum = 3;
	e->e_shentsize = sizeof(Elf64_Shdr);
	frames_segments(file, f, &at);
	if (file->code)
		memcpy(file->bytes + TEXT_OFFSET, file->code, file->code_len);
	memcpy(file->bytes + at.frame, f->bytes, f->len);
	if (file->second)
		memcpy(file->bytes + at.second, file->second->bytes, file->second->len);
	if (!file->no_sections) {
		e->e_shoff = at.sections;
		e->e_shnum = 3 + !!file->second;
		e->e_shstrndx = 1;
		frames_sections(file, f, &at);
	}
	assert_int_equal(elf_image_open_memory(file->bytes, file->len, "test", &file->image), 0);
}

static inline void frames_close(struct frames_file *file)
{
	elf_image_free(file->image);
	free(file->bytes);
}

static struct ft_unwind_rule frames_rules[FT_UNWIND_MAX_RULES];

/* Builds the table of a file with that section; releases everything else. */
static inline int frames_build(struct frames_file *file, struct frames *f,
			       struct unwind_table **ret)
{
	struct unwind_rules *rules = NULL;
	int err;

	assert_int_equal(unwind_rules_new(frames_rules, FT_UNWIND_MAX_RULES, &rules), 0);
	frames_open(file, f);
	err = unwind_table_build(file->image, rules, ret);
	unwind_rules_free(rules);
	frames_close(file);
	free(f->bytes);
	return err;
}

static inline struct unwind_table *frames_table(struct frames *f)
{
	struct frames_file file = { .machine = 0 };
	struct unwind_table *t = NULL;

	assert_int_equal(frames_build(&file, f, &t), 0);
	return t;
}

/* The rule at so many bytes from TEXT on. */
static inline const struct ft_unwind_rule *frames_at(const struct unwind_table *t, uint64_t offset)
{
	return &frames_rules[unwind_table_find(t, TEXT + offset)];
}

static inline int32_t frames_cfa_at(const struct unwind_table *t, uint64_t offset)
{
	return frames_at(t, offset)->cfa_offset;
}

static inline bool frames_nothing_at(const struct unwind_table *t, uint64_t offset)
{
	return unwind_table_find(t, TEXT + offset) == FT_RULE_NO_CFI;
}
