/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/base/keyset.h"
#include "user/sym/ksyms.h"
#include "user/sym/mapped_file.h"
#include "user/sym/perf_maps.h"
#include "user/sym/sym.h"
#include "user/sym/sym_file.h"
#include "user/sym/sym_names.h"

/* The usual soft limit of RLIMIT_NOFILE: more are opened when they are asked for. */
#define MAX_OPEN 1024

#define KERNEL_OWNER  0
#define JIT_OWNER     1 /* of all processes: a function's number has its map's in the upper half */
#define INLINED_OWNER 2
#define FIRST_OWNER   3

enum kind { KIND_FILE, KIND_VDSO, KIND_MEMORY };

struct file_key {
	uint64_t dev, ino, generation;
	uint32_t pid, path; /* only of what has neither inode nor build ID */
	uint8_t build_id[20];
	uint32_t build_id_len;
};

_Static_assert(sizeof(struct file_key) == 56, "a key has no padding");

struct symbolizer {
	char *kallsyms;
	char *debug_directory;
	struct sym_places places;
	struct lines_worker *lines_worker;
	struct symbolizer_counts counts;
	struct ksyms *ksyms;
	bool ksyms_tried;
	struct keyset file_keys;
	struct sym_file **files;
	size_t files_cap;
	struct sym_file *vdso;
	struct perf_maps perf_maps;
	struct sym_names names;
	uint32_t next_owner;
	size_t n_open;
};

int symbolizer_new(const struct symbolizer_options *options, struct symbolizer **ret)
{
	_cleanup_(symbolizer_freep) struct symbolizer *s = calloc(1, sizeof(*s));
	const char *kallsyms = options->kallsyms, *directory = options->debug_directory;

	if (!s)
		return errf(-ENOMEM, "no memory for symbols");
	keyset_init(&s->file_keys, sizeof(struct file_key));
	perf_maps_init(&s->perf_maps);
	s->next_owner = FIRST_OWNER;
	s->kallsyms = strdup(kallsyms ? kallsyms : "/proc/kallsyms");
	s->debug_directory = strdup(directory ? directory : "/usr/lib/debug");
	s->places.debug_directory = s->debug_directory;
	s->places.lines = !options->no_lines;
	if (!s->kallsyms || !s->debug_directory || sym_names_init(&s->names, options->demangle) ||
	    lines_worker_new(options->lines_cpu_ns, &s->lines_worker) ||
	    (!options->no_debuginfod &&
	     debuginfod_new(DEBUGINFOD_BUDGET_NS, &s->places.debuginfod)))
		return errf(-ENOMEM, "no memory for symbols");
	*ret = take(s);
	return 0;
}

void symbolizer_free(struct symbolizer *s)
{
	size_t i;

	if (!s)
		return;
	for (i = 0; i < s->file_keys.n; i++)
		sym_file_free(s->files[i]);
	lines_worker_free(s->lines_worker);
	perf_maps_release(&s->perf_maps);
	sym_file_free(s->vdso);
	ksyms_free(s->ksyms);
	keyset_release(&s->file_keys);
	sym_names_release(&s->names);
	free(s->files);
	debuginfod_free(s->places.debuginfod);
	free(s->kallsyms);
	free(s->debug_directory);
	free(s);
}

/* --- what a mapping is --------------------------------------------------------------------- */

static bool starts_with(const char *text, const char *start)
{
	return !strncmp(text, start, strlen(start));
}

/* As mm/ and fs/proc/task_mmu.c name what is not a file that can be opened. */
static enum kind kind_of(const struct sym_mapping *m)
{
	const char *path = m->path ? m->path : "";

	if (!strcmp(path, "[vdso]"))
		return KIND_VDSO;
	if (path[0] != '/' || !strcmp(path, "//anon") || starts_with(path, "/dev/zero") ||
	    starts_with(path, "/anon_hugepage") || starts_with(path, "/SYSV"))
		return KIND_MEMORY;
	return KIND_FILE;
}

/* Runtimes map memory twice, writable and executable, through such a file. */
static bool may_be_jit(const struct sym_mapping *m)
{
	return starts_with(m->path, "/memfd:") || starts_with(m->path, "/dev/shm/");
}

static uint64_t offset_in_mapping(const struct sym_mapping *m, uint64_t address)
{
	return address - m->start;
}

static uint64_t offset_in_file(const struct sym_mapping *m, uint64_t address)
{
	return address - m->start + m->pgoff;
}

static struct sym_file *file_of(struct symbolizer *s, const struct sym_mapping *m)
{
	size_t len = mapped_file_path_len(m->path);
	struct file_key key = { 0 };
	struct sym_file *file;
	uint32_t path, i;
	const char *name;

	name = sym_names_intern(&s->names, m->path, len, &path);
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers it is */
	if (!name || array_reserve(s->files, s->files_cap, s->file_keys.n + 1))
		return NULL;
	if (m->ino) {
		key.dev = m->dev;
		key.ino = m->ino;
		key.generation = m->generation;
	}
	if (m->build_id_len && m->build_id_len <= sizeof(key.build_id)) {
		memcpy(key.build_id, m->build_id, m->build_id_len);
		key.build_id_len = m->build_id_len;
	}
	if (!m->ino && !key.build_id_len) {
		key.pid = m->pid;
		key.path = path;
	}
	i = keyset_find(&s->file_keys, &key);
	if (i != KEYSET_NONE)
		return s->files[i];
	file = sym_file_new(s->next_owner, name);
	if (!file || keyset_add(&s->file_keys, &key, &i) < 0) {
		sym_file_free(file);
		return NULL;
	}
	s->next_owner++;
	s->files[i] = file;
	return file;
}

static const struct elf_image *image_of(struct symbolizer *s, struct sym_file *file,
					const struct sym_mapping *m)
{
	bool was_open = file->fd >= 0;
	const struct elf_image *image = sym_file_image(file, m);

	s->n_open += (file->fd >= 0) - was_open;
	return image;
}

static const struct elf_symbols *symbols_of(struct symbolizer *s, struct sym_file *file,
					    const struct sym_mapping *m)
{
	bool was_open = file->fd >= 0;
	const struct elf_symbols *symbols = sym_file_symbols(file, m, &s->places);

	s->n_open += (file->fd >= 0) - was_open;
	return symbols;
}

/* NULL for a 32-bit process, whose vDSO is another one, and without memory. */
static struct sym_file *vdso_of(struct symbolizer *s, const struct sym_mapping *m)
{
	if (m->start <= UINT32_MAX && sizeof(void *) == 8)
		return NULL;
	if (!s->vdso)
		s->vdso = sym_file_new_vdso(s->next_owner++);
	return s->vdso;
}

/* --- what runs there ----------------------------------------------------------------------- */

static bool name_jit(struct symbolizer *s, const struct sym_mapping *m, uint64_t address,
		     struct symbol *ret)
{
	struct perf_map_function f;
	uint32_t map;

	if (!perf_maps_find(&s->perf_maps, m->pid, m->image, address, &map, &f))
		return false;
	*ret = (struct symbol){
		.name = sym_names_pretty(&s->names, JIT_OWNER, (uint64_t)map << 32 | f.id, f.name),
		.module = "[jit]",
		.offset = f.offset,
		.named = true,
		.is_jit = true,
	};
	return true;
}

void symbolizer_prepare(struct symbolizer *s, const struct sym_mapping *m)
{
	enum kind kind = kind_of(m);
	struct sym_file *file;

	if (kind == KIND_MEMORY || (kind == KIND_FILE && may_be_jit(m)))
		perf_maps_read(&s->perf_maps, m->pid, m->image, PERF_MAP_PAUSE_NS);
	file = kind == KIND_FILE ? file_of(s, m) : NULL;
	if (!file || file->fd >= 0 || s->n_open >= MAX_OPEN)
		return;
	sym_file_open(file, m);
	s->n_open += file->fd >= 0;
}

void symbolizer_read_perf_map(struct symbolizer *s, uint32_t pid, uint64_t image)
{
	perf_maps_read(&s->perf_maps, pid, image, PERF_MAP_PAUSE_NS);
}

void symbolizer_read_new_perf_map(struct symbolizer *s, uint32_t pid, uint64_t image)
{
	perf_maps_read(&s->perf_maps, pid, image, 0);
}

void symbolizer_kernel(struct symbolizer *s, uint64_t address, struct symbol *ret)
{
	struct ksym k;

	if (!s->ksyms_tried) {
		s->ksyms_tried = true;
		ksyms_load(s->kallsyms, &s->ksyms);
	}
	if (s->ksyms && ksyms_find(s->ksyms, address, &k))
		*ret = (struct symbol){
			.name = sym_names_pretty(&s->names, KERNEL_OWNER, k.id, k.name),
			.module = k.module,
			.offset = k.offset,
			.named = true,
		};
	else
		*ret = (struct symbol){
			.name = sym_names_offset(&s->names, KERNEL_OWNER, "kernel", address),
			.module = "[kernel]",
		};
}

static void name_memory(struct symbolizer *s, const struct sym_mapping *m, uint64_t address,
			struct symbol *ret)
{
	const char *path = m->path && m->path[0] == '[' ? m->path : "[anon]";
	char base[SYM_NAMES_BASE_MAX + 1];
	size_t len = strlen(path);
	const char *module;
	uint32_t text;

	if (name_jit(s, m, address, ret))
		return;
	/* "[heap]" is "[heap+0x1234]": its brackets are ours. */
	len = path[len - 1] == ']' ? len - 2 : len - 1;
	snprintf(base, sizeof(base), "%.*s",
		 (int)(len < SYM_NAMES_BASE_MAX ? len : SYM_NAMES_BASE_MAX), path + 1);
	module = sym_names_intern(&s->names, path, strlen(path), &text);
	*ret = (struct symbol){ .name = SYM_NO_MEMORY, .module = module ? module : "[anon]" };
	/* Names of memory are numbered downwards, so that they are not those of files. */
	if (module)
		ret->name = sym_names_offset(&s->names, UINT32_MAX - text, base,
					     offset_in_mapping(m, address));
}

static void name_vdso(struct symbolizer *s, const struct sym_mapping *m, uint64_t address,
		      struct symbol *ret)
{
	struct sym_file *vdso = vdso_of(s, m);
	struct elf_function f = { .offset = 0 };

	if (vdso && vdso->symbols &&
	    elf_symbols_find(vdso->symbols, offset_in_mapping(m, address), &f) && f.name[0])
		*ret = (struct symbol){
			.name = sym_names_pretty(&s->names, vdso->id, f.id, f.name),
			.module = "[vdso]",
			.offset = f.offset,
			.named = true,
		};
	else
		*ret = (struct symbol){
			.name = sym_names_offset(&s->names, vdso ? vdso->id : UINT32_MAX, "vdso",
						 offset_in_mapping(m, address) - f.offset),
			.module = "[vdso]",
			.offset = f.offset,
		};
}

static void name_in_file(struct symbolizer *s, const struct sym_mapping *m, uint64_t address,
			 struct symbol *ret)
{
	uint64_t at = offset_in_file(m, address);
	struct sym_file *file = file_of(s, m);
	const struct elf_symbols *symbols;
	struct elf_function f = { .offset = 0 };

	*ret = (struct symbol){ .name = SYM_NO_MEMORY, .module = "[no memory]" };
	if (!file || (may_be_jit(m) && name_jit(s, m, address, ret)))
		return;
	ret->module = file->path;
	symbols = symbols_of(s, file, m);
	if (file->image && elf_image_address(file->image, at, &at) && symbols &&
	    elf_symbols_find(symbols, at, &f) && f.name[0]) {
		ret->name = sym_names_pretty(&s->names, file->id, f.id, f.name);
		ret->offset = f.offset;
		ret->named = true;
	} else {
		/* All addresses of a function without a name go by where it starts. */
		ret->offset = f.offset;
		ret->name = sym_names_offset(&s->names, file->id, file->base, at - f.offset);
	}
}

void symbolizer_user(struct symbolizer *s, const struct sym_mapping *m, uint64_t address,
		     struct symbol *ret)
{
	switch (kind_of(m)) {
	case KIND_MEMORY:
		name_memory(s, m, address, ret);
		break;
	case KIND_VDSO:
		name_vdso(s, m, address, ret);
		break;
	case KIND_FILE:
		name_in_file(s, m, address, ret);
		break;
	}
}

/* --- lines ----------------------------------------------------------------------------------- */

/* Names come from debug information as they stand there, and are gone with the next answer. */
static const char *inlined_name(struct symbolizer *s, const char *raw)
{
	uint32_t id;
	const char *name =
		raw ? sym_names_intern(&s->names, raw, strnlen(raw, NAME_MAX_BYTES), &id) : NULL;

	return name ? sym_names_pretty(&s->names, INLINED_OWNER, id, name) : NULL;
}

/* The file with lines at that address, which becomes the file's own; or NULL. */
static struct sym_file *file_with_lines(struct symbolizer *s, const struct sym_mapping *m,
					uint64_t *address, bool *ret_is_mapped)
{
	struct sym_file *file;

	file = s->places.lines && kind_of(m) == KIND_FILE ? file_of(s, m) : NULL;
	if (!file || !symbols_of(s, file, m))
		return NULL;
	*ret_is_mapped = elf_image_address(file->image, offset_in_file(m, *address), address);
	return file;
}

void symbolizer_want_lines(struct symbolizer *s, const struct sym_mapping *m, uint64_t address)
{
	bool is_mapped = false;
	struct sym_file *file = file_with_lines(s, m, &address, &is_mapped);

	if (file && is_mapped)
		sym_file_want_lines(file, address);
}

size_t symbolizer_lines(struct symbolizer *s, const struct sym_mapping *m, uint64_t address,
			struct code_line ret[CODE_LINES_MAX])
{
	bool is_mapped = false;
	struct sym_file *file = file_with_lines(s, m, &address, &is_mapped);
	int n = 0, i;

	if (!file)
		return 0;
	s->counts.addresses++;
	if (is_mapped)
		n = sym_file_lines(file, m, &s->places, address, s->lines_worker, ret);
	s->counts.over_budget += n == -EDQUOT;
	if (n <= 0)
		return 0;
	s->counts.with_lines++;
	s->counts.with_inlined += n > 1;
	for (i = 0; i < n; i++)
		ret[i].function = inlined_name(s, ret[i].function);
	return n;
}

struct symbolizer_counts symbolizer_counts(const struct symbolizer *s)
{
	struct debuginfod_counts fetched = debuginfod_counts(s->places.debuginfod);
	struct symbolizer_counts counts = s->counts;

	counts.debuginfod_found = fetched.found;
	counts.debuginfod_missing = fetched.missing;
	counts.debuginfod_failed = fetched.failed;
	counts.worker_cpu_ns = s->lines_worker->spent_cpu_ns;
	return counts;
}

static const char *hexadecimal(struct symbolizer *s, const uint8_t *id, size_t len)
{
	char text[2 * ELF_BUILD_ID_MAX + 1] = "";
	const char *copy;
	size_t i;

	for (i = 0; i < len && i < ELF_BUILD_ID_MAX; i++)
		snprintf(text + 2 * i, 3, "%02x", id[i]);
	copy = name_arena_add(&s->names.arena, text, 2 * i);
	return copy ? copy : "";
}

const struct elf_image *symbolizer_image(struct symbolizer *s, const struct sym_mapping *m,
					 uint32_t *ret_id)
{
	enum kind kind = kind_of(m);
	struct sym_file *file = NULL;

	*ret_id = SYMBOLIZER_NO_FILE;
	if (kind == KIND_VDSO)
		file = vdso_of(s, m);
	else if (kind == KIND_FILE)
		file = file_of(s, m);
	if (!file)
		return NULL;
	*ret_id = file->id;
	return kind == KIND_VDSO ? file->image : image_of(s, file, m);
}

const char *symbolizer_build_id(struct symbolizer *s, const struct sym_mapping *m)
{
	enum kind kind = kind_of(m);
	const struct elf_image *image;
	struct sym_file *file = NULL;

	if (kind == KIND_VDSO)
		file = vdso_of(s, m);
	else if (kind == KIND_FILE)
		file = file_of(s, m);
	if (!file)
		return "";
	if (file->build_id)
		return file->build_id;
	if (m->build_id_len && m->build_id_len <= sizeof(m->build_id))
		return file->build_id = hexadecimal(s, m->build_id, m->build_id_len);
	image = image_of(s, file, m);
	if (!image)
		return "";
	return file->build_id = hexadecimal(s, image->build_id, image->build_id_len);
}

bool symbolizer_is_entry(struct symbolizer *s, const struct sym_mapping *m, uint64_t address)
{
	uint64_t at = offset_in_file(m, address);
	const struct elf_symbols *symbols;
	struct sym_file *file;

	file = kind_of(m) == KIND_FILE ? file_of(s, m) : NULL;
	symbols = file ? symbols_of(s, file, m) : NULL;
	return symbols && elf_image_address(file->image, at, &at) && at >= symbols->entry_start &&
	       at < symbols->entry_end;
}

uint64_t symbolizer_files_failed(const struct symbolizer *s)
{
	uint64_t n = s->ksyms_tried && !s->ksyms;
	size_t i;

	for (i = 0; i < s->file_keys.n; i++)
		n += s->files[i]->failed;
	return n + perf_maps_failed(&s->perf_maps) + (s->vdso && s->vdso->failed);
}
