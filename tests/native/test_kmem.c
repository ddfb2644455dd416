/* SPDX-License-Identifier: BSD-2-Clause */
/* What the programs of the kmem collector count of memory that the kernel gives out. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "tests/native/random.h"

int user_stack_frames(__u32 place);

/* A tracepoint's arguments, which lie on the stack that it was hit on. */
static __u64 stack_words[3 * 16384 / 8];
static __u64 *const arguments = stack_words + 16384 / 8;
static void *const arguments_at = stack_words + 16384 / 8;
#define ctx arguments_at

/* The loader sets cfg_* before the programs are loaded; here they are plain variables. */
#define const
#include "bpf/kmem.bpf.c"
#undef const
#undef ctx

#include "user/collect/alloc_weights.h"

#define SELF	  100
#define OBJECT	  ((void *)0xffff888000001000)
#define KERNEL_PC 0xffffffff81000100ull

static struct fake_map *tally_map, *site_map, *block_map, *cache_map, *ledger_map;
static struct task_struct task;
static __u64 kernel_pcs[3];
static struct kmem_cache dentry = { .size = 192, .name = "dentry" };
static struct page page;

static __u32 random_word(void)
{
	return random_below(1u << 16) << 16 | random_below(1u << 16);
}

static void enter_from(__u64 pc)
{
	kernel_pcs[0] = pc;
	kernel_pcs[1] = KERNEL_PC + 0x1000;
	fake.kernel_pcs = kernel_pcs;
	fake.kernel_bytes = 16;
}

static int set_up(void **state_)
{
	(void)state_;
	memset(&fake, 0, sizeof(fake));
	memset(&state, 0, sizeof(state));
	memset(&notes, 0, sizeof(notes));
	memset(present, 0, sizeof(present));
	cfg_self_tgid = SELF;
	cfg_keep_idle = cfg_by_target = cfg_by_tid = cfg_by_cgroup = cfg_by_comm = 0;
	cfg_pidns_inum = 0;
	cfg_frame_pointers = 1;
	cfg_interval_bytes = 1;
	cfg_in_use = 1;
	cfg_slab_ranges = 0;
	cfg_page_bytes = 4096;
	active_set = 0;
	is_on = 1;
	FAKE_MAP(targets);
	FAKE_MAP(target_tids);
	FAKE_MAP(samples);
	FAKE_MAP(alloc_places);
	FAKE_MAP(stacks_0);
	FAKE_MAP(stacks_1);
	FAKE_MAP(tallies_1);
	FAKE_MAP(processes);
	FAKE_MAP(hists);
	FAKE_MAP(countdowns);
	cache_map = FAKE_MAP(caches);
	ledger_map = FAKE_MAP(ledgers);
	tally_map = FAKE_MAP(tallies_0);
	site_map = FAKE_MAP(sites);
	block_map = FAKE_MAP(blocks);
	fake.random = random_word;
	fake.now_ns = 1000;
	task = (struct task_struct){
		.pid = 7,
		.tgid = 7,
		.group_leader = &task,
		.stack = (char *)arguments - 8000,
		.comm = "program",
	};
	fake.current = &task;
	arguments[0] = (uintptr_t)&page;
	enter_from(KERNEL_PC);
	return 0;
}

static int tear_down(void **state_)
{
	(void)state_;
	fake_maps_release();
	return 0;
}

static __u64 ledger_slot(__u32 slot)
{
	struct ft_ledger *all = (void *)ledger_map->values;
	__u64 sum = 0;
	int cpu;

	for (cpu = 0; cpu < FAKE_CPUS; cpu++)
		sum += all[cpu].n[slot];
	return sum;
}

/* The only site of that kind; NULL: there is none. */
static struct ft_alloc_site *site_of(__u32 kind)
{
	struct ft_alloc_site *found = NULL;
	__u32 i;

	for (i = 0; i < site_map->max_entries; i++) {
		struct ft_alloc_site *site = fake_map_value(site_map, i);

		if (!site || site->key.kind != kind)
			continue;
		assert_null(found);
		found = site;
	}
	return found;
}

/* The counters say where blocks are, and nothing else. */
static void assert_present_agrees(void)
{
	static __u32 want[1u << FT_KMEM_PRESENT_BITS];
	__u32 i;

	memset(want, 0, sizeof(want));
	for (i = 0; i < block_map->max_entries; i++) {
		const struct ft_alloc_block_key *key = fake_map_key(block_map, i);

		if (fake_map_value(block_map, i))
			want[present_slot(key->address) - present]++;
	}
	assert_memory_equal(want, present, sizeof(want));
}

/* --- kinds ----------------------------------------------------------------------------------- */

static void blocks_objects_and_pages_are_told_apart(void **state_)
{
	(void)state_;
	prog_on_kmalloc(0, OBJECT, 50, 64);
	prog_on_object(0, (char *)OBJECT + 64, &dentry);
	prog_on_pages(&page, 2);
	assert_int_equal(site_of(FT_ALLOC_KMALLOC)->made.bytes, 64);
	assert_int_equal(site_of(FT_ALLOC_KMALLOC)->key.detail, 64);
	assert_int_equal(site_of(FT_ALLOC_CACHE)->made.bytes, 192);
	assert_int_equal(site_of(FT_ALLOC_PAGES)->made.bytes, 16384);
	assert_int_equal(site_of(FT_ALLOC_PAGES)->key.detail, 2);
	assert_int_equal(ledger_slot(FT_FIRED), 3);
	assert_int_equal(ledger_slot(FT_KEPT), 3);
	assert_int_equal(state.in_use_bytes, 64 + 192 + 16384);
	assert_present_agrees();
}

static void before_6_1_there_are_more_tracepoints(void **state_)
{
	(void)state_;
	prog_on_kmalloc_node(0, OBJECT, 50, 64);
	prog_on_kmalloc_c(0, (char *)OBJECT + 64, &dentry, 50, 64);
	prog_on_kmalloc_node_c(0, (char *)OBJECT + 128, &dentry, 50, 64);
	assert_int_equal(site_of(FT_ALLOC_KMALLOC)->made.n, 3);
	prog_on_object_node(0, (char *)OBJECT + 192, &dentry);
	assert_int_equal(site_of(FT_ALLOC_CACHE)->made.n, 1);
}

static void without_its_cache_an_object_has_its_size(void **state_)
{
	(void)state_;
	prog_on_object_s(0, OBJECT, 100, 104);
	prog_on_object_node_s(0, (char *)OBJECT + 104, 100, 104);
	assert_int_equal(site_of(FT_ALLOC_CACHE)->key.detail, FT_KMEM_BY_SIZE | 104);
	assert_int_equal(site_of(FT_ALLOC_CACHE)->made.n, 2);
	assert_int_equal(cache_map->n, 0);
}

static void a_cache_is_noted_once(void **state_)
{
	static struct kmem_cache other = {
		.size = 64, .name = "a name that is longer than its place in the record"
	};
	struct ft_kmem_cache *noted;
	__u32 number;

	(void)state_;
	prog_on_object(0, OBJECT, &dentry);
	prog_on_object(0, (char *)OBJECT + 192, &dentry);
	assert_int_equal(cache_map->n, 1);
	number = site_of(FT_ALLOC_CACHE)->key.detail;
	assert_int_equal(number & FT_KMEM_BY_SIZE, 0);
	noted = bpf_map_lookup_elem(&caches, &number);
	assert_string_equal(noted->name, "dentry");
	assert_int_equal(noted->bytes, 192);
	assert_int_equal(cache_number(&other) == number, 0);
	assert_int_equal(cache_map->n, 2);
}

/* Its place was given to another one. */
static void a_cache_of_another_name_is_another(void **state_)
{
	static char first[] = "first", second[] = "second";
	struct kmem_cache cache = { .size = 64, .name = first };
	__u32 number = cache_number(&cache);

	(void)state_;
	cache.name = second;
	assert_int_not_equal(cache_number(&cache), number);
	assert_int_equal(cache_map->n, 2);
}

static void caches_without_room_are_counted(void **state_)
{
	(void)state_;
	fake_map_resize(cache_map, 1);
	assert_int_not_equal(cache_number(&dentry), 0);
	prog_on_object(0, OBJECT, &(struct kmem_cache){ .size = 64, .name = "other" });
	assert_int_equal(notes.caches_full, 1);
	assert_int_equal(site_of(FT_ALLOC_CACHE)->key.detail, 0);
}

static void pages_for_objects_are_told_by_who_takes_them(void **state_)
{
	struct ft_kmem_range *ranges = (struct ft_kmem_range *)cfg_slab_code;

	(void)state_;
	ranges[0] = (struct ft_kmem_range){ 0xffffffff82000000, 0xffffffff82000010 };
	ranges[1] = (struct ft_kmem_range){ KERNEL_PC + 0xff0, KERNEL_PC + 0x1000 };
	cfg_slab_ranges = 2;
	prog_on_pages(&page, 1);
	assert_int_equal(site_of(FT_ALLOC_PAGES)->key.detail, FT_KMEM_OF_SLAB | 1);
	/* What else calls it is no matter. */
	prog_on_kmalloc(0, OBJECT, 50, 64);
	assert_int_equal(site_of(FT_ALLOC_KMALLOC)->key.detail, 64);
}

/* A return address behind the function's last instruction is of it, its first address is not. */
static void a_range_is_one_of_return_addresses(void **state_)
{
	struct ft_kmem_range *ranges = (struct ft_kmem_range *)cfg_slab_code;

	(void)state_;
	ranges[0] = (struct ft_kmem_range){ KERNEL_PC + 0x1000, KERNEL_PC + 0x1010 };
	cfg_slab_ranges = 1;
	prog_on_pages(&page, 1);
	assert_int_equal(site_of(FT_ALLOC_PAGES)->key.detail, 1);
}

static void what_fails_is_no_block(void **state_)
{
	(void)state_;
	prog_on_kmalloc(0, NULL, 50, 64);
	prog_on_object(0, NULL, &dentry);
	arguments[0] = 0;
	prog_on_pages(NULL, 3);
	assert_int_equal(state.failed, 3);
	assert_int_equal(ledger_slot(FT_FIRED), 0);
	assert_int_equal(block_map->n, 0);
	assert_present_agrees();
}

/* --- given back ------------------------------------------------------------------------------ */

static void what_is_freed_is_in_use_no_more(void **state_)
{
	(void)state_;
	prog_on_kmalloc(0, OBJECT, 50, 64);
	prog_on_object(0, (char *)OBJECT + 64, &dentry);
	prog_on_pages(&page, 2);
	prog_on_kfree(0, OBJECT);
	assert_int_equal(state.in_use_bytes, 192 + 16384);
	prog_on_object_free(0, (char *)OBJECT + 64);
	prog_on_pages_free(&page);
	assert_int_equal(state.in_use_bytes, 0);
	assert_int_equal(state.frees, 3);
	assert_int_equal(block_map->n, 0);
	assert_present_agrees();
}

static void an_address_that_is_given_out_again_was_freed(void **state_)
{
	(void)state_;
	prog_on_kmalloc(0, OBJECT, 50, 64);
	prog_on_kmalloc(0, OBJECT, 50, 128);
	assert_int_equal(state.frees_missed, 1);
	assert_int_equal(state.in_use_bytes, 128);
	assert_present_agrees();
}

/* Even if the second one is not sampled. */
static void so_it_was_if_it_is_not_sampled_then(void **state_)
{
	__u32 zero = 0;

	(void)state_;
	prog_on_kmalloc(0, OBJECT, 50, 64);
	cfg_interval_bytes = 1 << 30;
	*(__u64 *)bpf_map_lookup_elem(&countdowns, &zero) = 1 << 20;
	prog_on_object(0, OBJECT, &dentry);
	assert_int_equal(state.frees_missed, 1);
	assert_int_equal(state.in_use_bytes, 0);
	assert_int_equal(block_map->n, 0);
	assert_present_agrees();
}

static void frees_of_what_is_not_there_are_not_looked_for(void **state_)
{
	(void)state_;
	prog_on_kfree(0, OBJECT);
	assert_int_equal(state.frees_unknown, 0);
	*present_slot((__u64)OBJECT) = 1; /* another address may share it */
	prog_on_kfree(0, OBJECT);
	assert_int_equal(state.frees_unknown, 1);
	assert_int_equal(state.in_use_bytes, 0);
}

static void blocks_without_room_leave_no_trace(void **state_)
{
	(void)state_;
	fake_map_resize(block_map, 1);
	prog_on_kmalloc(0, OBJECT, 50, 64);
	prog_on_kmalloc(0, (char *)OBJECT + 64, 50, 64);
	assert_int_equal(state.blocks_full, 1);
	assert_int_equal(state.in_use_bytes, 64);
	assert_int_equal(site_of(FT_ALLOC_KMALLOC)->made.n, 2);
	assert_present_agrees();
}

static void without_frees_nothing_is_kept_of_a_block(void **state_)
{
	(void)state_;
	cfg_in_use = 0;
	prog_on_kmalloc(0, OBJECT, 50, 64);
	assert_int_equal(site_of(FT_ALLOC_KMALLOC)->made.bytes, 64);
	assert_int_equal(block_map->n, 0);
	assert_present_agrees();
}

/* --- who asks -------------------------------------------------------------------------------- */

static void an_interrupt_is_not_the_task_that_it_interrupts(void **state_)
{
	const struct ft_alloc_site *site;

	(void)state_;
	task.stack = (char *)arguments + 8;
	prog_on_kmalloc(0, OBJECT, 50, 64);
	site = site_of(FT_ALLOC_KMALLOC);
	assert_string_equal(site->key.origin.task.process_comm, "[interrupt]");
	assert_int_equal(site->key.origin.task.tgid, 0);
	assert_int_equal(site->key.origin.user_stack, 0);
	assert_int_not_equal(site->key.origin.kernel_stack, 0);
	assert_int_equal(notes.interrupts, 1);
	assert_int_equal(state.in_use_bytes, 64);
}

static void an_interrupt_of_the_target_is_not_asked_for(void **state_)
{
	__u32 tgid = 7, now = FT_TARGET_NOW;

	(void)state_;
	cfg_by_target = 1;
	bpf_map_update_elem(&targets, &tgid, &now, BPF_ANY);
	prog_on_kmalloc(0, OBJECT, 50, 64);
	task.stack = (char *)arguments + 8;
	prog_on_kmalloc(0, (char *)OBJECT + 64, 50, 64);
	assert_int_equal(ledger_slot(FT_KEPT), 1);
	assert_int_equal(ledger_slot(FT_FILTERED_TARGET), 1);
	assert_present_agrees();
}

/* The stack's first byte is of it, the one behind its last is not. */
static void a_stack_ends_where_the_next_begins(void **state_)
{
	(void)state_;
	task.stack = arguments;
	prog_on_kmalloc(0, OBJECT, 50, 64);
	assert_int_equal(notes.interrupts, 0);
	task.stack = (char *)arguments - cfg_kernel_stack_bytes;
	prog_on_kmalloc(0, (char *)OBJECT + 64, 50, 64);
	assert_int_equal(notes.interrupts, 1);
}

static void nothing_is_counted_before_the_start(void **state_)
{
	(void)state_;
	is_on = 0;
	prog_on_kmalloc(0, OBJECT, 50, 64);
	prog_on_pages(&page, 0);
	assert_int_equal(ledger_slot(FT_FIRED), 0);
	assert_int_equal(site_map->n, 0);
}

/* Ten thousand blocks that come and go: what is in use is what is there, as far as it is sampled.
 */
static void what_is_in_use_is_unbiased(void **state_)
{
	enum { BLOCKS = 20000, BYTES = 4096 };
	double p, want, off;
	__u32 i;

	(void)state_;
	fake_map_resize(block_map, 4096);
	cfg_interval_bytes = 64 * BYTES;
	alloc_weights_fill(cfg_interval_bytes, (struct ft_alloc_draw *)&cfg_draw);
	for (i = 0; i < BLOCKS; i++)
		prog_on_kmalloc(0, (char *)OBJECT + i * 8192ull, BYTES, BYTES);
	for (i = 0; i < BLOCKS; i += 2)
		prog_on_kfree(0, (char *)OBJECT + i * 8192ull);
	p = -expm1(-1. / 64);
	want = BLOCKS / 2. * BYTES;
	off = 5 * sqrt(BLOCKS / 2. * (1 - p) / p) * BYTES;
	assert_true(fabs((double)state.in_use_bytes - want) < off);
	assert_true(block_map->n > 50 && block_map->n < 400);
	assert_present_agrees();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(blocks_objects_and_pages_are_told_apart),
		TEST(before_6_1_there_are_more_tracepoints),
		TEST(without_its_cache_an_object_has_its_size),
		TEST(a_cache_is_noted_once),
		TEST(a_cache_of_another_name_is_another),
		TEST(caches_without_room_are_counted),
		TEST(pages_for_objects_are_told_by_who_takes_them),
		TEST(a_range_is_one_of_return_addresses),
		TEST(what_fails_is_no_block),
		TEST(what_is_freed_is_in_use_no_more),
		TEST(an_address_that_is_given_out_again_was_freed),
		TEST(so_it_was_if_it_is_not_sampled_then),
		TEST(frees_of_what_is_not_there_are_not_looked_for),
		TEST(blocks_without_room_leave_no_trace),
		TEST(without_frees_nothing_is_kept_of_a_block),
		TEST(an_interrupt_is_not_the_task_that_it_interrupts),
		TEST(an_interrupt_of_the_target_is_not_asked_for),
		TEST(a_stack_ends_where_the_next_begins),
		TEST(nothing_is_counted_before_the_start),
		TEST(what_is_in_use_is_unbiased),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
