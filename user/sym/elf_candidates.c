/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sym/elf_candidates.h"

#include <errno.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/err.h"

#define MAX_SYMBOLS (4u << 20)
#define MAX_STRINGS (512u << 20)

void elf_candidates_release(struct elf_candidates *c)
{
	free(c->all);
	*c = (struct elf_candidates){ 0 };
}

int elf_table_read(const struct elf_image *image, const Elf64_Shdr *shdr, struct elf_table *ret)
{
	size_t size = gelf_fsize(image->elf, ELF_T_SYM, 1, EV_CURRENT);
	const Elf64_Shdr *strings = elf_image_section_at(image, shdr->sh_link);
	struct elf_table t;
	int err;

	if (!strings || strings->sh_type != SHT_STRTAB)
		return errf(-EINVAL, "the symbol table of '%s' is broken", image->name);
	err = elf_image_data(image, shdr, MAX_SYMBOLS * size, &t.symbols);
	if (!err)
		err = elf_image_strings(image, strings, MAX_STRINGS, &t.strings, &t.strings_len);
	if (err)
		return err;
	t.n = t.symbols->d_size / size;
	*ret = t;
	return 0;
}

bool elf_table_symbol(const struct elf_table *t, size_t i, Elf64_Sym *ret_symbol,
		      const char **ret_name)
{
	Elf64_Sym symbol;

	if (i >= t->n || !gelf_getsym(t->symbols, i, &symbol) || symbol.st_name >= t->strings_len)
		return false;
	*ret_symbol = symbol;
	*ret_name = t->strings + symbol.st_name;
	return true;
}

int elf_candidates_add(struct elf_candidates *c, const struct elf_candidate *candidate)
{
	struct elf_candidate *added;
	const char *p = candidate->name;

	if (array_reserve(c->all, c->cap, c->n + 1))
		return -ENOMEM;
	added = &c->all[c->n++];
	*added = *candidate;
	for (; *p == '_' && added->underscores < UINT8_MAX; p++)
		added->underscores++;
	return 0;
}

/*
 * Labels that are no functions: ARM's marks of code and data ("$x"; ELF for the Arm 64-bit
 * Architecture, 5.5.5) and the assembler's own.
 */
static bool is_mark(const char *name, unsigned int type)
{
	return type == STT_NOTYPE && (name[0] == '$' || (name[0] == '.' && name[1] == 'L'));
}

static bool is_function(const struct elf_image *image, Elf64_Sym *symbol, const char *name,
			struct elf_candidate *ret)
{
	unsigned int type = ELF64_ST_TYPE(symbol->st_info), bind = ELF64_ST_BIND(symbol->st_info);
	const Elf64_Shdr *section;
	uint64_t end;

	if ((type != STT_FUNC && type != STT_GNU_IFUNC && type != STT_NOTYPE) || !name[0] ||
	    is_mark(name, type) || symbol->st_shndx == SHN_UNDEF ||
	    symbol->st_shndx >= SHN_LORESERVE)
		return false;
	section = elf_image_section_at(image, symbol->st_shndx);
	if (!section || !(section->sh_flags & SHF_EXECINSTR))
		return false;
	if (image->machine == EM_ARM && type == STT_FUNC)
		symbol->st_value &= ~1ull; /* the bit that says Thumb */
	end = section->sh_addr + section->sh_size;
	if (symbol->st_value < section->sh_addr || symbol->st_value >= end)
		return false;
	*ret = (struct elf_candidate){
		.start = symbol->st_value,
		.end = end,
		.name = name,
		.binding = bind == STB_LOCAL  ? ELF_LOCAL
			   : bind == STB_WEAK ? ELF_WEAK
					      : ELF_GLOBAL,
		.sized = symbol->st_size != 0,
	};
	if (symbol->st_size && symbol->st_size < end - symbol->st_value)
		ret->end = symbol->st_value + symbol->st_size;
	return true;
}

int elf_candidates_add_table(struct elf_candidates *c, const struct elf_image *image, uint32_t type)
{
	const Elf64_Shdr *shdr = elf_image_section_of_type(image, type);
	struct elf_candidate candidate;
	struct elf_table t;
	Elf64_Sym symbol;
	const char *name;
	size_t i;
	int err;

	if (!shdr)
		return -ENOENT;
	err = elf_table_read(image, shdr, &t);
	if (err)
		return err;
	for (i = 1; i < t.n && !err; i++) {
		if (elf_table_symbol(&t, i, &symbol, &name) &&
		    is_function(image, &symbol, name, &candidate))
			err = elf_candidates_add(c, &candidate);
	}
	return err ? errf(err, "no memory for the symbols of '%s'", image->name) : 0;
}
