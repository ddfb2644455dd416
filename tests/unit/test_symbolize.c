/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "user/collect/symbolize.h"

static const struct collector_ops without_tags = { .name = "some" };

static void count_in(struct capture *c, uint32_t slot, uint32_t tgid, uint64_t exec_id,
		     uint64_t events)
{
	struct capture_sample s = { .tgid = tgid,
				    .tid = tgid,
				    .exec_id = exec_id,
				    .slot = slot,
				    .user = CAPTURE_NO_STACK,
				    .kernel = CAPTURE_NO_STACK,
				    .end = FT_END_NONE };

	assert_int_equal(capture_add(c, &s, &events, 1000), 0);
}

static void count(struct capture *c, uint32_t tgid, uint64_t exec_id, uint64_t events)
{
	count_in(c, 0, tgid, exec_id, events);
}

/* What a sample is told apart by is more than its labels say. */
static void samples_of_the_capture_know_their_number_in_the_profile(void **state)
{
	struct collector c = { .ops = &without_tags };
	struct symbolizer_options symbols = { .no_lines = true };
	struct stack_quality quality = { 0 };
	uint32_t numbers[3] = { 99, 99, 99 }, nodes[3] = { 99, 99, 99 };
	struct symbolize_options options = { .collector = &c, .samples = numbers, .nodes = nodes };
	_cleanup_(profile_freep) struct profile *p = profile_new();

	(void)state;
	assert_int_equal(processes_new(&options.processes), 0);
	assert_int_equal(symbolizer_new(&symbols, &options.symbolizer), 0);
	assert_int_equal(cgroups_new(&options.cgroups), 0);
	capture_init(&c.capture, 1);
	count(&c.capture, 10, 1, 3);
	count(&c.capture, 11, 1, 4);
	count(&c.capture, 10, 2, 5); /* the same process, another program */
	assert_int_equal(c.capture.samples.n, 3);
	assert_int_equal(profile_add_value_type(p, "events", "count"), 0);
	assert_int_equal(symbolize(&options, p, &quality), 0);
	assert_int_equal(p->samples.n, 2);
	assert_int_equal(numbers[0], 0);
	assert_int_equal(numbers[1], 1);
	assert_int_equal(numbers[2], 0);
	assert_int_equal(nodes[2], PROFILE_NONE);
	assert_int_equal(profile_values_at(p, 0)[0], 8);
	assert_int_equal(quality.complete, 12);
	capture_release(&c.capture);
	cgroups_free(options.cgroups);
	symbolizer_free(options.symbolizer);
	processes_free(options.processes);
}

static int64_t time_of(const struct profile *p, uint32_t sample)
{
	const struct profile_label *label =
		profile_label(p, profile_sample_at(p, sample)->labels, LABEL_TIME);

	if (!label)
		return -1;
	assert_string_equal(profile_string(p, label->unit), "nanoseconds");
	return label->num;
}

static void samples_are_labelled_with_the_start_of_their_slot(void **state)
{
	struct collector c = { .ops = &without_tags };
	struct symbolizer_options symbols = { .no_lines = true };
	struct stack_quality quality = { 0 };
	struct symbolize_options options = { .collector = &c };
	_cleanup_(profile_freep) struct profile *p = profile_new();

	(void)state;
	assert_int_equal(processes_new(&options.processes), 0);
	assert_int_equal(symbolizer_new(&symbols, &options.symbolizer), 0);
	assert_int_equal(cgroups_new(&options.cgroups), 0);
	capture_init(&c.capture, 1);
	c.capture.slot_ns = 20000000;
	count_in(&c.capture, 0, 10, 1, 3);
	count_in(&c.capture, 7, 10, 1, 4);
	count_in(&c.capture, FT_MAX_SLOT, 10, 1, 5);
	count_in(&c.capture, CAPTURE_NO_SLOT, 10, 1, 6);
	assert_int_equal(profile_add_value_type(p, "events", "count"), 0);
	assert_int_equal(symbolize(&options, p, &quality), 0);
	assert_int_equal(p->samples.n, 4);
	assert_int_equal(time_of(p, 0), 0);
	assert_int_equal(time_of(p, 1), 140000000);
	assert_int_equal(time_of(p, 2), FT_MAX_SLOT * 20000000ll);
	assert_int_equal(time_of(p, 3), -1);
	capture_release(&c.capture);
	cgroups_free(options.cgroups);
	symbolizer_free(options.symbolizer);
	processes_free(options.processes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(samples_of_the_capture_know_their_number_in_the_profile),
		cmocka_unit_test(samples_are_labelled_with_the_start_of_their_slot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
