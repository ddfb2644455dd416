/* SPDX-License-Identifier: BSD-2-Clause */
/* By how much resident memory changes, read from counters that are kept in parts. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "tests/native/random.h"

/* Here a map is small, and its head is never looked into: run_on() has the offset. */
#pragma GCC diagnostic ignored "-Warray-bounds"
#pragma GCC diagnostic ignored "-Wstringop-overread"
#include "bpf/rss.bpf.h"

#define BATCH  32 /* percpu_counter_batch on a small machine */
#define OFFSET 64 /* of a CPU's part; they lie in a row */
#define ANON   1

static __s32 parts[FT_RSS_MEMBERS][FAKE_CPUS];
static struct mm_struct___counters counters;
static struct task_struct task;

static void run_on(unsigned int cpu)
{
	__u32 zero = 0;
	struct rss_cpu *own;

	fake_cpu = cpu;
	own = bpf_map_lookup_elem(&rss_cpus, &zero);
	own->offset = OFFSET + cpu * sizeof(__s32); /* as it was found out */
}

static void begin_process(void)
{
	int i;

	memset(parts, 0, sizeof(parts));
	for (i = 0; i < FT_RSS_MEMBERS; i++) {
		counters.rss_stat[i].count = 0;
		counters.rss_stat[i].counters = (void *)((uintptr_t)parts[i] - OFFSET);
	}
	task = (struct task_struct){
		.pid = 7,
		.tgid = 7,
		.start_boottime = 2000,
		.group_leader = &task,
		.mm = (void *)&counters,
	};
	fake.current = &task;
}

static int set_up(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	memset(&notes, 0, sizeof(notes));
	began_boot_ns = 1000;
	FAKE_MAP(rss_processes);
	FAKE_MAP(rss_slots);
	FAKE_MAP(rss_cpus);
	begin_process();
	run_on(0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fake_maps_release();
	return 0;
}

/* percpu_counter_add_batch() of lib/percpu_counter.c. */
static void kernel_adds(__u32 member, __s64 pages)
{
	__s32 *part = &parts[member][fake_cpu];

	if (llabs(*part + pages) >= BATCH) {
		counters.rss_stat[member].count += *part + pages;
		*part = 0;
	} else {
		*part += pages;
	}
}

static __s64 seen_after(__u32 member, __s64 pages)
{
	kernel_adds(member, pages);
	return rss_change(&task, (void *)&counters, member);
}

static void each_change_of_a_young_process_is_known(void **state)
{
	static const __u32 members[] = { 0, ANON, 3 };
	__u32 i;

	(void)state;
	for (i = 0; i < 100000; i++) {
		__s64 pages = random_below(20) ? 1 : (__s64)random_below(1200) - 200;

		run_on(random_below(FAKE_CPUS));
		assert_int_equal(seen_after(members[random_below(3)], pages), pages);
	}
	assert_int_equal(notes.first_seen, 0);
}

static void a_huge_page_is_512(void **state)
{
	(void)state;
	assert_int_equal(seen_after(ANON, 1), 1);
	assert_int_equal(seen_after(ANON, 512), 512);
	assert_int_equal(seen_after(ANON, -512), -512);
}

/* What an older process has had is not its growth. */
static void the_first_change_of_an_older_process_is_one_page(void **state)
{
	(void)state;
	task.start_boottime = 500;
	kernel_adds(ANON, 1000);
	kernel_adds(ANON, 7);
	assert_int_equal(seen_after(ANON, 3), 1);
	assert_int_equal(seen_after(ANON, 3), 3);
	run_on(1);
	assert_int_equal(seen_after(ANON, 2), 1); /* on each CPU */
	assert_int_equal(seen_after(ANON, 2), 2);
	assert_int_equal(notes.first_seen, 2);
}

/* A child has its parent's pages when it begins. */
static void a_child_that_has_not_execed_is_like_an_older_one(void **state)
{
	(void)state;
	task.flags = RSS_PF_FORKNOEXEC;
	kernel_adds(ANON, 20);
	assert_int_equal(seen_after(ANON, 1), 1);
	assert_int_equal(notes.first_seen, 1);
	assert_int_equal(seen_after(ANON, 1), 1);
	assert_int_equal(notes.first_seen, 1);
}

static void another_program_or_process_begins_anew(void **state)
{
	(void)state;
	assert_int_equal(seen_after(ANON, 10), 10);
	task.self_exec_id++;
	memset(parts, 0, sizeof(parts));
	assert_int_equal(seen_after(ANON, 5), 5);
	task.tgid = 8;
	memset(parts, 0, sizeof(parts));
	assert_int_equal(seen_after(ANON, 4), 4);
}

/* Two processes take turns in one slot: what a CPU's part was then is not known any more. */
static void a_slot_that_was_lost_is_no_growth(void **state)
{
	__s64 seen = 0;
	int i;

	(void)state;
	for (i = 0; i < 20; i++) {
		task.tgid = 7 + i % 2;
		seen += seen_after(ANON, 1);
	}
	assert_true(seen <= 21); /* the second one began with what the first had */
	assert_true(notes.first_seen >= 17);
}

static void where_the_tracepoint_tells_it_is_a_difference(void **state)
{
	(void)state;
	assert_int_equal(rss_change_to(&task, 1234, ANON, 64), 64);
	assert_int_equal(rss_change_to(&task, 1234, ANON, 100), 36);
	assert_int_equal(rss_change_to(&task, 1234, ANON, 90), -10);
	assert_int_equal(rss_change_to(&task, 1234, 0, 5), 5);
	task.start_boottime = 500;
	task.tgid = 8;
	assert_int_equal(rss_change_to(&task, 1234, ANON, 5000), 1);
	assert_int_equal(rss_change_to(&task, 1234, ANON, 5064), 64);
	assert_int_equal(notes.first_seen, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(each_change_of_a_young_process_is_known),
		TEST(a_huge_page_is_512),
		TEST(the_first_change_of_an_older_process_is_one_page),
		TEST(a_child_that_has_not_execed_is_like_an_older_one),
		TEST(another_program_or_process_begins_anew),
		TEST(a_slot_that_was_lost_is_no_growth),
		TEST(where_the_tracepoint_tells_it_is_a_difference),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
