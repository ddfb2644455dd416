/* SPDX-License-Identifier: BSD-2-Clause */
/* Who belongs to the target: forks, execs, and PIDs in other namespaces. */
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

/* The loader sets cfg_* before the programs are loaded; here they are plain variables. */
#define const
#include "bpf/follow.bpf.c"
#undef const

#define INITIAL_NS 0xEFFFFFFCu
#define OUR_NS	   4026532000u
#define OTHER_NS   4026532001u

static struct pid_namespace initial = { .ns.inum = INITIAL_NS };
static struct pid_namespace ours = { .ns.inum = OUR_NS };
static struct pid_namespace others = { .ns.inum = OTHER_NS };

static struct fake_map *map;

static int set_up(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	cfg_follow_children = 1;
	cfg_pidns_inum = 0;
	targets_lost = 0;
	map = FAKE_MAP(targets);
	fake_map_resize(map, 8);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fake_maps_release();
	return 0;
}

static void put_mark(__u32 tgid, __u32 mark)
{
	assert_int_equal(bpf_map_update_elem(&targets, &tgid, &mark, BPF_ANY), 0);
}

/* 0: not a target. */
static __u32 mark_of(__u32 tgid)
{
	__u32 *mark = bpf_map_lookup_elem(&targets, &tgid);

	return mark ? *mark : 0;
}

static struct task_struct make_task(__u32 tgid, __u32 tid)
{
	return (struct task_struct){ .tgid = tgid, .pid = tid };
}

static void fork_task(__u32 parent, __u32 tgid, __u32 tid)
{
	struct task_struct from = make_task(parent, parent), to = make_task(tgid, tid);

	assert_int_equal(prog_on_fork(&from, &to), 0);
}

static long forbidden(struct fake_map *updated, const void *key)
{
	fail_msg("an update that changes nothing, of %u", *(const __u32 *)key);
	return updated != map;
}

static void children_of_a_target_join_it(void **state)
{
	(void)state;
	put_mark(10, FT_TARGET_NOW);
	fork_task(10, 11, 11);
	fork_task(11, 12, 12);
	assert_int_equal(mark_of(11), FT_TARGET_NOW);
	assert_int_equal(mark_of(12), FT_TARGET_NOW);
	assert_int_equal(map->n, 3);
}

static void children_of_others_do_not(void **state)
{
	(void)state;
	put_mark(10, FT_TARGET_NOW);
	fork_task(20, 21, 21);
	assert_int_equal(map->n, 1);
}

static void children_stay_out_if_they_are_not_wanted(void **state)
{
	(void)state;
	cfg_follow_children = 0;
	put_mark(10, FT_TARGET_NOW);
	fork_task(10, 11, 11);
	assert_int_equal(mark_of(11), 0);
}

static void threads_are_no_entries(void **state)
{
	(void)state;
	put_mark(10, FT_TARGET_NOW);
	fake_on_update = forbidden;
	fork_task(10, 10, 11);
	assert_int_equal(map->n, 1);
	assert_int_equal(mark_of(11), 0);
}

static void a_child_of_a_waiting_command_waits_as_well(void **state)
{
	(void)state;
	put_mark(10, FT_TARGET_AT_EXEC);
	fork_task(10, 11, 11);
	assert_int_equal(mark_of(11), FT_TARGET_AT_EXEC);
}

static void targets_that_do_not_fit_are_counted(void **state)
{
	__u32 i;

	(void)state;
	put_mark(10, FT_TARGET_NOW);
	for (i = 11; i < 30; i++)
		fork_task(10, i, i);
	assert_int_equal(map->n, 8);
	assert_int_equal(targets_lost, 19 - 7);
}

static void exec_makes_the_command_a_target(void **state)
{
	struct task_struct task = make_task(10, 10), stranger = make_task(20, 20);

	(void)state;
	put_mark(10, FT_TARGET_AT_EXEC);
	put_mark(11, FT_TARGET_AT_EXEC);
	assert_int_equal(prog_on_exec(&task), 0);
	assert_int_equal(prog_on_exec(&stranger), 0);
	assert_int_equal(mark_of(10), FT_TARGET_NOW);
	assert_int_equal(mark_of(11), FT_TARGET_AT_EXEC);
	assert_int_equal(mark_of(20), 0);
	fake_on_update = forbidden;
	assert_int_equal(prog_on_exec(&task), 0);
	assert_int_equal(mark_of(10), FT_TARGET_NOW);
}

static void a_pid_that_is_used_again_is_no_target(void **state)
{
	(void)state;
	put_mark(10, FT_TARGET_NOW);
	fork_task(1, 10, 10);
	fork_task(10, 11, 11);
	assert_int_equal(map->n, 0);
}

static void a_pid_that_a_target_uses_again_is_one(void **state)
{
	(void)state;
	put_mark(10, FT_TARGET_NOW);
	put_mark(11, FT_TARGET_AT_EXEC);
	fork_task(10, 11, 11);
	assert_int_equal(mark_of(11), FT_TARGET_NOW);
	assert_int_equal(map->n, 2);
}

static void those_that_join_are_counted(void **state)
{
	__u64 before = targets_joined;

	(void)state;
	put_mark(10, FT_TARGET_NOW);
	fork_task(10, 11, 11);
	fork_task(20, 21, 21);
	assert_int_equal(targets_joined - before, 1);
}

/* --- PID namespaces ----------------------------------------------------------------------- */

/* 1000 in the initial namespace, 'our_nr' in ours, 1 in one below that. */
static struct pid make_pid(__u32 our_nr)
{
	return (struct pid){
		.level = 2,
		.numbers = { { 1000, &initial }, { our_nr, &ours }, { 1, &others } },
	};
}

static void numbers_are_those_of_our_namespace(void **state)
{
	struct pid leader_pid = make_pid(30), thread_pid = make_pid(31);
	struct task_struct leader = { .tgid = 1000, .pid = 1000, .thread_pid = &leader_pid };
	struct task_struct thread = {
		.tgid = 1000,
		.pid = 1001,
		.thread_pid = &thread_pid,
		.group_leader = &leader,
	};

	(void)state;
	assert_int_equal(task_tgid(&thread), 1000);
	assert_int_equal(task_tid(&thread), 1001);
	cfg_pidns_inum = OUR_NS;
	assert_int_equal(task_tgid(&thread), 30);
	assert_int_equal(task_tid(&thread), 31);
}

static void tasks_that_are_not_visible_have_no_number(void **state)
{
	struct pid pid = { .level = 1, .numbers = { { 1000, &initial }, { 5, &others } } };
	struct task_struct task = { .tgid = 1000, .pid = 1000, .thread_pid = &pid };

	(void)state;
	task.group_leader = &task;
	cfg_pidns_inum = OUR_NS;
	assert_int_equal(task_tgid(&task), 0);
	assert_int_equal(task_tid(&task), 0);
}

static void entries_beyond_the_level_do_not_count(void **state)
{
	struct pid pid = { .level = 0, .numbers = { { 1000, &initial }, { 5, &ours } } };
	struct task_struct task = { .thread_pid = &pid };

	(void)state;
	cfg_pidns_inum = OUR_NS;
	assert_int_equal(task_tid(&task), 0);
}

static void the_deepest_namespace_is_found(void **state)
{
	struct pid pid = { .level = FT_MAX_PID_LEVEL };
	struct task_struct task = { .thread_pid = &pid };
	int i;

	(void)state;
	for (i = 0; i < FT_MAX_PID_LEVEL; i++)
		pid.numbers[i] = (struct upid){ 1, &others };
	pid.numbers[FT_MAX_PID_LEVEL] = (struct upid){ 44, &ours };
	cfg_pidns_inum = OUR_NS;
	assert_int_equal(task_tid(&task), 44);
}

/* Tasks that are being released have lost theirs. */
static void a_task_without_a_pid_has_no_number(void **state)
{
	struct task_struct task = { .thread_pid = (struct pid *)8 };

	(void)state;
	cfg_pidns_inum = OUR_NS;
	assert_int_equal(task_tid(&task), 0);
}

static void following_goes_by_the_numbers_of_our_namespace(void **state)
{
	struct pid parent_pid = make_pid(30), child_pid = make_pid(31), no_pid = make_pid(0);
	struct task_struct parent = { .tgid = 1000, .pid = 1000, .thread_pid = &parent_pid };
	struct task_struct child = { .tgid = 1001, .pid = 1001, .thread_pid = &child_pid };
	struct task_struct stranger = { .tgid = 1002, .pid = 1002, .thread_pid = &no_pid };

	(void)state;
	cfg_pidns_inum = OUR_NS;
	parent.group_leader = &parent;
	child.group_leader = &child;
	stranger.group_leader = &stranger;
	put_mark(30, FT_TARGET_NOW);
	assert_int_equal(prog_on_fork(&parent, &child), 0);
	assert_int_equal(mark_of(31), FT_TARGET_NOW);
	/* 31 is now a child of somebody else. */
	assert_int_equal(prog_on_fork(&stranger, &child), 0);
	assert_int_equal(mark_of(31), 0);
	assert_int_equal(map->n, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(children_of_a_target_join_it),
		TEST(children_of_others_do_not),
		TEST(children_stay_out_if_they_are_not_wanted),
		TEST(threads_are_no_entries),
		TEST(a_child_of_a_waiting_command_waits_as_well),
		TEST(targets_that_do_not_fit_are_counted),
		TEST(exec_makes_the_command_a_target),
		TEST(a_pid_that_a_target_uses_again_is_one),
		TEST(those_that_join_are_counted),
		TEST(a_pid_that_is_used_again_is_no_target),
		TEST(numbers_are_those_of_our_namespace),
		TEST(tasks_that_are_not_visible_have_no_number),
		TEST(entries_beyond_the_level_do_not_count),
		TEST(the_deepest_namespace_is_found),
		TEST(a_task_without_a_pid_has_no_number),
		TEST(following_goes_by_the_numbers_of_our_namespace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
