/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
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

static void samples_that_become_one_are_added_up(void **state)
{
	static const uint32_t number_of[] = { 1, 0, 1, UINT32_MAX };
	struct memory *m = calloc(1, sizeof(*m));
	struct memory_sample sum;
	unsigned int i;

	(void)state;
	m->n_samples = 5; /* the last one has no number at all */
	m->samples = calloc(5, sizeof(*m->samples));
	for (i = 0; i < 5; i++)
		m->samples[i] = (struct memory_sample){ .blocks_made = 1u << i,
							.blocks_in_use = 2u << i,
							.var_alloc_objects = 1 + i,
							.var_alloc_space = 10 + i,
							.var_inuse_objects = 100 + i,
							.var_inuse_space = 1000 + i };
	assert_int_equal(memory_renumber(m, number_of, 4, 3), 0);
	assert_int_equal(m->n_samples, 3);
	assert_int_equal(m->samples[0].blocks_made, 2);
	assert_int_equal(m->samples[1].blocks_made, 5);
	assert_int_equal(m->samples[1].blocks_in_use, 10);
	assert_true(m->samples[1].var_alloc_objects == 1 + 3);
	assert_true(m->samples[1].var_alloc_space == 10 + 12);
	assert_true(m->samples[1].var_inuse_objects == 100 + 102);
	assert_true(m->samples[1].var_inuse_space == 1000 + 1002);
	assert_int_equal(m->samples[2].blocks_made, 0);
	sum = memory_total(m);
	assert_int_equal(sum.blocks_made, 7);
	assert_true(sum.var_inuse_space == 1000 + 1001 + 1002);
	memory_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_value_has_a_type_that_pprof_knows),
		cmocka_unit_test(a_weight_is_the_type_as_people_write_it),
		cmocka_unit_test(another_word_is_no_weight),
		cmocka_unit_test(samples_that_become_one_are_added_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
