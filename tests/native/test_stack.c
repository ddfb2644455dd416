/* SPDX-License-Identifier: BSD-2-Clause */
/* The stack table of bpf/stack.bpf.h on fake maps. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "bpf/stack.bpf.h"
#include "tests/native/random.h"

#define TABLE_ENTRIES 8

static struct fake_map *table;

static int set_up(void **state)
{
	(void)state;
	table = FAKE_MAP(stacks_0);
	fake_map_resize(table, TABLE_ENTRIES);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fake_maps_release();
	return 0;
}

/* 'n' frames that begin with 'pc'; what lies behind them is left over from before. */
static struct stack_buffer make_stack(__u32 n, __u64 pc)
{
	struct stack_buffer buffer;
	__u32 i;

	memset(&buffer, 0xaa, sizeof(buffer));
	buffer.stack.n = n;
	buffer.stack.end = FT_END_ROOT;
	for (i = 0; i < n; i++)
		buffer.stack.pcs[i] = pc + i * 16;
	return buffer;
}

static __u32 keep(struct stack_buffer *buffer)
{
	__u64 hash = stack_hash(buffer);

	return stack_keep(&stacks_0, buffer, hash);
}

static void put_under(__u64 hash, const struct stack_buffer *buffer)
{
	assert_int_equal(bpf_map_update_elem(&stacks_0, &hash, &buffer->stack, BPF_ANY), 0);
}

static void the_same_stack_twice_is_one_entry(void **state)
{
	struct stack_buffer a = make_stack(5, 0x1000), again = make_stack(5, 0x1000);

	(void)state;
	again.stack.pcs[5] = 42; /* not a frame of it */
	again.stack.pcs[100] = 42;
	assert_int_equal(keep(&a), 0);
	assert_int_equal(keep(&again), 0);
	assert_int_equal(stack_hash(&a), stack_hash(&again));
	assert_int_equal(table->n, 1);
}

/* Whatever the number of frames in the last block is. */
static void only_frames_of_the_stack_count(void **state)
{
	__u32 n;

	(void)state;
	fake_map_resize(table, FT_MAX_FRAMES);
	for (n = 1; n <= FT_MAX_FRAMES; n++) {
		struct stack_buffer a = make_stack(n, 0x1000), b = a, c = a;

		memset(&b.stack.pcs[n], 0x55,
		       sizeof(b) - offsetof(struct ft_stack, pcs) - n * sizeof(__u64));
		c.stack.pcs[n - 1]++;
		assert_int_equal(keep(&a), 0);
		assert_int_equal(keep(&b), 0);
		assert_int_equal(table->n, n);
		assert_int_not_equal(stack_hash(&c), stack_hash(&a));
		assert_int_equal(stack_keep(&stacks_0, &c, stack_hash(&a)),
				 FT_LOST_STACK_COLLISION);
	}
}

static void a_stack_without_frames_has_no_hash(void **state)
{
	struct stack_buffer none = make_stack(0, 0);

	(void)state;
	assert_int_equal(stack_hash(&none), 0);
}

static void stacks_that_differ_anywhere_are_entries_of_their_own(void **state)
{
	struct stack_buffer stacks[5];
	__u64 hashes[5];
	int i, j;

	(void)state;
	for (i = 0; i < 5; i++)
		stacks[i] = make_stack(FT_MAX_FRAMES, 0x1000);
	stacks[1].stack.pcs[0]++;
	stacks[2].stack.pcs[FT_MAX_FRAMES - 1]++;
	stacks[3].stack.n--;
	stacks[4].stack.end = FT_END_DEPTH;
	for (i = 0; i < 5; i++) {
		hashes[i] = stack_hash(&stacks[i]);
		assert_int_equal(stack_keep(&stacks_0, &stacks[i], hashes[i]), 0);
	}
	assert_int_equal(table->n, 5);
	for (i = 0; i < 5; i++) {
		struct ft_stack *have = bpf_map_lookup_elem(&stacks_0, &hashes[i]);

		assert_non_null(have);
		assert_memory_equal(have, &stacks[i].stack, sizeof(*have));
		for (j = 0; j < i; j++)
			assert_int_not_equal(hashes[i], hashes[j]);
	}
}

static void a_full_table_loses_new_stacks_and_keeps_old_ones(void **state)
{
	struct stack_buffer stack;
	__u32 i;

	(void)state;
	for (i = 0; i < TABLE_ENTRIES; i++) {
		stack = make_stack(3, 0x1000 * i);
		assert_int_equal(keep(&stack), 0);
	}
	stack = make_stack(3, 0x100000);
	assert_int_equal(keep(&stack), FT_LOST_STACKS_FULL);
	stack = make_stack(3, 0x1000);
	assert_int_equal(keep(&stack), 0);
}

/* Only a comparison of all there is tells these from the one that is asked for. */
static void what_lies_under_the_hash_must_be_equal_in_all(void **state)
{
	struct stack_buffer mine = make_stack(4, 0x1000), others[4];
	__u64 taken = stack_hash(&mine); /* fills it up, too */
	int i;

	(void)state;
	for (i = 0; i < 4; i++)
		others[i] = mine;
	others[0].stack.n = 3;
	others[1].stack.n = 5;
	others[2].stack.end = FT_END_DEPTH;
	others[3].stack.pcs[3]++;
	for (i = 0; i < 4; i++) {
		put_under(taken, &others[i]);
		assert_int_equal(keep(&mine), FT_LOST_STACK_COLLISION);
		assert_memory_equal(bpf_map_lookup_elem(&stacks_0, &taken), &others[i].stack,
				    sizeof(struct ft_stack));
	}
	put_under(taken, &mine);
	assert_int_equal(keep(&mine), 0);
}

static long busy(struct fake_map *map, const void *key)
{
	(void)map;
	(void)key;
	return -EBUSY;
}

static void a_locked_bucket_is_a_loss_of_its_own(void **state)
{
	struct stack_buffer stack = make_stack(4, 0x1000);

	(void)state;
	fake_on_update = busy;
	assert_int_equal(keep(&stack), FT_LOST_MAP_BUSY);
}

/* Another CPU puts 'rival' under the key between lookup and update; nothing if it is NULL. */
static const struct stack_buffer *rival;

static long overtake(struct fake_map *map, const void *key)
{
	(void)map;
	fake_on_update = NULL;
	if (rival)
		put_under(*(const __u64 *)key, rival);
	return -EEXIST;
}

static void another_cpu_may_add_the_same_stack_meanwhile(void **state)
{
	struct stack_buffer stack = make_stack(4, 0x1000);

	(void)state;
	rival = &stack;
	fake_on_update = overtake;
	assert_int_equal(keep(&stack), 0);
	assert_int_equal(table->n, 1);
}

static void another_cpu_may_take_the_hash_meanwhile(void **state)
{
	struct stack_buffer stack = make_stack(4, 0x1000), other = make_stack(4, 0x2000);

	(void)state;
	rival = &other;
	fake_on_update = overtake;
	assert_int_equal(keep(&stack), FT_LOST_STACK_COLLISION);
}

static void an_entry_that_came_and_went_is_counted_as_busy(void **state)
{
	struct stack_buffer stack = make_stack(4, 0x1000);

	(void)state;
	rival = NULL;
	fake_on_update = overtake;
	assert_int_equal(keep(&stack), FT_LOST_MAP_BUSY);
}

static void hashes_are_never_zero_and_rarely_meet(void **state)
{
	static __u64 seen[4096];
	__u32 i, j, n;

	(void)state;
	for (i = 0; i < 4096; i++) {
		struct stack_buffer buffer = { .stack = { .n = 1 + random_below(FT_MAX_FRAMES),
							  .end = i % FT_ENDS } };

		for (n = 0; n < buffer.stack.n; n++)
			buffer.stack.pcs[n] = 0x400000 + random_below(64) * 8;
		buffer.stack.pcs[0] = i; /* so that all differ */
		seen[i] = stack_hash(&buffer);
		assert_int_not_equal(seen[i], 0);
		for (j = 0; j < i; j++)
			assert_int_not_equal(seen[i], seen[j]);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_same_stack_twice_is_one_entry),
		TEST(only_frames_of_the_stack_count),
		TEST(a_stack_without_frames_has_no_hash),
		TEST(stacks_that_differ_anywhere_are_entries_of_their_own),
		TEST(a_full_table_loses_new_stacks_and_keeps_old_ones),
		TEST(what_lies_under_the_hash_must_be_equal_in_all),
		TEST(a_locked_bucket_is_a_loss_of_its_own),
		TEST(another_cpu_may_add_the_same_stack_meanwhile),
		TEST(another_cpu_may_take_the_hash_meanwhile),
		TEST(an_entry_that_came_and_went_is_counted_as_busy),
		TEST(hashes_are_never_zero_and_rarely_meet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
