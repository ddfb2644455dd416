/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/frame_names.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/array.h"
#include "user/sym/mapped_file.h"

/* What a frame is looked up by: an address as innermost pc or as return address. */
struct address_key {
	uint64_t pc;   /* of a user frame: as if its part were mapped where it was first seen */
	uint32_t part; /* number of the part, PART_KERNEL or PART_NONE */
	uint32_t is_caller;
};
#define PART_KERNEL UINT32_MAX
#define PART_NONE   (UINT32_MAX - 1)

/* One executable part of one file, wherever it is mapped. Anonymous memory is each process's own.
 */
struct part_key {
	uint64_t dev, ino, generation, pgoff, bytes;
	uint64_t owner; /* start, image and process of what has no file */
	uint64_t image;
	uint32_t path; /* string of the profile */
	uint32_t pid;
};

/* Where glibc, musl and Go start programs and threads. */
static bool is_root_name(const char *name)
{
	static const char *const roots[] = {
		"_start",
		"__clone",
		"clone",
		"__clone3",
		"clone3",
		"thread_start",
		"_dl_start_user",
		"runtime.goexit",
		"runtime.goexit.abi0",
		/* Where Go's own threads begin, and where it goes over to another stack. */
		"runtime.clone",
		"runtime.clone.abi0",
		"runtime.mcall",
		"runtime.mstart",
		"runtime.mstart.abi0",
		"runtime.rt0_go",
		"runtime.rt0_go.abi0",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(roots); i++) {
		if (!strcmp(name, roots[i]))
			return true;
	}
	return false;
}

static int add_part(struct frame_names *names, const struct sym_mapping *m, uint32_t *ret)
{
	struct part_key key = {
		.dev = m->dev,
		.ino = m->ino,
		.generation = m->generation,
		.pgoff = m->pgoff,
		.bytes = m->end - m->start,
	};
	struct profile_mapping mapping = {
		.start = m->start,
		.limit = m->end,
		.offset = m->pgoff,
	};
	int err, added;

	if (!m->ino) {
		key.owner = m->start;
		key.image = m->image;
		key.pid = m->pid;
	}
	/* A file has one name, deleted or not yet. */
	err = strtab_add_bytes(&names->p->strings, m->path, mapped_file_path_len(m->path),
			       &key.path);
	if (err || array_reserve(names->canonical, names->canonical_cap, names->parts.n + 1))
		return -ENOMEM;
	added = keyset_add(&names->parts, &key, ret);
	if (added <= 0)
		return added;
	mapping.path = key.path;
	err = profile_add_string(names->p, symbolizer_build_id(names->symbolizer, m),
				 &mapping.build_id);
	names->canonical[*ret].start = m->start;
	return err ? err : profile_add_mapping(names->p, &mapping, &names->canonical[*ret].mapping);
}

/* The next frame of that address, towards the root. */
static int add_frame(struct frame_names *names, const char *name, struct profile_frame *frame,
		     struct resolved *r)
{
	int err = profile_add_string(names->p, name, &frame->function);

	if (!err && array_reserve(names->frames, names->frames_cap, names->n_frames + 1))
		err = -ENOMEM;
	if (!err)
		err = profile_add_frame(names->p, frame, &names->frames[names->n_frames]);
	if (err)
		return err;
	if (!r->n++)
		r->first = names->n_frames;
	names->n_frames++;
	return 0;
}

static int add_place(struct frame_names *names, const struct code_line *line,
		     struct profile_frame *frame)
{
	frame->line = line->line;
	return profile_add_string(names->p, line->file ? line->file : "", &frame->file);
}

static int name_unmapped(struct frame_names *names, const struct address_key *key,
			 struct resolved *ret)
{
	struct profile_frame frame = {
		.address = key->pc,
		.kind = FRAME_USER,
		.mapping = PROFILE_NONE,
	};
	char text[64];

	snprintf(text, sizeof(text), "[unmapped+0x%" PRIx64 "]", key->pc - key->is_caller);
	return add_frame(names, text, &frame, ret);
}

/* What was inlined, and last the function that stands there, by whatever name is known of it. */
static int add_function(struct frame_names *names, const struct symbol *symbol,
			struct profile_frame *frame, const struct code_line *lines, size_t n,
			struct resolved *ret)
{
	const char *name = symbol->name;
	struct profile_frame inlined = *frame;
	size_t i;
	int err = 0;

	inlined.kind = FRAME_INLINED;
	inlined.named = 1;
	for (i = 0; i + 1 < n && !err; i++) {
		err = add_place(names, &lines[i], &inlined);
		if (!err)
			err = add_frame(names, lines[i].function ? lines[i].function : "[inlined]",
					&inlined, ret);
	}
	if (n && !err)
		err = add_place(names, &lines[n - 1], frame);
	if (n && !symbol->named && lines[n - 1].function) {
		name = lines[n - 1].function;
		frame->named = 1;
	}
	return err ? err : add_frame(names, name, frame, ret);
}

static int name_user(struct frame_names *names, const struct address_key *key,
		     const struct sym_mapping *m, struct resolved *ret)
{
	const struct canonical *at = &names->canonical[key->part];
	uint64_t address = key->pc - key->is_caller - at->start + m->start;
	struct profile_frame frame = {
		.address = key->pc,
		.kind = FRAME_USER,
		.mapping = at->mapping,
	};
	struct code_line lines[CODE_LINES_MAX];
	struct symbol symbol;
	size_t n;

	symbolizer_user(names->symbolizer, m, address, &symbol);
	n = symbolizer_lines(names->symbolizer, m, address, lines);
	frame.named = symbol.named;
	if (symbol.is_jit)
		frame.kind = FRAME_INTERPRETED;
	ret->is_mapped = true;
	ret->is_root = (symbol.named && is_root_name(symbol.name)) ||
		       symbolizer_is_entry(names->symbolizer, m, address);
	return add_function(names, &symbol, &frame, lines, n, ret);
}

static int name_kernel(struct frame_names *names, const struct address_key *key,
		       struct resolved *ret)
{
	struct profile_frame frame = { .address = key->pc, .kind = FRAME_KERNEL };
	struct profile_mapping mapping = { 0 };
	struct symbol symbol;
	int err;

	symbolizer_kernel(names->symbolizer, key->pc - key->is_caller, &symbol);
	err = profile_add_string(names->p, symbol.module, &mapping.path);
	if (!err)
		err = profile_add_mapping(names->p, &mapping, &frame.mapping);
	if (err)
		return err;
	frame.named = symbol.named;
	ret->is_mapped = true;
	return add_frame(names, symbol.name, &frame, ret);
}

/* 'm' is what the key's part is mapped by, NULL for the other keys. */
static int resolve(struct frame_names *names, const struct address_key *key,
		   const struct sym_mapping *m, struct resolved *ret)
{
	struct resolved *r;
	uint32_t i;
	int err = 0, added;

	if (array_reserve(names->resolved, names->resolved_cap, names->addresses.n + 1))
		return -ENOMEM;
	added = keyset_add(&names->addresses, key, &i);
	if (added < 0)
		return added;
	r = &names->resolved[i];
	if (added) {
		*r = (struct resolved){ 0 };
		err = key->part == PART_KERNEL ? name_kernel(names, key, r)
		      : key->part == PART_NONE ? name_unmapped(names, key, r)
					       : name_user(names, key, m, r);
	}
	*ret = *r;
	return err;
}

int frame_names_kernel(struct frame_names *names, uint64_t pc, bool is_caller, struct resolved *ret)
{
	struct address_key key = { .pc = pc, .part = PART_KERNEL, .is_caller = is_caller };

	return resolve(names, &key, NULL, ret);
}

/* A caller's frame holds the return address; what it called from is one byte before that. */
int frame_names_user(struct frame_names *names, uint64_t pc, bool is_caller, uint32_t image,
		     uint64_t time_ns, struct resolved *ret)
{
	const struct sym_mapping *m =
		processes_find(names->processes, image, time_ns, pc - is_caller);
	struct address_key key = { .pc = pc, .part = PART_NONE, .is_caller = is_caller };
	int err = 0;

	if (m) {
		err = add_part(names, m, &key.part);
		if (!err)
			key.pc += names->canonical[key.part].start - m->start;
	}
	return err ? err : resolve(names, &key, m, ret);
}

void frame_names_init(struct frame_names *names, struct processes *processes,
		      struct symbolizer *symbolizer, struct profile *p)
{
	*names = (struct frame_names){
		.processes = processes,
		.symbolizer = symbolizer,
		.p = p,
	};
	keyset_init(&names->addresses, sizeof(struct address_key));
	keyset_init(&names->parts, sizeof(struct part_key));
}

void frame_names_release(struct frame_names *names)
{
	keyset_release(&names->addresses);
	keyset_release(&names->parts);
	free(names->resolved);
	free(names->frames);
	free(names->canonical);
}
