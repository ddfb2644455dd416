/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/timed.h"

#include <errno.h>

#include "user/base/err.h"
#include "user/export/folded.h"
#include "user/model/timeline.h"

static struct timeline *timeline(void)
{
	struct timeline *t = NULL;

	assert_int_equal(timeline_new(p, &t), 0);
	return t;
}

static void assert_folded(const char *expected)
{
	const struct view view = { 0 };
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	assert_int_equal(folded_write(p, &view, out), 0);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text, expected);
	free(text);
}

static void a_profile_without_times_has_no_slots(void **state)
{
	_cleanup_(timeline_freep) struct timeline *t = NULL;

	(void)state;
	timed_add(p, "a", NO_TIME, "main", 1);
	t = timeline();
	assert_int_equal(t->slot_ns, 0);
	assert_int_equal(t->n_slots, 0);
	assert_int_equal(t->slots[0], TIMELINE_NONE);
}

static void slots_are_as_long_as_all_times_are_multiples_of(void **state)
{
	_cleanup_(timeline_freep) struct timeline *t = NULL;

	(void)state;
	timed_add(p, "a", 60, "main", 1);
	timed_add(p, "a", NO_TIME, "main", 1);
	timed_add(p, "a", 0, "main", 1);
	timed_add(p, "a", 100, "main", 1);
	t = timeline();
	assert_int_equal(t->slot_ns, 20000000);
	assert_int_equal(t->n_slots, 6);
	assert_int_equal(t->slots[0], 3);
	assert_int_equal(t->slots[1], TIMELINE_NONE);
	assert_int_equal(t->slots[2], 0);
	assert_int_equal(t->slots[3], 5);
}

static void the_first_slot_alone_is_a_timeline(void **state)
{
	_cleanup_(timeline_freep) struct timeline *t = NULL;

	(void)state;
	timed_add(p, "a", 0, "main", 1);
	t = timeline();
	assert_true(t->slot_ns > 0);
	assert_int_equal(t->n_slots, 1);
	assert_int_equal(t->slots[0], 0);
}

/* A file may say what it likes: neither is a reason to make 2^63 slots. */
static void strange_times_do_not_make_many_slots(void **state)
{
	_cleanup_(timeline_freep) struct timeline *t = NULL;
	struct profile_label label = { .num = INT64_MAX };
	int64_t value = 1;
	uint32_t set;

	(void)state;
	timed_add(p, "a", 1, "main", 1);
	assert_int_equal(profile_add_string(p, LABEL_TIME, &label.key), 0);
	assert_int_equal(profile_add_labels(p, &label, 1, &set), 0);
	assert_int_equal(profile_add_sample(p, PROFILE_NONE, set, &value), 0);
	label.num = INT64_MIN;
	assert_int_equal(profile_add_labels(p, &label, 1, &set), 0);
	assert_int_equal(profile_add_sample(p, PROFILE_NONE, set, &value), 0);
	t = timeline();
	assert_true(t->n_slots > 1 && t->n_slots <= TIMELINE_MAX_SLOTS);
	assert_int_equal(t->slots[0], 0);
	assert_int_equal(t->slots[1], t->n_slots - 1);
	assert_int_equal(t->slots[2], TIMELINE_NONE);
}

static void the_same_stack_in_two_slots_is_one_line(void **state)
{
	(void)state;
	timed_add(p, "a", 0, "main;f", 1);
	timed_add(p, "a", 20, "main;f", 2);
	timed_add(p, "a", NO_TIME, "main;f", 4);
	assert_int_equal(p->samples.n, 3);
	assert_folded("a;main;f 7\n");
}

static void a_range_has_the_slots_that_begin_in_it(void **state)
{
	const struct time_range range = { 20000000, 60000000 };

	(void)state;
	p->start_ns = 5000000000;
	p->duration_ns = 100000000;
	timed_add(p, "a", 0, "main;f", 1);
	timed_add(p, "a", 20, "main;f", 2);
	timed_add(p, "a", 40, "main;g", 4);
	timed_add(p, "b", 40, "main;g", 8);
	timed_add(p, "a", 60, "main;f", 16);
	timed_add(p, "a", NO_TIME, "main;f", 32);
	assert_int_equal(timeline_cut(p, &range), 0);
	assert_folded("a;main;f 2\na;main;g 4\nb;main;g 8\n");
	assert_int_equal(profile_total(p, 0), 14);
	assert_int_equal(p->start_ns, 5000000000);
	assert_int_equal(p->duration_ns, 40000000);
}

static void a_range_ends_where_the_recording_does(void **state)
{
	const struct time_range late = { 80000000, 200000000 }, later = { 300000000, 400000000 };

	(void)state;
	p->duration_ns = 100000000;
	timed_add(p, "a", 80, "main", 1);
	assert_int_equal(timeline_cut(p, &late), 0);
	assert_folded("a;main 1\n");
	assert_int_equal(p->duration_ns, 20000000);
	assert_int_equal(timeline_cut(p, &later), 0);
	assert_folded("");
	assert_int_equal(p->duration_ns, 0);
}

static void a_range_of_a_profile_without_times_is_refused(void **state)
{
	const struct time_range range = { 0, UINT64_MAX };

	(void)state;
	timed_add(p, "a", NO_TIME, "main", 1);
	assert_int_equal(timeline_cut(p, &range), -EINVAL);
	assert_non_null(strstr(err_text(), "--timeline"));
	assert_folded("a;main 1\n");
}

static void without_their_times_samples_are_one_again(void **state)
{
	(void)state;
	timed_add(p, "a", 0, "main;f", 1);
	timed_add(p, "b", 0, "main;f", 2);
	timed_add(p, "a", 20, "main;f", 4);
	timed_add(p, NULL, 20, "main;f", 8);
	timed_add(p, "a", NO_TIME, "main;f", 16);
	assert_int_equal(timeline_drop(p), 0);
	assert_int_equal(p->samples.n, 3);
	assert_folded("a;main;f 21\nb;main;f 2\nmain;f 8\n");
	assert_null(profile_label(p, profile_sample_at(p, 0)->labels, LABEL_TIME));
	assert_non_null(profile_label(p, profile_sample_at(p, 0)->labels, LABEL_PROCESS));
	assert_int_equal(timeline_drop(p), 0);
	assert_int_equal(p->samples.n, 3);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_profile_without_times_has_no_slots),
		TEST(slots_are_as_long_as_all_times_are_multiples_of),
		TEST(the_first_slot_alone_is_a_timeline),
		TEST(strange_times_do_not_make_many_slots),
		TEST(the_same_stack_in_two_slots_is_one_line),
		TEST(a_range_has_the_slots_that_begin_in_it),
		TEST(a_range_ends_where_the_recording_does),
		TEST(a_range_of_a_profile_without_times_is_refused),
		TEST(without_their_times_samples_are_one_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
