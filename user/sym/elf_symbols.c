/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sym/elf_symbols.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/sym/debugdata.h"
#include "user/sym/elf_candidates.h"
#include "user/sym/go_table.h"
#include "user/sym/name_arena.h"

#define MAX_NAMES    (512u << 20)
#define MAX_COMPARED 256 /* bytes of names of one address; bounds a hostile file's sort */
#define ENTRY_BYTES  64	 /* of start code without a size: _start and _dl_start_user have less */
#define PLT_MARK     "@plt"
#define NOT_POOLED   0 /* every pool begins with an empty string */

/* The files beside the image stay open as long as candidates have names in them. */
struct sources {
	struct elf_candidates candidates;
	struct elf_image *debug_file, *debugdata;
};

static void sources_release(struct sources *from)
{
	elf_candidates_release(&from->candidates);
	elf_image_free(from->debug_file);
	elf_image_free(from->debugdata);
}

void elf_symbols_free(struct elf_symbols *symbols)
{
	if (!symbols)
		return;
	addr_table_release(&symbols->table);
	elf_image_free(symbols->debug_file);
	free(symbols->names);
	free(symbols);
}

/* By address, the best name last. */
static int compare_candidates(const void *a, const void *b)
{
	const struct elf_candidate *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	if (x->sized != y->sized)
		return x->sized ? 1 : -1;
	if (x->binding != y->binding)
		return x->binding < y->binding ? -1 : 1;
	if (x->underscores != y->underscores)
		return x->underscores > y->underscores ? -1 : 1;
	return strncmp(y->name, x->name, MAX_COMPARED);
}

/*
 * What has no size ends where the next symbol begins; a label within a function that has a size
 * is no function. Candidates are sorted.
 */
static void bound_unsized(struct elf_candidates *c)
{
	uint64_t next = UINT64_MAX, covered = 0;
	size_t i, j;

	for (i = c->n; i-- > 0;) {
		struct elf_candidate *e = &c->all[i];

		if (i + 1 < c->n && c->all[i + 1].start != e->start)
			next = c->all[i + 1].start;
		if (!e->sized && next < e->end)
			e->end = next;
	}
	for (i = 0; i < c->n; i = j) {
		for (j = i; j < c->n && c->all[j].start == c->all[i].start; j++) {
			if (c->all[j].sized && c->all[j].end > covered)
				covered = c->all[j].end;
		}
		for (; i < j; i++) {
			if (!c->all[i].sized && c->all[i].start < covered)
				c->all[i].end = c->all[i].start;
		}
	}
}

static int make_table(struct elf_symbols *symbols, struct elf_candidates *c)
{
	_cleanup_(freep) struct addr_range *ranges = NULL;
	size_t i;

	ranges = malloc((c->n + 1) * sizeof(*ranges));
	if (!ranges)
		return -ENOMEM;
	if (c->n)
		qsort(c->all, c->n, sizeof(*c->all), compare_candidates);
	bound_unsized(c);
	for (i = 0; i < c->n; i++)
		ranges[i] = (struct addr_range){ c->all[i].start, c->all[i].end, i, i };
	return addr_table_init(&symbols->table, ranges, c->n);
}

/* Length without the version that linkers put behind names: "memcpy@@GLIBC_2.14". */
static size_t name_len(const char *name)
{
	size_t len = strnlen(name, NAME_MAX_BYTES);
	const char *at = memchr(name, '@', len), *p;

	if (!at || at == name)
		return len;
	for (p = at + (at[1] == '@' ? 2 : 1); p < name + len; p++) {
		if (!isalnum((unsigned char)*p) && !strchr("_.+-", *p))
			return len;
	}
	return at - name;
}

static int pool_name(struct elf_symbols *s, struct elf_candidate *e)
{
	size_t len = name_len(e->name), need = len + sizeof(PLT_MARK);

	if (s->names_len + need > MAX_NAMES)
		return -EFBIG;
	if (array_reserve(s->names, s->names_cap, s->names_len + need))
		return -ENOMEM;
	e->pooled = s->names_len;
	memcpy(s->names + s->names_len, e->name, len);
	s->names_len += len;
	if (e->is_plt) {
		memcpy(s->names + s->names_len, PLT_MARK, strlen(PLT_MARK));
		s->names_len += strlen(PLT_MARK);
	}
	s->names[s->names_len++] = '\0';
	return 0;
}

/* Only the names of those that won are kept. */
static int pool_names(struct elf_symbols *s, struct elf_candidates *c)
{
	struct elf_candidate empty = { .name = "" };
	size_t i;
	int err = pool_name(s, &empty);

	for (i = 0; i < s->table.n && !err; i++) {
		struct elf_candidate *e = &c->all[s->table.pieces[i].value];

		if (e->pooled == NOT_POOLED)
			err = pool_name(s, e);
		s->table.pieces[i].value = e->pooled;
	}
	return err;
}

static void find_entry(struct elf_symbols *s, const struct elf_image *image,
		       const struct elf_candidates *c)
{
	size_t i;

	s->entry_start = image->entry;
	s->entry_end = image->entry + ENTRY_BYTES;
	for (i = 0; i < c->n; i++) {
		const struct elf_candidate *e = &c->all[i];

		if (e->sized && e->start <= image->entry && image->entry < e->end) {
			s->entry_start = e->start;
			s->entry_end = e->end;
		}
	}
}

/* 0 or an error that costs all; what is merely not there or broken by itself is not one. */
static int tolerate(struct elf_symbols *s, int err)
{
	if (err && err != -ENOENT && err != -ENOMEM)
		s->is_partial = true;
	return err == -ENOMEM ? err : 0;
}

static int add_debug_file(struct sources *from, const struct elf_image *image,
			  const struct debug_search *search)
{
	int err = search ? debug_file_open(image, search, &from->debug_file) : -ENOENT;

	return err ? err
		   : elf_candidates_add_table(&from->candidates, from->debug_file, SHT_SYMTAB);
}

static int add_debugdata(struct sources *from, const struct elf_image *image)
{
	_cleanup_(freep) char *data = NULL;
	size_t len;
	int err;

	err = debugdata_load(image, &data, &len);
	if (!err)
		err = elf_image_open_memory(data, len, image->name, &from->debugdata);
	if (err)
		return err;
	from->debugdata->own_memory = take(data);
	return elf_candidates_add_table(&from->candidates, from->debugdata, SHT_SYMTAB);
}

/* Names of a stripped Go program; the one table has what another would only say again. */
static int add_go(struct sources *from, const struct elf_image *image)
{
	struct go_table table;
	int err = go_table_find(image, &table);

	return err ? err : go_table_add(&table, &from->candidates);
}

static int add_all(struct elf_symbols *s, struct sources *from, const struct elf_image *image,
		   const struct debug_search *search)
{
	int err = elf_candidates_add_table(&from->candidates, image, SHT_SYMTAB), separate;

	if (err == -ENOENT) {
		err = elf_candidates_add_table(&from->candidates, image, SHT_DYNSYM);
		if (err && err != -ENOENT)
			return err;
		err = add_go(from, image);
		if (!err || err == -ENOMEM)
			return err;
		err = tolerate(s, err);
		if (err)
			return err;
		separate = add_debug_file(from, image, search);
		err = tolerate(s, separate);
		if (separate && !err)
			err = tolerate(s, add_debugdata(from, image));
		if (separate && !err)
			err = tolerate(s, elf_candidates_add_unnamed(&from->candidates, image));
	}
	return err ? err : tolerate(s, elf_candidates_add_plt(&from->candidates, image));
}

int elf_symbols_load(const struct elf_image *image, const struct debug_search *search,
		     struct elf_symbols **ret)
{
	_cleanup_(elf_symbols_freep) struct elf_symbols *s = calloc(1, sizeof(*s));
	_cleanup_(sources_release) struct sources from = { 0 };
	int err;

	if (!s)
		return errf(-ENOMEM, "no memory for the symbols of '%s'", image->name);
	err = add_all(s, &from, image, search);
	if (err)
		return err;
	err = make_table(s, &from.candidates);
	if (!err)
		err = pool_names(s, &from.candidates);
	if (err)
		return errf(err, "no memory for the symbols of '%s'", image->name);
	find_entry(s, image, &from.candidates);
	if (search && search->keep)
		s->debug_file = take(from.debug_file);
	*ret = take(s);
	return 0;
}

bool elf_symbols_find(const struct elf_symbols *symbols, uint64_t address, struct elf_function *ret)
{
	uint64_t offset;
	uint32_t id;

	if (!addr_table_find(&symbols->table, address, &id, &offset))
		return false;
	*ret = (struct elf_function){ id, symbols->names + id, offset };
	return true;
}
