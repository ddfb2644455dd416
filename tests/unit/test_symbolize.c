/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "user/collect/symbolize.h"

static const struct collector_ops without_tags = { .name = "some" };

static void count(struct capture *c, uint32_t tgid, uint64_t exec_id, uint64_t events)
{
	struct capture_sample s = { .tgid = tgid,
				    .tid = tgid,
				    .exec_id = exec_id,
				    .user = CAPTURE_NO_STACK,
				    .kernel = CAPTURE_NO_STACK,
				    .end = FT_END_NONE };

	assert_int_equal(capture_add(c, &s, &events, 1000), 0);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(samples_of_the_capture_know_their_number_in_the_profile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
