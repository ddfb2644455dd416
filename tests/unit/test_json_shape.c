/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/json_at.h"

#include "user/base/json_shape.h"

static const struct json_shape a_count = { .kind = SHAPE_COUNT };
static const struct json_shape inner[] = { { "n", SHAPE_COUNT, 0, NULL },
					   { "m", SHAPE_MAYBE_COUNT, 0, NULL },
					   { 0 } };
static const struct json_shape an_inner = { .kind = SHAPE_OBJECT, .of = inner };
static const struct json_shape members[] = {
	{ "count", SHAPE_COUNT, 0, NULL },
	{ "maybe", SHAPE_MAYBE_COUNT, 0, NULL },
	{ "number", SHAPE_NUMBER, 0, NULL },
	{ "text", SHAPE_TEXT, 0, NULL },
	{ "counts", SHAPE_LIST, 3, &a_count },
	{ "inner", SHAPE_OBJECT, 0, inner },
	{ "nothing", SHAPE_MAYBE_OBJECT, 0, inner },
	{ "list", SHAPE_LIST, 2, &an_inner },
	{ 0 },
};
static const struct json_shape shape = { .kind = SHAPE_OBJECT, .of = members };

/* What becomes of a text, in one line. */
static void assert_shaped(const char *before, const char *after)
{
	_cleanup_(decrefp) json_t *value = json_loads(before, JSON_DECODE_ANY, NULL);
	_cleanup_(decrefp) json_t *got = NULL;
	_cleanup_(freep) char *text = NULL;

	assert_non_null(value);
	got = json_shape_copy(value, &shape);
	assert_non_null(got);
	text = json_dumps(got, JSON_COMPACT | JSON_ENCODE_ANY);
	assert_string_equal(text, after);
}

static void what_fits_is_kept(void **state)
{
	static const char text[] =
		"{\"count\":1,\"maybe\":0,\"number\":2.5,\"text\":\"a\",\"counts\":[1,2],"
		"\"inner\":{\"n\":3,\"m\":null},\"nothing\":{\"n\":4,\"m\":5},"
		"\"list\":[{\"n\":6,\"m\":7}]}";

	(void)state;
	assert_shaped(text, text);
}

static const char empty[] = "{\"count\":0,\"maybe\":null,\"number\":null,\"text\":null,"
			    "\"counts\":[],\"inner\":{\"n\":0,\"m\":null},\"nothing\":null,"
			    "\"list\":[]}";

static void what_is_missing_is_there_as_nothing(void **state)
{
	(void)state;
	assert_shaped("{}", empty);
	assert_shaped("[1, 2]", empty);
	assert_shaped("null", empty);
	assert_shaped("{\"more\": 1, \"Count\": 7}", empty);
}

static void what_is_of_another_type_is_nothing(void **state)
{
	(void)state;
	assert_shaped("{\"count\":\"1\",\"maybe\":1.5,\"number\":\"x\",\"text\":1,\"counts\":{},"
		      "\"inner\":[],\"nothing\":7,\"list\":\"x\"}",
		      empty);
	assert_shaped("{\"count\":-1,\"maybe\":-9223372036854775808,\"number\":-0.5,"
		      "\"text\":[\"x\"],\"nothing\":[]}",
		      empty);
	assert_shaped("{\"number\":1e300}", empty);
	assert_shaped("{\"counts\":[1,\"x\",3]}",
		      "{\"count\":0,\"maybe\":null,\"number\":null,\"text\":null,"
		      "\"counts\":[1,0,3],\"inner\":{\"n\":0,\"m\":null},\"nothing\":null,"
		      "\"list\":[]}");
}

static void lists_end_at_their_bound(void **state)
{
	_cleanup_(decrefp) json_t *value =
		json_loads("{\"counts\":[1,2,3,4,5],\"list\":[1,{\"n\":2},3]}", 0, NULL);
	_cleanup_(decrefp) json_t *got = json_shape_copy(value, &shape);

	(void)state;
	assert_int_equal(json_array_size(at(got, "counts")), 3);
	assert_int_equal(json_array_size(at(got, "list")), 2);
	assert_at(got, "list.0.n", "0");
	assert_at(got, "list.1.n", "2");
}

static void text_is_cleaned_and_cut(void **state)
{
	_cleanup_(freep) char *large = malloc(10000);
	_cleanup_(decrefp) json_t *value = json_object(), *got = NULL;

	(void)state;
	memset(large, 'x', 9999);
	large[9999] = '\0';
	memcpy(large, "a\x1b[31m\n", 7);
	assert_int_equal(json_object_set_new(value, "text", json_string(large)), 0);
	got = json_shape_copy(value, &shape);
	assert_int_equal(json_string_length(at(got, "text")), 4096);
	assert_memory_equal(json_string_value(at(got, "text")), "a?[31m?x", 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_fits_is_kept),
		cmocka_unit_test(what_is_missing_is_there_as_nothing),
		cmocka_unit_test(what_is_of_another_type_is_nothing),
		cmocka_unit_test(lists_end_at_their_bound),
		cmocka_unit_test(text_is_cleaned_and_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
