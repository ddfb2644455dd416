/* SPDX-License-Identifier: BSD-2-Clause */
#if defined(__x86_64__)
#define __TARGET_ARCH_x86
#else
#define __TARGET_ARCH_arm64
#endif

#include "tests/walk/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bpf/unwind_step.h"
#include "user/base/array.h"
#include "user/elf/elf_image.h"
#include "user/elf/vdso.h"
#include "user/unwind/store.h"
#include "user/unwind/table.h"

#define CHUNKS 256
#define PAGES  (1u << 20)

struct file {
	char *path;
	uint64_t ino;
	struct elf_image *image; /* for segments */
	int fd;
	bool has_table;
	uint32_t page;
};

struct own_tables {
	struct ft_unwind_rule *rules;
	struct ft_unwind_chunk *chunks;
	struct ft_unwind_page *pages;
	struct unwind_rules *unwind_rules;
	struct unwind_store *store;
	struct file *files;
	size_t n_files, files_cap;
};

struct own_maps {
	struct ft_unwind_mapping *v;
	size_t n;
};

/* Memory that costs nothing before it is used. */
static void *reserve(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

int own_tables_new(struct own_tables **ret)
{
	_cleanup_(own_tables_freep) struct own_tables *t = calloc(1, sizeof(*t));
	struct unwind_memory memory = { .n_chunks = CHUNKS, .n_pages = PAGES };
	int err;

	if (!t)
		return -ENOMEM;
	t->rules = calloc(FT_UNWIND_MAX_RULES, sizeof(*t->rules));
	t->chunks = memory.chunks = reserve(CHUNKS * sizeof(*t->chunks));
	t->pages = memory.pages = reserve(PAGES * sizeof(*t->pages));
	if (!t->rules || !t->chunks || !t->pages)
		return -ENOMEM;
	err = unwind_rules_new(t->rules, FT_UNWIND_MAX_RULES, &t->unwind_rules);
	if (!err)
		err = unwind_store_new(&memory, &t->store);
	if (!err)
		*ret = take(t);
	return err;
}

void own_tables_free(struct own_tables *t)
{
	size_t i;

	for (i = 0; i < t->n_files; i++) {
		if (t->files[i].image)
			elf_image_free(t->files[i].image);
		if (t->files[i].fd >= 0)
			close(t->files[i].fd);
		free(t->files[i].path);
	}
	free(t->files);
	if (t->store)
		unwind_store_free(t->store);
	if (t->unwind_rules)
		unwind_rules_free(t->unwind_rules);
	free(t->rules);
	if (t->chunks)
		munmap(t->chunks, CHUNKS * sizeof(*t->chunks));
	if (t->pages)
		munmap(t->pages, PAGES * sizeof(*t->pages));
	free(t);
}

/* --- files and mappings -------------------------------------------------------------------- */

static void build_table(struct own_tables *t, struct file *f)
{
	_cleanup_(unwind_table_freep) struct unwind_table *table = NULL;
	uint32_t id;

	f->has_table = !unwind_table_build(f->image, t->unwind_rules, &table) &&
		       !unwind_store_put(t->store, table, &id, &f->page);
}

static int file_of(struct own_tables *t, const struct mapping *m, struct file **ret)
{
	struct file *f;
	size_t i;

	for (i = 0; i < t->n_files; i++) {
		f = &t->files[i];
		if (f->ino == m->ino && !strcmp(f->path, m->path)) {
			*ret = f;
			return 0;
		}
	}
	if (array_reserve(t->files, t->files_cap, t->n_files + 1))
		return -ENOMEM;
	f = &t->files[t->n_files];
	*f = (struct file){ .path = strdup(m->path), .ino = m->ino, .fd = -1 };
	if (!f->path)
		return -ENOMEM;
	t->n_files++;
	if (!strcmp(m->path, "[vdso]")) {
		(void)vdso_open(&f->image);
	} else if (m->path[0] == '/') {
		f->fd = open(m->path, O_RDONLY | O_CLOEXEC);
		if (f->fd >= 0)
			(void)elf_image_open(f->fd, m->path, &f->image);
	}
	if (f->image)
		build_table(t, f);
	*ret = f;
	return 0;
}

static int add_mapping(struct own_tables *t, struct own_maps *own, const struct mapping *m)
{
	struct ft_unwind_mapping *u = &own->v[own->n];
	struct file *f;
	uint64_t bias;
	int err = file_of(t, m, &f);

	if (err)
		return err;
	*u = (struct ft_unwind_mapping){ .start = m->start,
					 .end = m->end,
					 .kind = FT_MAPPING_NO_CFI };
	if (f->has_table && mapping_bias(m, f->image, &bias)) {
		u->bias = bias;
		u->page = f->page;
		u->kind = FT_MAPPING_TABLE;
	}
	own->n++;
	return 0;
}

static int own_maps_of(struct own_tables *t, struct maps *maps, struct own_maps **ret)
{
	struct own_maps *own = maps->own;
	size_t i;
	int err = 0;

	if (!own) {
		own = calloc(1, sizeof(*own));
		if (!own)
			return -ENOMEM;
		maps->own = own;
		own->v = calloc(maps->n + 1, sizeof(*own->v));
		if (!own->v)
			return -ENOMEM;
		for (i = 0; i < maps->n && !err; i++)
			err = add_mapping(t, own, &maps->v[i]);
	}
	*ret = own;
	return err;
}

void own_release(struct maps *maps)
{
	struct own_maps *own = maps->own;

	if (own)
		free(own->v);
	free(own);
	maps->own = NULL;
}

const struct ft_unwind_mapping *own_mappings(const struct dump *dump, size_t *ret_n)
{
	const struct own_maps *own = dump->maps->own;

	*ret_n = own->n;
	return own->v;
}

/* --- what unwind_step.h asks for ---------------------------------------------------------- */

struct walker {
	struct own_tables *tables;
	const struct dump *dump;
	const struct own_maps *maps;
	const struct own_watcher *watcher;
};

static long unwind_read(void *ctx, void *to, __u32 size, __u64 from)
{
	struct walker *k = ctx;

	if (!dump_read(k->dump, to, size, from)) {
		memset(to, 0, size); /* as the kernel's helper does */
		return -EFAULT;
	}
	if (k->watcher && k->watcher->on_read)
		k->watcher->on_read(k->watcher->ctx, from, size, false, to);
	return 0;
}

/* Code is what the files say: of JIT code there is nothing. */
static long unwind_read_code(void *ctx, void *to, __u32 size, __u64 from)
{
	struct walker *k = ctx;
	const struct mapping *m = maps_find(k->dump->maps, from);
	size_t i;

	memset(to, 0, size);
	if (!m || size > m->end - from)
		return -EFAULT;
	for (i = 0; i < k->tables->n_files; i++) {
		struct file *f = &k->tables->files[i];

		if (f->fd < 0 || f->ino != m->ino || strcmp(f->path, m->path))
			continue;
		if (pread(f->fd, to, size, (off_t)(m->pgoff + from - m->start)) != (ssize_t)size)
			return -EFAULT;
		if (k->watcher && k->watcher->on_read)
			k->watcher->on_read(k->watcher->ctx, from, size, true, to);
		return 0;
	}
	return -EFAULT;
}

static __u32 unwind_locate(void *ctx, struct unwind_walk *w, __u64 address)
{
	struct walker *k = ctx;
	size_t i;

	for (i = 0; i < k->maps->n; i++) {
		if (address >= k->maps->v[i].start && address < k->maps->v[i].end) {
			w->at = k->maps->v[i];
			return 0;
		}
	}
	return FT_END_UNKNOWN_MAPPING;
}

static const struct ft_unwind_page *unwind_page_at(void *ctx, __u32 number)
{
	struct walker *k = ctx;

	return number < PAGES ? &k->tables->pages[number] : NULL;
}

static const struct ft_unwind_chunk *unwind_chunk_of(void *ctx, __u32 row)
{
	struct walker *k = ctx;
	__u32 number = row / FT_CHUNK_ROWS;

	return number < CHUNKS ? &k->tables->chunks[number] : NULL;
}

static const struct ft_unwind_rule *unwind_rule_at(void *ctx, __u32 number)
{
	struct walker *k = ctx;

	return number < FT_UNWIND_MAX_RULES ? &k->tables->rules[number] : NULL;
}

/* --- the walk ------------------------------------------------------------------------------ */

int own_walk(struct own_tables *tables, const struct dump *dump, const struct own_watcher *watcher,
	     struct frames *ret)
{
	struct walker k = { .tables = tables, .dump = dump, .watcher = watcher };
	struct unwind_entry entry = { .pc = dump->pc };
	struct unwind_walk w = { 0 };
	struct own_maps *maps;
	int err = own_maps_of(tables, dump->maps, &maps);

	if (err)
		return err;
	k.maps = maps;
	memcpy(entry.regs, dump->regs, sizeof(entry.regs));
	unwind_begin(&entry, &w);
	ret->interrupted[0] = false;
	ret->pcs[0] = dump->pc;
	ret->n = 1;
	for (;;) {
		if (watcher && watcher->on_step)
			watcher->on_step(watcher->ctx, w.pc - (w.known == UNWIND_CALLER));
		w.end = unwind_step(&k, &entry, &w);
		if (w.end)
			break;
		w.end = !w.pc ? FT_END_NULL : ret->n == FT_MAX_FRAMES ? FT_END_DEPTH : 0;
		if (w.end)
			break;
		ret->interrupted[ret->n] = w.known == UNWIND_INTERRUPTED;
		ret->pcs[ret->n++] = w.pc;
	}
	ret->end = w.end;
	return 0;
}

void own_find(struct own_tables *tables, const struct dump *dump, uint64_t pc,
	      struct own_place *ret)
{
	struct walker k = { .tables = tables, .dump = dump };
	struct own_place place = { .file = maps_find(dump->maps, pc) };
	const struct own_maps *own = dump->maps->own;
	const struct ft_unwind_chunk *chunk;
	size_t i;

	for (i = 0; i < own->n; i++) {
		if (pc >= own->v[i].start && pc < own->v[i].end)
			place.at = &own->v[i];
	}
	if (place.at && place.at->kind == FT_MAPPING_TABLE) {
		place.address = pc - place.at->bias;
		place.page = unwind_page_at(
			&k, place.at->page + (uint32_t)(place.address >> FT_PAGE_SHIFT));
		chunk = place.page ? unwind_chunk_of(&k, place.page->row) : NULL;
		place.rows = chunk ? &chunk->rows[place.page->row % FT_CHUNK_ROWS] : NULL;
		place.rule = unwind_find_rule(&k, place.at, pc);
	}
	*ret = place;
}

const struct ft_unwind_rule *own_rules(const struct own_tables *tables)
{
	return tables->rules;
}
