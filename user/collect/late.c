/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/late.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "user/base/clock.h"
#include "user/base/err.h"

#if defined(__x86_64__)
#define __TARGET_ARCH_x86
#define STRIP(pc) (pc)
#elif defined(__aarch64__)
#define __TARGET_ARCH_arm64
#define STRIP(pc) ((pc) & ((1ull << 48) - 1)) /* see bpf/regs.bpf.h */
#endif
#include "bpf/unwind_step.h"

/* One walk; 'ctx' of the functions that bpf/unwind_step.h asks for. */
struct walking {
	const struct late *late;
	const struct ft_deferred *d;
	const uint8_t *stack;
	uint64_t stack_start; /* address of its first byte */
	uint32_t image;
	int err;
};

static long unwind_read(void *ctx, void *to, __u32 size, __u64 from)
{
	const struct walking *w = ctx;
	uint64_t at = from - w->stack_start;

	if (from < w->stack_start || at > w->d->stack_bytes || size > w->d->stack_bytes - at)
		return -EFAULT;
	memcpy(to, w->stack + at, size);
	return 0;
}

/*
 * Code is what its file holds. What is in no file is not read from the process: whoever answers for
 * its page faults (userfaultfd, FUSE) could keep us for ever.
 */
static long unwind_read_code(void *ctx, void *to, __u32 size, __u64 from)
{
	const struct walking *w = ctx;
	const struct late *late = w->late;
	const struct sym_mapping *m =
		processes_find(late->processes, w->image, w->d->time_ns, from);
	uint32_t table;

	if (!m || unwind_tables_of(late->tables, m, &table))
		return -EFAULT;
	return unwind_tables_read_code(late->tables, table, m, from, to, size);
}

static const struct ft_unwind_page *unwind_page_at(void *ctx, __u32 number)
{
	const struct unwind_maps *maps = ((const struct walking *)ctx)->late->maps;

	return number < maps->memory.n_pages ? &maps->memory.pages[number] : NULL;
}

static const struct ft_unwind_chunk *unwind_chunk_of(void *ctx, __u32 row)
{
	const struct unwind_maps *maps = ((const struct walking *)ctx)->late->maps;
	uint32_t number = row / FT_CHUNK_ROWS;

	return number < maps->memory.n_chunks ? &maps->memory.chunks[number] : NULL;
}

static const struct ft_unwind_rule *unwind_rule_at(void *ctx, __u32 number)
{
	const struct unwind_maps *maps = ((const struct walking *)ctx)->late->maps;

	return number < FT_UNWIND_MAX_RULES ? &maps->rules[number] : NULL;
}

static __u32 unwind_locate(void *ctx, struct unwind_walk *walk, __u64 address)
{
	struct walking *w = ctx;
	const struct late *late = w->late;
	const struct sym_mapping *m =
		processes_find(late->processes, w->image, w->d->time_ns, address);
	uint32_t table;

	if (w->err)
		return FT_END_NO_TABLE;
	if (!m)
		return FT_END_UNKNOWN_MAPPING;
	w->err = unwind_tables_of(late->tables, m, &table);
	if (w->err)
		return FT_END_NO_TABLE;
	/* Before others are looked for room: what this walk has used stays. */
	unwind_tables_touch(late->tables, table, clock_ns(CLOCK_MONOTONIC));
	if (unwind_tables_kind(late->tables, table) == FT_MAPPING_PENDING)
		w->err = late->need(late->ctx, table, m);
	if (w->err)
		return FT_END_NO_TABLE;
	unwind_tables_place(late->tables, table, m->start, m->end, m->pgoff, &walk->at);
	return address >= walk->at.start && address < walk->at.end ? 0 : FT_END_UNKNOWN_MAPPING;
}

/* All frames but the first. */
static uint32_t walk_stack(struct walking *w, const struct unwind_entry *entry,
			   struct ft_stack *out)
{
	struct unwind_walk walk = { 0 };
	uint32_t end;

	unwind_begin(entry, &walk);
	for (;;) {
		end = unwind_step(w, entry, &walk);
		if (end)
			return end;
		walk.pc = STRIP(walk.pc);
		if (!walk.pc)
			return FT_END_NULL;
		if (out->n >= FT_MAX_FRAMES)
			return FT_END_DEPTH;
		out->pcs[out->n++] = unwind_frame(&walk, walk.pc);
	}
}

int late_unwind(const struct late *late, const struct ft_deferred *d, struct ft_stack *ret)
{
	struct unwind_entry entry = { .pc = d->pc };
	struct unwind_walk wanted;
	struct walking w = {
		.late = late,
		.d = d,
		.stack = (const uint8_t *)(d + 1),
	};

	memcpy(entry.regs, d->regs, sizeof(entry.regs));
	w.stack_start = entry.regs[UNWIND_SP] & ~(uint64_t)(FT_PIECE_BYTES - 1);
	memset(ret, 0, sizeof(*ret));
	/* In the middle of an exec there is no stack any more: the registers are of the old one. */
	if (!d->stack_bytes && d->in_exec) {
		ret->end = FT_END_NONE;
		return 0;
	}
	ret->pcs[0] = d->pc;
	ret->n = 1;
	w.image = processes_image(late->processes, d->tgid, d->time_ns);
	if (w.image == PROCESSES_NO_IMAGE)
		ret->end = FT_END_UNKNOWN_MAPPING;
	else
		ret->end = walk_stack(&w, &entry, ret);
	if (ret->end == FT_END_PENDING)
		ret->end = FT_END_NO_TABLE;
	/* The piece of the stack may not reach to where the kernel's walk has given up. */
	if (ret->end == FT_END_READ_FAILED && w.image != PROCESSES_NO_IMAGE)
		unwind_locate(&w, &wanted, d->wanted_pc);
	return w.err;
}
