/* SPDX-License-Identifier: BSD-2-Clause */
/* What the programs of the alloc collector count of memory that is given out and back. */
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

/* The loader sets cfg_* before the programs are loaded; here they are plain variables. */
#define const
#include "bpf/alloc.bpf.c"
#undef const

#define SELF	 100
#define USER_CS	 0x33
#define ONE	 FT_ALLOC_WEIGHT_ONE
#define INTERVAL (512 << 10)

static struct fake_map *tally_map, *site_map, *block_map, *process_map, *hist_map, *ledger_map;
static struct mm_struct memory;
static struct signal_struct alive = { { 1 } }, dead = { { 0 } };
static struct task_struct task;
static struct pt_regs saved;

/* A process whose stack is its own, too: main() called what calls the allocator at 'pc'. */
static void run(__u32 tgid, __u64 pc)
{
	struct regs_abi abi = { .ip = 0x700000, .sp = FAKE_USER_BASE, .bp = FAKE_USER_BASE + 16 };

	abi.cs = USER_CS;
	memcpy(&saved, &abi, sizeof(abi));
	fake.user[0] = pc + 1; /* the call is the byte before */
	fake.user[2] = 0;
	fake.user[3] = 0x400100;
	task = (struct task_struct){
		.pid = tgid,
		.tgid = tgid,
		.mm = &memory,
		.self_exec_id = 3,
		.start_boottime = 1000 + tgid,
		.group_leader = &task,
		.signal = &alive,
	};
	strcpy(task.comm, "program");
	fake.current = &task;
}

static int set_up(void **state_)
{
	(void)state_;
	memset(&fake, 0, sizeof(fake));
	memset(&state, 0, sizeof(state));
	cfg_self_tgid = SELF;
	cfg_keep_idle = cfg_by_target = cfg_by_tid = cfg_by_cgroup = cfg_by_comm = 0;
	cfg_pidns_inum = 0;
	cfg_frame_pointers = 1;
	cfg_interval_bytes = 1;
	active_set = 0;
	is_on = 1;
	FAKE_MAP(targets);
	FAKE_MAP(target_tids);
	FAKE_MAP(samples);
	FAKE_MAP(alloc_places);
	FAKE_MAP(stacks_0);
	FAKE_MAP(stacks_1);
	FAKE_MAP(tallies_1);
	FAKE_MAP(movings);
	FAKE_MAP(calls);
	ledger_map = FAKE_MAP(ledgers);
	tally_map = FAKE_MAP(tallies_0);
	site_map = FAKE_MAP(sites);
	block_map = FAKE_MAP(blocks);
	process_map = FAKE_MAP(processes);
	hist_map = FAKE_MAP(hists);
	fake.saved = &saved;
	fake.now_ns = 1000;
	run(7, 0x400000);
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

/* The site whose stack begins at that call, NULL if there is none. */
static struct ft_alloc_site *site_at(__u64 pc)
{
	__u32 i;

	for (i = 0; i < site_map->max_entries; i++) {
		struct ft_alloc_site *site = fake_map_value(site_map, i);
		struct ft_stack *stack;

		if (!site)
			continue;
		stack = bpf_map_lookup_elem(&stacks_0, &site->key.origin.user_stack);
		assert_non_null(stack);
		if (stack->pcs[0] == pc)
			return site;
	}
	return NULL;
}

static void made_at(__u64 pc, __u64 address, __u64 bytes)
{
	run(task.tgid, pc);
	prog_on_made(address, bytes, ONE);
}

/* --- one block ---------------------------------------------------------------------------- */

static void a_block_is_counted_at_its_site(void **state_)
{
	struct ft_alloc_site *site;

	(void)state_;
	prog_on_made(0x1000, 48, ONE);
	prog_on_made(0x2000, 16, ONE);
	assert_int_equal(site_map->n, 1);
	site = site_at(0x400000);
	assert_non_null(site);
	assert_int_equal(site->made.n, 2);
	assert_int_equal(site->made.objects, 2 * ONE);
	assert_int_equal(site->made.bytes, 64);
	assert_int_equal(site->made.var_bytes, 0);
	assert_int_equal(site->in_use_bytes, 64);
	assert_int_equal(block_map->n, 2);
	assert_int_equal(state.blocks, 2);
	assert_int_equal(ledger_slot(FT_FIRED), 2);
	assert_int_equal(ledger_slot(FT_KEPT), 2);
	assert_int_equal(tally_map->n, 1);
}

static void a_free_takes_it_away(void **state_)
{
	struct ft_alloc_site *site;
	struct ft_alloc_hist *lifetimes = (void *)hist_map->values;

	(void)state_;
	fake.now_ns = 1000;
	prog_on_made(0x1000, 48, ONE);
	fake.now_ns = 5000;
	prog_on_freed(0x1000, 1);
	site = site_at(0x400000);
	assert_int_equal(site->made.bytes, 48);
	assert_int_equal(site->freed.n, 1);
	assert_int_equal(site->freed.bytes, 48);
	assert_int_equal(site->in_use_bytes, 0);
	assert_int_equal(site->in_use_objects, 0);
	assert_int_equal(site->temporary_n, 1);
	assert_int_equal(site->temporary_bytes, 48);
	assert_int_equal(state.in_use_bytes, 0);
	assert_int_equal(block_map->n, 0);
	assert_in_range(lifetimes[FT_ALLOC_HIST_LIFETIME].max, 3990, 4010);
	assert_int_equal(lifetimes[FT_ALLOC_HIST_SIZE].objects[ft_hist_slot(48)], 256);
}

static void nothing_is_counted_before_the_start(void **state_)
{
	(void)state_;
	is_on = 0;
	prog_on_made(0x1000, 48, ONE);
	prog_on_freed(0x1000, 0);
	assert_int_equal(ledger_slot(FT_FIRED), 0);
	assert_int_equal(state.frees_unknown, 0);
	is_on = 1;
	prog_on_made(0x1000, 48, ONE - 1); /* no weight is less than that */
	assert_int_equal(ledger_slot(FT_FIRED), 0);
}

/* A free that nobody saw: the address is given out once more. */
static void an_address_that_is_given_out_twice_was_freed(void **state_)
{
	(void)state_;
	made_at(0x400000, 0x1000, 48);
	made_at(0x500000, 0x1000, 32);
	assert_int_equal(state.frees_missed, 1);
	assert_int_equal(site_at(0x400000)->in_use_bytes, 0);
	assert_int_equal(site_at(0x500000)->in_use_bytes, 32);
	assert_int_equal(state.in_use_bytes, 32);
}

/* --- what a sampled block stands for ------------------------------------------------------ */

static void weights_are_applied_before_they_are_summed(void **state_)
{
	struct ft_alloc_site *site;
	double p = 1 - exp(-1000.0 / INTERVAL), w = 1 / p, r = 1000 * w / INTERVAL;

	(void)state_;
	cfg_interval_bytes = INTERVAL;
	prog_on_made(0x1000, 1000, llround(w * ONE));
	site = site_at(0x400000);
	assert_in_range(site->made.bytes, 1000 * w - 1, 1000 * w + 1);
	assert_in_range(site->made.objects >> FT_ALLOC_WEIGHT_BITS, w - 1, w + 1);
	/* (1 - p) / p^2 objects^2, and as much times 1000^2 bytes^2 */
	assert_in_range(site->made.var_objects / 256, w * (w - 1) * 0.999, w * (w - 1) * 1.001);
	assert_in_range(site->made.var_bytes, r * (r - 1000.0 / INTERVAL) * 65536 * 0.998,
			r * (r - 1000.0 / INTERVAL) * 65536 * 1.002);
	prog_on_freed(0x1000, 0);
	assert_int_equal(site->freed.var_bytes, site->made.var_bytes);
	assert_int_equal(site->freed.var_objects, site->made.var_objects);
	assert_int_equal(site->in_use_bytes, 0);
}

static void the_smallest_and_the_largest_do_not_overflow(void **state_)
{
	struct ft_alloc_site *site;
	double w = 1 / (1 - exp(-1.0 / (64 << 20)));
	int i;

	(void)state_;
	cfg_interval_bytes = 64 << 20;
	prog_on_made(0x1000, 1, llround(w * ONE));
	site = site_at(0x400000);
	assert_in_range(site->made.bytes, w * 0.999, w * 1.001);
	assert_true(fabs(site->made.var_objects / 256.0 / (w * (w - 1)) - 1) < 0.001);
	prog_on_made(0x2000, 1ull << 46, ONE);
	assert_in_range(site->made.bytes, (1ull << 46) + w * 0.999, (1ull << 46) + w * 1.001);
	for (i = 0; i < 100; i++)
		prog_on_made(0x1000, 1, ONE << 40); /* more than there can be */
	assert_in_range(site->made.var_objects, 1ull << 63, UINT64_MAX);
}

/* --- the peak ----------------------------------------------------------------------------- */

static __u64 peak_of(__u64 pc)
{
	const struct ft_alloc_site *site = site_at(pc);

	return site->peak == state.peak ? site->at_peak_bytes : site->in_use_bytes;
}

static void sites_know_what_they_had_at_the_peak(void **state_)
{
	(void)state_;
	made_at(0x400000, 0x1000, 100);
	made_at(0x500000, 0x2000, 50); /* 150 */
	prog_on_freed(0x1000, 0);      /* 50 */
	made_at(0x600000, 0x3000, 80); /* 130 */
	assert_int_equal(state.peak_bytes, 150);
	assert_int_equal(peak_of(0x400000), 100);
	assert_int_equal(peak_of(0x500000), 50);
	assert_int_equal(peak_of(0x600000), 0);
	made_at(0x400000, 0x4000, 40); /* 170: a new one */
	prog_on_freed(0x3000, 0);
	prog_on_freed(0x4000, 0);
	assert_int_equal(state.peak_bytes, 170);
	assert_int_equal(peak_of(0x400000), 40);
	assert_int_equal(peak_of(0x500000), 50);
	assert_int_equal(peak_of(0x600000), 80);
}

/* Against a plain account of the same events: it looks at all sites whenever there is a new peak.
 */
static void the_peak_is_that_of_a_plain_account(void **state_)
{
	enum { SITES = 12, BLOCKS = 300 };
	__u64 size[BLOCKS] = { 0 }, now[SITES] = { 0 }, best[SITES] = { 0 }, total = 0, most = 0;
	__u32 site_of[BLOCKS], i, step;

	(void)state_;
	for (step = 0; step < 20000; step++) {
		__u32 b = random_below(BLOCKS), s = random_below(SITES);

		if (size[b]) {
			prog_on_freed(0x1000 + 16 * b, 0);
			now[site_of[b]] -= size[b];
			total -= size[b];
			size[b] = 0;
			continue;
		}
		site_of[b] = s;
		size[b] = 1 + random_below(1000);
		made_at(0x400000 + 256 * s, 0x1000 + 16 * b, size[b]);
		now[s] += size[b];
		total += size[b];
		if (total > most) {
			most = total;
			memcpy(best, now, sizeof(best));
		}
	}
	assert_int_equal(state.peak_bytes, most);
	assert_int_equal(state.in_use_bytes, total);
	for (i = 0; i < SITES; i++) {
		assert_int_equal(peak_of(0x400000 + 256 * i), best[i]);
		assert_int_equal(site_at(0x400000 + 256 * i)->in_use_bytes, now[i]);
	}
}

/* --- realloc ------------------------------------------------------------------------------ */

/* Its old address is another thread's before it returns. */
static void a_block_that_moves_is_not_the_one_that_takes_its_place(void **state_)
{
	(void)state_;
	made_at(0x400000, 0x1000, 100);
	prog_on_moving(0x1000);
	made_at(0x500000, 0x1000, 60); /* meanwhile, by another one */
	run(7, 0x400000);
	prog_on_moved(0x1000, 1);
	made_at(0x600000, 0x2000, 200);
	assert_int_equal(site_at(0x400000)->in_use_bytes, 0);
	assert_int_equal(site_at(0x400000)->freed.n, 1);
	assert_int_equal(site_at(0x500000)->in_use_bytes, 60);
	assert_int_equal(site_at(0x600000)->in_use_bytes, 200);
	assert_int_equal(state.frees_missed, 0);
}

static void a_realloc_that_fails_frees_nothing(void **state_)
{
	(void)state_;
	made_at(0x400000, 0x1000, 100);
	prog_on_moving(0x1000);
	prog_on_moved(0x1000, 0);
	assert_int_equal(site_at(0x400000)->in_use_bytes, 100);
	assert_int_equal(site_at(0x400000)->freed.n, 0);
	prog_on_freed(0x1000, 0);
	assert_int_equal(site_at(0x400000)->in_use_bytes, 0);
	assert_int_equal(state.frees_unknown, 0);
}

/* --- mappings ----------------------------------------------------------------------------- */

static void a_mapping_is_given_back_in_parts(void **state_)
{
	struct ft_alloc_site *site;

	(void)state_;
	prog_on_mapped(0x11, 10 << 12);
	prog_on_unmapped(0x11, 4 << 12);
	site = site_at(0x400000);
	assert_int_equal(site->key.kind, FT_ALLOC_MAPPING);
	assert_int_equal(site->in_use_bytes, 6 << 12);
	assert_int_equal(site->in_use_objects, ONE);
	assert_int_equal(site->freed.n, 0);
	prog_on_unmapped(0x11, 6 << 12);
	assert_int_equal(site->in_use_bytes, 0);
	assert_int_equal(site->in_use_objects, 0);
	assert_int_equal(site->freed.n, 1);
	assert_int_equal(site->freed.bytes, 10 << 12);
	assert_int_equal(block_map->n, 0);
}

/* --- processes ---------------------------------------------------------------------------- */

static void a_child_frees_its_own_copy(void **state_)
{
	(void)state_;
	made_at(0x400000, 0x1000, 100);
	run(8, 0x400000);
	task.flags = ALLOC_PF_FORKNOEXEC;
	prog_on_freed(0x1000, 0);
	assert_int_equal(state.frees_inherited, 1);
	assert_int_equal(state.frees_unknown, 0);
	prog_on_made(0x1000, 30, ONE); /* the same address, in its memory */
	assert_int_equal(state.in_use_bytes, 130);
	assert_int_equal(state.frees_missed, 0);
	run(7, 0x400000);
	prog_on_freed(0x1000, 0);
	assert_int_equal(state.in_use_bytes, 30);
}

static void what_a_process_holds_goes_with_it(void **state_)
{
	(void)state_;
	made_at(0x400000, 0x1000, 100);
	run(8, 0x500000);
	prog_on_made(0x1000, 70, ONE);
	prog_on_exit(&task); /* a thread of it */
	assert_int_equal(state.in_use_bytes, 170);
	task.signal = &dead;
	prog_on_exit(&task);
	assert_int_equal(state.in_use_bytes, 100);
	assert_int_equal(state.processes_ended, 1);
	assert_int_equal(site_at(0x500000)->in_use_bytes, 70); /* when it ended */
	prog_on_exit(&task);
	assert_int_equal(state.in_use_bytes, 100);
}

static void an_exec_leaves_everything_behind(void **state_)
{
	(void)state_;
	made_at(0x400000, 0x1000, 100);
	task.self_exec_id++;
	prog_on_exec(&task, task.pid);
	assert_int_equal(state.in_use_bytes, 0);
	prog_on_freed(0x1000, 0); /* an address of the new program */
	assert_int_equal(state.frees_unknown, 1);
	assert_int_equal(site_at(0x400000)->freed.n, 0);
}

static void a_number_that_is_used_again_is_another_process(void **state_)
{
	(void)state_;
	made_at(0x400000, 0x1000, 100);
	task.start_boottime += 5;
	prog_on_freed(0x1000, 0);
	assert_int_equal(state.frees_unknown, 1);
	assert_int_equal(state.in_use_bytes, 100);
}

/* One that waits until its stacks can be unwound is no event. */
static void a_process_that_settles_is_told_of(void **state_)
{
	(void)state_;
	cfg_frame_pointers = 0;
	FAKE_MAP(unwind_processes);
	FAKE_MAP(recalls);
	fake_pushed = 0;
	prog_on_settling(4242);
	assert_int_equal(fake_pushed, 1);
	assert_int_equal(ledger_slot(FT_FIRED), 0);
	is_on = 0;
	prog_on_settling(4242);
	assert_int_equal(fake_pushed, 1);
}

/* --- full tables -------------------------------------------------------------------------- */

static void full_tables_are_counted(void **state_)
{
	__u32 i;

	(void)state_;
	fake_map_resize(block_map, 4);
	for (i = 0; i < 10; i++)
		made_at(0x400000, 0x1000 + 16 * i, 10);
	assert_int_equal(state.blocks_full, 6);
	assert_int_equal(site_at(0x400000)->made.n, 10);
	assert_int_equal(site_at(0x400000)->in_use_bytes, 40);
	fake_map_resize(site_map, 1);
	for (i = 0; i < 3; i++)
		made_at(0x500000 + 256 * i, 0x5000 + 16 * i, 10);
	assert_int_equal(ledger_slot(FT_ALLOC_LOST_SITES), 2);
	assert_int_equal(ledger_slot(FT_FIRED), 13);
	assert_int_equal(ledger_slot(FT_KEPT), 11);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(a_block_is_counted_at_its_site),
		T(a_free_takes_it_away),
		T(nothing_is_counted_before_the_start),
		T(an_address_that_is_given_out_twice_was_freed),
		T(weights_are_applied_before_they_are_summed),
		T(the_smallest_and_the_largest_do_not_overflow),
		T(sites_know_what_they_had_at_the_peak),
		T(the_peak_is_that_of_a_plain_account),
		T(a_block_that_moves_is_not_the_one_that_takes_its_place),
		T(a_realloc_that_fails_frees_nothing),
		T(a_mapping_is_given_back_in_parts),
		T(a_child_frees_its_own_copy),
		T(what_a_process_holds_goes_with_it),
		T(an_exec_leaves_everything_behind),
		T(a_number_that_is_used_again_is_another_process),
		T(a_process_that_settles_is_told_of),
		T(full_tables_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
