/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sym/dwarf_unit.h"

#include <dwarf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "user/base/array.h"
#include "user/base/cleanup.h"

#define NO_INLINED    UINT32_MAX
#define MAX_NESTED    64	 /* of namespaces and types */
#define MAX_DEPTH     256	 /* of inlined calls in each other */
#define MAX_FUNCTIONS (4u << 20) /* of one unit */
#define MAX_INLINED   (1u << 20) /* in one function */

/* A call that was inlined. */
struct dwarf_inlined {
	Dwarf_Die die;
	uint32_t outer; /* what it was inlined into; NO_INLINED: the function */
};

struct dwarf_function {
	Dwarf_Die die;
	bool is_read; /* the rest is */
	struct dwarf_inlined *inlined;
	size_t n, cap;
	struct addr_table table; /* value: in 'inlined', the innermost */
};

void dwarf_spans_release(struct dwarf_spans *spans)
{
	free(spans->all);
	*spans = (struct dwarf_spans){ 0 };
}

int dwarf_spans_add(struct dwarf_spans *spans, Dwarf_Die *die, uint32_t value)
{
	Dwarf_Addr base, start, end;
	ptrdiff_t at = 0;
	int n = 0;

	while ((at = dwarf_ranges(die, at, &base, &start, &end)) > 0) {
		if (!start || start >= end)
			continue;
		if (array_reserve(spans->all, spans->cap, spans->n + 1))
			return -ENOMEM;
		spans->all[spans->n++] = (struct addr_range){ start, end, value, value };
		n++;
	}
	return n;
}

/* --- the functions of a unit ----------------------------------------------------------------- */

/* The entry after 'die' and all that is in it; none if that is said to be one before it. */
static bool next_sibling(Dwarf_Die *die)
{
	const char *at = die->addr;

	return !dwarf_siblingof(die, die) && (const char *)die->addr > at;
}

/* What may have functions among its children. Only Rust has the code of methods in types. */
static bool may_have_functions(int tag, bool is_rust)
{
	switch (tag) {
	case DW_TAG_namespace:
	case DW_TAG_module:
		return true;
	case DW_TAG_structure_type:
	case DW_TAG_enumeration_type:
	case DW_TAG_union_type:
		return is_rust;
	default:
		return false;
	}
}

static int add_function(struct dwarf_unit *u, Dwarf_Die *die, struct dwarf_spans *spans)
{
	int n = dwarf_spans_add(spans, die, u->n);

	if (n <= 0)
		return n; /* a declaration, or what is only inlined */
	if (u->n >= MAX_FUNCTIONS || array_reserve(u->functions, u->cap, u->n + 1))
		return -ENOMEM;
	u->functions[u->n++] = (struct dwarf_function){ .die = *die };
	return 0;
}

static int add_functions(struct dwarf_unit *u, Dwarf_Die *parent, bool is_rust, unsigned int depth,
			 struct dwarf_spans *spans)
{
	Dwarf_Die die;
	int err = 0;

	if (depth >= MAX_NESTED || dwarf_child(parent, &die))
		return 0;
	do {
		int tag = dwarf_tag(&die);

		if (tag == DW_TAG_subprogram)
			err = add_function(u, &die, spans);
		else if (may_have_functions(tag, is_rust))
			err = add_functions(u, &die, is_rust, depth + 1, spans);
	} while (!err && next_sibling(&die));
	return err;
}

static int read_unit(struct dwarf_unit *u)
{
	_cleanup_(dwarf_spans_release) struct dwarf_spans spans = { 0 };
	Dwarf_Attribute attr;
	const char *folder = dwarf_formstring(dwarf_attr(&u->die, DW_AT_comp_dir, &attr));
	int err = add_functions(u, &u->die, dwarf_srclang(&u->die) == DW_LANG_Rust, 0, &spans);

	u->is_read = true;
	u->folder = folder && folder[0] == '/' ? folder : NULL;
	keyset_init(&u->paths.relative, sizeof(const char *));
	return err ? err : addr_table_init(&u->table, spans.all, spans.n);
}

void dwarf_unit_release(struct dwarf_unit *u)
{
	size_t i;

	for (i = 0; i < u->n; i++) {
		free(u->functions[i].inlined);
		addr_table_release(&u->functions[i].table);
	}
	free(u->functions);
	for (i = 0; i < u->paths.relative.n; i++)
		free(u->paths.full[i]);
	free(u->paths.full);
	keyset_release(&u->paths.relative);
	addr_table_release(&u->table);
}

/* --- what is inlined in one ------------------------------------------------------------------ */

static bool may_have_inlined(int tag)
{
	switch (tag) {
	case DW_TAG_lexical_block:
	case DW_TAG_inlined_subroutine:
	case DW_TAG_try_block:
	case DW_TAG_catch_block:
	case DW_TAG_with_stmt:
		return true;
	default:
		return false;
	}
}

/* Children come after their parents, so that the later of two ranges is the inner one. */
static int add_inlined(struct dwarf_function *f, Dwarf_Die *parent, uint32_t outer,
		       unsigned int depth, struct dwarf_spans *spans)
{
	Dwarf_Die die;
	int n = 0;

	if (depth >= MAX_DEPTH || dwarf_child(parent, &die))
		return 0;
	do {
		int tag = dwarf_tag(&die);
		uint32_t in = outer;

		if (!may_have_inlined(tag))
			continue;
		if (tag == DW_TAG_inlined_subroutine) {
			if (f->n >= MAX_INLINED || array_reserve(f->inlined, f->cap, f->n + 1))
				return -ENOMEM;
			in = f->n;
			f->inlined[f->n++] = (struct dwarf_inlined){ die, outer };
			n = dwarf_spans_add(spans, &die, in);
		}
		if (n >= 0)
			n = add_inlined(f, &die, in, depth + 1, spans);
	} while (n >= 0 && next_sibling(&die));
	return n < 0 ? n : 0;
}

static int read_function(struct dwarf_function *f)
{
	_cleanup_(dwarf_spans_release) struct dwarf_spans spans = { 0 };
	int err = add_inlined(f, &f->die, NO_INLINED, 0, &spans);

	f->is_read = true;
	return err ? err : addr_table_init(&f->table, spans.all, spans.n);
}

/* --- looking up ------------------------------------------------------------------------------ */

/* The linkage name, if anything on the way from the instance to its declaration has one. */
static const char *name_of(Dwarf_Die *die)
{
	static const unsigned int names[] = { DW_AT_linkage_name, DW_AT_MIPS_linkage_name,
					      DW_AT_name };
	Dwarf_Attribute attr;
	const char *name;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		name = dwarf_formstring(dwarf_attr_integrate(die, names[i], &attr));
		if (name && *name)
			return name;
	}
	return NULL;
}

static Dwarf_Word number_of(Dwarf_Die *die, unsigned int name)
{
	Dwarf_Attribute attr;
	Dwarf_Word n;

	return dwarf_formudata(dwarf_attr(die, name, &attr), &n) ? 0 : n;
}

/* libdw knows the folder of files named in DWARF 5's own table of folders, but not of others. */
static const char *full_path(struct dwarf_unit *u, const char *path)
{
	struct dwarf_paths *p = &u->paths;
	uint32_t i;
	int added;

	if (!path || path[0] == '/' || !u->folder ||
	    array_reserve(p->full, p->cap, p->relative.n + 1))
		return path;
	added = keyset_add(&p->relative, &path, &i);
	if (added > 0 && asprintf(&p->full[i], "%s/%s", u->folder, path) < 0)
		p->full[i] = NULL;
	return added >= 0 && p->full[i] ? p->full[i] : path;
}

/* Where the call stands that was inlined. */
static struct code_line place_of_call(struct dwarf_unit *u, Dwarf_Die *call)
{
	Dwarf_Word line = number_of(call, DW_AT_call_line), file = number_of(call, DW_AT_call_file);
	struct code_line place = { .line = line <= INT32_MAX ? line : 0 };
	Dwarf_Files *files;
	size_t n;

	if (!dwarf_getsrcfiles(&u->die, &files, &n) && file < n)
		place.file = full_path(u, dwarf_filesrc(files, file, NULL, NULL));
	return place;
}

static struct code_line place_of(struct dwarf_unit *u, uint64_t address)
{
	Dwarf_Line *row = dwarf_getsrc_die(&u->die, address);
	struct code_line place = { 0 };
	int line;

	if (!row)
		return place;
	if (!dwarf_lineno(row, &line) && line > 0)
		place.line = line;
	place.file = full_path(u, dwarf_linesrc(row, NULL, NULL));
	return place;
}

/* From the innermost outwards: each is at the line of the call of the one before. */
static int unfold(struct dwarf_unit *u, struct dwarf_function *f, uint32_t innermost,
		  struct code_line place, struct code_line *ret)
{
	uint32_t i = innermost;
	int n = 0;

	for (; i != NO_INLINED; i = f->inlined[i].outer) {
		Dwarf_Die *die = &f->inlined[i].die;

		if (n < CODE_LINES_MAX - 1) {
			place.function = name_of(die);
			ret[n++] = place;
		}
		place = place_of_call(u, die);
	}
	place.function = name_of(&f->die);
	ret[n++] = place;
	return n;
}

int dwarf_unit_find(struct dwarf_unit *u, uint64_t address, struct code_line ret[CODE_LINES_MAX])
{
	struct dwarf_function *f;
	uint64_t offset;
	uint32_t i;
	int err = 0;

	if (!u->is_read)
		err = read_unit(u);
	if (err)
		return err;
	if (!addr_table_find(&u->table, address, &i, &offset)) {
		ret[0] = place_of(u, address);
		return ret[0].file != NULL;
	}
	f = &u->functions[i];
	if (!f->is_read)
		err = read_function(f);
	if (err)
		return err;
	if (!addr_table_find(&f->table, address, &i, &offset))
		i = NO_INLINED;
	return unfold(u, f, i, place_of(u, address), ret);
}
