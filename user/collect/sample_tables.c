/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/sample_tables.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/collect/drain.h"
#include "user/collect/unwind_maps.h"

void sample_tables_init(struct sample_tables *t, const struct sample_tables_options *options)
{
	*t = (struct sample_tables){ .o = *options };
	stack_book_init(&t->book);
}

void sample_tables_release(struct sample_tables *t)
{
	stack_book_release(&t->book);
	free(t->waiting);
	t->waiting = NULL;
}

struct capture_sample sample_of(const struct ft_origin *origin, const struct stack_entry *user,
				const struct stack_entry *kernel)
{
	const struct ft_task *task = &origin->task;
	struct capture_sample sample = {
		.start_ns = task->start_ns,
		.cgroup_id = task->cgroup_id,
		.exec_id = task->exec_id,
		.slot = task->slot,
		.tgid = task->tgid,
		.tid = task->tid,
		.user = user->node,
		.end = user->end,
		.kernel = kernel->node,
	};

	memcpy(sample.comm, task->comm, sizeof(sample.comm));
	memcpy(sample.process_comm, task->process_comm, sizeof(sample.process_comm));
	return sample;
}

static int book_stack(struct sample_tables *t, uint64_t number, const struct ft_stack *stack)
{
	struct stack_entry entry = { .end = stack->end <= FT_END_NULL ? stack->end : FT_END_NONE };
	int err = capture_add_stack(t->o.capture, stack, &entry.node);

	return err ? err : stack_book_add(&t->book, number, entry);
}

struct drain {
	struct sample_tables *t;
	uint32_t n;
	size_t key_bytes, value_bytes;
};

static int on_stack(void *ctx, const void *key, const void *value)
{
	struct drain *d = ctx;

	d->n++;
	return book_stack(d->t, *(const uint64_t *)key, value);
}

/* 1 if its stacks are not known. */
static int add_tally(struct sample_tables *t, const void *key, const void *value)
{
	struct ft_origin origin;
	const struct stack_entry *user, *kernel;

	memcpy(&origin, key, sizeof(origin));
	user = stack_book_find(&t->book, origin.user_stack);
	kernel = stack_book_find(&t->book, origin.kernel_stack);
	return user && kernel ? t->o.add(t->o.ctx, key, value, user, kernel) : 1;
}

static int on_tally(void *ctx, const void *key, const void *value)
{
	struct drain *d = ctx;
	struct sample_tables *t = d->t;
	size_t bytes = d->key_bytes + d->value_bytes, at = t->n_waiting * bytes;
	int err = add_tally(t, key, value);

	d->n++;
	if (err <= 0)
		return err;
	if (array_reserve(t->waiting, t->waiting_cap, at + bytes))
		return errf(-ENOMEM, "no memory to drain the kernel's tables");
	memcpy(t->waiting + at, key, d->key_bytes);
	memcpy(t->waiting + at + d->key_bytes, value, d->value_bytes);
	t->n_waiting++;
	return 0;
}

static int drain_one(struct sample_tables *t, const struct bpf_map *map, drain_fn fn)
{
	struct drain d = {
		.t = t,
		.key_bytes = bpf_map__key_size(map),
		.value_bytes = bpf_map__value_size(map),
	};
	int err = drain_map(bpf_map__fd(map), d.key_bytes, d.value_bytes, fn, &d);
	unsigned int percent = 100ull * d.n / bpf_map__max_entries(map);

	if (percent > t->fullest)
		t->fullest = percent;
	return err;
}

int sample_tables_drain(struct sample_tables *t)
{
	uint32_t set = *t->o.active_set % FT_SETS;
	int err = 0;

	__atomic_store_n(t->o.active_set, (set + 1) % FT_SETS, __ATOMIC_SEQ_CST);
	if (t->o.wait)
		t->o.wait(t->o.ctx);
	else
		unwind_maps_wait();
	t->fullest = 0;
	if (t->o.unwinder)
		err = unwinder_read(t->o.unwinder);
	if (!err)
		err = drain_one(t, t->o.stacks[set], on_stack);
	if (!err)
		err = drain_one(t, t->o.tallies[set], on_tally);
	t->o.deferred_made[set] = 0;
	return err;
}

static int on_late(void *ctx, uint64_t number, const struct ft_stack *stack)
{
	return book_stack(ctx, number, stack);
}

/* Tallies that still wait move to the front. */
static int retry(struct sample_tables *t)
{
	size_t key_bytes = bpf_map__key_size(t->o.tallies[0]);
	size_t bytes = key_bytes + bpf_map__value_size(t->o.tallies[0]), i, left = 0;
	int err;

	for (i = 0; i < t->n_waiting; i++) {
		const unsigned char *tally = t->waiting + i * bytes;

		err = add_tally(t, tally, tally + key_bytes);
		if (err < 0)
			return err;
		if (err > 0 && left++ != i)
			memcpy(t->waiting + (left - 1) * bytes, tally, bytes);
	}
	t->n_waiting = left;
	return 0;
}

int sample_tables_deliver(struct sample_tables *t)
{
	int err = t->o.unwinder ? unwinder_deliver(t->o.unwinder, t->o.collector, on_late, t) : 0;

	return err <= 0 ? err : retry(t);
}
