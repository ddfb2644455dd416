/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_cfi: compares unwind tables with what libdw says of the same files, at the beginning and at
 * the end of every row that libdw knows, and between functions. Prints how many rows there were,
 * and how many of them differ by which reason; those called "unexplained" are bugs, and make it
 * fail. bench_cfi [-v] [-|ELF-FILE...]     -: names of files from stdin; -v: each unexplained
 * difference
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/frame_state.h"
#include "user/base/array.h"
#include "user/base/err.h"
#include "user/base/file.h"
#include "user/unwind/table.h"

enum reason {
	ROWS,	   /* of libdw's */
	SAME,	   /* as ours */
	CFA_OTHER, /* we do not support the CFA's expression */
	RA_OTHER,
	SAVED_OTHER,   /* ... that of rbp, x29 or rbx: that register only is lost */
	RBX_DEFAULT,   /* not mentioned: elfutils does not know that the ABI keeps it */
	ROOT,	       /* there is no caller: we ask no more */
	NO_LIBDW,      /* libdw knows the function, but not this place in it */
	NO_EVALUATION, /* this program cannot evaluate libdw's expression */
	OVERLAP,       /* two functions claim it */
	BROKEN,	       /* libdw and we find it malformed */
	GAPS,	       /* between functions */
	GAPS_DROPPED,  /* of them, padding that belongs to what is before it */
	GAPS_SPECIAL,  /* of them, entry points and signal trampolines */
	FILES,
	FILES_WITHOUT, /* of them, without call frame information */
	FILES_REFUSED, /* of them, not x86-64 or arm64, or not readable */
	UNEXPLAINED,
	REASONS
};

static const char *const reasons[REASONS] = {
	[ROWS] = "rows",
	[SAME] = "rows_same",
	[CFA_OTHER] = "rows_cfa_unsupported",
	[RA_OTHER] = "rows_ra_unsupported",
	[SAVED_OTHER] = "registers_unsupported",
	[RBX_DEFAULT] = "rbx_undefined_by_default",
	[ROOT] = "rows_outermost",
	[NO_LIBDW] = "rows_unknown_to_libdw",
	[NO_EVALUATION] = "rows_not_evaluated",
	[OVERLAP] = "rows_overlapping",
	[BROKEN] = "rows_broken",
	[GAPS] = "gaps",
	[GAPS_DROPPED] = "gaps_dropped",
	[GAPS_SPECIAL] = "gaps_special",
	[FILES] = "files",
	[FILES_WITHOUT] = "files_without_cfi",
	[FILES_REFUSED] = "files_refused",
	[UNEXPLAINED] = "unexplained",
};

static struct ft_unwind_rule storage[FT_UNWIND_MAX_RULES];
static uint64_t counts[REASONS];
static bool verbose, wrong;

struct range {
	uint64_t start, end;
	bool is_eh;
};

struct check {
	const char *path;
	struct elf_image *image;
	struct unwind_table *table;
	struct range *ranges; /* functions, sorted */
	size_t n, cap;
	Dwarf_CFI *eh, *debug; /* of .eh_frame and of .debug_frame, or NULL */
	Dwarf *dwarf;
	struct frame_state state;
};

static void check_release(struct check *c)
{
	free(c->ranges);
	dwarf_cfi_end(c->eh);
	dwarf_end(c->dwarf);
	if (c->table)
		unwind_table_free(c->table);
	if (c->image)
		elf_image_free(c->image);
}

static void unexplained(const struct check *c, uint64_t pc, const char *what)
{
	counts[UNEXPLAINED]++;
	if (verbose)
		printf("%s: %#" PRIx64 ": %s\n", c->path, pc, what);
}

/* --- the functions of a section, by libdw's iterator -------------------------------------- */

static bool read_encoded(const uint8_t **at, uint8_t encoding, uint64_t here, uint64_t *ret)
{
	int32_t narrow;

	switch (encoding & 0x0f) {
	case DW_EH_PE_absptr:
	case DW_EH_PE_sdata8:
	case DW_EH_PE_udata8:
		memcpy(ret, *at, 8);
		*at += 8;
		break;
	case DW_EH_PE_sdata4:
	case DW_EH_PE_udata4:
		memcpy(&narrow, *at, 4);
		*ret = (encoding & 0x0f) == DW_EH_PE_sdata4 ? (uint64_t)narrow : (uint32_t)narrow;
		*at += 4;
		break;
	default:
		return false;
	}
	if ((encoding & 0x70) == DW_EH_PE_pcrel)
		*ret += here;
	return true;
}

/* How a CIE's FDEs encode addresses. */
static uint8_t encoding_of(const Dwarf_CIE *cie)
{
	const uint8_t *data = cie->augmentation_data;
	const char *letter;

	for (letter = cie->augmentation; *letter; letter++) {
		if (*letter == 'R')
			return *data;
		if (*letter == 'L')
			data++;
		if (*letter == 'P')
			data += 1 + ((*data & 0x0f) == DW_EH_PE_absptr ||
						     (*data & 0x07) == DW_EH_PE_udata8
					     ? 8
					     : 4);
	}
	return DW_EH_PE_absptr;
}

static int add_range(struct check *c, Elf_Data *data, uint64_t address, const unsigned char *ident,
		     bool is_eh, const Dwarf_FDE *fde)
{
	const uint8_t *at = fde->start;
	struct range r;
	Dwarf_CFI_Entry entry;
	uint64_t size;
	Dwarf_Off next;
	uint8_t encoding;

	if (dwarf_next_cfi(ident, data, is_eh, fde->CIE_pointer, &next, &entry) ||
	    !dwarf_cfi_cie_p(&entry))
		return 0;
	encoding = encoding_of(&entry.cie);
	if (!read_encoded(&at, encoding, address + (at - (const uint8_t *)data->d_buf), &r.start) ||
	    !read_encoded(&at, encoding & 0x0f, 0, &size))
		return errf(-ENOTSUP, "'%s' encodes addresses as %#x", c->path, encoding);
	r.end = r.start + size;
	r.is_eh = is_eh;
	if (!size || r.start < c->table->start || r.end > c->table->end || (!is_eh && !r.start))
		return 0;
	if (array_reserve(c->ranges, c->cap, c->n + 1))
		return errf(-ENOMEM, "no memory");
	c->ranges[c->n++] = r;
	return 0;
}

static int compare_ranges(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static int read_ranges(struct check *c, bool is_eh, Elf_Data *data, uint64_t address)
{
	const unsigned char *ident = (const unsigned char *)elf_getident(c->image->elf, NULL);
	Dwarf_Off at = 0, next;
	size_t first = c->n;

	for (; at != (Dwarf_Off)-1; at = next) {
		Dwarf_CFI_Entry entry;
		int err;

		next = (Dwarf_Off)-1;
		err = dwarf_next_cfi(ident, data, is_eh, at, &next, &entry);
		if (err == 1)
			break;
		if (err || dwarf_cfi_cie_p(&entry))
			continue;
		err = add_range(c, data, address, ident, is_eh, &entry.fde);
		if (err)
			return err;
	}
	qsort(c->ranges + first, c->n - first, sizeof(*c->ranges), compare_ranges);
	return 0;
}

static int read_eh(struct check *c)
{
	const Elf64_Shdr *s = elf_image_section(c->image, ".eh_frame");
	Elf_Data *data;

	if (!s || !s->sh_size || elf_image_data(c->image, s, SIZE_MAX, &data))
		return 0;
	c->eh = dwarf_getcfi_elf(c->image->elf);
	if (!c->eh)
		return errf(-EIO, "libdw does not read '%s': %s", c->path, dwarf_errmsg(-1));
	return read_ranges(c, true, data, s->sh_addr);
}

/* After our own table is made: libdw decompresses sections in place. */
static int read_debug(struct check *c)
{
	const Elf64_Shdr *s = elf_image_section(c->image, ".debug_frame");
	Elf_Data *data;

	if (!s)
		s = elf_image_section(c->image, ".zdebug_frame");
	if (!s)
		return 0;
	c->dwarf = dwarf_begin_elf(c->image->elf, DWARF_C_READ, NULL);
	c->debug = c->dwarf ? dwarf_getcfi(c->dwarf) : NULL;
	data = elf_getdata(elf_getscn(c->image->elf, s - c->image->shdrs), NULL);
	if (!c->debug || !data)
		return errf(-EIO, "libdw does not read '%s': %s", c->path, dwarf_errmsg(-1));
	return read_ranges(c, false, data, 0);
}

/* Leaves out of .debug_frame what .eh_frame says something about. */
static void merge_ranges(struct check *c, size_t n_eh)
{
	size_t i, j, n = n_eh;

	for (i = n_eh, j = 0; i < c->n; i++) {
		const struct range *r = &c->ranges[i];

		while (j < n_eh && c->ranges[j].end <= r->start)
			j++;
		if (j == n_eh || c->ranges[j].start >= r->end)
			c->ranges[n++] = *r;
	}
	c->n = n;
	qsort(c->ranges, n, sizeof(*c->ranges), compare_ranges);
}

/* --- one place ------------------------------------------------------------------------------- */

static struct location by_libdw(const struct check *c, Dwarf_Frame *frame, int reg)
{
	Dwarf_Op mem[3], *ops;
	size_t n;

	if (dwarf_frame_register(frame, reg, mem, &ops, &n))
		return (struct location){ .where = WHERE_UNKNOWN };
	if (!n)
		return (struct location){ .where = ops ? WHERE_UNDEFINED : WHERE_SAME };
	return evaluate(&c->state, ops, n, c->image->machine);
}

static void check_register(const struct check *c, Dwarf_Frame *frame, int reg, uint8_t how,
			   int16_t offset)
{
	struct location ours = location_by_rule(&c->state, how, offset, c->image->machine);
	struct location theirs = by_libdw(c, frame, reg);

	if (ours.where == WHERE_UNKNOWN)
		counts[SAVED_OTHER]++;
	else if (reg == FT_X86_RBX && ours.where == WHERE_SAME && theirs.where == WHERE_UNDEFINED)
		counts[RBX_DEFAULT]++;
	else if (ours.where != theirs.where || ours.x != theirs.x)
		unexplained(c, c->state.pc, "a saved register");
}

/* False if there is no more to compare. */
static bool check_cfa(struct check *c, Dwarf_Frame *frame, const struct ft_unwind_rule *r)
{
	struct location theirs;
	Dwarf_Op *ops;
	uint64_t ours;
	size_t n;

	if (dwarf_frame_cfa(frame, &ops, &n) || !n) {
		counts[NO_LIBDW]++;
		return false;
	}
	theirs = evaluate(&c->state, ops, n, c->image->machine);
	if ((r->cfa & FT_CFA_KIND) == FT_CFA_UNSUPPORTED) {
		counts[CFA_OTHER]++;
		return false;
	}
	if (theirs.where == WHERE_UNKNOWN) {
		counts[NO_EVALUATION]++;
		return false;
	}
	if (!cfa_by_rule(&c->state, r, c->image->machine, &ours) ||
	    ours + (wrong ? 8 : 0) != theirs.x) {
		unexplained(c, c->state.pc, "the CFA");
		return false;
	}
	c->state.cfa = ours;
	return true;
}

static void check_frame(struct check *c, Dwarf_Frame *frame, const struct ft_unwind_rule *r)
{
	bool is_x86 = c->image->machine == EM_X86_64, is_signal;
	int ra = dwarf_frame_info(frame, NULL, NULL, &is_signal);
	struct location ours, theirs;

	c->state.cfa = 0;
	theirs = by_libdw(c, frame, ra);
	if (r->ra == FT_SAVED_UNDEFINED || theirs.where == WHERE_UNDEFINED) {
		if (r->ra == FT_SAVED_UNDEFINED && theirs.where == WHERE_UNDEFINED)
			counts[ROOT]++;
		else
			unexplained(c, c->state.pc, "the outermost frame");
		return;
	}
	if (!check_cfa(c, frame, r))
		return;
	theirs = by_libdw(c, frame, ra);
	ours = location_by_rule(&c->state, r->ra, r->ra_offset, c->image->machine);
	if (ours.where == WHERE_UNKNOWN)
		counts[RA_OTHER]++;
	else if (ours.where != theirs.where || ours.x != theirs.x)
		unexplained(c, c->state.pc, "the return address");
	else if (is_signal != !!(r->cfa & FT_CFA_SIGNAL))
		unexplained(c, c->state.pc, "whether it is a signal frame");
	else
		counts[SAME]++;
	check_register(c, frame, is_x86 ? FT_X86_RBP : FT_ARM64_FP, r->fp_bx & 15, r->fp_offset);
	if (is_x86)
		check_register(c, frame, FT_X86_RBX, r->fp_bx >> 4, r->bx_offset);
}

static const struct ft_unwind_rule *ours_at(const struct check *c, uint64_t pc)
{
	return &storage[unwind_table_find(c->table, pc)];
}

/* Returns where libdw's row ends. */
static uint64_t check_row(struct check *c, uint64_t pc, const struct range *function)
{
	const struct ft_unwind_rule *r = ours_at(c, pc);
	Dwarf_Addr start, end;
	Dwarf_Frame *frame;
	uint64_t k;

	counts[ROWS]++;
	if (dwarf_cfi_addrframe(function->is_eh ? c->eh : c->debug, pc, &frame)) {
		/* Malformed from some place on: both have to say so. */
		if ((r->cfa & FT_CFA_KIND) == FT_CFA_UNSUPPORTED)
			counts[BROKEN]++;
		else
			unexplained(c, pc, dwarf_errmsg(-1));
		return function->end;
	}
	dwarf_frame_info(frame, &start, &end, NULL);
	if (end <= pc || end > function->end)
		end = function->end;
	c->state.pc = pc;
	check_frame(c, frame, r);
	/* The row's rule holds up to its end; of a PLT it depends on the address. */
	for (k = pc; k < end; k = k + 1 < end && k >= pc + 16 ? end - 1 : k + 1) {
		if (ours_at(c, k) != r)
			unexplained(c, k, "a row that ends too early");
		if ((r->cfa & FT_CFA_KIND) == FT_CFA_PLT) {
			c->state.pc = k;
			check_cfa(c, frame, r);
		}
	}
	free(frame);
	return end;
}

/* --- a file ---------------------------------------------------------------------------------- */

static void check_gap(const struct check *c, uint64_t start, uint64_t end)
{
	uint16_t before = start > c->table->start ? unwind_table_find(c->table, start - 1) : 0;
	uint64_t pc;

	counts[GAPS]++;
	for (pc = start; pc < end; pc++) {
		uint16_t rule = unwind_table_find(c->table, pc);
		const struct ft_unwind_rule *r = &storage[rule];

		if (rule == FT_RULE_NO_CFI)
			continue;
		if (rule == FT_RULE_ROOT && pc >= c->image->entry && pc < c->image->entry + 128)
			counts[GAPS_SPECIAL] += pc == c->image->entry;
		else if (r->cfa == (FT_CFA_DEREF | FT_CFA_SIGNAL))
			counts[GAPS_SPECIAL] += unwind_table_find(c->table, pc - 1) != rule;
		else if (end - start < 16 && rule == before)
			counts[GAPS_DROPPED] += pc == start;
		else
			unexplained(c, pc, "between functions");
	}
}

static void check_rows(struct check *c)
{
	uint64_t at = c->table->start, pc;
	size_t i;

	for (i = 0; i < c->n; i++) {
		const struct range *r = &c->ranges[i];

		if (r->start > at)
			check_gap(c, at, r->start);
		if (r->start < at || (i + 1 < c->n && c->ranges[i + 1].start < r->end))
			counts[OVERLAP]++;
		else
			for (pc = r->start; pc < r->end;)
				pc = check_row(c, pc, r);
		at = r->end > at ? r->end : at;
	}
	if (at < c->table->end)
		check_gap(c, at, c->table->end);
}

static int check_file(const char *path, struct unwind_rules *rules)
{
	_cleanup_(check_release) struct check c = { .path = path };
	_cleanup_(closep) int fd = file_open(path, FILE_TRUSTED);
	int err = fd < 0 ? fd : elf_image_open(fd, path, &c.image);
	size_t n_eh;

	if (err)
		return 0; /* no ELF file */
	counts[FILES]++;
	err = unwind_table_build(c.image, rules, &c.table);
	if (err == -ENODATA)
		counts[FILES_WITHOUT]++;
	else if (err == -ENOTSUP)
		counts[FILES_REFUSED]++;
	if (err)
		return err == -ENODATA || err == -ENOTSUP ? 0 : err;
	if (!c.table->n_fdes)
		counts[FILES_WITHOUT]++;
	err = read_eh(&c);
	n_eh = c.n;
	if (!err)
		err = read_debug(&c);
	if (err)
		return err;
	merge_ranges(&c, n_eh);
	check_rows(&c);
	return 0;
}

static void check_or_complain(const char *path, struct unwind_rules *rules, int *failed)
{
	uint64_t before = counts[UNEXPLAINED];

	if (check_file(path, rules)) {
		printf("%s: %s\n", path, err_text());
		*failed = 3;
	}
	if (counts[UNEXPLAINED] != before) {
		printf("%s: %" PRIu64 " unexplained\n", path, counts[UNEXPLAINED] - before);
		*failed = 3;
	}
	fflush(stdout);
}

int main(int argc, char **argv)
{
	_cleanup_(unwind_rules_freep) struct unwind_rules *rules = NULL;
	int i = 1, failed = 0;
	char line[4096];

	for (; i < argc && (!strcmp(argv[i], "-v") || !strcmp(argv[i], "-w")); i++) {
		verbose |= argv[i][1] == 'v';
		wrong |= argv[i][1] == 'w';
	}
	if (i >= argc || unwind_rules_new(storage, FT_UNWIND_MAX_RULES, &rules)) {
		fprintf(stderr, "usage: bench_cfi [-v] [-w] [-|ELF-FILE...]\n");
		return 2;
	}
	while (!strcmp(argv[i], "-") && fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		check_or_complain(line, rules, &failed);
	}
	for (; i < argc && strcmp(argv[i], "-"); i++)
		check_or_complain(argv[i], rules, &failed);
	for (i = 0; i < REASONS; i++)
		printf("%s %" PRIu64 "\n", reasons[i], counts[i]);
	printf("rules %u\n", unwind_rules_count(rules));
	return failed;
}
