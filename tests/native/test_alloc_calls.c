/* SPDX-License-Identifier: BSD-2-Clause */
/* Which calls of an allocator are counted by the probes on its functions. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
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

#include "user/collect/alloc_weights.h"

#define USER_CS		    0x33
#define RETURN_PC	    0x400123
#define MALLOC		    0x700000 /* where its probe is */
#define REALLOC		    0x700800
#define FREE		    0x700400
#define COOKIE_OF(function) ((__u64)(function) << FT_ALLOC_CALL_FUNCTION_SHIFT)
#define WORDS(sp)	    fake.user[((sp)-FAKE_USER_BASE) / 8]
#define STACK(n)	    (FAKE_USER_BASE + 8 * (n))
#define DEEP		    STACK(100)
#define SHALLOW		    STACK(200)

static struct fake_map *site_map, *block_map, *call_map, *ledger_map;
static struct mm_struct memory;
static struct signal_struct alive = { { 1 } };
static struct task_struct task;
static struct pt_regs saved;

/* The thread stands at this pc, with its stack there. */
static void stand(__u64 pc, __u64 sp)
{
	struct regs_abi abi = { .ip = pc, .sp = sp, .bp = STACK(300), .cs = USER_CS };

	memcpy(&saved, &abi, sizeof(abi));
	fake_probe.ip = pc;
	fake_probe.sp = sp;
}

/* It has called the function that the probe is in. */
static void enter(__u64 function, __u64 sp)
{
	WORDS(sp) = RETURN_PC;
	fake_probe.func_ip = function;
	stand(function, sp);
}

/* That has returned this. */
static void leave(__u64 sp, __u64 address)
{
	fake_probe.rc = address;
	stand(RETURN_PC, sp + 8);
}

static int set_up(void **state_)
{
	(void)state_;
	memset(&fake, 0, sizeof(fake));
	memset(&state, 0, sizeof(state));
	memset(&fake_probe, 0, sizeof(fake_probe));
	cfg_keep_idle = cfg_by_target = cfg_by_tid = cfg_by_cgroup = cfg_by_comm = 0;
	cfg_pidns_inum = 0;
	cfg_frame_pointers = 1;
	cfg_interval_bytes = 1;
	cfg_in_use = 1;
	cfg_calls_in_session = 0;
	active_set = 0;
	is_on = 1;
	FAKE_MAP(targets);
	FAKE_MAP(target_tids);
	FAKE_MAP(samples);
	FAKE_MAP(alloc_places);
	FAKE_MAP(stacks_0);
	FAKE_MAP(stacks_1);
	FAKE_MAP(tallies_0);
	FAKE_MAP(tallies_1);
	FAKE_MAP(movings);
	FAKE_MAP(processes);
	FAKE_MAP(hists);
	ledger_map = FAKE_MAP(ledgers);
	site_map = FAKE_MAP(sites);
	block_map = FAKE_MAP(blocks);
	call_map = FAKE_MAP(calls);
	fake.saved = &saved;
	fake.now_ns = 1000;
	task = (struct task_struct){
		.pid = 7,
		.tgid = 7,
		.mm = &memory,
		.self_exec_id = 3,
		.start_boottime = 1000,
		.group_leader = &task,
		.signal = &alive,
	};
	fake.current = &task;
	return 0;
}

static int tear_down(void **state_)
{
	(void)state_;
	fake_maps_release();
	return 0;
}

static __u64 made_bytes(void)
{
	__u64 sum = 0;
	__u32 i;

	for (i = 0; i < site_map->max_entries; i++) {
		struct ft_alloc_site *site = fake_map_value(site_map, i);

		sum += site ? site->made.bytes : 0;
	}
	return sum;
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

static bool is_in_use(__u64 address)
{
	struct ft_alloc_block_key key = { .address = address };

	key.process = alloc_process_of_current(0);
	return bpf_map_lookup_elem(&blocks, &key) != NULL;
}

/* malloc(bytes) from there, which gives out that address. */
static void call_malloc(__u64 sp, __u64 bytes, __u64 address)
{
	enter(MALLOC, sp);
	assert_int_equal(prog_on_malloc(bytes), 0);
	leave(sp, address);
	assert_int_equal(prog_on_call_returned(address), 0);
}

/* --- one call ----------------------------------------------------------------------------- */

static void a_block_is_there_when_the_call_has_returned(void **state_)
{
	(void)state_;
	enter(MALLOC, DEEP);
	prog_on_malloc(48);
	assert_int_equal(block_map->n, 0);
	leave(DEEP, 0x1000);
	prog_on_call_returned(0x1000);
	assert_int_equal(made_bytes(), 48);
	assert_true(is_in_use(0x1000));
	/* Once. */
	prog_on_call_returned(0x1000);
	assert_int_equal(made_bytes(), 48);
	enter(MALLOC, SHALLOW);
	prog_on_free(0x1000);
	assert_false(is_in_use(0x1000));
	assert_int_equal(state.frees_unknown, 0);
	prog_on_free(0);
	assert_int_equal(state.frees_unknown, 0);
}

static void both_ends_of_a_call_have_one_stack(void **state_)
{
	(void)state_;
	call_malloc(DEEP, 48, 0x1000);
	cfg_in_use = 0;
	enter(MALLOC, DEEP);
	prog_on_malloc(48);
	assert_int_equal(site_map->n, 1);
	assert_int_equal(made_bytes(), 96);
}

static void a_session_ends_what_it_began(void **state_)
{
	(void)state_;
	cfg_calls_in_session = 1;
	enter(MALLOC, DEEP);
	assert_int_equal(prog_on_call(48, 0, 0), 0);
	leave(DEEP, 0x1000);
	assert_int_equal(prog_on_call(0xdead, 0, 0), 0); /* the register holds something else now */
	assert_int_equal(made_bytes(), 48);
	assert_true(is_in_use(0x1000));
	/* One that is of no interest asks for no return. */
	fake_probe.cookie = COOKIE_OF(FT_ALLOC_CALL_FREE);
	enter(FREE, DEEP);
	assert_int_equal(prog_on_call(0x1000, 0, 0), CALL_IS_SEEN);
	assert_false(is_in_use(0x1000));
	is_on = 0;
	fake_probe.cookie = 0;
	enter(MALLOC, DEEP);
	assert_int_equal(prog_on_call(48, 0, 0), CALL_IS_SEEN);
	is_on = 1;
	fake_probe.cookie = COOKIE_OF(FT_ALLOC_CALL_FUNCTIONS);
	assert_int_equal(prog_on_call(48, 0, 0), CALL_IS_SEEN);
	assert_int_equal(made_bytes(), 48);
}

static void each_function_has_its_bytes_elsewhere(void **state_)
{
	(void)state_;
	cfg_in_use = 0;
	enter(MALLOC, DEEP);
	prog_on_calloc(3, 1000);
	assert_int_equal(made_bytes(), 3000);
	prog_on_calloc(1ull << 40, 1ull << 40); /* fails */
	prog_on_calloc(1ull << 33, 1ull << 31);
	assert_int_equal(made_bytes(), 3000);
	prog_on_calloc(0, 1ull << 63);
	assert_int_equal(made_bytes(), 3000);
	prog_on_realloc(0x1000, 500);
	assert_int_equal(made_bytes(), 3500);
	assert_int_equal(ledger_slot(FT_KEPT), 3);
	prog_on_realloc(0x1000, 0); /* is free() */
	assert_int_equal(ledger_slot(FT_KEPT), 3);
	prog_on_reallocarray(0x1000, 7, 100);
	assert_int_equal(made_bytes(), 4200);
	prog_on_memalign(64, 800);
	assert_int_equal(made_bytes(), 5000);
	prog_on_posix_memalign(STACK(5), 64, 1000);
	assert_int_equal(made_bytes(), 6000);
}

static void one_program_knows_all_functions(void **state_)
{
	static const struct {
		__u32 function;
		__u64 a, b, c, bytes;
	} all[] = {
		{ FT_ALLOC_CALL_MALLOC, 10, 0, 0, 10 },
		{ FT_ALLOC_CALL_CALLOC, 3, 7, 0, 21 },
		{ FT_ALLOC_CALL_REALLOC, 0x1000, 30, 0, 30 },
		{ FT_ALLOC_CALL_REALLOCARRAY, 0x1000, 4, 10, 40 },
		{ FT_ALLOC_CALL_POSIX_MEMALIGN, STACK(5), 64, 50, 50 },
		{ FT_ALLOC_CALL_MEMALIGN, 64, 60, 0, 60 },
	};
	__u64 sum = 0;
	size_t i;

	(void)state_;
	cfg_in_use = 0;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		enter(MALLOC, DEEP);
		fake_probe.cookie = COOKIE_OF(all[i].function);
		prog_on_call(all[i].a, all[i].b, all[i].c);
		sum += all[i].bytes;
		assert_int_equal(made_bytes(), sum);
	}
}

static void posix_memalign_puts_its_address_somewhere(void **state_)
{
	(void)state_;
	enter(MALLOC, DEEP);
	prog_on_posix_memalign(STACK(5), 64, 1000);
	WORDS(STACK(5)) = 0x2000;
	leave(DEEP, 0);
	prog_on_call_returned(0);
	assert_true(is_in_use(0x2000));
	/* ENOMEM is a value, and no address. */
	enter(MALLOC, DEEP);
	prog_on_posix_memalign(STACK(5), 64, 1000);
	leave(DEEP, ENOMEM);
	prog_on_call_returned(ENOMEM);
	assert_int_equal(made_bytes(), 1000);
	assert_int_equal(state.failed, 1);
}

/* --- realloc ------------------------------------------------------------------------------ */

static void what_realloc_moves_is_freed_if_that_went_well(void **state_)
{
	(void)state_;
	call_malloc(DEEP, 48, 0x1000);
	enter(REALLOC, DEEP);
	prog_on_realloc(0x1000, 96);
	leave(DEEP, 0x2000);
	prog_on_call_returned(0x2000);
	assert_false(is_in_use(0x1000));
	assert_true(is_in_use(0x2000));
	assert_int_equal(state.in_use_bytes, 96);
	/* It grows where it is. */
	enter(REALLOC, DEEP);
	prog_on_realloc(0x2000, 100);
	leave(DEEP, 0x2000);
	prog_on_call_returned(0x2000);
	assert_int_equal(state.in_use_bytes, 100);
	assert_int_equal(state.frees_missed, 0);
	/* It fails: the old block is there still. */
	enter(REALLOC, DEEP);
	prog_on_realloc(0x2000, 1000);
	leave(DEEP, 0);
	prog_on_call_returned(0);
	assert_true(is_in_use(0x2000));
	assert_int_equal(state.in_use_bytes, 100);
	assert_int_equal(state.failed, 1);
	/* To 0 bytes it frees, and returns nothing. */
	enter(REALLOC, DEEP);
	prog_on_realloc(0x2000, 0);
	leave(DEEP, 0);
	prog_on_call_returned(0);
	assert_int_equal(state.in_use_bytes, 0);
	assert_int_equal(state.failed, 1);
}

/* realloc is 0x100 bytes before the probe's function, and 0x80 long. */
#define COOKIE (0x80ull << FT_ALLOC_CALL_BYTES_SHIFT | (__u32)-0x100)

static void what_realloc_calls_is_not_counted(void **state_)
{
	__u64 from;

	(void)state_;
	cfg_in_use = 0;
	fake_probe.cookie = COOKIE;
	for (from = MALLOC - 0x101; from <= MALLOC - 0x100; from++) {
		enter(MALLOC, DEEP);
		WORDS(DEEP) = from;
		prog_on_malloc(10);
	}
	assert_int_equal(made_bytes(), 10);
	enter(MALLOC, DEEP);
	WORDS(DEEP) = MALLOC - 0x81;
	prog_on_malloc(10);
	assert_int_equal(made_bytes(), 10);
	WORDS(DEEP) = MALLOC - 0x80;
	prog_on_malloc(10);
	assert_int_equal(made_bytes(), 20);
	/* free: not even as one that is not known; its stack pointer has moved by three words */
	cfg_in_use = 1;
	fake_probe.cookie = COOKIE | 3ull << FT_ALLOC_CALL_STACK_SHIFT;
	enter(MALLOC, DEEP);
	WORDS(DEEP + 24) = MALLOC - 0x100;
	prog_on_free(0x1000);
	assert_int_equal(state.frees_unknown, 0);
	fake_probe.cookie = COOKIE;
	prog_on_free(0x1000);
	assert_int_equal(state.frees_unknown, 1);
	/* realloc of nothing jumps to malloc, which is probed. */
	fake_probe.cookie = FT_ALLOC_CALL_NOT_NULL;
	cfg_in_use = 0;
	enter(REALLOC, DEEP);
	prog_on_realloc(0, 1000);
	assert_int_equal(made_bytes(), 20);
	prog_on_realloc(0x1000, 1000);
	assert_int_equal(made_bytes(), 1020);
}

/* --- calls within calls ------------------------------------------------------------------- */

static void the_outermost_call_counts(void **state_)
{
	(void)state_;
	call_malloc(SHALLOW, 8, 0x3000);
	enter(REALLOC, SHALLOW);
	prog_on_calloc(1, 100);
	call_malloc(DEEP, 116, 0x1000);
	enter(MALLOC, DEEP);
	prog_on_free(0x3000); /* of its own */
	assert_true(is_in_use(0x3000));
	leave(SHALLOW, 0x1010);
	prog_on_call_returned(0x1010);
	assert_int_equal(made_bytes(), 108);
	assert_true(is_in_use(0x1010));
	assert_false(is_in_use(0x1000));
	/* It has jumped to another one: both returns are at the same place. */
	enter(REALLOC, SHALLOW);
	prog_on_calloc(1, 1000);
	stand(MALLOC, SHALLOW);
	prog_on_malloc(1000);
	leave(SHALLOW, 0x5000);
	prog_on_call_returned(0x5000);
	prog_on_call_returned(0x5000);
	assert_int_equal(made_bytes(), 1108);
}

static void a_call_that_never_returned_is_over_at_the_next(void **state_)
{
	int i;

	(void)state_;
	/* From above it on the stack, */
	enter(MALLOC, DEEP);
	prog_on_malloc(1);
	call_malloc(SHALLOW, 10, 0x1000);
	assert_int_equal(made_bytes(), 10);
	/* from the same place, */
	enter(MALLOC, DEEP);
	prog_on_malloc(1);
	call_malloc(DEEP, 20, 0x2000);
	assert_int_equal(made_bytes(), 30);
	/* or when no allocator calls itself as often. */
	enter(MALLOC, SHALLOW);
	prog_on_malloc(1);
	for (i = 0; i < CALL_MAX_NESTED; i++)
		call_malloc(DEEP, 1, 0x3000 + i);
	assert_int_equal(made_bytes(), 30);
	call_malloc(DEEP, 40, 0x4000);
	assert_int_equal(made_bytes(), 70);
	call_malloc(DEEP, 1, 0x5000);
	assert_int_equal(made_bytes(), 71);
}

/* What it was about to move has not moved. */
static void a_realloc_that_never_returned_gives_its_block_back(void **state_)
{
	(void)state_;
	call_malloc(DEEP, 48, 0x1000);
	enter(REALLOC, DEEP);
	prog_on_realloc(0x1000, 96);
	assert_false(is_in_use(0x1000));
	call_malloc(SHALLOW, 10, 0x2000);
	assert_true(is_in_use(0x1000));
	assert_int_equal(state.in_use_bytes, 58);
}

static void a_return_that_nobody_waits_for_is_nothing(void **state_)
{
	(void)state_;
	leave(DEEP, 0x1000);
	prog_on_call_returned(0x1000);
	enter(MALLOC, DEEP);
	prog_on_malloc(10);
	leave(SHALLOW, 0x1000);
	prog_on_call_returned(0x1000);
	assert_int_equal(made_bytes(), 0);
}

static void a_thread_that_ends_is_forgotten(void **state_)
{
	(void)state_;
	call_malloc(DEEP, 10, 0x1000);
	assert_int_equal(call_map->n, 1);
	prog_on_exit(&task);
	assert_int_equal(call_map->n, 0);
}

static void a_call_without_room_is_lost_and_counted(void **state_)
{
	__u32 i, max = call_map->max_entries;

	(void)state_;
	for (i = 0; i < max; i++) {
		task.pid = 100 + i;
		call_malloc(DEEP, 1, 0x100000 + i);
	}
	assert_int_equal(made_bytes(), max);
	assert_int_equal(ledger_slot(FT_ALLOC_LOST_CALLS), 0);
	task.pid = 7;
	call_malloc(DEEP, 1, 0x1000);
	assert_int_equal(made_bytes(), max);
	assert_int_equal(ledger_slot(FT_ALLOC_LOST_CALLS), 1);
	/* A block that it would have moved stays what it was. */
	enter(REALLOC, DEEP);
	prog_on_realloc(0x100000, 96);
	assert_true(is_in_use(0x100000));
	assert_int_equal(ledger_slot(FT_ALLOC_LOST_CALLS), 2);
}

/* --- samples ------------------------------------------------------------------------------ */

static __u32 always(void)
{
	return 0x80000000u; /* a distance of ln 2 times the interval */
}

static void a_block_that_is_not_sampled_costs_no_return(void **state_)
{
	(void)state_;
	FAKE_MAP(countdowns);
	fake.random = always;
	cfg_interval_bytes = 1000000;
	alloc_weights_fill(cfg_interval_bytes, (struct ft_alloc_draw *)&cfg_draw);
	cfg_calls_in_session = 1;
	enter(MALLOC, DEEP);
	assert_int_equal(prog_on_call(10, 0, 0), CALL_IS_SEEN);
	assert_int_equal(call_map->n, 0);
	assert_int_equal(prog_on_call(1000000, 0, 0), 0);
	assert_int_equal(call_map->n, 1);
	leave(DEEP, 0x1000);
	prog_on_call(0, 0, 0);
	assert_true(is_in_use(0x1000));
	/* A free of one that was not is no surprise. */
	enter(MALLOC, DEEP);
	prog_on_free(0x7777);
	assert_int_equal(state.frees_unknown, 0);
	/* realloc to something small has to be followed if the old one was sampled. */
	enter(REALLOC, DEEP);
	fake_probe.cookie = COOKIE_OF(FT_ALLOC_CALL_REALLOC);
	assert_int_equal(prog_on_call(0x7777, 1, 0), CALL_IS_SEEN);
	assert_int_equal(prog_on_call(0x1000, 1, 0), 0);
	leave(DEEP, 0x1000);
	prog_on_call(0, 0, 0);
	assert_false(is_in_use(0x1000));
	assert_int_equal(state.in_use_bytes, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_block_is_there_when_the_call_has_returned),
		TEST(both_ends_of_a_call_have_one_stack),
		TEST(a_session_ends_what_it_began),
		TEST(each_function_has_its_bytes_elsewhere),
		TEST(one_program_knows_all_functions),
		TEST(posix_memalign_puts_its_address_somewhere),
		TEST(what_realloc_moves_is_freed_if_that_went_well),
		TEST(what_realloc_calls_is_not_counted),
		TEST(the_outermost_call_counts),
		TEST(a_call_that_never_returned_is_over_at_the_next),
		TEST(a_realloc_that_never_returned_gives_its_block_back),
		TEST(a_return_that_nobody_waits_for_is_nothing),
		TEST(a_thread_that_ends_is_forgotten),
		TEST(a_call_without_room_is_lost_and_counted),
		TEST(a_block_that_is_not_sampled_costs_no_return),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
