/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "user/collect/capture.h"

static struct capture capture;

static int set_up(void **state)
{
	(void)state;
	capture_init(&capture, 2);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	capture_release(&capture);
	return 0;
}

/* Frames from innermost to outermost, up to the first 0. */
static uint32_t add(const uint64_t *pcs)
{
	struct ft_stack stack = { 0 };
	uint32_t node = 12345;

	while (pcs[stack.n])
		stack.n++;
	memcpy(stack.pcs, pcs, stack.n * sizeof(*pcs));
	assert_int_equal(capture_add_stack(&capture, &stack, &node), 0);
	return node;
}
#define VALUES(n) ((const uint64_t[]){ n, 10 * (n) })
#define ADD(...)  add((const uint64_t[]){ __VA_ARGS__, 0 })

static void a_stack_is_a_path_to_its_outermost_frame(void **state)
{
	uint32_t at = ADD(3, 2, 1);
	const struct capture_node *node = capture_node_at(&capture, at);

	(void)state;
	assert_int_equal(node->pc, 3);
	assert_int_equal(node->depth, 3);
	node = capture_node_at(&capture, node->caller);
	assert_int_equal(node->pc, 2);
	node = capture_node_at(&capture, node->caller);
	assert_int_equal(node->pc, 1);
	assert_int_equal(node->depth, 1);
	assert_int_equal(node->caller, CAPTURE_NO_STACK);
}

static void stacks_share_their_callers(void **state)
{
	uint32_t a = ADD(3, 2, 1), b = ADD(4, 2, 1), again = ADD(3, 2, 1), other = ADD(3, 2, 9);

	(void)state;
	assert_int_equal(a, again);
	assert_int_not_equal(a, b);
	assert_int_not_equal(a, other);
	assert_int_equal(capture_node_at(&capture, a)->caller,
			 capture_node_at(&capture, b)->caller);
	assert_int_equal(capture.nodes.n, 3 + 1 + 3);
}

static void recursion_is_a_frame_each_time(void **state)
{
	uint32_t at = ADD(5, 5, 5);

	(void)state;
	assert_int_equal(capture_node_at(&capture, at)->depth, 3);
	assert_int_equal(capture.nodes.n, 3);
}

static void no_frames_are_no_stack(void **state)
{
	struct ft_stack stack = { .n = 0, .pcs = { 1, 2, 3 } };
	uint32_t node = 1;

	(void)state;
	assert_int_equal(capture_add_stack(&capture, &stack, &node), 0);
	assert_int_equal(node, CAPTURE_NO_STACK);
	assert_int_equal(capture.nodes.n, 0);
}

static void more_frames_than_there_can_be_are_cut(void **state)
{
	struct ft_stack stack = { .n = UINT32_MAX };
	uint32_t node, i;

	(void)state;
	for (i = 0; i < FT_MAX_FRAMES; i++)
		stack.pcs[i] = i + 1;
	assert_int_equal(capture_add_stack(&capture, &stack, &node), 0);
	assert_int_equal(capture_node_at(&capture, node)->depth, FT_MAX_FRAMES);
}

static void equal_samples_add_up_and_keep_their_first_time(void **state)
{
	struct capture_sample sample = { .tgid = 7, .tid = 8, .user = 1, .comm = "a" };

	(void)state;
	assert_int_equal(capture_add(&capture, &sample, VALUES(3), 100), 0);
	assert_int_equal(capture_add(&capture, &sample, VALUES(4), 200), 0);
	assert_int_equal(capture.samples.n, 1);
	assert_int_equal(capture.values[0], 7);
	assert_int_equal(capture.values[1], 70);
	assert_int_equal(capture.first_ns[0], 100);
	assert_int_equal(capture.total, 7);
}

static void samples_that_differ_anywhere_stay_apart(void **state)
{
	static const struct capture_sample sample = { .tgid = 7, .tid = 8 };
	struct capture_sample others[] = { sample, sample, sample, sample, sample, sample,
					   sample, sample, sample, sample, sample };
	uint32_t i, n = sizeof(others) / sizeof(others[0]);

	(void)state;
	others[1].start_ns++;
	others[2].cgroup_id++;
	others[3].exec_id++;
	others[4].tid++;
	others[5].user++;
	others[6].kernel++;
	others[7].end++;
	others[8].comm[0] = 'x';
	others[9].process_comm[FT_COMM_LEN - 1] = 'x';
	others[10].slot++;
	for (i = 0; i < n; i++)
		assert_int_equal(capture_add(&capture, &others[i], VALUES(i + 1), 5), 0);
	assert_int_equal(capture.samples.n, n);
	for (i = 0; i < n; i++) {
		assert_memory_equal(capture_sample_at(&capture, i), &others[i], sizeof(others[i]));
		assert_int_equal(capture_values_at(&capture, i)[0], i + 1);
	}
	assert_int_equal(capture.total, n * (n + 1) / 2);
}

/* Beyond the bound events lose their time, and nothing else. */
static void only_so_many_samples_are_told_apart_by_time(void **state)
{
	struct capture_sample sample = { .tgid = 7, .slot = 1 };

	(void)state;
	capture.slot_ns = 1000;
	capture.max_timed = 2;
	assert_int_equal(capture_add(&capture, &sample, VALUES(1), 100), 0);
	sample.slot = 2;
	assert_int_equal(capture_add(&capture, &sample, VALUES(2), 200), 0);
	for (sample.slot = 3; sample.slot < 6; sample.slot++) {
		assert_int_equal(capture_add(&capture, &sample, VALUES(4), 300), 0);
		assert_int_equal(capture_find(&capture, &sample), 2);
	}
	sample.slot = 1; /* there is room for what is there */
	assert_int_equal(capture_add(&capture, &sample, VALUES(5), 400), 0);
	assert_int_equal(capture_find(&capture, &sample), 0);
	sample.tgid = 8;
	assert_int_equal(capture_find(&capture, &sample), KEYSET_NONE);
	assert_int_equal(capture.samples.n, 3);
	assert_int_equal(capture_sample_at(&capture, 2)->slot, CAPTURE_NO_SLOT);
	assert_int_equal(capture_values_at(&capture, 0)[0], 6);
	assert_int_equal(capture_values_at(&capture, 2)[0], 12);
	assert_int_equal(capture.untimed, 12);
	assert_int_equal(capture.total, 20);
}

static void many_stacks_and_samples_are_all_found_again(void **state)
{
	uint32_t i, n = 20000;

	(void)state;
	for (i = 0; i < n; i++) {
		struct capture_sample sample = { .tid = i, .kernel = CAPTURE_NO_STACK };

		sample.user = ADD(i + 10, i % 100 + 1, 1);
		assert_int_equal(capture_add(&capture, &sample, VALUES(1), i), 0);
	}
	for (i = 0; i < n; i++) {
		const struct capture_sample *sample = capture_sample_at(&capture, i);

		assert_int_equal(sample->tid, i);
		assert_int_equal(capture_node_at(&capture, sample->user)->pc, i + 10);
		assert_int_equal(capture.first_ns[i], i);
	}
	assert_int_equal(capture.nodes.n, n + 100 + 1);
}

static void a_released_capture_is_empty_and_can_be_used_again(void **state)
{
	struct capture_sample sample = { .tgid = 7 };

	(void)state;
	ADD(3, 2, 1);
	assert_int_equal(capture_add(&capture, &sample, VALUES(1), 1), 0);
	capture_release(&capture);
	assert_int_equal(capture.total, 0);
	assert_int_equal(capture.nodes.n, 0);
	ADD(3, 2, 1);
	assert_int_equal(capture.nodes.n, 3);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_stack_is_a_path_to_its_outermost_frame),
		TEST(stacks_share_their_callers),
		TEST(recursion_is_a_frame_each_time),
		TEST(no_frames_are_no_stack),
		TEST(more_frames_than_there_can_be_are_cut),
		TEST(equal_samples_add_up_and_keep_their_first_time),
		TEST(samples_that_differ_anywhere_stay_apart),
		TEST(only_so_many_samples_are_told_apart_by_time),
		TEST(many_stacks_and_samples_are_all_found_again),
		TEST(a_released_capture_is_empty_and_can_be_used_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
