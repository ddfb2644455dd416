/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Moments of real programs (tests/data/unwind/), which the walk unwinds as libdw has done. They
 * were taken by walk_compare -w.
 */
#define __TARGET_ARCH_x86
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <glob.h>

#include "bpf/ustack.bpf.h"
#include "tests/native/dump_file.h"
#include "tests/native/fake/fake_map.h"
#include "tests/native/random.h"

#define DUMPS	      "tests/data/unwind/*.dump"
#define LEAST_DUMPS   18
#define PROCESS_START 1000

static struct mm_struct memory;
static struct task_struct task;

static int set_up(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	task = (struct task_struct){ .pid = 7,
				     .tgid = 7,
				     .mm = &memory,
				     .start_boottime = PROCESS_START,
				     .group_leader = &task };
	fake.current = &task;
	fake.read_user = dump_read_user;
	fake_map_resize(FAKE_MAP(unwind_chunks), 1);
	fake_map_resize(FAKE_MAP(unwind_pages), DUMP_PAGES);
	fake_map_resize(FAKE_MAP(unwind_rules), DUMP_RULES);
	fake_map_resize(FAKE_MAP(unwind_mappings), DUMP_MAPPINGS);
	fake_map_resize(FAKE_MAP(unwind_processes), 4);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	dump_release();
	fake_maps_release();
	return 0;
}

static void empty_tables(void)
{
	tear_down(NULL);
	set_up(NULL);
}

static void walk(struct ft_stack *out)
{
	struct ft_process_key key = { .start_ns = PROCESS_START, .tgid = 7 };
	struct ft_process process = { .mm = (uintptr_t)&memory, .n = dump.n_mappings };
	struct unwind_job job;
	__u32 calls = 0;

	memset(&job, 0xaa, sizeof(job));
	memset(out, 0xaa, sizeof(*out));
	memset(&job.regs, 0, sizeof(job.regs));
	job.regs.entry.pc = dump.pc;
	memcpy(job.regs.entry.regs, dump.regs, sizeof(dump.regs));
	job.regs.is_user = 1;
	bpf_map_update_elem(&unwind_processes, &key, &process, BPF_ANY);
	if (!user_stack_begin(&task, &job, out))
		return;
	while (user_stack_go_on(&job, out) && ++calls < UNWIND_CALLS)
		;
}

static void assert_as_libdw(const char *path)
{
	struct ft_stack stack;
	__u32 i;

	walk(&stack);
	for (i = 0; i < stack.n && i < dump.n_frames; i++) {
		if (stack.pcs[i] != dump.frames[i])
			fail_msg("%s (%s): frame %u is %llx and not %llx", path, dump.what, i,
				 stack.pcs[i], dump.frames[i]);
	}
	if (stack.n != dump.n_frames)
		fail_msg("%s (%s): %u frames and not %u, ended by %u", path, dump.what, stack.n,
			 dump.n_frames, stack.end);
	/* Go's stacks begin with a null pointer: names tell later that this is a root. */
	if (stack.end != FT_END_ROOT && stack.end != FT_END_NULL)
		fail_msg("%s (%s): ended by %u", path, dump.what, stack.end);
}

/* Calls 'fn' for each dump of this architecture, loaded; says how many there were. */
static size_t for_each_dump(void (*fn)(const char *path))
{
	glob_t found;
	size_t i, n = 0;

	assert_int_equal(glob(DUMPS, 0, NULL, &found), 0);
	for (i = 0; i < found.gl_pathc; i++) {
		empty_tables();
		dump_load(found.gl_pathv[i]);
		if (dump.is_arm64)
			continue;
		fn(found.gl_pathv[i]);
		n++;
	}
	globfree(&found);
	return n;
}

static void real_stacks_are_those_that_libdw_finds(void **state)
{
	(void)state;
	assert_true(for_each_dump(assert_as_libdw) >= LEAST_DUMPS);
}

static void without_memory_it_ends_at_once(const char *path)
{
	struct ft_stack stack;

	fake.read_user = NULL;
	walk(&stack);
	if (stack.n > 1 || stack.end == FT_END_ROOT)
		fail_msg("%s: %u frames from a stack that cannot be read", path, stack.n);
}

static void a_stack_that_cannot_be_read_has_one_frame(void **state)
{
	(void)state;
	for_each_dump(without_memory_it_ends_at_once);
}

static void without_tables_it_says_so(const char *path)
{
	struct ft_stack stack;
	__u32 i;

	for (i = 0; i < dump.n_mappings; i++)
		((struct ft_unwind_mapping *)dump_element(&unwind_mappings, i))->kind =
			FT_MAPPING_PENDING;
	walk(&stack);
	if (stack.n != 1 || stack.end != FT_END_NO_TABLE)
		fail_msg("%s: %u frames, ended by %u", path, stack.n, stack.end);
}

static void tables_that_are_not_there_yet_are_a_cause_of_their_own(void **state)
{
	(void)state;
	for_each_dump(without_tables_it_says_so);
}

/* What a program has on its stack is anybody's: any walk of it comes to an end. */
static void with_other_stacks_it_ends(const char *path)
{
	struct ft_stack stack;
	__u32 i, round;

	for (round = 0; round < 200; round++) {
		for (i = 0; i < dump.n_pieces; i++) {
			struct dump_piece *p = &dump.pieces[i];

			if (p->size)
				p->bytes[random_below(p->size)] = random_below(256);
		}
		dump.regs[random_below(FT_REGS)] ^= 1ull << random_below(64);
		walk(&stack);
		if (!stack.n || stack.n > FT_MAX_FRAMES || stack.end > FT_END_NULL)
			fail_msg("%s: %u frames, ended by %u", path, stack.n, stack.end);
	}
}

static void broken_stacks_end_like_others(void **state)
{
	(void)state;
	for_each_dump(with_other_stacks_it_ends);
}

#define UNWIND_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNWIND_TEST(real_stacks_are_those_that_libdw_finds),
		UNWIND_TEST(a_stack_that_cannot_be_read_has_one_frame),
		UNWIND_TEST(tables_that_are_not_there_yet_are_a_cause_of_their_own),
		UNWIND_TEST(broken_stacks_end_like_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
