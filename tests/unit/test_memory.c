/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "user/base/err.h"
#include "user/model/memory.h"

static void every_value_has_a_type_that_pprof_knows(void **state)
{
	_cleanup_(profile_freep) struct profile *p = profile_new();
	unsigned int i;

	(void)state;
	assert_int_equal(memory_add_value_types(p), 0);
	assert_int_equal(p->n_values, MEMORY_VALUES);
	for (i = 0; i < MEMORY_VALUES; i++) {
		const char *type = profile_string(p, p->value_types[i].type);
		const char *unit = profile_string(p, p->value_types[i].unit);
		bool is_space = strstr(type, "_space");

		assert_string_equal(type, memory_value_name(i));
		assert_string_equal(unit, is_space ? "bytes" : "count");
	}
	assert_int_equal(profile_find_value_type(p, "inuse_space", &i), 0);
	assert_int_equal(i, MEMORY_INUSE_SPACE);
	assert_int_equal(profile_find_value_type(p, "leaked_objects", &i), 0);
	assert_int_equal(i, MEMORY_LEAKED_OBJECTS);
}

static void a_weight_is_the_type_as_people_write_it(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < MEMORY_VALUES; i++) {
		enum memory_value value = MEMORY_VALUES;
		char word[32], *c;

		snprintf(word, sizeof(word), "%s", memory_value_name(i));
		c = strchr(word, '_');
		if (c)
			*c = '-';
		assert_int_equal(memory_weight_parse(word, &value), 0);
		assert_int_equal(value, i);
	}
}

static void another_word_is_no_weight(void **state)
{
	enum memory_value value = MEMORY_VALUES;

	(void)state;
	assert_int_equal(memory_weight_parse("alloc", &value), -EINVAL);
	assert_int_equal(memory_weight_parse("", &value), -EINVAL);
	assert_int_equal(value, MEMORY_VALUES);
	assert_string_equal(err_text(), "'' is no weight of memory: it is alloc-, inuse-, peak-, "
					"temporary- or leaked-space, the same with -objects, or "
					"samples");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_value_has_a_type_that_pprof_knows),
		cmocka_unit_test(a_weight_is_the_type_as_people_write_it),
		cmocka_unit_test(another_word_is_no_weight),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
