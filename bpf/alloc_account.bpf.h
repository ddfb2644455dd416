// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * alloc_account: what is counted of memory that is asked for and given back, whoever sees it:
 *
 *	alloc_made(ctx, &request)	a block was given out: its stacks are taken, its site is
 *found alloc_freed(&key, temporary)	it was given back alloc_moving(&key), alloc_moved(ok)
 *realloc: its old block is away before the new one is there, and back if that fails
 *	alloc_process_ended(&key)	nothing of a process is in use any more
 *
 * The program defines FT_COLLECTOR before it includes this.
 */
#pragma once

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/alloc_wire.h"
#include "bpf/ledger.bpf.h"
#include "bpf/sample.bpf.h"
#include "bpf/task.bpf.h"
#include "bpf/wire.h"

__u32 is_on = 0; /* set by the loader */
const volatile __u64 cfg_interval_bytes = 1;
const volatile __u8 cfg_in_use = 1; /* frees are seen: blocks are kept until then */

struct ft_alloc_state state = {};

/* The loader sets the numbers of entries. */
struct tally_table {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct ft_alloc_site_key);
	__type(value, struct ft_count);
};
struct tally_table tallies_0 SEC(".maps");
struct tally_table tallies_1 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, struct ft_alloc_site);
} sites SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct ft_alloc_block_key);
	__type(value, struct ft_alloc_block);
} blocks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct ft_alloc_process_key);
	__type(value, struct ft_alloc_process);
} processes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, FT_ALLOC_HISTS);
	__type(key, __u32);
	__type(value, struct ft_alloc_hist);
} hists SEC(".maps");

/* Blocks that realloc is about to free, by thread. */
struct moving {
	struct ft_alloc_block_key key;
	struct ft_alloc_block block;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct moving);
} movings SEC(".maps");

#define ALLOC_USER_STACK   1u
#define ALLOC_KERNEL_STACK 2u
#define ALLOC_OF_KERNEL	   4u  /* it belongs to no process */
#define ALLOC_FROM_CALLER  8u  /* the user stack without the function that the probe is in */
#define ALLOC_FROM_RETURN  16u /* the same, when that has just returned */

struct alloc_request {
	__u64 address, bytes, weight;
	__u32 kind, detail; /* as in struct ft_alloc_site_key */
	__u32 flags;	    /* ALLOC_* */
};

/* Too large for the BPF stack; one for each struct sample. */
struct alloc_place {
	struct ft_alloc_site_key key;
	struct ft_alloc_site fresh;
};
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SAMPLE_PLACES);
	__type(key, __u32);
	__type(value, struct alloc_place);
} alloc_places SEC(".maps");

/* --- which process ---------------------------------------------------------------------------- */

/* exec_id grows with each exec, start_ns differs when a number is used again. */
static __always_inline struct ft_alloc_process_key alloc_process_key(__u64 start_ns, __u64 exec_id)
{
	struct ft_alloc_process_key key = {
		.tgid = bpf_get_current_pid_tgid() >> 32,
		.image = (__u32)(start_ns ^ start_ns >> 32) * 0x9e3779b1u + (__u32)exec_id,
	};

	return key;
}

/* 'execs_ago' of the current process. */
static __always_inline struct ft_alloc_process_key alloc_process_of_current(__u32 execs_ago)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();

	return alloc_process_key(BPF_CORE_READ(task, group_leader, start_boottime),
				 BPF_CORE_READ(task, self_exec_id) - execs_ago);
}

/* --- what a block stands for ----------------------------------------------------------------- */

/* Of one block, as it is added to its site and, when it is freed, to what was freed there. */
static __always_inline void sum_of(__u64 bytes, __u64 weight, struct ft_alloc_sum *ret)
{
	__u64 over = weight - FT_ALLOC_WEIGHT_ONE, share, rest;

	ret->n = !!weight;
	ret->objects = weight;
	ret->bytes = bytes;
	ret->var_objects = ret->var_bytes = 0;
	if (weight <= FT_ALLOC_WEIGHT_ONE)
		return;
	/* In two steps: a huge weight belongs to a small block, and the other way round. */
	ret->bytes = bytes >> 32
			     ? (bytes >> FT_ALLOC_WEIGHT_BITS) * weight
			     : (bytes * weight + FT_ALLOC_WEIGHT_ONE / 2) >> FT_ALLOC_WEIGHT_BITS;
	/* w (w - 1), w being the weight as a number. */
	if (weight >> 47)
		ret->var_objects = 1ull << 62;
	else if (weight >> 31)
		ret->var_objects = (weight >> 16) * (over >> 16);
	else
		ret->var_objects = weight * over >> 32;
	share = (ret->bytes << 12) / cfg_interval_bytes;
	rest = ((ret->bytes - bytes) << 12) / cfg_interval_bytes;
	ret->var_bytes = share * rest >> 8;
}

static __always_inline void sum_add(struct ft_alloc_sum *to, const struct ft_alloc_sum *more)
{
	__sync_fetch_and_add(&to->n, more->n);
	__sync_fetch_and_add(&to->objects, more->objects);
	__sync_fetch_and_add(&to->bytes, more->bytes);
	if (!(to->var_objects >> 63))
		__sync_fetch_and_add(&to->var_objects, more->var_objects & ~(1ull << 63));
	__sync_fetch_and_add(&to->var_bytes, more->var_bytes);
}

static __always_inline void hist_add(__u32 which, __u64 value, __u64 weight)
{
	struct ft_alloc_hist *hist = bpf_map_lookup_elem(&hists, &which);
	__u64 slot = ft_hist_slot(value);

	if (!hist)
		return;
	/* Otherwise clang checks one copy and uses another, of which the verifier knows no bound.
	 */
	asm volatile("" : "+r"(slot));
	if (slot < FT_HIST_SLOTS)
		__sync_fetch_and_add(&hist->objects[slot], weight >> (FT_ALLOC_WEIGHT_BITS - 8));
	weight >>= FT_ALLOC_WEIGHT_BITS - 8;
	__sync_fetch_and_add(&hist->sum, value >> 16 ? (value >> 8) * weight : value * weight >> 8);
	/* Two at once may leave the smaller one: the slots are right all the same. */
	if (hist->max < value)
		hist->max = value;
}

/* --- what is in use ----------------------------------------------------------------------- */

/* A site is about to change: what it had when everything was at its peak is kept. */
static __always_inline void site_note_peak(struct ft_alloc_site *site)
{
	__u64 peak = *(volatile __u64 *)&state.peak;

	if (site->peak == peak)
		return;
	site->at_peak_bytes = site->in_use_bytes;
	site->at_peak_objects = site->in_use_objects;
	site->peak = peak;
}

static __always_inline void state_note_peak(void)
{
	__u64 bytes = *(volatile __u64 *)&state.in_use_bytes;

	/* What others free at this moment may have made it negative for a while. */
	if (bytes <= state.peak_bytes || bytes >> 63)
		return;
	state.peak_bytes = bytes;
	state.peak_objects = state.in_use_objects;
	state.peak_ns = bpf_ktime_get_ns();
	__sync_fetch_and_add(&state.peak, 1);
}

static __always_inline void process_use(const struct ft_alloc_process_key *key,
					const struct ft_alloc_sum *sum)
{
	struct ft_alloc_process fresh = {}, *p;

	if (!key->tgid)
		return;
	p = bpf_map_lookup_elem(&processes, key);
	if (!p) {
		if (!bpf_map_update_elem(&processes, key, &fresh, BPF_NOEXIST))
			__sync_fetch_and_add(&state.processes, 1);
		p = bpf_map_lookup_elem(&processes, key);
	}
	if (!p) {
		__sync_fetch_and_add(&state.processes_full, 1);
		return;
	}
	__sync_fetch_and_add(&p->in_use_bytes, sum->bytes);
	__sync_fetch_and_add(&p->in_use_objects, sum->objects);
}

static __always_inline void use_begin(struct ft_alloc_site *site,
				      const struct ft_alloc_process_key *process,
				      const struct ft_alloc_sum *sum)
{
	process_use(process, sum);
	site_note_peak(site);
	__sync_fetch_and_add(&site->in_use_bytes, sum->bytes);
	__sync_fetch_and_add(&site->in_use_objects, sum->objects);
	__sync_fetch_and_add(&state.in_use_objects, sum->objects);
	__sync_fetch_and_add(&state.in_use_bytes, sum->bytes);
	state_note_peak();
}

static __always_inline void use_end(struct ft_alloc_site *site,
				    const struct ft_alloc_process_key *process,
				    const struct ft_alloc_sum *sum)
{
	struct ft_alloc_process *p = bpf_map_lookup_elem(&processes, process);

	if (p) {
		__sync_fetch_and_add(&p->in_use_bytes, -sum->bytes);
		__sync_fetch_and_add(&p->in_use_objects, -sum->objects);
	}
	site_note_peak(site);
	__sync_fetch_and_add(&site->in_use_bytes, -sum->bytes);
	__sync_fetch_and_add(&site->in_use_objects, -sum->objects);
	__sync_fetch_and_add(&state.in_use_objects, -sum->objects);
	__sync_fetch_and_add(&state.in_use_bytes, -sum->bytes);
}

/* --- given out ---------------------------------------------------------------------------- */

/* A word after the other, as in stack_hash(). */
static __always_inline __u64 site_hash(const struct ft_alloc_site_key *key)
{
	const __u64 *words = (const __u64 *)key;
	__u64 h = 0;
	__u32 i;

	for (i = 0; i < sizeof(*key) / sizeof(__u64); i++) {
		h = (h ^ words[i]) * 0x9e3779b97f4a7c15ULL;
		h ^= h >> 32;
	}
	return h;
}

static __always_inline bool is_same_site(const struct ft_alloc_site_key *a,
					 const struct ft_alloc_site_key *b)
{
	const __u64 *x = (const __u64 *)a, *y = (const __u64 *)b;
	__u64 differ = 0;
	__u32 i;

	for (i = 0; i < sizeof(*a) / sizeof(__u64); i++)
		differ |= x[i] ^ y[i];
	return !differ;
}

/* The site of a->key: 0, or the ledger slot of the loss. */
static __always_inline __u32 site_get(struct alloc_place *a, __u32 flags, __u64 hash,
				      struct ft_alloc_site **ret)
{
	struct ft_alloc_site *site = bpf_map_lookup_elem(&sites, &hash);
	long err;

	if (!site) {
		a->fresh.key = a->key;
		a->fresh.process = flags & ALLOC_OF_KERNEL
					   ? (struct ft_alloc_process_key){}
					   : alloc_process_key(a->key.origin.task.start_ns,
							       a->key.origin.task.exec_id);
		a->fresh.first_ns = bpf_ktime_get_ns();
		a->fresh.peak = *(volatile __u64 *)&state.peak;
		err = bpf_map_update_elem(&sites, &hash, &a->fresh, BPF_NOEXIST);
		if (err == -16 /* EBUSY */)
			return FT_LOST_MAP_BUSY;
		if (!err)
			__sync_fetch_and_add(&state.sites, 1);
		else if (err != -17 /* EEXIST */)
			return FT_ALLOC_LOST_SITES;
		site = bpf_map_lookup_elem(&sites, &hash);
		if (!site)
			return FT_LOST_MAP_BUSY;
	}
	*ret = site;
	return is_same_site(&site->key, &a->key) ? 0 : FT_ALLOC_LOST_COLLISION;
}

/* 0, or the ledger slot of the loss. */
static __always_inline __u32 tally_add(void *table, const struct ft_alloc_site_key *key)
{
	struct ft_count first = { .n = 1 }, *have = bpf_map_lookup_elem(table, key);
	long err;

	if (!have) {
		first.first_ns = bpf_ktime_get_ns();
		err = bpf_map_update_elem(table, key, &first, BPF_NOEXIST);
		if (!err)
			return 0;
		if (err == -16 /* EBUSY */)
			return FT_LOST_MAP_BUSY;
		if (err != -17 /* EEXIST */)
			return FT_LOST_COUNTS_FULL;
		have = bpf_map_lookup_elem(table, key);
		if (!have)
			return FT_LOST_MAP_BUSY;
	}
	__sync_fetch_and_add(&have->n, 1);
	return 0;
}

static __noinline int block_freed(const struct ft_alloc_block *b,
				  const struct ft_alloc_process_key *process, __u32 temporary)
{
	struct ft_alloc_site *site = bpf_map_lookup_elem(&sites, &b->site);
	struct ft_alloc_sum sum;

	if (!site)
		return 0;
	sum_of(b->bytes, b->weight, &sum);
	sum_add(&site->freed, &sum);
	use_end(site, process, &sum);
	if (!b->weight)
		return 0;
	__sync_fetch_and_add(&state.frees, 1);
	hist_add(FT_ALLOC_HIST_LIFETIME, bpf_ktime_get_ns() - b->time_ns, b->weight);
	if (temporary) {
		__sync_fetch_and_add(&site->temporary_n, 1);
		__sync_fetch_and_add(&site->temporary_objects, sum.objects);
		__sync_fetch_and_add(&site->temporary_bytes, sum.bytes);
	}
	return 0;
}

/* Takes a block out of the table; false if it is not there. */
static __always_inline bool block_take(const struct ft_alloc_block_key *key,
				       struct ft_alloc_block *ret)
{
	struct ft_alloc_block *b = bpf_map_lookup_elem(&blocks, key);

	if (!b)
		return false;
	*ret = *b;
	if (bpf_map_delete_elem(&blocks, key))
		return false;
	__sync_fetch_and_add(&state.blocks, -1);
	return true;
}

static __always_inline bool block_put(const struct ft_alloc_block_key *key,
				      const struct ft_alloc_block *block)
{
	if (bpf_map_update_elem(&blocks, key, block, BPF_NOEXIST)) {
		__sync_fetch_and_add(&state.blocks_full, 1);
		return false;
	}
	__sync_fetch_and_add(&state.blocks, 1);
	return true;
}

static __noinline int block_made(const struct alloc_request *r, __u64 hash,
				 struct ft_alloc_site *site)
{
	struct ft_alloc_block block = {
		.site = hash,
		.bytes = r->bytes,
		.weight = r->weight,
		.time_ns = bpf_ktime_get_ns(),
	};
	struct ft_alloc_block_key key = { .address = r->address, .process = site->process };
	struct ft_alloc_block old;
	struct ft_alloc_sum sum;

	/* Whoever freed it was not seen: it is in use no more all the same. */
	if (block_take(&key, &old)) {
		__sync_fetch_and_add(&state.frees_missed, 1);
		block_freed(&old, &key.process, 0);
	}
	if (!block_put(&key, &block))
		return 0;
	sum_of(r->bytes, r->weight, &sum);
	use_begin(site, &key.process, &sum);
	return 0;
}

/* When the task and the stacks are in 's': 0, or the ledger slot of the loss. */
static __always_inline __u32 request_keep(const struct alloc_request *r, struct sample *s,
					  struct alloc_place *a, __u32 set)
{
	struct ft_alloc_site *site = NULL;
	struct ft_alloc_sum sum;
	__u32 lost;
	__u64 hash;

	lost = sample_keep(s, set);
	if (lost)
		return lost;
	a->key.origin = s->origin;
	a->key.kind = r->kind;
	a->key.detail = r->detail;
	hash = site_hash(&a->key);
	lost = site_get(a, r->flags, hash, &site);
	if (!lost)
		lost = tally_add(set ? (void *)&tallies_1 : (void *)&tallies_0, &a->key);
	if (lost || !site)
		return lost;
	sum_of(r->bytes, r->weight, &sum);
	sum_add(&site->made, &sum);
	hist_add(FT_ALLOC_HIST_SIZE, r->bytes, r->weight);
	if (cfg_in_use)
		block_made(r, hash, site);
	return 0;
}

/* 0, or the ledger slot of the filter or the loss. */
static __always_inline __u32 request_account(void *ctx, const struct alloc_request *r,
					     struct sample *s)
{
	struct alloc_place *a = bpf_map_lookup_elem(&alloc_places, &s->place);
	__u32 set = active_set, lost = sample_task(s);

	if (!a)
		return FT_LOST_NESTED;
	if (lost)
		return lost;
	if (r->flags & ALLOC_KERNEL_STACK)
		sample_kernel_stack(ctx, s);
	if (r->flags & ALLOC_USER_STACK)
		sample_user_stack_from(s, r->flags & ALLOC_FROM_RETURN	 ? SAMPLE_AT_RETURN
					  : r->flags & ALLOC_FROM_CALLER ? SAMPLE_AT_ENTRY
									 : SAMPLE_AT_PC);
	return request_keep(r, s, a, set);
}

static __always_inline int alloc_made(void *ctx, const struct alloc_request *r)
{
	struct sample *s = sample_take();
	__u32 lost;

	if (!s) {
		ledger_close(FT_LOST_NESTED);
		return 0;
	}
	lost = request_account(ctx, r, s);
	ledger_close(lost ? lost : FT_KEPT);
	sample_release(s);
	return 0;
}

/* --- given back --------------------------------------------------------------------------- */

/* include/linux/sched.h: of a thread it says nothing, each is made by a kind of fork. */
#define ALLOC_PF_FORKNOEXEC 0x40

/*
 * Functions that are not inlined pass on copies of what they are given: the verifier of 7.2 takes
 * what only a callee's callee reads for dead.
 */
static __noinline __attribute__((unused)) int alloc_freed(const struct ft_alloc_block_key *given,
							  __u32 temporary)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct ft_alloc_block_key key = *given;
	struct ft_alloc_block block;

	if (block_take(&key, &block))
		return block_freed(&block, &key.process, temporary);
	if (key.process.tgid && BPF_CORE_READ(task, group_leader, flags) & ALLOC_PF_FORKNOEXEC)
		__sync_fetch_and_add(&state.frees_inherited, 1);
	else
		__sync_fetch_and_add(&state.frees_unknown, 1);
	return 0;
}

/* A part of a mapping was given back; all of it when nothing is left. */
static __noinline __attribute__((unused)) int
alloc_freed_part(const struct ft_alloc_block_key *given, __u64 bytes)
{
	struct ft_alloc_block_key key = *given;
	struct ft_alloc_block block, part;

	if (!block_take(&key, &block))
		return alloc_freed(&key, 0);
	if (bytes >= block.bytes)
		return block_freed(&block, &key.process, 0);
	part = block;
	part.bytes = bytes;
	part.weight = 0; /* no object, but bytes */
	block.bytes -= bytes;
	block_put(&key, &block);
	return block_freed(&part, &key.process, 0);
}

/* Whether it was one that was sampled. */
static __always_inline bool alloc_moving(const struct ft_alloc_block_key *key)
{
	__u64 thread = bpf_get_current_pid_tgid();
	struct moving m = { .key = *key };

	if (!block_take(key, &m.block))
		return false;
	bpf_map_update_elem(&movings, &thread, &m, BPF_ANY);
	return true;
}

static __always_inline void alloc_moved(bool ok)
{
	__u64 thread = bpf_get_current_pid_tgid();
	struct moving *m = bpf_map_lookup_elem(&movings, &thread), copy;

	if (!m)
		return;
	copy = *m;
	bpf_map_delete_elem(&movings, &thread);
	if (!ok && block_put(&copy.key, &copy.block))
		return;
	block_freed(&copy.block, &copy.key.process, 0);
}

static __always_inline void alloc_process_ended(const struct ft_alloc_process_key *key)
{
	struct ft_alloc_process *p = bpf_map_lookup_elem(&processes, key);

	if (!p || p->ended_ns)
		return;
	p->ended_peak = *(volatile __u64 *)&state.peak;
	__sync_fetch_and_add(&state.in_use_bytes, -p->in_use_bytes);
	__sync_fetch_and_add(&state.in_use_objects, -p->in_use_objects);
	p->ended_ns = bpf_ktime_get_ns();
	__sync_fetch_and_add(&state.processes_ended, 1);
}
