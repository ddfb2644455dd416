/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/json_at.h"
#include "tests/unit/some_latency.h"

#include <stdio.h>

#include "user/base/str.h"
#include "user/export/latency_json.h"
#include "user/export/latency_read.h"
#include "user/export/report_latency.h"

/* Takes over the latency. */
static char *text_of(json_t *latency, bool utf8)
{
	char collector[] = "io", *text = NULL;
	struct recording rec = { .collector = collector, .latency = latency };
	const struct report_style style = { .utf8 = utf8 };
	FILE *out;
	size_t len;

	out = open_memstream(&text, &len);
	assert_non_null(out);
	assert_int_equal(report_latency(&rec, &style, out), 0);
	assert_int_equal(fclose(out), 0);
	json_decref(latency);
	return text;
}

static json_t *read_again(json_t *value)
{
	json_t *got = latency_read(value);

	json_decref(value);
	assert_non_null(got);
	return got;
}

static void a_written_latency_is_read_as_it_is(void **state)
{
	_cleanup_(latency_freep) struct latency *l = some_latency();
	_cleanup_(decrefp) json_t *written = latency_json(l, 200 * MS), *got = NULL;

	(void)state;
	got = latency_read(written);
	assert_true(json_equal(written, got));
}

static void what_is_no_latency_is_null(void **state)
{
	_cleanup_(decrefp) json_t *of_nothing = latency_read(NULL);
	_cleanup_(decrefp) json_t *of_text = read_again(json_string("latency"));
	_cleanup_(freep) char *text = NULL;

	(void)state;
	assert_true(json_is_null(of_nothing));
	assert_true(json_is_null(of_text));
	text = text_of(json_incref(of_nothing), false);
	assert_string_equal(text, "");
	assert_int_equal(report_latency(NULL, NULL, NULL), 0);
}

static void the_table_is_of_stages_by_device_and_operation(void **state)
{
	_cleanup_(latency_freep) struct latency *l = some_latency();
	_cleanup_(freep) char *text = text_of(read_again(latency_json(l, 200 * MS)), false);

	(void)state;
	assert_string_equal(
		text,
		"DEVICE  OPERATION       IOPS      MiB/s   AVG SIZE    DEPTH   ERRORS  STAGE       "
		" P50       P95       P99       MAX\n"
		"vda     read          5000.0      19.53   4.00 KiB     0.75        0  queue    "
		"10.0 us   10.0 us   10.0 us   10.0 us\n"
		"                                                                      device    "
		"140 us    185 us    190 us    190 us\n"
		"                                                                      total     "
		"150 us    195 us    199 us    200 us\n"
		"vda     write          100.0       6.25   64.0 KiB     0.50        0  queue    "
		"1.00 ms   1.00 ms         -   1.00 ms\n"
		"                                                                      device   "
		"4.00 ms   4.00 ms         -   4.00 ms\n"
		"                                                                      total    "
		"5.00 ms   5.00 ms         -   5.00 ms\n"
		"vda     flush            5.0       0.00          -     0.00        1  queue       "
		"   -         -         -         -\n"
		"                                                                      device      "
		"   -         -         -         -\n"
		"                                                                      total       "
		"   -         -         -         -\n"
		"\n"
		"    REQUESTS      BYTES  DEVICE  FOR\n"
		"          20   1.25 MiB  vda     dm-0 (ro?ot)\n"
		"\n"
		"vda read, total\n"
		"  65.5 us ..   131 us  311  |##################                      |\n"
		"   131 us ..   262 us  689  |########################################|\n"
		"\n"
		"vda write, total\n"
		"  4.19 ms ..  8.39 ms  20  |########################################|\n"
		"\n"
		"      TIME  OPERATIONS       P50       P99       MAX  OPERATION  PATH\n"
		"     70 ns           1         -         -     70 ns  read       /var/lib/a\n"
		"\n"
		"not measured: 3 that began before the recording, 4 that had not ended with it\n"
		"slower than 10 ms: 1 in io.slow.json, 0 less slow left out, 0 lost\n"
		"\n");
}

static void the_smallest_count_has_a_mark(void **state)
{
	const struct latency_key key = { "vda", "read", "", "4K", LATENCY_READ, false };
	_cleanup_(latency_freep) struct latency *l = some_latency();
	_cleanup_(freep) char *ascii = NULL, *utf8 = NULL;

	(void)state;
	some_operation(l, &key, 4096, 0, 3 * MS);
	ascii = text_of(read_again(latency_json(l, 200 * MS)), false);
	assert_non_null(strstr(ascii, "2.10 ms ..  4.19 ms    1  |#            "));
	assert_non_null(strstr(ascii, "524 us ..  1.05 ms    0  |             "));
	utf8 = text_of(read_again(latency_json(l, 200 * MS)), true);
	assert_non_null(strstr(utf8, "2.10 ms …  4.19 ms    1  │▏            "));
}

static void long_lists_end_and_say_what_is_left(void **state)
{
	_cleanup_(latency_freep) struct latency *l = some_latency();
	struct latency_key key = { .operation = "read" };
	_cleanup_(freep) char *text = NULL;
	char name[32];
	int i;

	(void)state;
	for (i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "sd%d", i);
		key.subject = name;
		some_operation(l, &key, 1, 1, 1);
		some_path(l, name, 1);
		assert_int_equal(latency_add_route(l, name, "md0", 1, 1), 0);
	}
	text = text_of(read_again(latency_json(l, 200 * MS)), false);
	/* 302 groups have operations besides the flush; 20 are shown. */
	assert_non_null(strstr(text, "... and 283 more, with 283 operations\n"));
	assert_non_null(strstr(text, "... and 291 more, with 291 operations\n"));
	assert_non_null(strstr(text, "\n           1    1 bytes  sd8     md0\n"));
	assert_null(strstr(text, "  sd9     md0\n"));
	assert_non_null(strstr(text, "... and 291 requests of others\n"));
}

static void hostile_numbers_and_names_do_no_harm(void **state)
{
	static const char hostile[] =
		"{\"subject\":\"\\u001b[31m\",\"stages\":[1,2,3,4],\"in_flight_start\":"
		"9223372036854775807,\"outliers\":{\"threshold_ns\":9223372036854775807,"
		"\"kept\":\"x\"},\"groups_other\":{\"rows\":9223372036854775807,\"operations\":"
		"9223372036854775807},\"groups\":[[],null,{\"subject\":\"a\\nb\\u202e\","
		"\"operation\":17,\"operations\":1,\"bytes\":9223372036854775807,\"iops\":1e18,"
		"\"bytes_per_s\":-1,\"queue_depth\":1e400,\"errors\":9223372036854775807,"
		"\"touched\":9223372036854775807,\"stages\":[{\"stage\":null,\"p50_ns\":"
		"9223372036854775807,\"p99_ns\":-5},{},7,{}],\"distribution\":[{\"lower_ns\":"
		"9223372036854775807,\"upper_ns\":0,\"n\":9223372036854775807},{\"n\":1},{\"n\":-1}"
		","
		"0]}],\"paths\":[0,{\"path\":\"/\\r\"}],\"paths_other\":7}";
	_cleanup_(freep) char *text = NULL;
	const char *line, *end;
	json_t *value = json_loads(hostile, 0, NULL);

	(void)state;
	if (!value) { /* 1e400 is no number for the library */
		_cleanup_(freep) char *copy = strdup(hostile);

		memcpy(strstr(copy, "1e400"), "1e300", 5);
		value = json_loads(copy, 0, NULL);
	}
	text = text_of(read_again(value), true);
	for (line = text; *line; line = end + 1) {
		end = strchr(line, '\n');
		assert_non_null(end);
		assert_true(text_is_clean(line, end - line, 0));
	}
	assert_non_null(strstr(text, "a?b"));
	assert_non_null(strstr(text, "... and 9223372036854775807 more"));
}

static void nothing_measured_is_said(void **state)
{
	_cleanup_(freep) char *text = text_of(read_again(json_object()), false);

	(void)state;
	assert_string_equal(text, "no operations\n\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_written_latency_is_read_as_it_is),
		cmocka_unit_test(what_is_no_latency_is_null),
		cmocka_unit_test(the_table_is_of_stages_by_device_and_operation),
		cmocka_unit_test(the_smallest_count_has_a_mark),
		cmocka_unit_test(long_lists_end_and_say_what_is_left),
		cmocka_unit_test(hostile_numbers_and_names_do_no_harm),
		cmocka_unit_test(nothing_measured_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
