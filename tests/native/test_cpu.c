/* SPDX-License-Identifier: BSD-2-Clause */
/* The sampling program as a whole: what it counts, and that its ledger is closed whatever happens.
 */
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

#define SELF	100
#define USER_CS 0x33
#define TASKS	24

static struct fake_map *count_maps[FT_SETS], *stack_maps[FT_SETS], *ledger_map;
static __u64 kernel_pcs[FT_MAX_FRAMES];
static struct mm_struct memory;
static struct task_struct tasks[TASKS];
static struct pt_regs saved;

static int set_up(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	cfg_self_tgid = SELF;
	cfg_keep_idle = cfg_by_target = cfg_by_tid = cfg_by_cgroup = cfg_by_comm = 0;
	cfg_pidns_inum = 0;
	cfg_frame_pointers = 1;
	cfg_slot_ns = slots_from_ns = 0;
	active_set = 0;
	FAKE_MAP(targets);
	FAKE_MAP(target_tids);
	FAKE_MAP(samples);
	ledger_map = FAKE_MAP(ledgers);
	stack_maps[0] = FAKE_MAP(stacks_0);
	stack_maps[1] = FAKE_MAP(stacks_1);
	count_maps[0] = FAKE_MAP(counts_0);
	count_maps[1] = FAKE_MAP(counts_1);
	fake.saved = &saved;
	fake.cgroup_id = 4242;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fake_maps_release();
	return 0;
}

static struct task_struct make_task(__u32 tgid, __u32 tid, char *comm)
{
	struct task_struct task = {
		.pid = tid,
		.tgid = tgid,
		.mm = &memory,
		.self_exec_id = 3,
		.start_boottime = 1000 + tgid,
	};

	strcpy(task.comm, comm);
	return task;
}

static struct pt_regs make_regs(__u16 cs, __u64 pc, __u64 fp)
{
	struct regs_abi abi = { .ip = pc, .bp = fp, .cs = cs };
	struct pt_regs regs = { { 0 } };

	memcpy(&regs, &abi, sizeof(abi));
	return regs;
}

/* 'n' frames in user mode above 'pc'; what is below FAKE_USER_WORDS is where they lie. */
static struct pt_regs make_user(__u32 n, __u64 pc)
{
	__u32 i;

	for (i = 0; i + 1 < n; i++) {
		fake.user[2 * i] = i + 2 < n ? FAKE_USER_BASE + 16 * (i + 1) : 0;
		fake.user[2 * i + 1] = pc + 1 + i;
	}
	return make_regs(USER_CS, pc, n > 1 ? FAKE_USER_BASE : 0);
}

static void set_kernel_stack(__u32 n, __u64 pc)
{
	__u32 i;

	for (i = 0; i < n; i++)
		kernel_pcs[i] = pc + i;
	fake.kernel_pcs = kernel_pcs;
	fake.kernel_bytes = 8l * n;
}

static void fire(struct task_struct *task, struct pt_regs regs)
{
	struct bpf_perf_event_data context = { .regs = regs };

	fake.current = task;
	assert_int_equal(on_sample(&context), 0);
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

static struct ft_origin *only_key(__u32 set)
{
	__u32 i;

	assert_int_equal(count_maps[set]->n, 1);
	for (i = 0; !fake_map_value(count_maps[set], i); i++)
		;
	return fake_map_key(count_maps[set], i);
}

/* --- single samples ------------------------------------------------------------------------ */

static void a_sample_is_counted_by_task_and_stack(void **state)
{
	struct task_struct leader = make_task(7, 7, "main"), thread = make_task(7, 8, "worker");
	struct ft_origin *key;
	struct ft_stack *stack;

	(void)state;
	leader.group_leader = thread.group_leader = &leader;
	thread.start_boottime = 5; /* the leader's counts */
	fire(&thread, make_user(3, 0x400000));
	key = only_key(0);
	assert_int_equal(key->task.tgid, 7);
	assert_int_equal(key->task.tid, 8);
	assert_int_equal(key->task.start_ns, 1007);
	assert_int_equal(key->task.exec_id, 3);
	assert_int_equal(key->task.cgroup_id, 4242);
	assert_string_equal(key->task.comm, "worker");
	assert_string_equal(key->task.process_comm, "main");
	assert_int_equal(key->kernel_stack, 0);
	stack = bpf_map_lookup_elem(&stacks_0, &key->user_stack);
	assert_non_null(stack);
	assert_int_equal(stack->n, 3);
	assert_int_equal(stack->end, FT_END_NULL);
	assert_int_equal(stack->pcs[2], 0x400002);
	assert_int_equal(ledger_slot(FT_FIRED), 1);
	assert_int_equal(ledger_slot(FT_KEPT), 1);
}

static void a_place_is_free_again_behind_each_sample(void **state)
{
	struct task_struct task = make_task(7, 7, "main");
	__u32 place, i;

	(void)state;
	task.group_leader = &task;
	for (i = 0; i < 10; i++)
		fire(&task, make_user(3, 0x400000));
	for (place = 0; place < SAMPLE_PLACES; place++)
		assert_int_equal(((struct sample *)bpf_map_lookup_elem(&samples, &place))->users,
				 0);
	assert_int_equal(ledger_slot(FT_KEPT), 10);
}

static void the_same_sample_again_only_counts(void **state)
{
	struct task_struct task = make_task(7, 7, "main");
	struct ft_count *count;
	__u64 first;

	(void)state;
	task.group_leader = &task;
	fire(&task, make_user(3, 0x400000));
	count = bpf_map_lookup_elem(&counts_0, only_key(0));
	first = count->first_ns;
	assert_int_not_equal(first, 0);
	fire(&task, make_user(3, 0x400000));
	fire(&task, make_user(3, 0x400000));
	count = bpf_map_lookup_elem(&counts_0, only_key(0));
	assert_int_equal(count->n, 3);
	assert_int_equal(count->first_ns, first);
}

static void in_the_kernel_both_stacks_are_kept(void **state)
{
	struct task_struct task = make_task(7, 7, "main");
	struct ft_origin *key;
	struct ft_stack *user, *kernel;

	(void)state;
	task.group_leader = &task;
	saved = make_user(4, 0x400000);
	set_kernel_stack(5, 0xffffffff81000000);
	fire(&task, make_regs(0x10, 0xffffffff81000000, 0));
	key = only_key(0);
	user = bpf_map_lookup_elem(&stacks_0, &key->user_stack);
	kernel = bpf_map_lookup_elem(&stacks_0, &key->kernel_stack);
	assert_non_null(user);
	assert_non_null(kernel);
	assert_int_equal(user->n, 4);
	assert_int_equal(kernel->n, 5);
	assert_int_equal(kernel->end, FT_END_NONE);
	assert_int_equal(kernel->pcs[4], 0xffffffff81000004);
}

/* A user sample after one in the kernel must not inherit its stack from the scratch space. */
static void nothing_of_an_earlier_sample_is_left(void **state)
{
	struct task_struct task = make_task(7, 7, "main");
	__u32 i;

	(void)state;
	task.group_leader = &task;
	fire(&task, make_user(3, 0x400000));
	saved = make_user(4, 0x500000);
	set_kernel_stack(5, 0xffffffff81000000);
	fire(&task, make_regs(0x10, 0xffffffff81000000, 0));
	fire(&task, make_user(3, 0x400000));
	task.flags = FT_PF_KTHREAD;
	fire(&task, make_regs(0x10, 0xffffffff81000000, 0));
	assert_int_equal(count_maps[0]->n, 3);
	for (i = 0; i < count_maps[0]->max_entries; i++) {
		struct ft_count *count = fake_map_value(count_maps[0], i);
		struct ft_origin *key = fake_map_key(count_maps[0], i);

		if (count && count->n == 2)
			assert_int_equal(key->kernel_stack, 0);
	}
}

/* A read of a string leaves what is behind its NUL. */
static void a_longer_comm_before_does_not_split_a_process(void **state)
{
	struct task_struct task = make_task(7, 7, "sh"), other = make_task(9, 9, "kworker/u256:12");
	int i;

	(void)state;
	task.group_leader = &task;
	other.group_leader = &other;
	fire(&task, make_user(2, 0x400000));
	for (i = 0; i < 3; i++) {
		fire(&other, make_user(2, 0x400000));
		fire(&task, make_user(2, 0x400000));
	}
	assert_int_equal(count_maps[0]->n, 2);
}

static void the_active_set_is_filled(void **state)
{
	struct task_struct task = make_task(7, 7, "main");

	(void)state;
	task.group_leader = &task;
	active_set = 1;
	fire(&task, make_user(3, 0x400000));
	assert_int_equal(count_maps[0]->n, 0);
	assert_int_equal(stack_maps[0]->n, 0);
	only_key(1);
	assert_int_equal(stack_maps[1]->n, 1);
	active_set = 0;
	fire(&task, make_user(3, 0x400000));
	only_key(0);
	assert_int_equal(stack_maps[0]->n, 1);
}

static void no_stack_at_all_is_a_loss(void **state)
{
	struct task_struct task = make_task(7, 7, "kworker");

	(void)state;
	task.flags = FT_PF_KTHREAD;
	task.group_leader = &task;
	fake.kernel_bytes = -EFAULT;
	fire(&task, make_regs(0x10, 0xffffffff81000000, 0));
	assert_int_equal(ledger_slot(FT_LOST_WALK_FAILED), 1);
	assert_int_equal(ledger_slot(FT_FIRED), 1);
}

static void a_full_count_table_is_a_loss_of_its_own(void **state)
{
	struct task_struct task = make_task(7, 7, "main");

	(void)state;
	task.group_leader = &task;
	fake_map_resize(count_maps[0], 2);
	for (task.pid = 10; task.pid < 15; task.pid++)
		fire(&task, make_user(2, 0x400000));
	assert_int_equal(ledger_slot(FT_KEPT), 2);
	assert_int_equal(ledger_slot(FT_LOST_COUNTS_FULL), 3);
}

/* --- slots of time ------------------------------------------------------------------------- */

/* How often the sample was counted in that slot. */
static __u64 counted_in(__u32 slot)
{
	__u64 n = 0;
	__u32 i;

	for (i = 0; i < count_maps[0]->max_entries; i++) {
		struct ft_count *count = fake_map_value(count_maps[0], i);
		struct ft_origin *key = fake_map_key(count_maps[0], i);

		if (count && key->task.slot == slot)
			n += count->n;
	}
	return n;
}

static void fire_at(struct task_struct *task, __u64 ns)
{
	fake.now_ns = ns;
	fire(task, make_user(3, 0x400000));
}

static void the_same_stack_in_two_slots_is_counted_twice(void **state)
{
	struct task_struct task = make_task(7, 7, "main");

	(void)state;
	task.group_leader = &task;
	cfg_slot_ns = 1000;
	slots_from_ns = 50000;
	fire_at(&task, 49000); /* before the start */
	fire_at(&task, 50100);
	fire_at(&task, 50900);
	fire_at(&task, 51100);
	fire_at(&task, 59500);
	assert_int_equal(count_maps[0]->n, 3);
	assert_int_equal(stack_maps[0]->n, 1);
	assert_int_equal(counted_in(0), 3);
	assert_int_equal(counted_in(1), 1);
	assert_int_equal(counted_in(9), 1);
}

static void slots_end_where_their_numbers_do(void **state)
{
	struct task_struct task = make_task(7, 7, "main");

	(void)state;
	task.group_leader = &task;
	cfg_slot_ns = 1;
	fire_at(&task, (1ull << 40) - 500);
	fire_at(&task, 1ull << 40);
	assert_int_equal(counted_in(FT_MAX_SLOT), 2);
}

static void without_slots_time_tells_nothing_apart(void **state)
{
	struct task_struct task = make_task(7, 7, "main");

	(void)state;
	task.group_leader = &task;
	fire_at(&task, 1000);
	fire_at(&task, 1ull << 40);
	assert_int_equal(count_maps[0]->n, 1);
	assert_int_equal(counted_in(0), 2);
}

/* --- the ledger ---------------------------------------------------------------------------- */

/* What a stack table holds under a hash that others took first. */
static struct ft_stack strange = { .n = 1, .pcs = { 1 } };
static struct ft_count nobody; /* of another CPU, which has counted nothing yet */

static long random_error(struct fake_map *map, const void *key)
{
	bool is_stacks = map == stack_maps[0] || map == stack_maps[1];
	long err = 0;

	fake_on_update = NULL;
	switch (random_below(40)) {
	case 0:
		err = -EBUSY;
		break;
	case 1:
		err = -ENOMEM;
		break;
	case 2:
		err = -EEXIST; /* and gone again */
		break;
	case 3:
	case 4:
	case 5:
		if (map->n < map->max_entries) {
			bpf_map_update_elem(map->definition, key,
					    is_stacks ? (void *)&strange : (void *)&nobody,
					    BPF_ANY);
			err = -EEXIST;
		}
	}
	fake_on_update = random_error;
	return err;
}

/* Sums up a set's counts and empties it, as the loader does. Every stack of a count is there. */
static __u64 drain(__u32 set)
{
	__u64 sum = 0;
	__u32 i;

	for (i = 0; i < count_maps[set]->max_entries; i++) {
		struct ft_count *count = fake_map_value(count_maps[set], i);
		struct ft_origin *key = fake_map_key(count_maps[set], i);
		void *stacks = stack_maps[set]->definition;

		if (!count)
			continue;
		assert_true(key->user_stack || key->kernel_stack);
		if (key->user_stack)
			assert_non_null(bpf_map_lookup_elem(stacks, &key->user_stack));
		if (key->kernel_stack)
			assert_non_null(bpf_map_lookup_elem(stacks, &key->kernel_stack));
		sum += count->n;
	}
	fake_map_resize(count_maps[set], count_maps[set]->max_entries);
	fake_map_resize(stack_maps[set], stack_maps[set]->max_entries);
	return sum;
}

/* Idle, fathom itself, kernel threads, processes with threads. */
static void make_tasks(void)
{
	static char *const comms[] = { "a", "bash", "kworker/u256:12", "" };
	__u32 i;

	for (i = 0; i < TASKS; i++) {
		__u32 tgid = i < 2 ? i * SELF : 200 + i / 3 * 3;

		tasks[i] = make_task(tgid, i ? 200 + i : 0, comms[i % 4]);
		tasks[i].group_leader = &tasks[i < 3 ? i : i / 3 * 3];
		if (i % 5 == 0) {
			tasks[i].flags = FT_PF_KTHREAD;
			tasks[i].mm = NULL;
		}
	}
}

/* How many are in each of this CPU's places. */
static void fake_places(__u64 users)
{
	__u32 place;

	for (place = 0; place < SAMPLE_PLACES; place++)
		((struct sample *)bpf_map_lookup_elem(&samples, &place))->users = users;
}

static void fire_at_random(void)
{
	struct task_struct *task = &tasks[random_below(TASKS)];
	__u64 pc = 0x400000 + 0x1000 * random_below(20);
	struct pt_regs regs = make_user(1 + random_below(140), pc);
	__u64 nested = !random_below(50);

	fake_cpu = random_below(FAKE_CPUS);
	fake.under_cgroup = random_below(2);
	fake.kernel_reads_fail = false;
	if (random_below(4) || !task->mm) {
		saved = regs;
		set_kernel_stack(random_below(8), 0xffffffff81000000 + random_below(8));
		if (!random_below(10))
			fake.kernel_bytes = -EFAULT;
		regs = make_regs(0x10, kernel_pcs[0], 0);
	}
	if (!random_below(50))
		regs = make_regs(USER_CS, 0, 0); /* jumped to null */
	fake_places(nested);
	fire(task, regs);
	fake_places(0);
}

static void choose_filters(__u32 round)
{
	__u32 i, mark;

	cfg_keep_idle = round % 2;
	cfg_by_target = round % 3 == 1;
	cfg_by_tid = round % 4 == 1;
	cfg_by_cgroup = round % 5 == 1;
	for (i = 200; i < 200 + TASKS; i++) {
		mark = 1 + random_below(2);
		if (random_below(2))
			bpf_map_update_elem(&targets, &i, &mark, BPF_ANY);
		if (random_below(2))
			bpf_map_update_elem(&target_tids, &i, &mark, BPF_ANY);
	}
}

static void the_ledger_is_closed_whatever_happens(void **state)
{
	__u64 drained = 0, ends = 0;
	__u32 round, i, slot, fired = 0;
	int set;

	(void)state;
	make_tasks();
	for (set = 0; set < FT_SETS; set++) {
		fake_map_resize(stack_maps[set], 48);
		fake_map_resize(count_maps[set], 64);
	}
	for (round = 0; round < 60; round++) {
		fake_on_update = NULL;
		choose_filters(round);
		fake_on_update = round % 2 ? random_error : NULL;
		for (i = random_below(400); i--; fired++)
			fire_at_random();
		active_set = 1 - active_set;
		drained += drain(1 - active_set);
	}
	drained += drain(active_set);

	assert_int_equal(ledger_slot(FT_FIRED), fired);
	assert_int_equal(ledger_slot(FT_KEPT), drained);
	for (slot = FT_KEPT; slot < FT_LEDGER_OWN; slot++) {
		/* All that can happen did. */
		if (!ledger_slot(slot))
			fail_msg("nothing ended in slot %u", slot);
		ends += ledger_slot(slot);
	}
	assert_int_equal(ends, fired);
	assert_true(fired > 5000);
}

static void an_unknown_end_is_not_counted_at_all(void **state)
{
	(void)state;
	ledger_close(FT_LEDGER_SLOTS);
	assert_int_equal(ledger_slot(FT_FIRED), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_sample_is_counted_by_task_and_stack),
		TEST(a_place_is_free_again_behind_each_sample),
		TEST(the_same_sample_again_only_counts),
		TEST(in_the_kernel_both_stacks_are_kept),
		TEST(nothing_of_an_earlier_sample_is_left),
		TEST(a_longer_comm_before_does_not_split_a_process),
		TEST(the_active_set_is_filled),
		TEST(no_stack_at_all_is_a_loss),
		TEST(a_full_count_table_is_a_loss_of_its_own),
		TEST(the_same_stack_in_two_slots_is_counted_twice),
		TEST(slots_end_where_their_numbers_do),
		TEST(without_slots_time_tells_nothing_apart),
		TEST(the_ledger_is_closed_whatever_happens),
		TEST(an_unknown_end_is_not_counted_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
