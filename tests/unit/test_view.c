/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/stacks.h"

#include "user/base/str.h"
#include "user/model/view.h"

static struct profile_label label(struct profile *p, const char *key, const char *text, int64_t n)
{
	struct profile_label ret = { .num = n };

	assert_int_equal(profile_add_string(p, key, &ret.key), 0);
	if (text)
		assert_int_equal(profile_add_string(p, text, &ret.str), 0);
	return ret;
}

static void assert_root(struct profile *p, uint32_t labels, struct view view, const char *expected)
{
	_cleanup_(str_release) struct str out = { 0 };

	assert_int_equal(view_root(p, labels, &view, &out), 0);
	assert_string_equal(str_text(&out), expected);
}

static void roots_are_named_as_the_view_asks(void **state)
{
	_cleanup_(profile_freep) struct profile *p = profile_new();
	struct profile_label labels[] = { label(p, LABEL_PROCESS, "nginx", 0),
					  label(p, LABEL_PID, NULL, 12),
					  label(p, LABEL_THREAD, "worker", 0),
					  label(p, LABEL_TID, NULL, 34) };
	uint32_t set;

	(void)state;
	assert_int_equal(profile_add_labels(p, labels, 4, &set), 0);
	assert_root(p, set, (struct view){ 0 }, "nginx");
	assert_root(p, set, (struct view){ .with_pid = true }, "nginx-12");
	assert_root(p, set, (struct view){ .per_thread = true }, "worker/34");
	assert_root(p, set, (struct view){ .per_thread = true, .with_pid = true }, "worker-12/34");
	assert_root(p, set, (struct view){ .no_comm = true, .with_pid = true }, "");
}

static void samples_without_a_process_have_no_root(void **state)
{
	_cleanup_(profile_freep) struct profile *p = profile_new();
	struct profile_label labels[] = { label(p, LABEL_PID, NULL, 12) };
	uint32_t set;

	(void)state;
	assert_int_equal(profile_add_labels(p, labels, 1, &set), 0);
	assert_root(p, 0, (struct view){ 0 }, "");
	assert_root(p, set, (struct view){ .with_pid = true }, "");
}

static void a_process_may_have_any_name(void **state)
{
	_cleanup_(profile_freep) struct profile *p = profile_new();
	struct profile_label hostile = label(p, LABEL_PROCESS, "a;b\n\xff", 0);
	struct profile_label nameless = label(p, LABEL_PROCESS, "", 0);
	uint32_t set;

	(void)state;
	assert_int_equal(profile_add_labels(p, &hostile, 1, &set), 0);
	assert_root(p, set, (struct view){ 0 }, "a:b?\xef\xbf\xbd");
	assert_int_equal(profile_add_labels(p, &nameless, 1, &set), 0);
	assert_root(p, set, (struct view){ 0 }, "[empty]");
}

static void kinds_have_their_suffixes(void **state)
{
	(void)state;
	assert_string_equal(view_suffix(FRAME_KERNEL), "_[k]");
	assert_string_equal(view_suffix(FRAME_INLINED), "_[i]");
	assert_string_equal(view_suffix(FRAME_USER), "");
	assert_string_equal(view_suffix(FRAME_INTERPRETED), "_[j]");
	assert_string_equal(view_suffix(FRAME_SYNTHETIC), "");
}

static void assert_amount(int64_t v, const char *unit, const char *expected)
{
	_cleanup_(str_release) struct str out = { 0 };

	assert_int_equal(view_amount(v, unit, &out), 0);
	assert_string_equal(out.data, expected);
}

static void times_have_the_unit_that_fits(void **state)
{
	(void)state;
	assert_amount(0, "nanoseconds", "0 ns");
	assert_amount(7, "nanoseconds", "7 ns");
	assert_amount(999, "nanoseconds", "999 ns");
	assert_amount(1500, "nanoseconds", "1.50 us");
	assert_amount(12345678, "nanoseconds", "12.3 ms");
	assert_amount(1250000000, "nanoseconds", "1.25 s");
	assert_amount(3600000000000, "nanoseconds", "3600 s");
	assert_amount(-1500, "nanoseconds", "-1.50 us");
}

static void sizes_are_powers_of_two(void **state)
{
	(void)state;
	assert_amount(5, "bytes", "5 bytes");
	assert_amount(1023, "bytes", "1023 bytes");
	assert_amount(1024, "bytes", "1.00 KiB");
	assert_amount(3 << 20, "bytes", "3.00 MiB");
	assert_amount(1ll << 40, "bytes", "1.00 TiB");
	assert_amount(INT64_MAX, "bytes", "8388608 TiB");
}

static void counts_are_grouped_in_thousands(void **state)
{
	(void)state;
	assert_amount(0, "count", "0");
	assert_amount(999, "count", "999");
	assert_amount(1000, "count", "1,000");
	assert_amount(12345, "count", "12,345");
	assert_amount(-123456, "count", "-123,456");
	assert_amount(INT64_MAX, "anything", "9,223,372,036,854,775,807");
	assert_amount(INT64_MIN, "count", "-9,223,372,036,854,775,808");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(roots_are_named_as_the_view_asks),
		cmocka_unit_test(samples_without_a_process_have_no_root),
		cmocka_unit_test(a_process_may_have_any_name),
		cmocka_unit_test(kinds_have_their_suffixes),
		cmocka_unit_test(times_have_the_unit_that_fits),
		cmocka_unit_test(sizes_are_powers_of_two),
		cmocka_unit_test(counts_are_grouped_in_thousands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
