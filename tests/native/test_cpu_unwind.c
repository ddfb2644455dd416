/* SPDX-License-Identifier: BSD-2-Clause */
/* The sampling program with tables: what it walks, and what it passes up. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "tests/native/random.h"

int on_sample(struct bpf_perf_event_data *ctx);
int user_stack_frames(__u32 place);

/* The loader sets cfg_* before the programs are loaded; here they are plain variables. */
#define const
#include "bpf/cpu.bpf.c"
#undef const

#include "tests/native/program_tables.h"

#define KERNEL_CS 0x10

static struct fake_map *count_map;
static __u64 kernel_pcs[3];

static int set_up(void **state)
{
	(void)state;
	set_up_program();
	count_map = FAKE_MAP(counts_0);
	fake_map_resize(stack_map, 8);
	fake_map_resize(count_map, 4096);
	FAKE_MAP(counts_1);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fake_maps_release();
	return 0;
}

static __u64 ledger_slot(__u32 slot)
{
	struct ft_ledger *all = (void *)ledger_map->values;

	return all[0].n[slot];
}

/* All that has been fired has come to an end. */
static void assert_closed(void)
{
	__u64 ends = 0;
	__u32 slot;

	for (slot = FT_KEPT; slot < FT_LEDGER_SLOTS; slot++)
		ends += ledger_slot(slot);
	assert_int_equal(ledger_slot(FT_FIRED), ends);
}

static void fire(struct pt_regs regs)
{
	struct bpf_perf_event_data context = { .regs = regs };
	__u64 fired = ledger_slot(FT_FIRED);

	assert_int_equal(on_sample(&context), 0);
	assert_int_equal(ledger_slot(FT_FIRED), fired + 1);
	assert_closed();
}

static struct ft_stack *only_stack(void)
{
	__u32 i;

	assert_int_equal(stack_map->n, 1);
	for (i = 0; !fake_map_value(stack_map, i); i++)
		;
	return fake_map_value(stack_map, i);
}

static struct ft_origin *only_key(void)
{
	__u32 i;

	assert_int_equal(count_map->n, 1);
	for (i = 0; !fake_map_value(count_map, i); i++)
		;
	return fake_map_key(count_map, i);
}

static struct ft_deferred *last_deferred(void)
{
	return (struct ft_deferred *)fake.ring;
}

/* --- walks -------------------------------------------------------------------------------- */

static void a_known_process_is_walked_by_its_tables(void **state)
{
	struct ft_stack *stack;

	(void)state;
	put_process(&memory, 2);
	fake.user[1] = CODE + 0x25;
	fake.user[3] = CODE + 5; /* of where it starts */
	fire(make_regs(USER_CS, CODE + 0x10, 0));
	stack = only_stack();
	assert_int_equal(stack->n, 3);
	assert_int_equal(stack->end, FT_END_ROOT);
	assert_int_equal(stack->pcs[0], CODE + 0x10);
	assert_int_equal(stack->pcs[1], CODE + 0x25);
	assert_int_equal(stack->pcs[2], CODE + 5);
	assert_int_equal(fake.n_submitted, 0);
	assert_int_equal(mapping(0)->used, 1);
	assert_int_equal(mapping(1)->used, 0);
}

static void a_null_return_address_ends_a_walk(void **state)
{
	(void)state;
	put_process(&memory, 2);
	fire(make_regs(USER_CS, CODE + 0x10, 0));
	assert_int_equal(only_stack()->n, 1);
	assert_int_equal(only_stack()->end, FT_END_NULL);
}

static void code_of_32_bits_is_neither_walked_nor_passed_up(void **state)
{
	(void)state;
	fire(make_regs(0x23, CODE + 0x10, 0));
	assert_int_equal(only_stack()->n, 1);
	assert_int_equal(only_stack()->end, FT_END_RULE_UNSUPPORTED);
	assert_int_equal(fake.n_submitted, 0);
}

/* --- what is passed up -------------------------------------------------------------------- */

static void an_unknown_process_is_passed_up_with_its_stack(void **state)
{
	struct ft_deferred *d = last_deferred();
	__u32 i;

	(void)state;
	kernel_pcs[0] = 0xffffffff81000000;
	fake.kernel_pcs = kernel_pcs;
	fake.kernel_bytes = sizeof(kernel_pcs);
	for (i = 0; i < FAKE_USER_WORDS; i++)
		fake.user[i] = i;
	saved = make_regs(USER_CS, CODE + 0x10, 600);
	fire(make_regs(KERNEL_CS, kernel_pcs[0], 0));
	assert_int_equal(ledger_slot(FT_KEPT), 1);
	assert_int_equal(fake.n_submitted, 1);
	/* It is counted under what stands for its stack. */
	assert_int_equal(count_map->n, 1);
	assert_true(FT_STACK_IS_DEFERRED(only_key()->user_stack));
	assert_int_equal(d->number, only_key()->user_stack);
	assert_int_equal(d->process.tgid, 7);
	assert_int_equal(d->process.start_ns, 1007);
	assert_int_equal(d->mm, (uintptr_t)&memory);
	assert_int_equal(d->vdso, 0x7fff0000);
	assert_int_equal(d->pc, CODE + 0x10);
	assert_int_equal(d->regs[FT_X86_RSP], FAKE_USER_BASE + 600 * 8);
	assert_int_equal(d->regs[12], 12);
	assert_int_equal(d->tgid, 7);
	assert_int_equal(d->collector, FT_COLLECTOR_CPU);
	assert_int_equal(d->in_exec, 0);
	/* The kernel stack is in the set already. */
	assert_int_not_equal(only_key()->kernel_stack, 0);
	assert_int_equal(only_stack()->n, 3);
	assert_non_null(bpf_map_lookup_elem(&stacks_0, &only_key()->kernel_stack));
	/* From the page of the stack pointer to the end of the stack. */
	assert_int_equal(d->stack_bytes, 3 * 4096);
	assert_memory_equal(d + 1, (char *)fake.user + 4096, d->stack_bytes);
}

/* So that a late stack finds its event, and no other. */
static void each_deferred_stack_has_its_own_number(void **state)
{
	__u32 i;

	(void)state;
	for (i = 0; i < 100; i++)
		fire(make_regs(USER_CS, CODE + 0x10, 0));
	assert_int_equal(fake.n_submitted, 100);
	assert_int_equal(count_map->n, 100);
	assert_int_equal(stack_map->n, 0);
}

static void other_stacks_are_passed_up_as_far_as_they_can_be_read(void **state)
{
	(void)state;
	memory.start_stack = 0; /* not the main thread's */
	fire(make_regs(USER_CS, CODE + 0x10, 0));
	assert_int_equal(last_deferred()->stack_bytes, sizeof(fake.user));
	fake.ring_bytes = 0;
	fire(make_regs(USER_CS, CODE + 0x10, 1 << 20));
	assert_int_equal(last_deferred()->stack_bytes, 0);
}

static void a_full_ring_keeps_the_sample_as_it_is(void **state)
{
	(void)state;
	fake.ring_is_full = true;
	fire(make_regs(USER_CS, CODE + 0x10, 0));
	assert_int_equal(ledger_slot(FT_KEPT), 1);
	assert_int_equal(count_map->n, 1);
	assert_int_equal(only_stack()->n, 1);
	assert_int_equal(only_stack()->end, FT_END_NO_TABLE);
}

/* Who has no number in our PID namespace is not found by it. */
static void who_cannot_be_looked_up_is_not_passed_up(void **state)
{
	static struct pid_namespace other = { .ns.inum = 5 };
	static struct pid pid = { .numbers = { { 7, &other } } };

	(void)state;
	task.thread_pid = &pid;
	cfg_pidns_inum = 6;
	fire(make_regs(USER_CS, CODE + 0x10, 0));
	assert_int_equal(fake.n_submitted, 0);
	assert_int_equal(only_stack()->end, FT_END_NO_TABLE);
}

static void a_table_that_is_not_there_yet_is_waited_for(void **state)
{
	struct ft_process *process = put_process(&memory, 2);
	int i;

	(void)state;
	fake.user[1] = LIBRARY + 0x10;
	for (i = 0; i < 2 * (int)cfg_unwind_max_asked; i++)
		fire(make_regs(USER_CS, CODE + 0x10, 0));
	assert_int_equal(fake.n_submitted, i);
	assert_int_equal(process->deferred, 0);
	mapping(1)->kind = FT_MAPPING_FULL;
	fire(make_regs(USER_CS, CODE + 0x10, 0));
	assert_int_equal(fake.n_submitted, i);
	assert_int_equal(only_stack()->end, FT_END_NO_TABLE);
	assert_int_equal(only_stack()->n, 2);
}

static void unknown_addresses_are_asked_for_some_times(void **state)
{
	struct ft_process *process = put_process(&memory, 2);
	int i;

	(void)state;
	fake.user[1] = 0x666666;
	for (i = 0; i < 2 * (int)cfg_unwind_max_asked; i++)
		fire(make_regs(USER_CS, CODE + 0x10, 0));
	assert_int_equal(fake.n_submitted, cfg_unwind_max_asked);
	assert_int_equal(process->deferred, cfg_unwind_max_asked);
	assert_int_equal(only_stack()->end, FT_END_UNKNOWN_MAPPING);
	assert_int_equal(ledger_slot(FT_KEPT), i);
	/* A new list may be asked again. */
	put_process(&memory, 2);
	fire(make_regs(USER_CS, CODE + 0x10, 0));
	assert_int_equal(fake.n_submitted, cfg_unwind_max_asked + 1);
}

static void in_the_middle_of_an_exec_there_is_no_user_stack(void **state)
{
	struct mm_struct before = { 0 };

	(void)state;
	put_process(&before, 2);
	task.in_execve = 1;
	fake.kernel_pcs = kernel_pcs;
	fake.kernel_bytes = sizeof(kernel_pcs);
	saved = make_regs(USER_CS, CODE + 0x10, 0);
	fire(make_regs(KERNEL_CS, 0, 0));
	assert_int_equal(fake.n_submitted, 0);
	assert_int_equal(only_stack()->n, 3); /* the kernel's */
	assert_int_equal(ledger_slot(FT_KEPT), 1);
}

/* It came late, for a sample of before an exec: without a new one there would be none for ever. */
static void a_list_of_another_address_space_is_asked_for_anew(void **state)
{
	struct mm_struct before = { 0 };

	(void)state;
	put_process(&before, 2);
	fire(make_regs(USER_CS, CODE + 0x10, 0));
	assert_int_equal(fake.n_submitted, 1);
	assert_int_equal(last_deferred()->mm, (uintptr_t)&memory);
	assert_int_equal(last_deferred()->in_exec, 0);
}

/* --- any stack -------------------------------------------------------------------------------- */

static struct ft_stack walk_from(struct pt_regs regs)
{
	struct ft_stack stack;

	fake_map_resize(stack_map, stack_map->max_entries);
	fake_map_resize(count_map, count_map->max_entries);
	fake.ring_is_full = true; /* what would be passed up is kept as it is */
	fire(regs);
	assert_int_equal(count_map->n, 1);
	stack = *only_stack();
	assert_true(stack.n >= 1 && stack.n <= FT_MAX_FRAMES);
	return stack;
}

static unsigned int n_reads;

static long counted_read(void *to, __u32 size, __u64 from)
{
	__u64 at = from - FAKE_USER_BASE;

	n_reads++;
	if (from < FAKE_USER_BASE || at > sizeof(fake.user) || size > sizeof(fake.user) - at)
		return -EFAULT;
	memcpy(to, (const char *)fake.user + at, size);
	return 0;
}

/* A stack of that many frames from word 'sp' on. */
static void make_frames(__u32 sp, __u32 n)
{
	__u32 i;

	for (i = 0; i + 1 < n; i++)
		fake.user[sp + 2 * i + 1] = i + 2 < n ? CODE + 0x25 + 16 * (i % 100) : CODE + 5;
}

static void assert_frames(const struct ft_stack *stack, __u32 n)
{
	__u32 i;

	assert_int_equal(stack->n, n);
	assert_int_equal(stack->end, FT_END_ROOT);
	for (i = 1; i + 1 < n; i++)
		assert_int_equal(stack->pcs[i], CODE + 0x25 + 16 * ((i - 1) % 100));
}

static void stacks_are_read_in_pieces(void **state)
{
	struct ft_stack stack;

	(void)state;
	put_process(&memory, 2);
	fake.read_user = counted_read;
	n_reads = 0;
	make_frames(100, 60);
	stack = walk_from(make_regs(USER_CS, CODE + 0x10, 100));
	assert_frames(&stack, 60);
	assert_true(n_reads <= 60 * 16 / (UNWIND_PIECE * 8) + 2);
}

static void stacks_are_walked_to_where_memory_ends(void **state)
{
	struct ft_stack stack;
	__u32 n;

	(void)state;
	put_process(&memory, 2);
	fake.read_user = counted_read;
	for (n = 3; n < 100; n++) {
		make_frames(0, n); /* there is nothing below */
		stack = walk_from(make_regs(USER_CS, CODE + 0x10, 0));
		assert_frames(&stack, n);
		make_frames(FAKE_USER_WORDS - 2 * (n - 1), n); /* nor above */
		n_reads = 0;
		stack = walk_from(make_regs(USER_CS, CODE + 0x10, FAKE_USER_WORDS - 2 * (n - 1)));
		assert_frames(&stack, n);
		assert_true(n_reads <= n + UNWIND_MAX_FAILED);
	}
}

static void nothing_of_an_earlier_stack_is_walked(void **state)
{
	struct ft_stack stack;

	(void)state;
	put_process(&memory, 2);
	make_frames(100, 30);
	stack = walk_from(make_regs(USER_CS, CODE + 0x10, 100));
	assert_frames(&stack, 30);
	make_frames(100, 20);
	stack = walk_from(make_regs(USER_CS, CODE + 0x10, 100));
	assert_frames(&stack, 20);
}

static void deep_stacks_are_walked_to_the_limit(void **state)
{
	struct ft_stack stack;
	__u32 depth, i;

	(void)state;
	put_process(&memory, 2);
	for (depth = FT_MAX_FRAMES - 3; depth < FT_MAX_FRAMES + 3; depth++) {
		for (i = 0; i < FAKE_USER_WORDS; i++)
			fake.user[i] = CODE + 0x25;
		fake.user[2 * (depth - 2) + 1] = CODE + 5;
		stack = walk_from(make_regs(USER_CS, CODE + 0x10, 0));
		assert_int_equal(stack.n, depth < FT_MAX_FRAMES ? depth : FT_MAX_FRAMES);
		assert_int_equal(stack.end, depth <= FT_MAX_FRAMES ? FT_END_ROOT : FT_END_DEPTH);
	}
}

static void random_rule(struct ft_unwind_rule *r)
{
	*r = (struct ft_unwind_rule){
		.cfa = random_below(10) ? 1 + random_below(2) : random_below(6),
		.cfa_reg = random_below(5) ? FT_X86_RSP : random_below(17),
		.cfa_offset = 8 * random_below(8),
		.cfa_add = 8 * random_below(4),
		.ra = random_below(8) ? FT_SAVED_AT_CFA : random_below(9),
		.ra_offset = -8,
		.fp_bx = random_below(256),
		.fp_offset = 8 * random_below(8) - 32,
		.bx_offset = 8 * random_below(8) - 32,
	};
	if (!random_below(20))
		r->cfa |= FT_CFA_SIGNAL;
}

static void random_stacks_end_whatever_they_hold(void **state)
{
	__u32 round, i, ends[FT_END_PENDING + 1] = { 0 }, frames = 0;
	struct ft_stack stack;
	struct pt_regs regs;

	(void)state;
	put_process(&memory, 2);
	for (round = 0; round < 1500; round++) {
		for (i = 2; i < 258; i++) {
			*rule(i) = usual;
			if (!random_below(1 + round % 30))
				random_rule(rule(i));
		}
		for (i = 0; i < 400; i++) {
			fake.user[i] = CODE + random_below(4096);
			if (!random_below(10))
				fake.user[i] = FAKE_USER_BASE + 8 * random_below(400);
			if (!random_below(50))
				fake.user[i] = random_below(2) ? 0 : LIBRARY + 9;
		}
		mapping(0)->kind = random_below(10) ? FT_MAPPING_TABLE : random_below(5);
		regs = make_regs(USER_CS, CODE + random_below(4096), random_below(100));
		regs.words[offsetof(struct regs_abi, bp) / 8] =
			FAKE_USER_BASE + 4 * random_below(800);
		stack = walk_from(regs);
		assert_true(stack.end < FT_END_PENDING);
		ends[stack.end]++;
		frames += stack.n;
	}
	assert_true(ends[FT_END_ROOT] + ends[FT_END_RULE_UNSUPPORTED] > 100);
	assert_true(ends[FT_END_NULL] && ends[FT_END_NO_TABLE] && ends[FT_END_UNKNOWN_MAPPING] &&
		    ends[FT_END_NO_CFI]);
	assert_true(frames > 2 * round);
}

static void random_lists_are_searched_as_one_would_one_by_one(void **state)
{
	struct unwind_walk w = { 0 };
	__u32 round, i, n, end;
	__u64 at, address;

	(void)state;
	for (round = 0; round < 100; round++) {
		n = random_below(N_LIST / 2);
		w.first = random_below(N_LIST / 2);
		w.n_mappings = n;
		for (i = 0, at = 10; i < n; i++) {
			struct ft_unwind_mapping *m = mapping(w.first + i);

			m->start = at += random_below(3);
			m->end = at += 1 + random_below(4);
			m->page = i;
		}
		for (address = 0; address < at + 10; address++) {
			end = unwind_locate(NULL, &w, address);
			for (i = 0; i < n && mapping(w.first + i)->end <= address; i++)
				;
			if (i < n && mapping(w.first + i)->start <= address) {
				assert_int_equal(end, 0);
				assert_int_equal(w.at.page, i);
			} else {
				assert_int_equal(end, FT_END_UNKNOWN_MAPPING);
			}
		}
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_known_process_is_walked_by_its_tables),
		TEST(a_null_return_address_ends_a_walk),
		TEST(code_of_32_bits_is_neither_walked_nor_passed_up),
		TEST(an_unknown_process_is_passed_up_with_its_stack),
		TEST(each_deferred_stack_has_its_own_number),
		TEST(other_stacks_are_passed_up_as_far_as_they_can_be_read),
		TEST(a_full_ring_keeps_the_sample_as_it_is),
		TEST(who_cannot_be_looked_up_is_not_passed_up),
		TEST(a_table_that_is_not_there_yet_is_waited_for),
		TEST(unknown_addresses_are_asked_for_some_times),
		TEST(in_the_middle_of_an_exec_there_is_no_user_stack),
		TEST(a_list_of_another_address_space_is_asked_for_anew),
		TEST(stacks_are_read_in_pieces),
		TEST(stacks_are_walked_to_where_memory_ends),
		TEST(nothing_of_an_earlier_stack_is_walked),
		TEST(deep_stacks_are_walked_to_the_limit),
		TEST(random_stacks_end_whatever_they_hold),
		TEST(random_lists_are_searched_as_one_would_one_by_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
