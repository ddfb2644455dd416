/* SPDX-License-Identifier: BSD-2-Clause */
/* allocator_image: the allocator of one ELF file, by its symbols and its code. */
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/collect/allocator_functions.h"
#include "user/collect/allocators.h"
#include "user/collect/prologue.h"
#include "user/sym/elf_candidates.h"

#define MAX_NAMES 512

/* A name that a function has. */
struct name {
	struct alloc_name is;
	char text[ALLOCATOR_NAME_LEN];
	uint64_t address, size;
	bool is_alias; /* of the one before it that is none */
};

struct look {
	const struct elf_image *image;
	struct elf_table tables[2];
	size_t n_tables;
	int mark; /* the surest, or -1 */
	enum alloc_owner owner;
	bool is_libc;
	bool looks_up; /* it asks for the next malloc by its name */
	struct name names[MAX_NAMES];
	size_t n_names;
	struct elf_candidates plt;
};

static void look_release(struct look *look)
{
	elf_candidates_release(&look->plt);
}

/* --- names -------------------------------------------------------------------------------- */

static int add_table(struct look *look, uint32_t type)
{
	const Elf64_Shdr *shdr = elf_image_section_of_type(look->image, type);
	int err;

	if (!shdr)
		return 0;
	err = elf_table_read(look->image, shdr, &look->tables[look->n_tables]);
	if (!err)
		look->n_tables++;
	return err;
}

static bool is_defined(const Elf64_Sym *symbol)
{
	return symbol->st_shndx != SHN_UNDEF && symbol->st_shndx < SHN_LORESERVE &&
	       symbol->st_value && ELF64_ST_TYPE(symbol->st_info) == STT_FUNC;
}

static void look_for_marks(struct look *look)
{
	const char *name;
	Elf64_Sym symbol;
	size_t t, i;
	int mark;

	look->mark = -1;
	for (t = 0; t < look->n_tables; t++) {
		for (i = 1; i < look->tables[t].n; i++) {
			if (!elf_table_symbol(&look->tables[t], i, &symbol, &name))
				continue;
			if (symbol.st_shndx == SHN_UNDEF) {
				look->looks_up |=
					!strcmp(name, "dlsym") || !strcmp(name, "__libc_malloc");
				continue;
			}
			mark = is_defined(&symbol) ? alloc_mark_find(name) : -1;
			if (mark >= 0 && (look->mark < 0 || mark < look->mark))
				look->mark = mark;
		}
	}
}

static void look_for_names(struct look *look)
{
	struct alloc_name is;
	const char *name;
	Elf64_Sym symbol;
	struct name *n;
	size_t t, i;

	for (t = 0; t < look->n_tables; t++) {
		for (i = 1; i < look->tables[t].n && look->n_names < MAX_NAMES; i++) {
			if (!elf_table_symbol(&look->tables[t], i, &symbol, &name) ||
			    !is_defined(&symbol) || strlen(name) >= ALLOCATOR_NAME_LEN ||
			    !alloc_name_find(name, look->owner, &is))
				continue;
			n = &look->names[look->n_names++];
			*n = (struct name){
				.is = is,
				.address = symbol.st_value,
				.size = symbol.st_size,
			};
			snprintf(n->text, sizeof(n->text), "%s", name);
		}
	}
}

/* By address; of those of one, a function of C without a prefix and with a short name first. */
static int compare_names(const void *a, const void *b)
{
	const struct name *x = a, *y = b;
	size_t x_len = strlen(x->text), y_len = strlen(y->text);

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	if (x->is.is_operator != y->is.is_operator)
		return x->is.is_operator ? 1 : -1;
	if (x->is.is_prefixed != y->is.is_prefixed)
		return x->is.is_prefixed ? 1 : -1;
	if (x_len != y_len)
		return x_len < y_len ? -1 : 1;
	return strcmp(x->text, y->text);
}

/* Of each address the first name is it. Whether there is something of malloc's kind. */
static bool choose_names(struct look *look)
{
	bool has_malloc = false;
	size_t i;

	if (look->n_names)
		qsort(look->names, look->n_names, sizeof(*look->names), compare_names);
	for (i = 0; i < look->n_names; i++) {
		struct name *name = &look->names[i];

		has_malloc |= name->is.function == ALLOC_MALLOC && !name->is.is_operator &&
			      strstr(name->text, "malloc");
		name->is_alias = i && name[-1].address == name->address;
	}
	return has_malloc;
}

/* --- code --------------------------------------------------------------------------------- */

/* The place of executable code in the file; false if no segment has it. */
static bool offset_of(const struct elf_image *image, uint64_t address, uint64_t *ret)
{
	size_t i;

	for (i = 0; i < image->n_phdrs; i++) {
		const Elf64_Phdr *p = &image->phdrs[i];

		if (p->p_type == PT_LOAD && p->p_flags & PF_X && address >= p->p_vaddr &&
		    address - p->p_vaddr < p->p_filesz) {
			*ret = p->p_offset + (address - p->p_vaddr);
			return *ret >= p->p_offset;
		}
	}
	return false;
}

/* Without a size, a function goes on to the next one that has a name here, or some bytes. */
static uint64_t size_of(const struct look *look, size_t i)
{
	const struct name *name = &look->names[i];
	uint64_t size = name->size ? name->size : 256;

	while (++i < look->n_names && look->names[i].address == name->address)
		;
	if (!name->size && i < look->n_names && look->names[i].address - name->address < size)
		size = look->names[i].address - name->address;
	return size < PROLOGUE_MAX_BYTES ? size : PROLOGUE_MAX_BYTES;
}

static int code_of(const struct look *look, size_t i, struct code *ret)
{
	const struct name *name = &look->names[i];
	Elf_Data *data;
	int err = elf_image_bytes_at(look->image, name->address, size_of(look, i), &data);

	if (err)
		return err;
	*ret = (struct code){
		.machine = look->image->machine,
		.bytes = data->d_buf,
		.len = data->d_size,
		.address = name->address,
	};
	return 0;
}

static const struct name *name_at(const struct look *look, uint64_t address)
{
	size_t i;

	for (i = 0; i < look->n_names; i++) {
		if (look->names[i].address == address)
			return &look->names[i];
	}
	return NULL;
}

/* The function that a branch leads to, be it by way of the linkage table; NULL: none of these. */
static const struct name *called_by(const struct look *look, const struct code_branch *b)
{
	const struct name *name = name_at(look, b->target);
	size_t i, j;

	for (i = 0; i < look->plt.n && !name; i++) {
		const struct elf_candidate *c = &look->plt.all[i];

		if (b->target < c->start || b->target >= c->end)
			continue;
		for (j = 0; j < look->n_names && !name; j++) {
			if (!strcmp(look->names[j].text, c->name))
				name = name_at(look, look->names[j].address);
		}
	}
	return name;
}

/* --- what calls what ---------------------------------------------------------------------- */

struct calls {
	const struct look *look;
	const struct name *from;
	bool is_wrapper;
	bool jumps_to_malloc;
	const struct name *called[16]; /* by realloc */
	size_t n_called;
};

/*
 * Whether it does nothing without the function of these that it calls. The others do so in some
 * cases only, if at all, but for a C library's.
 */
static bool only_calls(const struct look *look, const struct name *name)
{
	switch (name->is.function) {
	case ALLOC_POSIX_MEMALIGN:
	case ALLOC_REALLOCARRAY:
		return true;
	case ALLOC_CALLOC:
	case ALLOC_MEMALIGN:
		return look->is_libc;
	case ALLOC_MALLOC:
		return name->is.is_operator || strstr(name->text, "valloc");
	case ALLOC_FREE:
		return name->is.is_operator;
	default:
		return false;
	}
}

static int note_branch(void *ctx, const struct code_branch *b)
{
	struct calls *calls = ctx;
	const struct name *to = called_by(calls->look, b);
	enum alloc_function of = calls->from->is.function;
	bool is_free = of == ALLOC_FREE;

	if (!to || to == calls->from)
		return 0;
	if (of == ALLOC_REALLOC) {
		if (b->is_call && calls->n_called < ARRAY_SIZE(calls->called))
			calls->called[calls->n_called++] = to;
		calls->jumps_to_malloc |= !b->is_call && to->is.function == ALLOC_MALLOC;
	}
	if (is_free != (to->is.function == ALLOC_FREE))
		return 0;
	/* The first instruction may be an endbr64 or bti. */
	if ((!b->is_call && b->offset <= 4) || only_calls(calls->look, calls->from))
		calls->is_wrapper = true;
	return 0;
}

static int add_probe(struct look *look, size_t i, struct allocator *a)
{
	const struct name *name = &look->names[i];
	struct allocator_probe *probe;
	struct prologue_point point;
	uint64_t offset;
	struct code code;
	int err;

	if (!offset_of(look->image, name->address, &offset))
		return 0;
	err = code_of(look, i, &code);
	if (!err)
		err = prologue_choose(&code, alloc_function_args(name->is.function),
				      name->is.function == ALLOC_FREE, &point);
	if (err)
		return err == -EINVAL || err == -EIO || err == -EOPNOTSUPP ? 0 : err;
	if (array_reserve(a->probes, a->cap, a->n_probes + 1))
		return errf(-ENOMEM, "no memory for the probes of '%s'", look->image->name);
	probe = &a->probes[a->n_probes++];
	*probe = (struct allocator_probe){
		.function = name->is.function,
		.address = name->address,
		.size = name->size,
		.offset = offset + point.offset,
		.cookie = (uint64_t)(point.stack_bytes / 8) << FT_ALLOC_CALL_STACK_SHIFT |
			  (uint64_t)name->is.function << FT_ALLOC_CALL_FUNCTION_SHIFT,
		.is_slow = point.is_slow,
	};
	memcpy(probe->name, name->text, sizeof(probe->name));
	return 0;
}

static struct allocator_probe *probe_at(struct allocator *a, uint64_t address)
{
	size_t i;

	for (i = 0; i < a->n_probes; i++) {
		if (a->probes[i].address == address)
			return &a->probes[i];
	}
	return NULL;
}

/* Bytes of the function before the probe. */
static uint64_t probe_distance(const struct look *look, const struct allocator_probe *probe)
{
	uint64_t offset;

	return offset_of(look->image, probe->address, &offset) ? probe->offset - offset : 0;
}

/* What realloc calls has in its cookie where realloc is. */
static void mark_called(const struct look *look, const struct calls *calls, struct allocator *a)
{
	struct allocator_probe *probe, *realloc_probe = probe_at(a, calls->from->address);
	uint64_t size = calls->from->size;
	int64_t delta;
	size_t i;

	if (realloc_probe && calls->jumps_to_malloc)
		realloc_probe->cookie |= FT_ALLOC_CALL_NOT_NULL;
	for (i = 0; i < calls->n_called; i++) {
		probe = probe_at(a, calls->called[i]->address);
		if (!probe || !size || size > FT_ALLOC_CALL_BYTES_MAX ||
		    probe->cookie >> FT_ALLOC_CALL_BYTES_SHIFT & FT_ALLOC_CALL_BYTES_MAX)
			continue;
		delta = calls->from->address - (probe->address + probe_distance(look, probe));
		if (delta == (int32_t)delta)
			probe->cookie |= size << FT_ALLOC_CALL_BYTES_SHIFT | (uint32_t)delta;
	}
}

static void remove_probe(struct allocator *a, uint64_t address)
{
	struct allocator_probe *probe = probe_at(a, address);

	if (probe)
		*probe = a->probes[--a->n_probes];
}

static int relate(struct look *look, struct allocator *a)
{
	size_t i;
	int err;

	for (i = 0; i < look->n_names; i++) {
		struct calls calls = { .look = look, .from = &look->names[i] };
		struct code code;

		if (calls.from->is_alias)
			continue;
		err = code_of(look, i, &code);
		if (!err)
			err = code_branches(&code, note_branch, &calls);
		if (err == -ENOMEM)
			return err;
		if (err)
			continue;
		if (calls.is_wrapper)
			remove_probe(a, calls.from->address);
		else if (calls.from->is.function == ALLOC_REALLOC)
			mark_called(look, &calls, a);
	}
	return 0;
}

static int make_probes(struct look *look, struct allocator *a)
{
	size_t i;
	int err = elf_candidates_add_plt(&look->plt, look->image);

	if (err == -ENOMEM)
		return err;
	for (i = 0; i < look->n_names; i++) {
		err = look->names[i].is_alias ? 0 : add_probe(look, i, a);
		if (err)
			return err;
	}
	return relate(look, a);
}

static int look_at(struct look *look, bool is_program, struct allocator *a)
{
	bool has_dynsym = elf_image_section_of_type(look->image, SHT_DYNSYM) != NULL;
	int err = add_table(look, SHT_DYNSYM);

	if (!err && (is_program || !has_dynsym))
		err = add_table(look, SHT_SYMTAB);
	if (err)
		return err;
	look_for_marks(look);
	a->kind = alloc_mark_kind(look->mark, &look->owner, &look->is_libc);
	look_for_names(look);
	if (!choose_names(look))
		return -ENOENT;
	a->is_wrapper = look->mark < 0 && look->looks_up;
	err = make_probes(look, a);
	return !err && !a->n_probes ? -ENOENT : err;
}

int allocator_of_image(const struct elf_image *image, bool is_program, struct allocator *ret)
{
	struct allocator a = { .fd = -1 };
	struct look *look = calloc(1, sizeof(*look));
	int err;

	if (!look)
		return errf(-ENOMEM, "no memory for the allocator of '%s'", image->name);
	look->image = image;
	err = look_at(look, is_program, &a);
	look_release(look);
	free(look);
	if (err) {
		allocator_release(&a);
		return err;
	}
	*ret = a;
	return 0;
}
