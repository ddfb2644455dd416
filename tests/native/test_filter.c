/* SPDX-License-Identifier: BSD-2-Clause */
/* Which events the filter lets through, for each thing that can be asked for. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "user/collect/glob.h"

/* The loader sets cfg_* before the programs are loaded; here they are plain variables. */
#define const
#include "bpf/filter.bpf.h"
#undef const

#define SELF 100

static struct task_struct task;

static int set_up(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	task = (struct task_struct){ .pid = 8, .tgid = 7, .comm = "worker" };
	fake.current = &task;
	cfg_self_tgid = SELF;
	cfg_keep_idle = cfg_by_target = cfg_by_tid = cfg_by_cgroup = cfg_by_comm = 0;
	FAKE_MAP(targets);
	FAKE_MAP(target_tids);
	FAKE_MAP(target_cgroup);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fake_maps_release();
	return 0;
}

static void mark_target(__u32 tgid, __u32 mark)
{
	assert_int_equal(bpf_map_update_elem(&targets, &tgid, &mark, BPF_ANY), 0);
}

static __u32 verdict(void)
{
	return filter_current(task.tgid, task.pid);
}

static void everything_passes_when_nothing_is_asked_for(void **state)
{
	(void)state;
	assert_int_equal(verdict(), 0);
}

static void our_own_threads_are_filtered(void **state)
{
	(void)state;
	task.tgid = SELF;
	assert_int_equal(verdict(), FT_FILTERED_SELF);
	task.pid = SELF;
	assert_int_equal(verdict(), FT_FILTERED_SELF);
}

static void the_idle_task_is_filtered_unless_kept(void **state)
{
	(void)state;
	task.pid = task.tgid = 0;
	assert_int_equal(verdict(), FT_FILTERED_IDLE);
	cfg_keep_idle = 1;
	assert_int_equal(verdict(), 0);
}

/* In a PID namespace other tasks have no number, either, and are not idle. */
static void tasks_that_are_not_visible_are_not_idle(void **state)
{
	(void)state;
	assert_int_equal(filter_current(0, 0), 0);
}

static void only_targets_pass(void **state)
{
	(void)state;
	cfg_by_target = 1;
	assert_int_equal(verdict(), FT_FILTERED_TARGET);
	mark_target(8, FT_TARGET_NOW); /* that is its TID */
	assert_int_equal(verdict(), FT_FILTERED_TARGET);
	mark_target(7, FT_TARGET_NOW);
	assert_int_equal(verdict(), 0);
}

static void a_command_passes_only_from_its_exec_on(void **state)
{
	(void)state;
	cfg_by_target = 1;
	mark_target(7, FT_TARGET_AT_EXEC);
	assert_int_equal(verdict(), FT_FILTERED_TARGET);
	mark_target(7, FT_TARGET_NOW);
	assert_int_equal(verdict(), 0);
}

static void only_threads_asked_for_pass(void **state)
{
	__u32 tid = 7, one = 1;

	(void)state;
	cfg_by_tid = 1;
	assert_int_equal(bpf_map_update_elem(&target_tids, &tid, &one, BPF_ANY), 0);
	assert_int_equal(verdict(), FT_FILTERED_TARGET);
	tid = 8;
	assert_int_equal(bpf_map_update_elem(&target_tids, &tid, &one, BPF_ANY), 0);
	assert_int_equal(verdict(), 0);
}

static void only_the_cgroup_passes_and_errors_do_not(void **state)
{
	(void)state;
	cfg_by_cgroup = 1;
	fake.under_cgroup = 1;
	assert_int_equal(verdict(), 0);
	fake.under_cgroup = 0;
	assert_int_equal(verdict(), FT_FILTERED_TARGET);
	fake.under_cgroup = -EAGAIN; /* the map is empty */
	assert_int_equal(verdict(), FT_FILTERED_TARGET);
}

static void only_comms_that_match_pass(void **state)
{
	static const char *patterns[] = { "kworker*", "w[aeiou]rke?" };
	struct ft_glob glob;

	(void)state;
	assert_int_equal(glob_compile(patterns, 2, &glob), 0);
	memcpy((void *)&cfg_comm, &glob, sizeof(glob));
	cfg_by_comm = 1;
	assert_int_equal(verdict(), 0);
	strcpy(task.comm, "workers");
	assert_int_equal(verdict(), FT_FILTERED_TARGET);
	strcpy(task.comm, "kworker/u256:12"); /* as long as comms get */
	assert_int_equal(verdict(), 0);
}

static void all_that_is_asked_for_must_hold(void **state)
{
	__u32 tid = 8, one = 1;

	(void)state;
	cfg_by_target = cfg_by_tid = cfg_by_cgroup = 1;
	mark_target(7, FT_TARGET_NOW);
	fake.under_cgroup = 1;
	assert_int_equal(verdict(), FT_FILTERED_TARGET);
	assert_int_equal(bpf_map_update_elem(&target_tids, &tid, &one, BPF_ANY), 0);
	assert_int_equal(verdict(), 0);
	fake.under_cgroup = 0;
	assert_int_equal(verdict(), FT_FILTERED_TARGET);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(everything_passes_when_nothing_is_asked_for),
		TEST(our_own_threads_are_filtered),
		TEST(the_idle_task_is_filtered_unless_kept),
		TEST(tasks_that_are_not_visible_are_not_idle),
		TEST(only_targets_pass),
		TEST(a_command_passes_only_from_its_exec_on),
		TEST(only_threads_asked_for_pass),
		TEST(only_the_cgroup_passes_and_errors_do_not),
		TEST(only_comms_that_match_pass),
		TEST(all_that_is_asked_for_must_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
