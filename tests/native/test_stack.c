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
static struct ft_stack make_stack(__u32 n, __u64 pc)
{
	struct ft_stack stack = { .n = n, .end = FT_END_ROOT };
	__u32 i;

	memset(stack.pcs, 0xaa, sizeof(stack.pcs));
	for (i = 0; i < n; i++)
		stack.pcs[i] = pc + i * 16;
	return stack;
}

static void put_under(__u64 hash, const struct ft_stack *stack)
{
	assert_int_equal(bpf_map_update_elem(&stacks_0, &hash, stack, BPF_ANY), 0);
}

static void the_same_stack_twice_is_one_entry(void **state)
{
	struct ft_stack a = make_stack(5, 0x1000), again = make_stack(5, 0x1000);
	__u64 first = 0, second = 0;

	(void)state;
	again.pcs[5] = 42; /* not a frame of it */
	assert_int_equal(stack_keep(&stacks_0, &a, &first), 0);
	assert_int_equal(stack_keep(&stacks_0, &again, &second), 0);
	assert_int_not_equal(first, 0);
	assert_int_equal(first, second);
	assert_int_equal(table->n, 1);
}

static void stacks_that_differ_anywhere_are_entries_of_their_own(void **state)
{
	struct ft_stack stacks[5];
	__u64 hashes[5];
	int i, j;

	(void)state;
	for (i = 0; i < 5; i++)
		stacks[i] = make_stack(FT_MAX_FRAMES, 0x1000);
	stacks[1].pcs[0]++;
	stacks[2].pcs[FT_MAX_FRAMES - 1]++;
	stacks[3].n--;
	stacks[4].end = FT_END_DEPTH;
	for (i = 0; i < 5; i++)
		assert_int_equal(stack_keep(&stacks_0, &stacks[i], &hashes[i]), 0);
	assert_int_equal(table->n, 5);
	for (i = 0; i < 5; i++) {
		struct ft_stack *have = bpf_map_lookup_elem(&stacks_0, &hashes[i]);

		assert_non_null(have);
		assert_memory_equal(have, &stacks[i], sizeof(*have));
		for (j = 0; j < i; j++)
			assert_int_not_equal(hashes[i], hashes[j]);
	}
}

static void a_full_table_loses_new_stacks_and_keeps_old_ones(void **state)
{
	struct ft_stack stack;
	__u64 hash = 77;
	__u32 i;

	(void)state;
	for (i = 0; i < TABLE_ENTRIES; i++) {
		stack = make_stack(3, 0x1000 * i);
		assert_int_equal(stack_keep(&stacks_0, &stack, &hash), 0);
	}
	hash = 77;
	stack = make_stack(3, 0x100000);
	assert_int_equal(stack_keep(&stacks_0, &stack, &hash), FT_LOST_STACKS_FULL);
	assert_int_equal(hash, 77);
	stack = make_stack(3, 0x1000);
	assert_int_equal(stack_keep(&stacks_0, &stack, &hash), 0);
	assert_int_not_equal(hash, 77);
}

static void a_second_stack_with_one_hash_goes_under_another(void **state)
{
	struct ft_stack mine = make_stack(4, 0x1000), other = make_stack(4, 0x2000);
	__u64 taken = stack_hash(&mine, 0), hash, again;

	(void)state;
	put_under(taken, &other);
	assert_int_equal(stack_keep(&stacks_0, &mine, &hash), 0);
	assert_int_not_equal(hash, taken);
	assert_int_equal(hash, stack_hash(&mine, taken));
	assert_memory_equal(bpf_map_lookup_elem(&stacks_0, &taken), &other, sizeof(other));
	assert_memory_equal(bpf_map_lookup_elem(&stacks_0, &hash), &mine, sizeof(mine));
	assert_int_equal(stack_keep(&stacks_0, &mine, &again), 0);
	assert_int_equal(again, hash);
	assert_int_equal(table->n, 2);
}

/* Only a comparison of all there is tells these from the one that is asked for. */
static void what_lies_under_the_hash_must_be_equal_in_all(void **state)
{
	struct ft_stack mine = make_stack(4, 0x1000), others[4] = { mine, mine, mine, mine };
	int i;

	(void)state;
	others[0].n = 3;
	others[1].n = 5;
	others[2].end = FT_END_DEPTH;
	others[3].pcs[3]++;
	for (i = 0; i < 4; i++) {
		__u64 taken = stack_hash(&mine, 0), hash;

		put_under(taken, &others[i]);
		assert_int_equal(stack_keep(&stacks_0, &mine, &hash), 0);
		assert_int_not_equal(hash, taken);
	}
}

static void two_collisions_in_a_row_are_a_loss_of_their_own(void **state)
{
	struct ft_stack mine = make_stack(4, 0x1000), other = make_stack(4, 0x2000);
	__u64 first = stack_hash(&mine, 0), second = stack_hash(&mine, first), hash = 77;

	(void)state;
	put_under(first, &other);
	put_under(second, &other);
	assert_int_equal(stack_keep(&stacks_0, &mine, &hash), FT_LOST_STACK_COLLISION);
	assert_int_equal(hash, 77);
}

static long busy(struct fake_map *map, const void *key)
{
	(void)map;
	(void)key;
	return -EBUSY;
}

static void a_locked_bucket_is_a_loss_of_its_own(void **state)
{
	struct ft_stack stack = make_stack(4, 0x1000);
	__u64 hash;

	(void)state;
	fake_on_update = busy;
	assert_int_equal(stack_keep(&stacks_0, &stack, &hash), FT_LOST_MAP_BUSY);
}

/* Another CPU puts 'rival' under the key between lookup and update; nothing if it is NULL. */
static const struct ft_stack *rival;

static long overtake(struct fake_map *map, const void *key)
{
	(void)map;
	fake_on_update = NULL;
	if (rival)
		assert_int_equal(bpf_map_update_elem(&stacks_0, key, rival, BPF_ANY), 0);
	return -EEXIST;
}

static void another_cpu_may_add_the_same_stack_meanwhile(void **state)
{
	struct ft_stack stack = make_stack(4, 0x1000);
	__u64 hash;

	(void)state;
	rival = &stack;
	fake_on_update = overtake;
	assert_int_equal(stack_keep(&stacks_0, &stack, &hash), 0);
	assert_int_equal(hash, stack_hash(&stack, 0));
	assert_int_equal(table->n, 1);
}

static void another_cpu_may_take_the_hash_meanwhile(void **state)
{
	struct ft_stack stack = make_stack(4, 0x1000), other = make_stack(4, 0x2000);
	__u64 hash;

	(void)state;
	rival = &other;
	fake_on_update = overtake;
	assert_int_equal(stack_keep(&stacks_0, &stack, &hash), 0);
	assert_int_equal(hash, stack_hash(&stack, stack_hash(&stack, 0)));
}

static void an_entry_that_came_and_went_is_counted_as_busy(void **state)
{
	struct ft_stack stack = make_stack(4, 0x1000);
	__u64 hash;

	(void)state;
	rival = NULL;
	fake_on_update = overtake;
	assert_int_equal(stack_keep(&stacks_0, &stack, &hash), FT_LOST_MAP_BUSY);
}

static void hashes_are_never_zero_and_rarely_meet(void **state)
{
	static __u64 seen[4096];
	__u32 i, j, n;

	(void)state;
	for (i = 0; i < 4096; i++) {
		struct ft_stack stack = { .n = 1 + random_below(FT_MAX_FRAMES),
					  .end = i % FT_ENDS };

		for (n = 0; n < stack.n; n++)
			stack.pcs[n] = 0x400000 + random_below(64) * 8;
		stack.pcs[0] = i; /* so that all differ */
		seen[i] = stack_hash(&stack, 0);
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
		TEST(stacks_that_differ_anywhere_are_entries_of_their_own),
		TEST(a_full_table_loses_new_stacks_and_keeps_old_ones),
		TEST(a_second_stack_with_one_hash_goes_under_another),
		TEST(what_lies_under_the_hash_must_be_equal_in_all),
		TEST(two_collisions_in_a_row_are_a_loss_of_their_own),
		TEST(a_locked_bucket_is_a_loss_of_its_own),
		TEST(another_cpu_may_add_the_same_stack_meanwhile),
		TEST(another_cpu_may_take_the_hash_meanwhile),
		TEST(an_entry_that_came_and_went_is_counted_as_busy),
		TEST(hashes_are_never_zero_and_rarely_meet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
