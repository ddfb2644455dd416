/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sym/dwarf_functions.h"

#include <dwarf.h>
#include <errno.h>

#include "user/base/array.h"
#include "user/sym/dwarf_ranges.h"

#define MAX_FUNCTIONS (4u << 20) /* of one unit */
#define MAX_DEPTH     256	 /* of inlined calls in each other */
#define MAX_INLINED   (1u << 20) /* in one function */

/* --- the functions of a unit ----------------------------------------------------------------- */

/* What may have functions among its children. Only Rust has the code of methods in types. */
static bool may_have_functions(const struct dwarf_unit *u, unsigned int tag)
{
	switch (tag) {
	case DW_TAG_compile_unit:
	case DW_TAG_skeleton_unit:
	case DW_TAG_namespace:
	case DW_TAG_module:
		return true;
	case DW_TAG_structure_type:
	case DW_TAG_enumeration_type:
	case DW_TAG_union_type:
		return u->language == DW_LANG_Rust;
	default:
		return false;
	}
}

static int add_function(const struct dwarf_unit *u, const struct dwarf_die *d,
			struct dwarf_ranges *ranges, struct dwarf_functions *f)
{
	int n = dwarf_ranges_add(ranges, u, d, f->n);

	if (n <= 0)
		return n; /* a declaration, or what is only inlined */
	if (f->n >= MAX_FUNCTIONS || !lines_budget_take(ranges->budget, sizeof(*f->all)))
		return -EDQUOT;
	if (array_reserve(f->all, f->cap, f->n + 1))
		return -ENOMEM;
	f->all[f->n++] = (struct dwarf_function){ .offset = d->offset };
	return 0;
}

/*
 * One pass over the entries in the order of the section. 'skipped' is how many levels of children
 * nobody wants we are in; an entry that says where its sibling is takes us there at once.
 */
static int walk_unit(const struct dwarf_unit *u, struct dwarf_ranges *ranges,
		     struct dwarf_functions *f)
{
	uint64_t at = u->first, depth = 0, skipped = 0;
	struct dwarf_die d;
	int err = 0;

	while (!err && at < u->end) {
		if (!lines_budget_step(ranges->budget))
			return -EDQUOT;
		err = dwarf_die_read(u, at, &d);
		if (err)
			return err;
		at = d.next;
		if (!d.tag) {
			skipped -= skipped > 0;
			depth -= depth > 0;
			if (!depth)
				break;
			continue;
		}
		if (!skipped && d.tag == DW_TAG_subprogram)
			err = add_function(u, &d, ranges, f);
		if (!d.has_children)
			continue;
		if (skipped || !may_have_functions(u, d.tag)) {
			if (d.sibling) {
				at = d.sibling;
				continue;
			}
			skipped++;
		}
		depth++;
	}
	return err;
}

void dwarf_functions_free(struct dwarf_functions *functions)
{
	size_t i;

	if (!functions)
		return;
	for (i = 0; i < functions->n; i++) {
		addr_table_release(&functions->all[i].table);
		free(functions->all[i].inlined);
	}
	addr_table_release(&functions->table);
	free(functions->all);
	free(functions);
}

int dwarf_functions_new(const struct dwarf_unit *unit, struct lines_budget *budget,
			struct dwarf_functions **ret)
{
	_cleanup_(dwarf_functions_freep) struct dwarf_functions *f = calloc(1, sizeof(*f));
	_cleanup_(dwarf_ranges_release) struct dwarf_ranges ranges = { .budget = budget };
	int err = f ? walk_unit(unit, &ranges, f) : -ENOMEM;

	/* What was understood before it broke is there. */
	if (f && (!err || err == -EINVAL))
		err = addr_table_init(&f->table, ranges.all, ranges.n);
	if (err)
		return err;
	*ret = take(f);
	return 0;
}

/* --- what is inlined in one ------------------------------------------------------------------ */

/* The way from the function to where we are: for each level of children, whose they are. */
struct way {
	uint32_t in[MAX_DEPTH];
	unsigned int depth;
};

static bool may_have_inlined(unsigned int tag)
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

static int add_inlined(const struct dwarf_unit *u, const struct dwarf_die *d, uint32_t outer,
		       struct dwarf_ranges *ranges, struct dwarf_function *f)
{
	int n;

	if (f->n_inlined >= MAX_INLINED || !lines_budget_take(ranges->budget, sizeof(*f->inlined)))
		return -EDQUOT;
	if (array_reserve(f->inlined, f->inlined_cap, f->n_inlined + 1))
		return -ENOMEM;
	n = dwarf_ranges_add(ranges, u, d, f->n_inlined);
	f->inlined[f->n_inlined++] = (struct dwarf_inlined){
		.outer = outer,
		.call_line = d->call_line <= INT32_MAX ? d->call_line : 0,
		.call_file = d->call_file,
		.origin = d->origin,
	};
	return n < 0 ? n : 0;
}

/* The entries below the function's, in the order of the section; children come after their parents,
 * so that the later of two ranges is the inner one. */
static int walk_function(const struct dwarf_unit *u, struct dwarf_ranges *ranges,
			 struct dwarf_function *f)
{
	struct way way = { .in = { DWARF_NO_INLINED }, .depth = 1 };
	uint64_t at, skipped = 0;
	struct dwarf_die d;
	int err = dwarf_die_read(u, f->offset, &d);

	if (err || !d.has_children)
		return err;
	for (at = d.next; !err && at < u->end && way.depth;) {
		uint32_t in = way.in[way.depth - 1];

		if (!lines_budget_step(ranges->budget))
			return -EDQUOT;
		err = dwarf_die_read(u, at, &d);
		if (err)
			return err;
		at = d.next;
		if (!d.tag) {
			if (skipped)
				skipped--;
			else
				way.depth--;
			continue;
		}
		if (!skipped && d.tag == DW_TAG_inlined_subroutine) {
			uint32_t outer = in;

			in = f->n_inlined;
			err = add_inlined(u, &d, outer, ranges, f);
		}
		if (!d.has_children)
			continue;
		if (skipped || !may_have_inlined(d.tag) || way.depth == MAX_DEPTH) {
			if (d.sibling)
				at = d.sibling;
			else
				skipped++;
			continue;
		}
		way.in[way.depth++] = in;
	}
	return err;
}

int dwarf_function_read(const struct dwarf_unit *unit, struct dwarf_function *function,
			struct lines_budget *budget)
{
	_cleanup_(dwarf_ranges_release) struct dwarf_ranges ranges = { .budget = budget };
	int err;

	if (function->is_read)
		return 0;
	function->is_read = true;
	err = walk_function(unit, &ranges, function);
	if (!err || err == -EINVAL)
		err = addr_table_init(&function->table, ranges.all, ranges.n);
	if (err) {
		function->is_read = err != -EDQUOT;
		free(take(function->inlined));
		function->n_inlined = function->inlined_cap = 0;
	}
	return err;
}
