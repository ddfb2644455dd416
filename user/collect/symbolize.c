/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/symbolize.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/sym/mapped_file.h"

_Static_assert(FT_ENDS == STACK_ENDS && FT_END_FRAME_POINTER == (int)STACK_END_FRAME_POINTER &&
		       FT_END_ROOT == (int)STACK_END_ROOT,
	       "the two sides of the border name the ends alike");
_Static_assert((CODE_LINES_MAX + 1) * FT_MAX_FRAMES <= PROFILE_MAX_DEPTH,
	       "a user stack, all of it inlined, and a kernel stack fit into a profile");

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

/* One address is one frame, or several: what was inlined there, and what that is inlined into. */
struct resolved {
	uint32_t first; /* in the maker's frames, innermost first */
	uint32_t n;
	bool is_mapped; /* in executable memory, as far as is known */
	bool is_root;	/* where programs and threads begin */
};

struct maker {
	const struct capture *capture;
	struct processes *processes;
	struct symbolizer *symbolizer;
	struct cgroups *cgroups;
	struct profile *p;
	struct keyset addresses; /* of struct address_key */
	struct resolved *resolved;
	size_t resolved_cap;
	uint32_t *frames; /* of the profile, those of one address together */
	size_t n_frames, frames_cap;
	struct keyset parts; /* of struct part_key */
	struct canonical {
		uint32_t mapping; /* of the profile */
		uint64_t start;
	} * canonical;
	size_t canonical_cap;
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

/* --- frames -------------------------------------------------------------------------------- */

static int add_part(struct maker *mk, const struct sym_mapping *m, uint32_t *ret)
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
	err = strtab_add_bytes(&mk->p->strings, m->path, mapped_file_path_len(m->path), &key.path);
	if (err || array_reserve(mk->canonical, mk->canonical_cap, mk->parts.n + 1))
		return -ENOMEM;
	added = keyset_add(&mk->parts, &key, ret);
	if (added <= 0)
		return added;
	mapping.path = key.path;
	err = profile_add_string(mk->p, symbolizer_build_id(mk->symbolizer, m), &mapping.build_id);
	mk->canonical[*ret].start = m->start;
	return err ? err : profile_add_mapping(mk->p, &mapping, &mk->canonical[*ret].mapping);
}

/* The next frame of that address, towards the root. */
static int add_frame(struct maker *mk, const char *name, struct profile_frame *frame,
		     struct resolved *r)
{
	int err = profile_add_string(mk->p, name, &frame->function);

	if (!err && array_reserve(mk->frames, mk->frames_cap, mk->n_frames + 1))
		err = -ENOMEM;
	if (!err)
		err = profile_add_frame(mk->p, frame, &mk->frames[mk->n_frames]);
	if (err)
		return err;
	if (!r->n++)
		r->first = mk->n_frames;
	mk->n_frames++;
	return 0;
}

static int add_place(struct maker *mk, const struct code_line *line, struct profile_frame *frame)
{
	frame->line = line->line;
	return profile_add_string(mk->p, line->file ? line->file : "", &frame->file);
}

static int name_unmapped(struct maker *mk, const struct address_key *key, struct resolved *ret)
{
	struct profile_frame frame = {
		.address = key->pc,
		.kind = FRAME_USER,
		.mapping = PROFILE_NONE,
	};
	char text[64];

	snprintf(text, sizeof(text), "[unmapped+0x%" PRIx64 "]", key->pc - key->is_caller);
	return add_frame(mk, text, &frame, ret);
}

/* What was inlined, and last the function that stands there, by whatever name is known of it. */
static int add_function(struct maker *mk, const struct symbol *symbol, struct profile_frame *frame,
			const struct code_line *lines, size_t n, struct resolved *ret)
{
	const char *name = symbol->name;
	struct profile_frame inlined = *frame;
	size_t i;
	int err = 0;

	inlined.kind = FRAME_INLINED;
	inlined.named = 1;
	for (i = 0; i + 1 < n && !err; i++) {
		err = add_place(mk, &lines[i], &inlined);
		if (!err)
			err = add_frame(mk, lines[i].function ? lines[i].function : "[inlined]",
					&inlined, ret);
	}
	if (n && !err)
		err = add_place(mk, &lines[n - 1], frame);
	if (n && !symbol->named && lines[n - 1].function) {
		name = lines[n - 1].function;
		frame->named = 1;
	}
	return err ? err : add_frame(mk, name, frame, ret);
}

static int name_user(struct maker *mk, const struct address_key *key, const struct sym_mapping *m,
		     struct resolved *ret)
{
	const struct canonical *at = &mk->canonical[key->part];
	uint64_t address = key->pc - key->is_caller - at->start + m->start;
	struct profile_frame frame = {
		.address = key->pc,
		.kind = FRAME_USER,
		.mapping = at->mapping,
	};
	struct code_line lines[CODE_LINES_MAX];
	struct symbol symbol;
	size_t n;

	symbolizer_user(mk->symbolizer, m, address, &symbol);
	n = symbolizer_lines(mk->symbolizer, m, address, lines);
	frame.named = symbol.named;
	if (symbol.is_jit)
		frame.kind = FRAME_INTERPRETED;
	ret->is_mapped = true;
	ret->is_root = (symbol.named && is_root_name(symbol.name)) ||
		       symbolizer_is_entry(mk->symbolizer, m, address);
	return add_function(mk, &symbol, &frame, lines, n, ret);
}

static int name_kernel(struct maker *mk, const struct address_key *key, struct resolved *ret)
{
	struct profile_frame frame = { .address = key->pc, .kind = FRAME_KERNEL };
	struct profile_mapping mapping = { 0 };
	struct symbol symbol;
	int err;

	symbolizer_kernel(mk->symbolizer, key->pc - key->is_caller, &symbol);
	err = profile_add_string(mk->p, symbol.module, &mapping.path);
	if (!err)
		err = profile_add_mapping(mk->p, &mapping, &frame.mapping);
	if (err)
		return err;
	frame.named = symbol.named;
	ret->is_mapped = true;
	return add_frame(mk, symbol.name, &frame, ret);
}

/* 'm' is what the key's part is mapped by, NULL for the other keys. */
static int resolve(struct maker *mk, const struct address_key *key, const struct sym_mapping *m,
		   struct resolved *ret)
{
	struct resolved *r;
	uint32_t i;
	int err = 0, added;

	if (array_reserve(mk->resolved, mk->resolved_cap, mk->addresses.n + 1))
		return -ENOMEM;
	added = keyset_add(&mk->addresses, key, &i);
	if (added < 0)
		return added;
	r = &mk->resolved[i];
	if (added) {
		*r = (struct resolved){ 0 };
		err = key->part == PART_KERNEL ? name_kernel(mk, key, r)
		      : key->part == PART_NONE ? name_unmapped(mk, key, r)
					       : name_user(mk, key, m, r);
	}
	*ret = *r;
	return err;
}

static int resolve_kernel(struct maker *mk, uint64_t pc, bool is_caller, struct resolved *ret)
{
	struct address_key key = { .pc = pc, .part = PART_KERNEL, .is_caller = is_caller };

	return resolve(mk, &key, NULL, ret);
}

/* A caller's frame holds the return address; what it called from is one byte before that. */
static int resolve_user(struct maker *mk, uint64_t pc, bool is_caller, uint32_t image,
			uint64_t time_ns, struct resolved *ret)
{
	const struct sym_mapping *m = processes_find(mk->processes, image, time_ns, pc - is_caller);
	struct address_key key = { .pc = pc, .part = PART_NONE, .is_caller = is_caller };
	int err = 0;

	if (m) {
		err = add_part(mk, m, &key.part);
		if (!err)
			key.pc += mk->canonical[key.part].start - m->start;
	}
	return err ? err : resolve(mk, &key, m, ret);
}

/* --- stacks -------------------------------------------------------------------------------- */

/* What is learned of one part of a stack on the way. */
struct walk {
	uint32_t node; /* of the profile, innermost so far */
	bool has_unnamed;
	bool is_rooted; /* its outermost frame is where programs begin */
	bool is_cut;	/* its outer frames were no code */
};

/* Frames of the address from the root inwards. */
static int add_nodes(struct maker *mk, const struct resolved *r, struct walk *walk)
{
	uint32_t i = r->n;
	int err = 0;

	while (i-- && !err) {
		uint32_t frame = mk->frames[r->first + i];

		walk->has_unnamed |= !profile_frame_at(mk->p, frame)->named;
		err = profile_add_node(mk->p, walk->node, frame, &walk->node);
	}
	return err;
}

/* 'image' is PROCESSES_NO_IMAGE and 'is_kernel' true for the kernel's part. */
static int add_stack(struct maker *mk, uint32_t stack, bool is_kernel, uint32_t image,
		     uint64_t time_ns, struct walk *walk)
{
	struct resolved at_frame[FT_MAX_FRAMES];
	uint32_t n = 0, at;
	int err = 0;

	for (at = stack; at != CAPTURE_NO_STACK && n < FT_MAX_FRAMES;
	     at = capture_node_at(mk->capture, at)->caller) {
		uint64_t pc = capture_node_at(mk->capture, at)->pc;

		err = is_kernel ? resolve_kernel(mk, pc, n > 0, &at_frame[n])
				: resolve_user(mk, pc, n > 0, image, time_ns, &at_frame[n]);
		if (err)
			return err;
		/* Frame pointers that are none lead to return addresses that are none. */
		walk->is_cut = n > 0 && !at_frame[n].is_mapped;
		if (walk->is_cut)
			break;
		n++;
	}
	walk->is_rooted = n && at_frame[n - 1].is_root;
	while (n-- && !err)
		err = add_nodes(mk, &at_frame[n], walk);
	return err;
}

static int add_label(struct maker *mk, struct profile_label *label, const char *key,
		     const char *text, int64_t num, const char *unit)
{
	int err;

	*label = (struct profile_label){ .num = num };
	err = profile_add_string(mk->p, key, &label->key);
	if (!err && text)
		err = profile_add_string(mk->p, text, &label->str);
	if (!err && unit)
		err = profile_add_string(mk->p, unit, &label->unit);
	return err;
}

static int add_labels(struct maker *mk, const struct capture_sample *s, uint32_t *ret)
{
	char process[FT_COMM_LEN + 1] = "", thread[FT_COMM_LEN + 1] = "";
	struct profile_label labels[6];
	int err;

	/* Comms are the kernel's bytes: bounded here, cleaned where they are shown. */
	memcpy(process, s->process_comm, FT_COMM_LEN);
	memcpy(thread, s->comm, FT_COMM_LEN);
	err = add_label(mk, &labels[0], LABEL_PROCESS, process, 0, NULL);
	if (!err)
		err = add_label(mk, &labels[1], LABEL_THREAD, thread, 0, NULL);
	if (!err)
		err = add_label(mk, &labels[2], LABEL_PID, NULL, s->tgid, NULL);
	if (!err)
		err = add_label(mk, &labels[3], LABEL_TID, NULL, s->tid, NULL);
	if (!err)
		err = add_label(mk, &labels[4], LABEL_CGROUP,
				cgroups_path(mk->cgroups, s->cgroup_id), 0, NULL);
	if (!err)
		err = add_label(mk, &labels[5], LABEL_PROCESS_START, NULL, s->start_ns,
				"nanoseconds");
	return err ? err : profile_add_labels(mk->p, labels, ARRAY_SIZE(labels), ret);
}

/*
 * A chain of frame pointers that ends in a null pointer has only reached the root if that is where
 * programs begin: code without frame pointers leaves zeros in the register, too. Tables say it
 * themselves.
 */
static void judge(const struct maker *mk, const struct capture_sample *s, const struct walk *user,
		  const struct walk *kernel, uint64_t count, struct stack_quality *quality)
{
	bool is_deep = s->kernel != CAPTURE_NO_STACK &&
		       capture_node_at(mk->capture, s->kernel)->depth == FT_MAX_FRAMES;
	uint32_t end = s->end;

	if (end == FT_END_NULL)
		end = user->is_rooted ? FT_END_ROOT : FT_END_FRAME_POINTER;
	if (user->is_cut && end != FT_END_UNKNOWN_MAPPING)
		end = FT_END_FRAME_POINTER;
	quality->ended[end] += count;
	if ((end == FT_END_ROOT || end == FT_END_NONE) && !is_deep)
		quality->complete += count;
	else
		quality->truncated += count;
	if (user->has_unnamed || kernel->has_unnamed)
		quality->unnamed += count;
}

static int add_sample(struct maker *mk, uint32_t i, uint64_t period_ns,
		      struct stack_quality *quality)
{
	const struct capture_sample *s = capture_sample_at(mk->capture, i);
	uint64_t count = mk->capture->counts[i], time_ns = mk->capture->first_ns[i];
	int64_t values[2] = { count, count * period_ns };
	struct walk user = { .node = PROFILE_NONE }, kernel = { 0 };
	uint32_t image = processes_image(mk->processes, s->tgid, time_ns), labels;
	int err = add_stack(mk, s->user, false, image, time_ns, &user);

	kernel.node = user.node;
	if (!err)
		err = add_stack(mk, s->kernel, true, PROCESSES_NO_IMAGE, time_ns, &kernel);
	if (!err)
		err = add_labels(mk, s, &labels);
	if (!err)
		err = profile_add_sample(mk->p, kernel.node, labels, values);
	if (!err)
		judge(mk, s, &user, &kernel, count, quality);
	return err;
}

/* A frame of the capture in one image; its callers are known when it is. */
struct seen_frame {
	uint32_t node, image, is_caller;
};

/* Lines are read for many addresses of one file together, so all are named before the first. */
static int want_lines(struct maker *mk, uint32_t i, struct keyset *seen)
{
	const struct capture_sample *s = capture_sample_at(mk->capture, i);
	uint64_t time_ns = mk->capture->first_ns[i];
	uint32_t image = processes_image(mk->processes, s->tgid, time_ns), at, number;
	const struct sym_mapping *m;

	for (at = s->user; at != CAPTURE_NO_STACK; at = capture_node_at(mk->capture, at)->caller) {
		struct seen_frame key = { at, image, at != s->user };
		uint64_t pc = capture_node_at(mk->capture, at)->pc - key.is_caller;
		int added = keyset_add(seen, &key, &number);

		if (added <= 0)
			return added;
		m = processes_find(mk->processes, image, time_ns, pc);
		if (m)
			symbolizer_want_lines(mk->symbolizer, m, pc);
	}
	return 0;
}

static int want_all_lines(struct maker *mk)
{
	struct keyset seen;
	uint32_t i;
	int err = 0;

	keyset_init(&seen, sizeof(struct seen_frame));
	for (i = 0; i < mk->capture->samples.n && !err; i++)
		err = want_lines(mk, i, &seen);
	keyset_release(&seen);
	return err;
}

int symbolize(const struct capture *capture, struct processes *processes,
	      struct symbolizer *symbolizer, struct cgroups *cgroups, uint64_t period_ns,
	      struct profile *profile, struct stack_quality *quality)
{
	struct maker mk = {
		.capture = capture,
		.processes = processes,
		.symbolizer = symbolizer,
		.cgroups = cgroups,
		.p = profile,
	};
	int err = want_all_lines(&mk);
	uint32_t i;

	keyset_init(&mk.addresses, sizeof(struct address_key));
	keyset_init(&mk.parts, sizeof(struct part_key));
	for (i = 0; i < capture->samples.n && !err; i++)
		err = add_sample(&mk, i, period_ns, quality);
	keyset_release(&mk.addresses);
	keyset_release(&mk.parts);
	free(mk.resolved);
	free(mk.frames);
	free(mk.canonical);
	return err ? errf(err, "no memory to name %zu stacks", capture->samples.n) : 0;
}
