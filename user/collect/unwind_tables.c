/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/unwind_tables.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/base/array.h"
#include "user/base/clock.h"
#include "user/base/err.h"
#include "user/base/keyset.h"
#include "user/elf/elf_image.h"
#include "user/unwind/table.h"

/* Tables that make room for one. */
#define MAX_EVICTED 16

struct entry {
	const struct elf_image *image; /* the symbolizer's; NULL: it could not be opened */
	uint16_t kind;		       /* FT_MAPPING_* */
	uint32_t stored, page;	       /* in the store; page of virtual address 0 */
	uint64_t start, end;	       /* virtual addresses that the table covers */
	uint64_t used_ns;
};

struct identity {
	uint64_t dev, ino, bytes;
	int64_t changed_s, changed_ns;
	uint64_t file; /* number of the symbolizer's, of what is in no file of its own */
};

struct unwind_tables {
	struct symbolizer *symbolizer;
	struct unwind_rules *rules;
	struct unwind_store *store;
	uint64_t store_bytes;
	struct keyset identities; /* of struct identity */
	struct entry *entries;
	size_t cap;
	uint32_t *by_file; /* table, by number of the symbolizer's file; UNWIND_TABLES_NONE: not
			      asked for */
	size_t n_files, files_cap;
	struct unwind_tables_counts counts;
};

int unwind_tables_new(const struct unwind_maps *maps, struct symbolizer *symbolizer,
		      struct unwind_tables **ret)
{
	_cleanup_(unwind_tables_freep) struct unwind_tables *t = calloc(1, sizeof(*t));

	if (!t)
		return errf(-ENOMEM, "no memory for unwind tables");
	t->symbolizer = symbolizer;
	keyset_init(&t->identities, sizeof(struct identity));
	t->store_bytes = (uint64_t)maps->memory.n_chunks * sizeof(struct ft_unwind_chunk);
	if (unwind_rules_new(maps->rules, FT_UNWIND_MAX_RULES, &t->rules) ||
	    unwind_store_new(&maps->memory, &t->store))
		return errf(-ENOMEM, "no memory for unwind tables");
	*ret = take(t);
	return 0;
}

void unwind_tables_free(struct unwind_tables *t)
{
	if (!t)
		return;
	unwind_store_free(t->store);
	unwind_rules_free(t->rules);
	free(t->entries);
	keyset_release(&t->identities);
	free(t->by_file);
	free(t);
}

/*
 * Which file it is, whoever has told of it and however. Not its build ID: who makes a file chooses
 * that, and would choose how others are unwound.
 */
static struct identity identify(const struct elf_image *image, uint32_t file)
{
	struct identity id = { .file = file };
	struct stat st;

	if (!image || image->fd < 0 || fstat(image->fd, &st))
		return id;
	return (struct identity){
		.dev = st.st_dev,
		.ino = st.st_ino,
		.bytes = st.st_size,
		.changed_s = st.st_ctim.tv_sec,
		.changed_ns = st.st_ctim.tv_nsec,
		.file = SYMBOLIZER_NO_FILE,
	};
}

static int add(struct unwind_tables *t, const struct elf_image *image, uint32_t file, uint32_t *ret)
{
	struct identity id = identify(image, file);
	int added;

	if (array_reserve(t->entries, t->cap, t->identities.n + 1))
		return -ENOMEM;
	added = keyset_add(&t->identities, &id, ret);
	if (added < 0)
		return added;
	if (added)
		t->entries[*ret] = (struct entry){ .image = image, .kind = FT_MAPPING_PENDING };
	return 0;
}

int unwind_tables_of(struct unwind_tables *t, const struct sym_mapping *m, uint32_t *ret)
{
	const struct elf_image *image;
	uint32_t file;

	image = symbolizer_image(t->symbolizer, m, &file);
	if (file == SYMBOLIZER_NO_FILE) {
		*ret = UNWIND_TABLES_NONE;
		return 0;
	}
	if (array_reserve(t->by_file, t->files_cap, (size_t)file + 1))
		return errf(-ENOMEM, "no memory for unwind tables");
	while (t->n_files <= file)
		t->by_file[t->n_files++] = UNWIND_TABLES_NONE;
	if (t->by_file[file] == UNWIND_TABLES_NONE && add(t, image, file, &t->by_file[file]))
		return errf(-ENOMEM, "no memory for unwind tables");
	*ret = t->by_file[file];
	return 0;
}

uint16_t unwind_tables_kind(const struct unwind_tables *t, uint32_t table)
{
	return table == UNWIND_TABLES_NONE ? FT_MAPPING_NO_CFI : t->entries[table].kind;
}

/* Into the store, if need be by the room of others. -ENOSPC if that was not enough. */
static int put(struct unwind_tables *t, struct entry *e, const struct unwind_table *table,
	       unwind_tables_evict_fn evict, void *ctx)
{
	int err, tries;

	/* One file does not take the room of all others. */
	if (table->n_rows * sizeof(*table->rows) > t->store_bytes / 2)
		return -ENOSPC;
	for (tries = 0;; tries++) {
		err = unwind_store_put(t->store, table, &e->stored, &e->page);
		if (err != -ENOSPC || tries == MAX_EVICTED || !evict(ctx))
			return err;
	}
}

/* From the file to the store. */
static int make(struct unwind_tables *t, struct entry *e, unwind_tables_evict_fn evict, void *ctx)
{
	_cleanup_(unwind_table_freep) struct unwind_table *table = NULL;
	_cleanup_(elf_image_freep) struct elf_image *again = NULL;
	int err;

	/* What is read for the table is not kept. */
	err = elf_image_again(e->image, &again);
	if (!err || err == -ENOTSUP)
		err = unwind_table_build(again ? again : e->image, t->rules, &table);
	if (err == -ENOMEM)
		return err;
	if (err) {
		e->kind = FT_MAPPING_NO_CFI;
		if (err == -ENODATA)
			t->counts.without++;
		else
			t->counts.failed++;
		return 0;
	}
	err = put(t, e, table, evict, ctx);
	if (err == -ENOSPC) {
		e->kind = FT_MAPPING_FULL;
		t->counts.full++;
		return 0;
	}
	if (err)
		return err;
	e->kind = FT_MAPPING_TABLE;
	e->start = table->start;
	e->end = table->end;
	/* Not the first to go when the next one is made, which may be for the same stack. */
	e->used_ns = clock_ns(CLOCK_MONOTONIC);
	t->counts.broken += table->n_broken;
	t->counts.tables++;
	return 0;
}

int unwind_tables_make(struct unwind_tables *t, uint32_t table, const struct sym_mapping *m,
		       unwind_tables_evict_fn evict, void *ctx)
{
	uint64_t began_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	struct entry *e = &t->entries[table];
	uint32_t file;
	int err = 0;

	if (!e->image)
		e->image = symbolizer_image(t->symbolizer, m, &file);
	if (e->image && e->image->elf) {
		err = make(t, e, evict, ctx);
	} else {
		e->kind = FT_MAPPING_NO_CFI;
		t->counts.failed++;
	}
	t->counts.make_ns += clock_ns(CLOCK_THREAD_CPUTIME_ID) - began_ns;
	return err;
}

void unwind_tables_retire(struct unwind_tables *t, uint32_t table)
{
	t->entries[table].kind = FT_MAPPING_PENDING;
}

void unwind_tables_drop(struct unwind_tables *t, uint32_t table)
{
	unwind_store_drop(t->store, t->entries[table].stored);
	t->counts.tables--;
	t->counts.evicted++;
}

void unwind_tables_touch(struct unwind_tables *t, uint32_t table, uint64_t now_ns)
{
	if (table != UNWIND_TABLES_NONE && t->entries[table].used_ns < now_ns)
		t->entries[table].used_ns = now_ns;
}

uint32_t unwind_tables_oldest(const struct unwind_tables *t, uint64_t before_ns)
{
	uint32_t best = UNWIND_TABLES_NONE, i;

	for (i = 0; i < t->identities.n; i++) {
		const struct entry *e = &t->entries[i];

		if (e->kind == FT_MAPPING_TABLE && e->used_ns < before_ns &&
		    (best == UNWIND_TABLES_NONE || e->used_ns < t->entries[best].used_ns))
			best = i;
	}
	return best;
}

/*
 * Where in memory the file's virtual address 0 is: by the executable segment whose bytes are
 * mapped, as loaders map whole pages around it.
 */
static bool bias_of(const struct elf_image *image, uint64_t start, uint64_t end, uint64_t pgoff,
		    uint64_t *ret)
{
	uint64_t page = sysconf(_SC_PAGESIZE);
	size_t i;

	for (i = 0; i < image->n_phdrs; i++) {
		const Elf64_Phdr *p = &image->phdrs[i];

		if (p->p_type != PT_LOAD || !(p->p_flags & PF_X) ||
		    p->p_offset + p->p_filesz <= pgoff ||
		    p->p_offset - p->p_offset % page >= pgoff + (end - start))
			continue;
		*ret = start - pgoff + p->p_offset - p->p_vaddr;
		return true;
	}
	return false;
}

void unwind_tables_place(const struct unwind_tables *t, uint32_t table, uint64_t start,
			 uint64_t end, uint64_t pgoff, struct ft_unwind_mapping *ret)
{
	const struct entry *e = table == UNWIND_TABLES_NONE ? NULL : &t->entries[table];
	uint64_t bias = 0, from, to;

	*ret = (struct ft_unwind_mapping){ .start = start, .end = end };
	ret->kind = e ? e->kind : FT_MAPPING_NO_CFI;
	/* Said from the first on, so that it does not change when the table comes. */
	if (e && (!e->image || !bias_of(e->image, start, end, pgoff, &bias)))
		ret->kind = FT_MAPPING_NO_CFI;
	ret->bias = bias;
	if (ret->kind != FT_MAPPING_TABLE)
		return;
	from = e->start + ret->bias;
	to = e->end + ret->bias;
	ret->page = e->page;
	if (to <= start || from >= end) {
		ret->kind = FT_MAPPING_NO_CFI;
		return;
	}
	ret->start = from > start ? from : start;
	ret->end = to < end ? to : end;
}

int unwind_tables_read_code(const struct unwind_tables *t, uint32_t table,
			    const struct sym_mapping *m, uint64_t address, void *to, size_t size)
{
	const struct elf_image *image =
		table == UNWIND_TABLES_NONE ? NULL : t->entries[table].image;
	uint64_t at = address - m->start;

	if (!image || image->fd < 0 || address < m->start || size > m->end - m->start ||
	    at > m->end - m->start - size)
		return -EFAULT;
	return pread(image->fd, to, size, m->pgoff + at) == (ssize_t)size ? 0 : -EFAULT;
}

void unwind_tables_counts(const struct unwind_tables *t, struct unwind_tables_counts *ret)
{
	*ret = t->counts;
	ret->bytes = unwind_store_used(t->store) +
		     unwind_rules_count(t->rules) * sizeof(struct ft_unwind_rule);
}
