/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/unwind/table.h"

#include <errno.h>
#include <string.h>

#include "user/base/err.h"
#include "user/unwind/eh_frame.h"
#include "user/unwind/fde_list.h"
#include "user/unwind/special_code.h"
#include "user/unwind/table_rows.h"

#define PAGE	  (1ull << FT_PAGE_SHIFT)
#define MAX_RANGE (512ull << 20)
#define MAX_BARE  (4ull << 20) /* without call frame information: not worth more pages */
#define MIN_GAP	  16	       /* less between two functions is padding */
/* All files of a machine together have some 2,000. One that needs more shall not take everybody's.
 */
#define MAX_NEW_RULES 4096
#define MAX_RAISED    64

struct build {
	const struct elf_image *image;
	const struct cfi_machine *machine;
	struct unwind_rules *rules;
	uint32_t max_rules;
	uint16_t unsupported; /* the rule that stands for what there is no room for */
	struct unwind_table *table;
	struct frame_entries eh, debug;
	struct fde_list list;
	struct special_code special;
	struct table_rows rows;
	/* Of the FDE that is at work. */
	const struct cfi_cie *cie;
};

static void build_release(struct build *b)
{
	frame_entries_release(&b->eh);
	frame_entries_release(&b->debug);
	fde_list_release(&b->list);
}

/* From the first executable segment to the last. */
static int find_range(const struct elf_image *image, struct unwind_table *t)
{
	uint64_t start = UINT64_MAX, end = 0, to;
	size_t i;

	for (i = 0; i < image->n_phdrs; i++) {
		const Elf64_Phdr *p = &image->phdrs[i];

		if (p->p_type != PT_LOAD || !(p->p_flags & PF_X) || !p->p_memsz)
			continue;
		if (__builtin_add_overflow(p->p_vaddr, p->p_memsz, &to) || to > -PAGE)
			return errf(-EINVAL, "'%s' is broken: a segment's address", image->name);
		start = p->p_vaddr < start ? p->p_vaddr : start;
		end = to > end ? to : end;
	}
	if (!end)
		return errf(-ENODATA, "'%s' has no code", image->name);
	t->start = start & -PAGE;
	t->end = (end + PAGE - 1) & -PAGE;
	if (t->end - t->start > MAX_RANGE)
		return errf(-EFBIG, "the code of '%s' spans %llu bytes: the limit is %llu",
			    image->name, (unsigned long long)(t->end - t->start), MAX_RANGE);
	return 0;
}

static int find_rule(struct build *b, const struct ft_unwind_rule *rule, uint16_t *ret)
{
	int err;

	if (unwind_rules_count(b->rules) < b->max_rules)
		err = unwind_rules_add(b->rules, rule, ret);
	else
		err = unwind_rules_find(b->rules, rule, ret) ? 0 : -ENOSPC;
	if (err == -ENOSPC) {
		b->table->n_no_room++;
		*ret = b->unsupported;
		return 0;
	}
	return err;
}

/*
 * A frame lies below its CFA. glibc's _dl_runtime_resolve on arm64 counts what the PLT has pushed
 * as its caller's, and so has its return address above: the caller's stack pointer would be 16
 * bytes too low (AAPCS64, 6.4.5.1, for the alignment).
 */
static void raise_cfa(const struct build *b, struct ft_unwind_rule *rule)
{
	int up = (rule->ra_offset + 8 + 15) / 16 * 16;

	if (b->image->machine != EM_AARCH64 || rule->cfa != FT_CFA_REG ||
	    rule->ra != FT_SAVED_AT_CFA || rule->ra_offset < 0 || rule->ra_offset > MAX_RAISED ||
	    (rule->fp_bx & 15) != FT_SAVED_SAME)
		return;
	rule->cfa_offset += up;
	rule->ra_offset -= up;
}

static int on_row(void *context, uint64_t address, const struct cfi_state *state)
{
	struct build *b = context;
	struct ft_unwind_rule rule;
	uint16_t number;
	int err;

	cfi_rule(b->cie, state, &rule);
	raise_cfa(b, &rule);
	if (rule.cfa == FT_CFA_UNSUPPORTED || rule.ra == FT_SAVED_UNSUPPORTED)
		b->table->n_unsupported++;
	err = find_rule(b, &rule, &number);
	return err ? err : table_rows_put(&b->rows, address, number);
}

static int put_function(struct build *b, const struct frame_fde *fde)
{
	const struct frame_entries *e = fde->is_eh ? &b->eh : &b->debug;
	struct cfi_program program = { .cie = &e->cies[fde->cie].cie,
				       .section = &e->from.section,
				       .bytes = e->from.section.bytes + fde->bytes,
				       .len = fde->len,
				       .start = b->table->start + fde->start,
				       .end = b->table->start + fde->end };
	uint64_t broken;
	int err;

	b->cie = program.cie;
	err = cfi_run(&program, on_row, b, &broken);
	if (err != -EINVAL)
		return err;
	b->table->n_broken++;
	b->table->n_unsupported++;
	return table_rows_put(&b->rows, broken, b->unsupported);
}

/* Code without call frame information. */
static int put_gap(struct build *b, uint64_t from, uint64_t to)
{
	struct special_range r;
	uint64_t at = from;
	uint16_t rule;
	int err = 0;

	if (to - from >= MIN_GAP || from == b->table->start)
		err = table_rows_put(&b->rows, from, FT_RULE_NO_CFI);
	while (!err && special_code_next(&b->special, at, to, &r)) {
		err = find_rule(b, &r.rule, &rule);
		if (!err)
			err = table_rows_put(&b->rows, r.start, rule);
		if (!err && r.end < to)
			err = table_rows_put(&b->rows, r.end, FT_RULE_NO_CFI);
		at = r.end;
		b->table->n_special++;
	}
	return err;
}

static int put_rows(struct build *b)
{
	uint64_t start = b->table->start, at = start;
	size_t i;
	int err = 0;

	table_rows_init(&b->rows, b->table);
	for (i = 0; !err && i < b->list.n; i++) {
		const struct frame_fde *fde = &b->list.at[i];

		if (start + fde->start > at)
			err = put_gap(b, at, start + fde->start);
		if (!err)
			err = put_function(b, fde);
		at = start + fde->end;
	}
	if (!err && at < b->table->end)
		err = put_gap(b, at, b->table->end);
	if (!err)
		err = table_rows_finish(&b->rows);
	if (err == -ENOMEM)
		return errf(err, "no memory for the unwind table of '%s'", b->image->name);
	if (err == -EFBIG)
		return errf(err, "'%s' has too many rows of call frame information",
			    b->image->name);
	return err;
}

/* A file without the section is as good as one whose section is empty. */
static int read_entries(struct build *b,
			int (*find)(const struct elf_image *, struct frame_section *),
			struct frame_entries *e)
{
	struct frame_section from;
	int err = find(b->image, &from);

	if (err)
		return err == -ENODATA ? 0 : err;
	err = frame_entries_read(e, &from, b->machine, b->table->start, b->table->end);
	if (err == -ENOMEM)
		return errf(err, "no memory for the call frame information of '%s'",
			    b->image->name);
	if (err == -EFBIG)
		return errf(err, "'%s' has too many functions", b->image->name);
	b->table->n_broken += e->n_broken;
	b->table->n_outside += e->n_outside;
	return err;
}

static int collect(struct build *b)
{
	struct unwind_table *t = b->table;
	int eh = read_entries(b, frame_section_eh, &b->eh), debug, err;

	debug = eh == -ENOMEM ? eh : read_entries(b, frame_section_debug, &b->debug);
	if (debug == -ENOMEM)
		return debug;
	err = fde_list_make(&b->list, &b->eh, &b->debug);
	if (err)
		return errf(err, "no memory for the functions of '%s'", b->image->name);
	t->n_fdes = b->list.n;
	t->n_overlaps = b->list.n_overlaps;
	special_code_find(&b->special, b->image);
	if (b->list.n || (b->special.n && t->end - t->start <= MAX_BARE))
		return 0;
	if (eh || debug)
		return eh ? eh : debug;
	if (t->n_broken)
		return errf(-EINVAL, "'%s' is broken: its call frame information", b->image->name);
	return errf(-ENODATA, "'%s' has no call frame information", b->image->name);
}

static int start(struct build *b)
{
	static const struct ft_unwind_rule unsupported = { .cfa = FT_CFA_UNSUPPORTED };
	struct unwind_table *t = b->table;
	int err;

	b->machine = b->image->is_64 ? cfi_machine_of(b->image->machine) : NULL;
	if (!b->machine)
		return errf(-ENOTSUP, "'%s' is for another kind of machine", b->image->name);
	err = find_range(b->image, t);
	if (err)
		return err;
	t->n_pages = (t->end - t->start) >> FT_PAGE_SHIFT;
	t->pages = calloc(t->n_pages, sizeof(*t->pages));
	if (!t->pages)
		return errf(-ENOMEM, "no memory for the unwind table of '%s'", b->image->name);
	b->max_rules = unwind_rules_count(b->rules) + MAX_NEW_RULES;
	return find_rule(b, &unsupported, &b->unsupported);
}

int unwind_table_build(const struct elf_image *image, struct unwind_rules *rules,
		       struct unwind_table **ret)
{
	_cleanup_(unwind_table_freep) struct unwind_table *table = calloc(1, sizeof(*table));
	_cleanup_(
		build_release) struct build b = { .image = image, .rules = rules, .table = table };
	int err;

	if (!table)
		return errf(-ENOMEM, "no memory for the unwind table of '%s'", image->name);
	err = start(&b);
	if (!err)
		err = collect(&b);
	if (!err)
		err = put_rows(&b);
	if (err)
		return err;
	*ret = take(table);
	return 0;
}

void unwind_table_free(struct unwind_table *table)
{
	if (!table)
		return;
	free(table->rows);
	free(table->pages);
	free(table);
}

uint16_t unwind_table_find(const struct unwind_table *table, uint64_t address)
{
	const struct ft_unwind_page *page;
	uint32_t low, high;

	if (address < table->start || address >= table->end)
		return FT_RULE_NO_CFI;
	page = &table->pages[(address - table->start) >> FT_PAGE_SHIFT];
	/* The last row that does not begin behind the address; the page's own row always holds. */
	low = page->row;
	high = page->row + page->n;
	while (low < high) {
		uint32_t middle = high - (high - low) / 2;

		if (FT_ROW_LOW(table->rows[middle]) <= (address & 0xffff))
			low = middle;
		else
			high = middle - 1;
	}
	return FT_ROW_RULE(table->rows[low]);
}
