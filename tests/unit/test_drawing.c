/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "flamegraph/drawing.h"
#include "user/base/err.h"

static void what_is_put_arrives_in_its_order(void **state)
{
	struct drawing d = { 0 };
	char *text = NULL;
	size_t len, i;

	(void)state;
	d.out = open_memstream(&text, &len);
	assert_non_null(d.out);
	for (i = 0; i < 30000; i++)
		drawing_putf(&d, "%zu\n", i);
	assert_true(d.text.len < 128 << 10); /* bounded */
	drawing_put_xml(&d, "<a & 'b'>");
	assert_int_equal(drawing_end(&d, "the drawing"), 0);
	fclose(d.out);
	assert_memory_equal(text, "0\n1\n2\n", 6);
	assert_string_equal(strstr(text, "29999\n"), "29999\n&lt;a &amp; &#39;b&#39;&gt;");
	free(text);
}

static void numbers_are_hundredths(void **state)
{
	struct drawing d = { .out = stdout };

	(void)state;
	drawing_put_number(&d, "a", 0);
	drawing_put_number(&d, "b", 1200);
	drawing_put_number(&d, "c", 1250);
	drawing_put_number(&d, "d", 1205);
	drawing_put_number(&d, "e", -5);
	drawing_put_number(&d, "f", -150);
	assert_string_equal(str_text(&d.text),
			    " a=\"0\" b=\"12\" c=\"12.5\" d=\"12.05\" e=\"-0.05\" f=\"-1.5\"");
	str_release(&d.text);
}

static void the_first_error_stays(void **state)
{
	struct drawing d = { 0 };
	int i;

	(void)state;
	d.out = fopen("/dev/full", "we");
	assert_non_null(d.out);
	for (i = 0; i < 100000; i++)
		drawing_put(&d, "0123456789");
	assert_int_equal(d.err, -ENOSPC);
	assert_int_equal(drawing_end(&d, "the drawing"), -ENOSPC);
	assert_string_equal(err_text(), "cannot write the drawing: No space left on device");
	fclose(d.out);
}

static void a_long_text_of_putf_is_an_error_and_not_cut(void **state)
{
	struct drawing d = { .out = stdout };
	char text[600];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	drawing_putf(&d, "%s", text);
	assert_int_equal(d.err, -EOVERFLOW);
	str_release(&d.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_put_arrives_in_its_order),
		cmocka_unit_test(numbers_are_hundredths),
		cmocka_unit_test(the_first_error_stays),
		cmocka_unit_test(a_long_text_of_putf_is_an_error_and_not_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
