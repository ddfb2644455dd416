/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "flamegraph/provenance.h"

static void keys_and_texts_stay_in_their_order(void **state)
{
	_cleanup_(provenance_release) struct provenance p = { 0 };
	int i;

	(void)state;
	assert_int_equal(provenance_add(&p, "host", "Linux %d", 6), 0);
	assert_int_equal(provenance_add(&p, "losses", "%s", ""), 0); /* nothing to say */
	for (i = 0; i < 20; i++)
		assert_int_equal(provenance_add(&p, "more", "%d", i), 0);
	assert_int_equal(p.n, 21);
	assert_string_equal(p.pairs[0][0], "host");
	assert_string_equal(p.pairs[0][1], "Linux 6");
	assert_string_equal(p.pairs[20][1], "19");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_and_texts_stay_in_their_order),
	};

	return cmocka_run_group_tests_name("provenance", tests, NULL, NULL);
}
