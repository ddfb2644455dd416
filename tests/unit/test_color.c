/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>

#include "flamegraph/color.h"

static void hues_are_those_of_css(void **state)
{
	(void)state;
	assert_int_equal(color_hsl(0, 100, 50), 0xff0000);
	assert_int_equal(color_hsl(120, 100, 50), 0x00ff00);
	assert_int_equal(color_hsl(240, 100, 50), 0x0000ff);
	assert_int_equal(color_hsl(60, 100, 50), 0xffff00);
	assert_int_equal(color_hsl(210, 50, 40), 0x336699);
	assert_int_equal(color_hsl(0, 0, 100), 0xffffff);
	assert_int_equal(color_hsl(77, 0, 0), 0x000000);
	assert_int_equal(color_hsl(-120, 100, 50), color_hsl(240, 100, 50));
	assert_int_equal(color_hsl(480, 100, 50), color_hsl(120, 100, 50));
}

static void channels_stay_in_their_bytes(void **state)
{
	(void)state;
	assert_int_equal(color_rgb(1, 2, 3), 0x010203);
	assert_int_equal(color_rgb(255, 256, 0), 0xff0000);
}

static void names_are_hashed_as_in_every_other_picture(void **state)
{
	(void)state;
	assert_int_equal(color_hash("main"), color_hash("main"));
	assert_true(color_hash("main") != color_hash("mail"));
	assert_int_equal(color_hash(""), 0xab3e7c0b);
}

static void luminance_goes_from_black_to_white(void **state)
{
	(void)state;
	assert_true(color_luminance(0) == 0);
	assert_true(fabs(color_luminance(0xffffff) - 1) < 1e-9);
	assert_true(fabs(color_luminance(0xff0000) - 0.2126) < 1e-9);
	assert_true(fabs(color_luminance(0x777777) - 0.1845) < 1e-3);
	assert_true(color_luminance(0xff808080) == color_luminance(0x808080)); /* alpha */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hues_are_those_of_css),
		cmocka_unit_test(channels_stay_in_their_bytes),
		cmocka_unit_test(names_are_hashed_as_in_every_other_picture),
		cmocka_unit_test(luminance_goes_from_black_to_white),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
