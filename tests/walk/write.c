/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/walk/write.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/err.h"

#define MAX_READS 4096

struct read {
	uint64_t from;
	uint32_t size;
	bool is_code;
	uint8_t data[256];
};

struct writer {
	FILE *out;
	struct own_tables *tables;
	const struct dump *dump;
	struct read *reads;
	size_t n_reads;
	uint64_t steps[FT_MAX_FRAMES + 1];
	size_t n_steps;
	uint16_t rules[3 * FT_MAX_FRAMES +
		       8]; /* written: number in the file to number in the tables */
	size_t n_rules;
	uint64_t mappings[FT_MAX_FRAMES + 1]; /* their starts */
	size_t n_mappings;
};

static void on_read(void *ctx, uint64_t from, uint32_t size, bool is_code, const void *data)
{
	struct writer *w = ctx;
	struct read *r = &w->reads[w->n_reads];

	if (w->n_reads == MAX_READS || size > sizeof(r->data))
		return;
	*r = (struct read){ .from = from, .size = size, .is_code = is_code };
	memcpy(r->data, data, size);
	w->n_reads++;
}

static void on_step(void *ctx, uint64_t pc)
{
	struct writer *w = ctx;

	if (w->n_steps < ARRAY_SIZE(w->steps))
		w->steps[w->n_steps++] = pc;
}

static int by_address(const void *a, const void *b)
{
	const struct read *x = a, *y = b;

	if (x->is_code != y->is_code)
		return x->is_code - y->is_code;
	return x->from < y->from ? -1 : x->from > y->from;
}

/* Reads overlap, and say the same where they do. */
static void write_memory(struct writer *w)
{
	uint64_t end = 0;
	size_t i;
	uint32_t j;

	qsort(w->reads, w->n_reads, sizeof(*w->reads), by_address);
	for (i = 0; i < w->n_reads; i++) {
		const struct read *r = &w->reads[i];
		bool goes_on = i && r->is_code == w->reads[i - 1].is_code && r->from <= end;

		if (goes_on && r->from + r->size <= end)
			continue;
		if (!goes_on)
			fprintf(w->out, "%s%s %" PRIx64 " ", i ? "\n" : "",
				r->is_code ? "code" : "stack", r->from);
		for (j = goes_on ? end - r->from : 0; j < r->size; j++)
			fprintf(w->out, "%02x", r->data[j]);
		end = r->from + r->size;
	}
	if (w->n_reads)
		fprintf(w->out, "\n");
}

/* A rule's number in the file; the two that are fixed keep theirs. */
static size_t write_rule(struct writer *w, uint16_t number)
{
	const uint8_t *bytes = (const uint8_t *)&own_rules(w->tables)[number];
	size_t i;

	for (i = 0; i < w->n_rules; i++) {
		if (w->rules[i] == number)
			return i;
	}
	if (w->n_rules == ARRAY_SIZE(w->rules))
		return FT_RULE_NO_CFI;
	fprintf(w->out, "rule %zu ", w->n_rules);
	for (i = 0; i < sizeof(struct ft_unwind_rule); i++)
		fprintf(w->out, "%02x", bytes[i]);
	fprintf(w->out, "\n");
	w->rules[w->n_rules] = number;
	return w->n_rules++;
}

static size_t write_mapping(struct writer *w, const struct own_place *p)
{
	const char *slash = strrchr(p->file->path, '/');
	size_t i;

	for (i = 0; i < w->n_mappings; i++) {
		if (w->mappings[i] == p->at->start)
			return i;
	}
	fprintf(w->out, "mapping %" PRIx64 " %" PRIx64 " %" PRIx64 " %u %s\n",
		(uint64_t)p->at->start, (uint64_t)p->at->end, (uint64_t)p->at->bias, p->at->kind,
		slash ? slash + 1 : p->file->path);
	w->mappings[w->n_mappings] = p->at->start;
	return w->n_mappings++;
}

/* A page with the row that holds at each of the addresses in it that were looked up, and those
 * beside it, so that a wrong address has another one. */
static void write_page(struct writer *w, const struct own_place *p, uint64_t page)
{
	size_t mapping = write_mapping(w, p), i, rule;
	bool keep[4096 + 2] = { false };
	uint32_t n = p->page->n, j;

	for (i = 0; i < w->n_steps; i++) {
		struct own_place other;

		own_find(w->tables, w->dump, w->steps[i], &other);
		if (other.page != p->page)
			continue;
		for (j = n; j > 0 && FT_ROW_LOW(p->rows[j]) > (other.address & 0xffff); j--)
			;
		keep[j] = keep[j + 1] = true;
		keep[j ? j - 1 : 0] = true;
	}
	for (j = 0; j <= n; j++) {
		if (keep[j] || !j)
			write_rule(w, FT_ROW_RULE(p->rows[j]));
	}
	rule = write_rule(w, FT_ROW_RULE(p->rows[0]));
	fprintf(w->out, "page %zu %" PRIx64 " %zu\n", mapping, page, rule);
	for (j = 1; j <= n && j < ARRAY_SIZE(keep); j++) {
		if (keep[j])
			fprintf(w->out, "row %x %zu\n", FT_ROW_LOW(p->rows[j]),
				write_rule(w, FT_ROW_RULE(p->rows[j])));
	}
}

static void write_tables(struct writer *w)
{
	const struct ft_unwind_page *seen[FT_MAX_FRAMES + 1];
	size_t n_seen = 0, i, j;

	write_rule(w, FT_RULE_NO_CFI);
	write_rule(w, FT_RULE_ROOT);
	for (i = 0; i < w->n_steps; i++) {
		struct own_place p;

		own_find(w->tables, w->dump, w->steps[i], &p);
		if (!p.at || !p.file)
			continue;
		if (!p.page || !p.rows) {
			write_mapping(w, &p);
			continue;
		}
		for (j = 0; j < n_seen && seen[j] != p.page; j++)
			;
		if (j < n_seen)
			continue;
		seen[n_seen++] = p.page;
		write_page(w, &p, p.address >> FT_PAGE_SHIFT);
	}
}

static void write_dump(struct writer *w, const char *what, const struct frames *ours,
		       const struct frames *libdw)
{
	size_t i;

#if defined(__x86_64__)
	fprintf(w->out, "what %s\nmachine x86_64\n", what);
#else
	fprintf(w->out, "what %s\nmachine arm64\n", what);
#endif
	fprintf(w->out, "pc %" PRIx64 "\n", w->dump->pc);
	for (i = 0; i < FT_REGS; i++) {
		if (w->dump->regs[i])
			fprintf(w->out, "reg %zu %" PRIx64 "\n", i, w->dump->regs[i]);
	}
	write_memory(w);
	write_tables(w);
	/* A stack has what a signal interrupted one byte further: bpf/unwind_step.h. */
	for (i = 0; i < libdw->n; i++)
		fprintf(w->out, "frame %" PRIx64 "\n",
			libdw->pcs[i] + (i < ours->n && ours->interrupted[i]));
}

int dump_write(const char *path, const char *what, struct own_tables *tables,
	       const struct dump *dump)
{
	_cleanup_(fclosep) FILE *out = fopen(path, "we");
	_cleanup_(freep) struct read *reads = calloc(MAX_READS + 1, sizeof(*reads));
	struct writer w = { .out = out, .tables = tables, .dump = dump, .reads = reads };
	struct own_watcher watcher = { .ctx = &w, .on_read = on_read, .on_step = on_step };
	struct frames ours, libdw;
	int err;

	if (!reads)
		return -ENOMEM;
	if (!out)
		return errf(-errno, "cannot write '%s': %m", path);
	err = own_walk(tables, dump, &watcher, &ours);
	if (!err)
		err = libdw_walk(dump, &libdw);
	if (err)
		return err;
	write_dump(&w, what, &ours, &libdw);
	return ferror(out) || fflush(out) ? errf(-EIO, "cannot write '%s'", path) : 0;
}
