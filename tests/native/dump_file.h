/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dump_file: reads what tests/walk/write.h describes, and puts it where the walk looks: the user's
 * memory, the process's list and the tables. The test includes bpf/unwind.bpf.h before.
 */
#pragma once

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DUMP_PIECES   256
#define DUMP_MAPPINGS 64
#define DUMP_PAGES    65536
#define DUMP_RULES    512
#define DUMP_LINE     16384

struct dump_piece {
	__u64 from;
	__u32 size;
	unsigned char *bytes;
};

static struct {
	char what[128];
	bool is_arm64;
	__u64 pc, regs[FT_REGS];
	struct dump_piece pieces[DUMP_PIECES];
	__u32 n_pieces;
	struct ft_unwind_mapping mappings[DUMP_MAPPINGS]; /* in the order of the file */
	__u32 n_mappings, n_page_numbers;		  /* pages that are given away */
	__u32 n_rows;
	__u64 frames[FT_MAX_FRAMES];
	__u32 n_frames;
} dump;

static void dump_broken(const char *line)
{
	fprintf(stderr, "a dump has this line: %.60s\n", line);
	abort();
}

/* User memory: whole inside one piece, or not there. */
static long dump_read_user(void *to, __u32 size, __u64 from)
{
	__u32 i;

	for (i = 0; i < dump.n_pieces; i++) {
		const struct dump_piece *p = &dump.pieces[i];

		if (from >= p->from && from - p->from <= p->size &&
		    size <= p->size - (from - p->from)) {
			memcpy(to, p->bytes + (from - p->from), size);
			return 0;
		}
	}
	memset(to, 0, size);
	return -EFAULT;
}

static unsigned char *dump_bytes(const char *hex, __u32 *ret_size)
{
	size_t n = strlen(hex) / 2, i;
	unsigned char *bytes = calloc(n + 1, 1);

	if (!bytes)
		abort();
	for (i = 0; i < n; i++)
		sscanf(hex + 2 * i, "%2hhx", &bytes[i]);
	*ret_size = n;
	return bytes;
}

static void dump_memory(const char *rest)
{
	struct dump_piece *p = &dump.pieces[dump.n_pieces++];
	int at = 0;

	if (dump.n_pieces > DUMP_PIECES || sscanf(rest, "%llx %n", &p->from, &at) != 1)
		dump_broken(rest);
	p->bytes = dump_bytes(rest + at, &p->size);
}

static void *dump_element(void *map, __u32 number)
{
	void *element = bpf_map_lookup_elem(map, &number);

	if (!element)
		abort();
	return element;
}

static void dump_rule(const char *rest)
{
	unsigned char *bytes;
	__u32 number, size;
	int at = 0;

	if (sscanf(rest, "%u %n", &number, &at) != 1 || number >= DUMP_RULES)
		dump_broken(rest);
	bytes = dump_bytes(rest + at, &size);
	if (size != sizeof(struct ft_unwind_rule))
		dump_broken(rest);
	memcpy(dump_element(&unwind_rules, number), bytes, size);
	free(bytes);
}

static void dump_mapping(const char *rest)
{
	struct ft_unwind_mapping *m = &dump.mappings[dump.n_mappings++];
	unsigned int kind;

	if (dump.n_mappings > DUMP_MAPPINGS ||
	    sscanf(rest, "%llx %llx %llx %u", &m->start, &m->end, &m->bias, &kind) != 4)
		dump_broken(rest);
	m->kind = kind;
	/* Room for all of its pages. */
	m->page = dump.n_page_numbers - (__u32)((m->start - m->bias) >> FT_PAGE_SHIFT);
	dump.n_page_numbers += ((m->end - m->start) >> FT_PAGE_SHIFT) + 2;
	if (kind == FT_MAPPING_TABLE && dump.n_page_numbers > DUMP_PAGES)
		dump_broken(rest);
}

static struct ft_unwind_page *dump_page(const char *rest)
{
	struct ft_unwind_chunk *chunk = dump_element(&unwind_chunks, 0);
	struct ft_unwind_page *page;
	__u32 mapping, rule;
	__u64 number;

	if (sscanf(rest, "%u %llx %u", &mapping, &number, &rule) != 3 || mapping >= dump.n_mappings)
		dump_broken(rest);
	page = dump_element(&unwind_pages, dump.mappings[mapping].page + (__u32)number);
	*page = (struct ft_unwind_page){ .row = dump.n_rows };
	chunk->rows[dump.n_rows++] = FT_ROW(number << FT_PAGE_SHIFT, rule);
	return page;
}

static void dump_row(const char *rest, struct ft_unwind_page *page)
{
	struct ft_unwind_chunk *chunk = dump_element(&unwind_chunks, 0);
	__u32 low, rule;

	if (!page || dump.n_rows >= FT_CHUNK_ROWS || sscanf(rest, "%x %u", &low, &rule) != 2)
		dump_broken(rest);
	chunk->rows[dump.n_rows++] = FT_ROW(low, rule);
	page->n++;
}

static void dump_register(const char *rest)
{
	__u32 number;
	__u64 value;

	if (sscanf(rest, "%u %llx", &number, &value) != 2 || number >= FT_REGS)
		dump_broken(rest);
	dump.regs[number] = value;
}

static void dump_frame(const char *rest)
{
	if (dump.n_frames == FT_MAX_FRAMES ||
	    sscanf(rest, "%llx", &dump.frames[dump.n_frames++]) != 1)
		dump_broken(rest);
}

static void dump_line(char *line)
{
	static struct ft_unwind_page *page;
	char *rest = strchr(line, ' ');

	if (!rest)
		dump_broken(line);
	*rest++ = '\0';
	if (!strcmp(line, "what"))
		snprintf(dump.what, sizeof(dump.what), "%s", rest);
	else if (!strcmp(line, "machine"))
		dump.is_arm64 = !strcmp(rest, "arm64");
	else if (!strcmp(line, "pc"))
		dump.pc = strtoull(rest, NULL, 16);
	else if (!strcmp(line, "reg"))
		dump_register(rest);
	else if (!strcmp(line, "stack") || !strcmp(line, "code"))
		dump_memory(rest);
	else if (!strcmp(line, "rule"))
		dump_rule(rest);
	else if (!strcmp(line, "mapping"))
		dump_mapping(rest);
	else if (!strcmp(line, "page"))
		page = dump_page(rest);
	else if (!strcmp(line, "row"))
		dump_row(rest, page);
	else if (!strcmp(line, "frame"))
		dump_frame(rest);
	else
		dump_broken(line);
}

static int dump_by_start(const void *a, const void *b)
{
	const struct ft_unwind_mapping *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static void dump_release(void)
{
	__u32 i;

	for (i = 0; i < dump.n_pieces; i++)
		free(dump.pieces[i].bytes);
	memset(&dump, 0, sizeof(dump));
}

/* Into the maps, which are empty. */
static void dump_load(const char *path)
{
	FILE *f = fopen(path, "re");
	char *line = malloc(DUMP_LINE);
	__u32 i;

	if (!f || !line)
		abort();
	dump_release();
	while (fgets(line, DUMP_LINE, f)) {
		line[strcspn(line, "\n")] = '\0';
		dump_line(line);
	}
	fclose(f);
	free(line);
	qsort(dump.mappings, dump.n_mappings, sizeof(*dump.mappings), dump_by_start);
	for (i = 0; i < dump.n_mappings; i++)
		*(struct ft_unwind_mapping *)dump_element(&unwind_mappings, i) = dump.mappings[i];
}
