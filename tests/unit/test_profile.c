/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/stacks.h"

#include <errno.h>
#include <stdio.h>

#include "user/base/err.h"

static uint32_t string(struct profile *p, const char *text)
{
	uint32_t ret;

	assert_int_equal(profile_add_string(p, text, &ret), 0);
	return ret;
}

static uint32_t text_label(struct profile *p, const char *key, const char *text)
{
	struct profile_label label = { .key = string(p, key), .str = string(p, text) };
	uint32_t ret;

	assert_int_equal(profile_add_labels(p, &label, 1, &ret), 0);
	return ret;
}

static void a_new_profile_is_empty(void **state)
{
	_cleanup_(profile_freep) struct profile *p = profile_new();
	size_t n;

	(void)state;
	assert_non_null(p);
	assert_int_equal(p->samples.n, 0);
	assert_int_equal(p->n_values, 0);
	assert_string_equal(profile_string(p, 0), "");
	profile_labels_at(p, 0, &n);
	assert_int_equal(n, 0);
	profile_free(NULL);
}

static void stacks_share_their_outer_nodes(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("samples", "count");

	(void)state;
	stacks_add(p, NULL, "main;a;b", 1);
	stacks_add(p, NULL, "main;a;c", 1);
	stacks_add(p, NULL, "main;a", 1);
	assert_int_equal(p->nodes.n, 4);
	assert_int_equal(p->frames.n, 4);
	assert_int_equal(p->samples.n, 3);
	stacks_add(p, NULL, "a;main", 1);
	assert_int_equal(p->nodes.n, 6);
	assert_int_equal(p->frames.n, 4);
}

static void equal_samples_are_added_up(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("samples", "count");
	int64_t more[] = { 5, 50 };

	(void)state;
	assert_int_equal(profile_add_value_type(p, "cpu", "nanoseconds"), 0);
	assert_int_equal(profile_add_sample(p, PROFILE_NONE, 0, more), 0);
	assert_int_equal(profile_add_sample(p, PROFILE_NONE, 0, more), 0);
	assert_int_equal(profile_add_sample(p, PROFILE_NONE, text_label(p, "process", "x"), more),
			 0);
	assert_int_equal(p->samples.n, 2);
	assert_int_equal(profile_values_at(p, 0)[0], 10);
	assert_int_equal(profile_values_at(p, 0)[1], 100);
	assert_int_equal(profile_values_at(p, 1)[1], 50);
	assert_int_equal(profile_total(p, 0), 15);
	assert_int_equal(profile_total(p, 1), 150);
}

static void sums_saturate(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("samples", "count");

	(void)state;
	stacks_add(p, NULL, "a", INT64_MAX - 1);
	stacks_add(p, NULL, "a", 5);
	assert_true(profile_values_at(p, 0)[0] == INT64_MAX);
	stacks_add(p, NULL, "b", 5);
	assert_true(profile_total(p, 0) == INT64_MAX);
	stacks_add(p, NULL, "c", INT64_MIN);
	stacks_add(p, NULL, "c", -1);
	assert_true(profile_values_at(p, 2)[0] == INT64_MIN);
}

static void value_types_are_found_by_name(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("samples", "count");
	unsigned int i = 99;

	(void)state;
	assert_int_equal(profile_add_value_type(p, "cpu", "nanoseconds"), 0);
	assert_int_equal(profile_find_value_type(p, "cpu", &i), 0);
	assert_int_equal(i, 1);
	i = 99;
	assert_int_equal(profile_find_value_type(p, "space", &i), -ENOENT);
	assert_int_equal(i, 99);
	assert_string_equal(err_text(),
			    "no value type 'space' in this profile; it has: samples, cpu");
}

static void more_value_types_than_there_is_room_for_are_refused(void **state)
{
	_cleanup_(profile_freep) struct profile *p = profile_new();
	char name[300];
	unsigned int i;

	(void)state;
	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	for (i = 0; i < PROFILE_MAX_VALUES; i++) {
		name[0] = 'a' + i;
		assert_int_equal(profile_add_value_type(p, name, "count"), 0);
	}
	assert_int_equal(profile_add_value_type(p, "one more", "count"), -E2BIG);
	assert_int_equal(p->n_values, PROFILE_MAX_VALUES);
	/* Their names are longer than the sentence that lists them. */
	assert_int_equal(profile_find_value_type(p, "none", &i), -ENOENT);
}

static void label_sets_are_kept_once_in_their_order(void **state)
{
	_cleanup_(profile_freep) struct profile *p = profile_new();
	struct profile_label two[2] = { { .key = string(p, "process"), .str = string(p, "sh") },
					{ .key = string(p, "pid"), .num = 12 } };
	struct profile_label turned[2] = { two[1], two[0] };
	const struct profile_label *found;
	uint32_t a, b, c, i;
	size_t n;

	(void)state;
	assert_int_equal(profile_add_labels(p, two, 2, &a), 0);
	assert_int_equal(profile_add_labels(p, turned, 2, &b), 0);
	assert_int_equal(profile_add_labels(p, two, 2, &c), 0);
	assert_int_equal(a, c);
	assert_int_not_equal(a, b);
	assert_int_not_equal(a, 0);
	found = profile_label(p, a, "pid");
	assert_non_null(found);
	assert_int_equal(found->num, 12);
	assert_null(profile_label(p, a, "tid"));
	assert_null(profile_label(p, 0, "pid"));
	for (i = 0; i < 10000; i++) {
		two[1].num = 1000 + i;
		assert_int_equal(profile_add_labels(p, two, 2, &c), 0);
		assert_int_equal(c, i + 3);
	}
	assert_int_equal(profile_labels_at(p, 5002, &n)[1].num, 5999);
	assert_int_equal(n, 2);
	assert_int_equal(profile_add_labels(p, NULL, 0, &c), 0);
	assert_int_equal(c, 0);
}

static void a_sample_is_found_by_its_node_and_labels(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("samples", "count");

	(void)state;
	stacks_add(p, NULL, "a;b", 1);
	stacks_add(p, "sh", "a;b", 1);
	stacks_add(p, NULL, "a", 1);
	assert_int_equal(profile_find_sample(p, 1, 0), 0);
	assert_int_equal(profile_find_sample(p, 1, profile_sample_at(p, 1)->labels), 1);
	assert_int_equal(profile_find_sample(p, 0, 0), 2);
	assert_int_equal(profile_find_sample(p, 0, 99), PROFILE_NONE);
	assert_int_equal(profile_find_sample(p, PROFILE_NONE, 0), PROFILE_NONE);
}

static void a_module_is_the_last_part_of_a_path(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("samples", "count");

	(void)state;
	stacks_add(p, NULL, "a@/usr/lib/libc.so.6;b@[kernel];c", 1);
	assert_string_equal(profile_frame_module(p, profile_frame_at(p, 0)), "libc.so.6");
	assert_string_equal(profile_frame_module(p, profile_frame_at(p, 1)), "[kernel]");
	assert_string_equal(profile_frame_module(p, profile_frame_at(p, 2)), "");
}

static void comments_are_kept_in_order(void **state)
{
	_cleanup_(profile_freep) struct profile *p = profile_new();

	(void)state;
	assert_int_equal(profile_add_comment(p, "first"), 0);
	assert_int_equal(profile_add_comment(p, "second"), 0);
	assert_int_equal(p->n_comments, 2);
	assert_string_equal(profile_string(p, p->comments[0]), "first");
	assert_string_equal(profile_string(p, p->comments[1]), "second");
}

/* --- merging ------------------------------------------------------------------------------- */

static void merging_adds_what_is_equal_and_keeps_the_rest(void **state)
{
	_cleanup_(profile_freep) struct profile *a = stacks_new("samples", "count");
	_cleanup_(profile_freep) struct profile *b = stacks_new("samples", "count");
	int i;

	(void)state;
	/* The same names have other numbers in the other profile. */
	stacks_add(b, "only b", "zzz@/z.so;yyy", 100);
	stacks_add(b, "sh", "main@/bin/sh;work", 3);
	stacks_add(b, NULL, "", 7);
	stacks_add(a, "sh", "main@/bin/sh;work", 2);
	a->duration_ns = 5;
	b->duration_ns = 6;
	assert_int_equal(profile_merge(a, b), 0);
	assert_int_equal(a->samples.n, 3);
	assert_int_equal(profile_total(a, 0), 112);
	assert_int_equal(a->duration_ns, 11);
	for (i = 0; i < 3; i++) {
		const struct profile_sample *s = profile_sample_at(a, i);
		const struct profile_label *label = profile_label(a, s->labels, LABEL_PROCESS);

		if (s->node == PROFILE_NONE) {
			assert_null(label);
			assert_int_equal(profile_values_at(a, i)[0], 7);
		} else if (!strcmp(profile_string(a, label->str), "sh")) {
			const struct profile_node *leaf = profile_node_at(a, s->node);

			assert_int_equal(profile_values_at(a, i)[0], 5);
			assert_string_equal(
				profile_string(a, profile_frame_at(a, leaf->frame)->function),
				"work");
		} else {
			assert_int_equal(profile_values_at(a, i)[0], 100);
		}
	}
}

static void profiles_of_other_values_are_not_merged(void **state)
{
	_cleanup_(profile_freep) struct profile *a = stacks_new("samples", "count");
	_cleanup_(profile_freep) struct profile *b = stacks_new("samples", "events");
	_cleanup_(profile_freep) struct profile *c = stacks_new("samples", "count");

	(void)state;
	assert_int_equal(profile_add_value_type(c, "cpu", "nanoseconds"), 0);
	stacks_add(b, NULL, "x", 1);
	assert_int_equal(profile_merge(a, b), -EINVAL);
	assert_non_null(strstr(err_text(), "'samples' in count and 'samples' in events"));
	assert_int_equal(profile_merge(a, c), -EINVAL);
	assert_int_equal(a->samples.n, 0);
}

static void merging_into_an_empty_profile_copies(void **state)
{
	_cleanup_(profile_freep) struct profile *a = stacks_new("samples", "count");
	_cleanup_(profile_freep) struct profile *b = stacks_new("samples", "count");
	char stack[64];
	int i;

	(void)state;
	for (i = 0; i < 1000; i++) {
		snprintf(stack, sizeof(stack), "main;f%d;g%d", i % 37, i);
		stacks_add(b, i % 2 ? "odd" : "even", stack, i);
	}
	assert_int_equal(profile_merge(a, b), 0);
	assert_int_equal(a->samples.n, b->samples.n);
	assert_int_equal(a->nodes.n, b->nodes.n);
	assert_int_equal(profile_total(a, 0), profile_total(b, 0));
	assert_int_equal(profile_merge(a, b), 0);
	assert_int_equal(a->samples.n, b->samples.n);
	assert_int_equal(profile_total(a, 0), 2 * profile_total(b, 0));
}

/* One sample in 'libx.so', which is mapped at 'start'. */
static struct profile *sample_at(uint64_t start)
{
	struct profile *p = stacks_new("samples", "count");
	struct profile_mapping m = { start, start + 0x1000, 0x2000, string(p, "/lib/libx.so"),
				     string(p, "abc") };
	struct profile_frame frame = { .address = start + 0x10, .function = string(p, "f") };
	struct profile_label labels[] = {
		{ .key = string(p, LABEL_PROCESS), .str = string(p, "x") },
		{ .key = string(p, LABEL_PID), .num = start },
	};
	uint32_t number, node, set;
	int64_t value = 3;

	assert_int_equal(profile_add_mapping(p, &m, &frame.mapping), 0);
	assert_int_equal(profile_add_frame(p, &frame, &number), 0);
	assert_int_equal(profile_add_node(p, PROFILE_NONE, number, &node), 0);
	assert_int_equal(profile_add_labels(p, labels, 2, &set), 0);
	assert_int_equal(profile_add_sample(p, node, set, &value), 0);
	return p;
}

static void a_file_mapped_elsewhere_is_the_same_code(void **state)
{
	_cleanup_(profile_freep) struct profile *a = sample_at(0x10000);
	_cleanup_(profile_freep) struct profile *b = sample_at(0x50000);

	(void)state;
	assert_int_equal(profile_merge(a, b), 0);
	assert_int_equal(a->mappings.n, 1);
	assert_int_equal(a->frames.n, 1);
	assert_int_equal(profile_frame_at(a, 0)->address, 0x10010);
	assert_int_equal(a->samples.n, 2); /* of two PIDs */
}

static void runs_of_one_program_are_told_apart_by_their_number_alone(void **state)
{
	_cleanup_(profile_freep) struct profile *all = stacks_new("samples", "count");
	uint64_t start;
	uint32_t i;

	(void)state;
	for (start = 1; start <= 4; start++) {
		_cleanup_(profile_freep) struct profile *p = sample_at(start << 16);

		assert_int_equal(profile_merge_numbered(all, p, "repetition", start / 2), 0);
	}
	assert_int_equal(all->samples.n, 3);
	assert_int_equal(all->frames.n, 1);
	for (i = 0; i < 3; i++) {
		uint32_t labels = profile_sample_at(all, i)->labels;

		assert_int_equal(profile_label(all, labels, "repetition")->num, i);
		assert_int_equal(*profile_values_at(all, i), i == 1 ? 6 : 3);
		assert_null(profile_label(all, labels, LABEL_PID));
		assert_non_null(profile_label(all, labels, LABEL_PROCESS));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_profile_is_empty),
		cmocka_unit_test(stacks_share_their_outer_nodes),
		cmocka_unit_test(equal_samples_are_added_up),
		cmocka_unit_test(sums_saturate),
		cmocka_unit_test(value_types_are_found_by_name),
		cmocka_unit_test(more_value_types_than_there_is_room_for_are_refused),
		cmocka_unit_test(label_sets_are_kept_once_in_their_order),
		cmocka_unit_test(a_sample_is_found_by_its_node_and_labels),
		cmocka_unit_test(a_module_is_the_last_part_of_a_path),
		cmocka_unit_test(comments_are_kept_in_order),
		cmocka_unit_test(merging_adds_what_is_equal_and_keeps_the_rest),
		cmocka_unit_test(profiles_of_other_values_are_not_merged),
		cmocka_unit_test(merging_into_an_empty_profile_copies),
		cmocka_unit_test(a_file_mapped_elsewhere_is_the_same_code),
		cmocka_unit_test(runs_of_one_program_are_told_apart_by_their_number_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
