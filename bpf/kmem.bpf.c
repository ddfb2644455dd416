// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * kmem: memory that the kernel allocates for itself and for its tasks, by who asks: blocks by size
 * (kmalloc), objects of caches, and pages.
 *
 * Blocks are sampled by their bytes. Which program of a tracepoint is loaded depends on what that
 * hands out (user/collect/kmem_programs.c). They are of the raw kind: to those that know of types
 * the addresses are pointers to const void, which older verifiers refuse, and no numbers.
 */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define FT_COLLECTOR FT_COLLECTOR_KMEM

#include "bpf/alloc_account.bpf.h"
#include "bpf/alloc_draw.bpf.h"
#include "bpf/kmem_wire.h"

const volatile __u64 cfg_page_bytes = 4096;
const volatile struct ft_kmem_range cfg_slab_code[FT_KMEM_MAX_RANGES] = {};
const volatile __u32 cfg_slab_ranges = 0;

struct ft_kmem_notes notes = {};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, FT_KMEM_MAX_CACHES);
	__type(key, __u32);
	__type(value, struct ft_kmem_cache);
} caches SEC(".maps");

/* --- what is in the table of blocks ------------------------------------------------------- */

__u32 present[1u << FT_KMEM_PRESENT_BITS] = {};

static __always_inline __u32 *present_slot(__u64 address)
{
	return &present[(address * 0x9e3779b97f4a7c15ULL) >> (64 - FT_KMEM_PRESENT_BITS)];
}

/* The block at that address is there no more; 'missed': nobody was seen to free it. */
static __noinline int block_gone(__u64 address, __u32 missed)
{
	struct ft_alloc_block_key key = { .address = address };
	struct ft_alloc_block block;

	if (!block_take(&key, &block)) {
		if (!missed)
			__sync_fetch_and_add(&state.frees_unknown, 1);
		return 0;
	}
	__sync_fetch_and_add(present_slot(address), -1);
	if (missed)
		__sync_fetch_and_add(&state.frees_missed, 1);
	return block_freed(&block, &key.process, 0);
}

/* Nearly all blocks that are freed were not sampled, and are not looked for. */
static __always_inline int kmem_freed(__u64 address)
{
	if (!is_on || !*(volatile __u32 *)present_slot(address))
		return 0;
	return block_gone(address, 0);
}

/* --- a sampled block ---------------------------------------------------------------------- */

/*
 * Whether this is an interrupt, which has a stack of its own: the arguments of a tracepoint lie on
 * the stack on which it was hit (kernel/trace/bpf_trace.c, bpf_trace_run*()). Soft interrupts that
 * run on a task's stack, as in ksoftirqd and on older arm64 kernels, count as that task's.
 */
static __always_inline bool is_interrupt(void *ctx, struct task_struct *task)
{
	__u64 stack = (__u64)BPF_CORE_READ(task, stack), at = (__u64)ctx;

	return at < stack || at >= stack + cfg_kernel_stack_bytes;
}

/* The task that is interrupted has nothing to do with it. 0, or the ledger slot of the filter. */
static __always_inline __u32 sample_interrupt(struct sample *s)
{
	static const struct ft_task nobody = { .comm = "[interrupt]",
					       .process_comm = "[interrupt]" };

	if (cfg_by_target || cfg_by_tid || cfg_by_cgroup || cfg_by_comm)
		return FT_FILTERED_TARGET;
	s->origin.task = nobody;
	__sync_fetch_and_add(&notes.interrupts, 1);
	return 0;
}

#define SLAB_FRAMES 16 /* between the tracepoint and the allocator of objects there are fewer */

static __always_inline bool is_of_slab(const struct ft_stack *stack)
{
	__u32 i, k;

	for (i = 0; i < SLAB_FRAMES && i < stack->n; i++) {
		for (k = 0; k < FT_KMEM_MAX_RANGES && k < cfg_slab_ranges; k++) {
			if (stack->pcs[i] > cfg_slab_code[k].start &&
			    stack->pcs[i] <= cfg_slab_code[k].end)
				return true;
		}
	}
	return false;
}

/* The number of a cache: of its address and its name's, or the next ones if others have these. */
static __always_inline __u32 cache_number(struct kmem_cache *cache)
{
	const char *name = BPF_CORE_READ(cache, name);
	struct ft_kmem_cache fresh = { .cache = (__u64)cache, .name_at = (__u64)name }, *have;
	__u64 hash = (fresh.cache ^ fresh.name_at << 20) * 0x9e3779b97f4a7c15ULL;
	__u32 number = (__u32)(hash >> 33) | 1, i;

	for (i = 0; i < 4; i++, number += 2) {
		number &= ~FT_KMEM_BY_SIZE;
		have = bpf_map_lookup_elem(&caches, &number);
		if (!have) {
			fresh.bytes = BPF_CORE_READ(cache, size);
			bpf_probe_read_kernel_str(fresh.name, sizeof(fresh.name), name);
			if (bpf_map_update_elem(&caches, &number, &fresh, BPF_NOEXIST))
				break;
			return number;
		}
		if (have->cache == fresh.cache && have->name_at == fresh.name_at)
			return number;
	}
	__sync_fetch_and_add(&notes.caches_full, 1);
	return 0;
}

static __always_inline __u32 kmem_account(void *ctx, struct alloc_request *r,
					  struct kmem_cache *cache, struct sample *s)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct alloc_place *a = bpf_map_lookup_elem(&alloc_places, &s->place);
	bool in_interrupt = is_interrupt(ctx, task);
	__u32 set = active_set, lost;

	if (!a)
		return FT_LOST_NESTED;
	lost = in_interrupt ? sample_interrupt(s) : sample_task(s);
	if (lost)
		return lost;
	sample_kernel_stack(ctx, s);
	if (!in_interrupt)
		sample_user_stack(s);
	if (r->kind == FT_ALLOC_PAGES && is_of_slab(&s->kernel.stack))
		r->detail |= FT_KMEM_OF_SLAB;
	if (cache)
		r->detail = cache_number(cache);
	return request_keep(r, s, a, set);
}

static __noinline int kmem_sampled(void *ctx, struct alloc_request *r, struct kmem_cache *cache)
{
	struct ft_alloc_block_key key = { .address = r->address };
	struct sample *s = sample_take();
	__u32 lost;

	if (!s) {
		ledger_close(FT_LOST_NESTED);
		return 0;
	}
	/* Before the block is in the table, for whoever frees it at once. */
	__sync_fetch_and_add(present_slot(r->address), 1);
	lost = kmem_account(ctx, r, cache, s);
	if (!bpf_map_lookup_elem(&blocks, &key)) /* it was lost, or frees are not followed */
		__sync_fetch_and_add(present_slot(r->address), -1);
	ledger_close(lost ? lost : FT_KEPT);
	sample_release(s);
	return 0;
}

static __always_inline int kmem_made(void *ctx, __u64 address, __u64 bytes, __u32 kind,
				     __u32 detail, struct kmem_cache *cache)
{
	struct alloc_request r = {
		.address = address,
		.bytes = bytes,
		.kind = kind,
		.detail = detail,
		.flags = ALLOC_OF_KERNEL,
	};

	if (!is_on)
		return 0;
	if (!address) {
		__sync_fetch_and_add(&state.failed, 1);
		return 0;
	}
	/* It was given back by a way that no tracepoint tells of. */
	if (*(volatile __u32 *)present_slot(address))
		block_gone(address, 1);
	r.weight = alloc_draw(bytes);
	return r.weight ? kmem_sampled(ctx, &r, cache) : 0;
}

static __always_inline int kmalloc_made(void *ctx, const void *at, __u64 bytes)
{
	return kmem_made(ctx, (__u64)at, bytes, FT_ALLOC_KMALLOC, bytes, NULL);
}

static __always_inline int object_made(void *ctx, const void *at, __u64 bytes)
{
	return kmem_made(ctx, (__u64)at, bytes, FT_ALLOC_CACHE, FT_KMEM_BY_SIZE | bytes, NULL);
}

/* --- tracepoints -------------------------------------------------------------------------- */

SEC("raw_tp/kmalloc")
int BPF_PROG(on_kmalloc, unsigned long from, const void *at, size_t wanted, size_t bytes)
{
	return kmalloc_made(ctx, at, bytes);
}

SEC("raw_tp/kmem_cache_alloc")
int BPF_PROG(on_object, unsigned long from, const void *at, struct kmem_cache *cache)
{
	return kmem_made(ctx, (__u64)at, BPF_CORE_READ(cache, size), FT_ALLOC_CACHE, 0, cache);
}

SEC("raw_tp/mm_page_alloc")
int BPF_PROG(on_pages, struct page *page, unsigned int order)
{
	return kmem_made(ctx, (__u64)page, cfg_page_bytes << (order & 63), FT_ALLOC_PAGES,
			 order & FT_KMEM_ORDER, NULL);
}

SEC("raw_tp/kfree")
int BPF_PROG(on_kfree, unsigned long from, const void *at)
{
	return kmem_freed((__u64)at);
}

SEC("raw_tp/kmem_cache_free")
int BPF_PROG(on_object_free, unsigned long from, const void *at)
{
	return kmem_freed((__u64)at);
}

/* Of a batch each page comes here as well as to mm_page_free_batched. */
SEC("raw_tp/mm_page_free")
int BPF_PROG(on_pages_free, struct page *page)
{
	return kmem_freed((__u64)page);
}

/* --- before 6.1: tracepoints of their own where a node is asked for ----------------------- */

SEC("raw_tp/kmalloc_node")
int BPF_PROG(on_kmalloc_node, unsigned long from, const void *at, size_t wanted, size_t bytes)
{
	return kmalloc_made(ctx, at, bytes);
}

/* 5.19 and 6.0 have the cache in front of the sizes. */
SEC("raw_tp/kmalloc")
int BPF_PROG(on_kmalloc_c, unsigned long from, const void *at, struct kmem_cache *cache,
	     size_t wanted, size_t bytes)
{
	return kmalloc_made(ctx, at, bytes);
}

SEC("raw_tp/kmalloc_node")
int BPF_PROG(on_kmalloc_node_c, unsigned long from, const void *at, struct kmem_cache *cache,
	     size_t wanted, size_t bytes)
{
	return kmalloc_made(ctx, at, bytes);
}

SEC("raw_tp/kmem_cache_alloc_node")
int BPF_PROG(on_object_node, unsigned long from, const void *at, struct kmem_cache *cache)
{
	return kmem_made(ctx, (__u64)at, BPF_CORE_READ(cache, size), FT_ALLOC_CACHE, 0, cache);
}

/* Before 5.19 the cache is not told. */
SEC("raw_tp/kmem_cache_alloc")
int BPF_PROG(on_object_s, unsigned long from, const void *at, size_t wanted, size_t bytes)
{
	return object_made(ctx, at, bytes);
}

SEC("raw_tp/kmem_cache_alloc_node")
int BPF_PROG(on_object_node_s, unsigned long from, const void *at, size_t wanted, size_t bytes)
{
	return object_made(ctx, at, bytes);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
