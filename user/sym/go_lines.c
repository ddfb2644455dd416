/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sym/go_lines.h"

#include <errno.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/err.h"

#define INLINE_INDEX 2 /* abi.PCDATA_InlTreeIndex */
#define INLINE_TREE  3 /* abi.FUNCDATA_InlTree */
#define NO_OFFSET    UINT32_MAX
#define MAX_DATA     (256u << 20) /* of a segment that is searched */
#define MAX_TREES    (256u << 20)
#define MAX_TRIES    16 /* places that look like the module's data; each costs a search */

/* Fields of runtime.moduledata, by their number. */
enum { MODULE_TEXT = 22, MODULE_GOFUNC_1_18 = 38, MODULE_GOFUNC_1_20 = 40 };

struct go_lines {
	struct go_table table;
	const uint8_t *trees; /* "go:func.*", to the end of its segment; NULL if it was not found */
	size_t trees_size;
};

/* What is known of one function ("_func"). */
struct function {
	struct go_function f;
	uint32_t file_values, line_values, unit;
	uint32_t inline_values, inline_tree; /* NO_OFFSET if there are none */
};

/* --- trees ------------------------------------------------------------------------------------ */

/* Where the first field of the module's data points to the table. */
static bool module_in(const struct elf_image *image, const struct go_table *t, const Elf64_Phdr *p,
		      uint64_t *ret)
{
	unsigned int tries = 0;
	Elf_Data *data;
	uint64_t value;
	size_t at;

	if (p->p_type != PT_LOAD || !(p->p_flags & PF_W) || !p->p_filesz || p->p_filesz > MAX_DATA)
		return false;
	data = elf_getdata_rawchunk(image->elf, p->p_offset, p->p_filesz, ELF_T_BYTE);
	for (at = 0; data && data->d_buf && at + sizeof(value) <= data->d_size && tries < MAX_TRIES;
	     at += sizeof(value)) {
		memcpy(&value, (const char *)data->d_buf + at, sizeof(value));
		if (value != t->address)
			continue;
		tries++;
		if (go_pointer_at(image, p->p_vaddr + at + MODULE_TEXT * 8) == t->text) {
			*ret = p->p_vaddr + at;
			return true;
		}
	}
	return false;
}

/* The same of a position-independent program, where relocations fill the field in. */
static bool module_by_relocation(const struct elf_image *image, const struct go_table *t,
				 uint64_t *ret)
{
	unsigned int tries = 0;
	size_t i, k;

	for (i = 1; i < image->n_shdrs; i++) {
		const Elf64_Shdr *s = &image->shdrs[i];
		Elf_Data *data = NULL;
		GElf_Rela r;

		if (s->sh_type != SHT_RELA || !(s->sh_flags & SHF_ALLOC) ||
		    elf_image_data(image, s, MAX_DATA, &data) || !data)
			continue;
		for (k = 0; k < data->d_size / sizeof(Elf64_Rela) && tries < MAX_TRIES; k++) {
			if (!gelf_getrela(data, (int)k, &r) || (uint64_t)r.r_addend != t->address)
				continue;
			tries++;
			if (go_pointer_at(image, r.r_offset + MODULE_TEXT * 8) == t->text) {
				*ret = r.r_offset;
				return true;
			}
		}
	}
	return false;
}

static bool find_module(const struct elf_image *image, const struct go_table *t, uint64_t *ret)
{
	size_t i;

	for (i = 0; i < image->n_phdrs; i++) {
		if (module_in(image, t, &image->phdrs[i], ret))
			return true;
	}
	return module_by_relocation(image, t, ret);
}

static void find_trees(const struct elf_image *image, struct go_lines *lines)
{
	const struct go_table *t = &lines->table;
	uint64_t module, address;
	size_t i;

	if (t->version < GO_1_18 || t->pointer != 8 || !find_module(image, t, &module))
		return;
	address =
		go_pointer_at(image, module + 8ull * (t->version >= GO_1_20 ? MODULE_GOFUNC_1_20
									    : MODULE_GOFUNC_1_18));
	for (i = 0; i < image->n_phdrs; i++) {
		const Elf64_Phdr *p = &image->phdrs[i];
		uint64_t skip = address - p->p_vaddr;
		Elf_Data *data;

		if (p->p_type != PT_LOAD || address < p->p_vaddr || skip >= p->p_filesz ||
		    p->p_filesz - skip > MAX_TREES)
			continue;
		data = elf_getdata_rawchunk(image->elf, p->p_offset + skip, p->p_filesz - skip,
					    ELF_T_BYTE);
		if (data && data->d_buf) {
			lines->trees = data->d_buf;
			lines->trees_size = data->d_size;
		}
		return;
	}
}

int go_lines_new(const struct elf_image *image, struct go_lines **ret)
{
	_cleanup_(go_lines_freep) struct go_lines *lines = calloc(1, sizeof(*lines));
	int err;

	if (!lines)
		return errf(-ENOMEM, "no memory for the lines of '%s'", image->name);
	err = go_table_find(image, &lines->table);
	if (!err && lines->table.version < GO_1_16)
		err = -ENOENT;
	if (err)
		return err;
	find_trees(image, lines);
	*ret = take(lines);
	return 0;
}

void go_lines_free(struct go_lines *lines)
{
	free(lines);
}

/* --- one function ----------------------------------------------------------------------------- */

static bool find_entry(const struct go_table *t, uint64_t address, struct go_function *ret)
{
	uint64_t low = 0, high = t->n;
	struct go_function f;

	while (low < high) {
		uint64_t mid = low + (high - low) / 2;

		/* One that is broken or empty is no place to turn at: go on as if it were before.
		 */
		if (!go_table_function(t, mid, &f) || f.start <= address)
			low = mid + 1;
		else
			high = mid;
	}
	return low && go_table_function(t, low - 1, ret) && ret->start <= address &&
	       address < ret->end;
}

static uint32_t element(const struct go_table *t, uint64_t at, uint64_t n, uint64_t i)
{
	struct dwarf_cursor c = go_table_at(t, at + 4 * i);
	uint32_t v = i < n ? dwarf_uint(&c, 4) : NO_OFFSET;

	return c.bad ? NO_OFFSET : v;
}

static bool find_function(const struct go_table *t, uint64_t address, struct function *ret)
{
	struct function f = { 0 };
	struct dwarf_cursor c;
	uint64_t n_values, n_data, lists;

	if (!find_entry(t, address, &f.f))
		return false;
	c = go_table_at(t, f.f.at + (t->version >= GO_1_18 ? 4 : t->pointer));
	dwarf_skip(&c, 16); /* name, args, deferreturn, pcsp */
	f.file_values = dwarf_uint(&c, 4);
	f.line_values = dwarf_uint(&c, 4);
	n_values = dwarf_uint(&c, 4);
	f.unit = dwarf_uint(&c, 4);
	if (t->version >= GO_1_20)
		dwarf_skip(&c, 4); /* startLine */
	dwarf_skip(&c, 3);	   /* funcID, flag, padding */
	n_data = dwarf_u8(&c);
	lists = c.at - t->data;
	f.inline_values = element(t, lists, n_values, INLINE_INDEX);
	f.inline_tree = element(t, lists + 4 * n_values, n_data, INLINE_TREE);
	*ret = f;
	return !c.bad;
}

/* The value of a table of values at an address ("pcvalue"); -1 if there is none. */
static int64_t value_at(const struct go_table *t, const struct function *f, uint32_t offset,
			uint64_t address)
{
	struct dwarf_cursor c = go_table_at(t, t->values + offset);
	uint64_t pc = f->f.start;
	int64_t value = -1;
	bool first = true;

	while (!c.bad) {
		uint64_t delta = dwarf_uleb(&c);

		if (!delta && !first)
			break;
		value = (int32_t)(value + (int64_t)(delta >> 1 ^ -(delta & 1)));
		pc += dwarf_uleb(&c) * t->quantum;
		first = false;
		if (!c.bad && address < pc)
			return value;
	}
	return -1;
}

static struct code_line place_at(const struct go_table *t, const struct function *f,
				 uint64_t address)
{
	int64_t file = value_at(t, f, f->file_values, address);
	int64_t line = value_at(t, f, f->line_values, address);
	struct code_line place = { .line = line > 0 ? line : 0 };
	struct dwarf_cursor c;
	uint32_t name;

	if (file < 0)
		return place;
	c = go_table_at(t, t->units + 4 * ((uint64_t)f->unit + file));
	name = dwarf_uint(&c, 4);
	if (!c.bad && name != NO_OFFSET)
		place.file = go_table_string(t, t->files + name);
	if (place.file && !*place.file)
		place.file = NULL;
	return place;
}

/* One call that was inlined: whose, and at which address of the function it would have been. */
static bool read_inlined(const struct go_lines *l, const struct function *f, int64_t i,
			 const char **ret_name, uint64_t *ret_parent)
{
	uint64_t size = l->table.version >= GO_1_20 ? 16 : 20;
	struct dwarf_cursor c = { l->trees, l->trees + l->trees_size, false };
	uint64_t name;

	dwarf_skip(&c, f->inline_tree + i * size);
	dwarf_skip(&c, size == 16 ? 4 : 12); /* what else is said of it */
	name = dwarf_uint(&c, 4);
	*ret_parent = f->f.start + dwarf_uint(&c, 4);
	*ret_name = go_table_string(&l->table, l->table.names + name);
	return !c.bad && **ret_name;
}

int go_lines_find(const struct go_lines *lines, uint64_t address,
		  struct code_line ret[CODE_LINES_MAX])
{
	const struct go_table *t = &lines->table;
	struct function f;
	uint64_t parent;
	int64_t i;
	int n = 0;

	if (!find_function(t, address, &f))
		return 0;
	while (n < CODE_LINES_MAX - 1 && lines->trees && f.inline_values != NO_OFFSET &&
	       f.inline_tree != NO_OFFSET) {
		i = value_at(t, &f, f.inline_values, address);
		ret[n] = place_at(t, &f, address);
		if (i < 0 || !read_inlined(lines, &f, i, &ret[n].function, &parent))
			break;
		n++;
		address = parent;
	}
	ret[n] = place_at(t, &f, address);
	ret[n].function = f.f.name;
	return n + 1;
}
