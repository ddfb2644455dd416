/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists of mappings go with their processes: over forks, execs and the end. */
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
#include "bpf/unwind.bpf.c"
#undef const

static struct fake_map *map;
static struct mm_struct memories[3];
static struct task_struct parent, child, thread;

static struct task_struct make_task(__u32 tgid, __u32 tid, struct mm_struct *mm)
{
	return (struct task_struct){
		.tgid = tgid, .pid = tid, .mm = mm, .start_boottime = 1000 + tid
	};
}

static int set_up(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	cfg_command = cfg_pidns_inum = 0;
	forks_lost = command_mm = 0;
	memset(&command_key, 0, sizeof(command_key));
	map = FAKE_MAP(unwind_processes);
	fake_map_resize(map, 4);
	parent = make_task(10, 10, &memories[0]);
	child = make_task(11, 11, &memories[1]);
	thread = make_task(10, 12, &memories[0]);
	parent.group_leader = thread.group_leader = &parent;
	child.group_leader = &child;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fake_maps_release();
	return 0;
}

static struct ft_process_key key_of(__u32 tgid)
{
	return (struct ft_process_key){ .tgid = tgid, .start_ns = 1000 + tgid };
}

static struct ft_process *list_of(__u32 tgid)
{
	struct ft_process_key key = key_of(tgid);

	return bpf_map_lookup_elem(&unwind_processes, &key);
}

static void put_list(__u32 tgid, struct mm_struct *mm)
{
	struct ft_process_key key = key_of(tgid);
	struct ft_process list = {
		.mm = (uintptr_t)mm, .first = 40, .n = 5, .deferred = 33, .list = 6
	};

	assert_int_equal(bpf_map_update_elem(&unwind_processes, &key, &list, BPF_ANY), 0);
}

static void a_child_shares_the_list_of_its_parent(void **state)
{
	struct ft_process *list;

	(void)state;
	put_list(10, &memories[0]);
	assert_int_equal(prog_on_fork(&parent, &child), 0);
	list = list_of(11);
	assert_non_null(list);
	assert_int_equal(list->mm, (uintptr_t)&memories[1]);
	assert_int_equal(list->first, 40);
	assert_int_equal(list->n, 5);
	assert_int_equal(list->list, 6);
	assert_int_equal(list->deferred, 0); /* it may ask for itself */
	assert_int_equal(list_of(10)->deferred, 33);
	assert_int_equal(forks_lost, 0);
}

/* Whichever thread of the parent it was. */
static void a_fork_of_a_thread_shares_the_list_of_the_process(void **state)
{
	(void)state;
	put_list(10, &memories[0]);
	assert_int_equal(prog_on_fork(&thread, &child), 0);
	assert_non_null(list_of(11));
}

static void new_threads_have_no_list_of_their_own(void **state)
{
	(void)state;
	put_list(10, &memories[0]);
	assert_int_equal(prog_on_fork(&parent, &thread), 0);
	assert_int_equal(map->n, 1);
	assert_int_equal(list_of(10)->deferred, 33);
}

static void a_parent_without_a_list_has_none_to_share(void **state)
{
	(void)state;
	assert_int_equal(prog_on_fork(&parent, &child), 0);
	put_list(10, &memories[2]); /* of before an exec */
	assert_int_equal(prog_on_fork(&parent, &child), 0);
	assert_int_equal(map->n, 1);
	assert_null(list_of(11));
}

static void forks_that_find_no_room_are_counted(void **state)
{
	(void)state;
	put_list(10, &memories[0]);
	put_list(20, &memories[2]);
	put_list(21, &memories[2]);
	put_list(22, &memories[2]);
	assert_int_equal(prog_on_fork(&parent, &child), 0);
	assert_int_equal(forks_lost, 1);
	assert_null(list_of(11));
}

static void an_exec_drops_the_list(void **state)
{
	(void)state;
	put_list(10, &memories[0]);
	put_list(11, &memories[1]);
	assert_int_equal(prog_on_exec(&parent), 0);
	assert_null(list_of(10));
	assert_non_null(list_of(11));
	assert_int_equal(command_mm, 0); /* nobody waits for it */
}

static void the_command_is_noted_when_it_executes(void **state)
{
	(void)state;
	cfg_command = 11;
	assert_int_equal(prog_on_exec(&parent), 0);
	assert_int_equal(command_mm, 0);
	assert_int_equal(prog_on_exec(&child), 0);
	assert_int_equal(command_mm, (uintptr_t)&memories[1]);
	assert_int_equal(command_key.tgid, 11);
	assert_int_equal(command_key.start_ns, 1011);
}

/* The command's number is that of our PID namespace, the key's the initial one's. */
static void the_command_is_known_by_its_number_here(void **state)
{
	struct pid_namespace initial = { .ns.inum = 1 }, ours = { .ns.inum = 2 };
	struct pid pid = { .level = 1, .numbers = { { 11, &initial }, { 5, &ours } } };

	(void)state;
	child.thread_pid = &pid;
	cfg_pidns_inum = 2;
	cfg_command = 11;
	assert_int_equal(prog_on_exec(&child), 0);
	assert_int_equal(command_mm, 0);
	cfg_command = 5;
	assert_int_equal(prog_on_exec(&child), 0);
	assert_int_equal(command_mm, (uintptr_t)&memories[1]);
	assert_int_equal(command_key.tgid, 11);
}

static void the_end_of_a_process_drops_the_list_and_that_of_a_thread_does_not(void **state)
{
	(void)state;
	put_list(10, &memories[0]);
	assert_int_equal(prog_on_free(&thread), 0);
	assert_non_null(list_of(10));
	assert_int_equal(prog_on_free(&child), 0);
	assert_non_null(list_of(10));
	assert_int_equal(prog_on_free(&parent), 0);
	assert_null(list_of(10));
}

/* It is freed later than its PID. */
static void the_end_of_one_is_not_that_of_another_with_its_pid(void **state)
{
	(void)state;
	put_list(10, &memories[0]);
	parent.start_boottime = 999;
	assert_int_equal(prog_on_free(&parent), 0);
	assert_non_null(list_of(10));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_child_shares_the_list_of_its_parent),
		TEST(a_fork_of_a_thread_shares_the_list_of_the_process),
		TEST(new_threads_have_no_list_of_their_own),
		TEST(a_parent_without_a_list_has_none_to_share),
		TEST(forks_that_find_no_room_are_counted),
		TEST(an_exec_drops_the_list),
		TEST(the_command_is_noted_when_it_executes),
		TEST(the_command_is_known_by_its_number_here),
		TEST(the_end_of_a_process_drops_the_list_and_that_of_a_thread_does_not),
		TEST(the_end_of_one_is_not_that_of_another_with_its_pid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
