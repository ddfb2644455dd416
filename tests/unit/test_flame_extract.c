/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/flame_text.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "flamegraph/flame_extract.h"
#include "tests/unit/folder.h"
#include "user/base/err.h"

static struct flame_data *new_data(void)
{
	struct flame_data *data = calloc(1, sizeof(*data));

	assert_non_null(data);
	assert_int_equal(flame_tree_new(false, &data->tree), 0);
	data->header = strdup("{\"schema\":\"fathom.flame/1\"}");
	return data;
}

/* "a;b;c", and a frame's kind is that of its last letter: "k", "i", "j". */
static void add(struct flame_data *data, const char *stack, int64_t value, int64_t before)
{
	char copy[256], *rest = copy, *name;
	uint32_t frames[16];
	size_t n = 0;

	strcpy(copy, stack);
	while ((name = strsep(&rest, ";"))) {
		char last = name[strlen(name) - 1];
		uint32_t kind = last == 'k'   ? FRAME_KERNEL
				: last == 'i' ? FRAME_INLINED
				: last == 'j' ? FRAME_INTERPRETED
					      : FRAME_USER;

		assert_int_equal(flame_tree_add_frame(data->tree, name, "", kind, &frames[n++]), 0);
	}
	assert_int_equal(flame_tree_add(data->tree, frames, n, value, before), 0);
}

static void finish(struct flame_data *data)
{
	assert_int_equal(flame_tree_finish(data->tree), 0);
	data->rests = calloc(data->tree->n_nodes, sizeof(*data->rests));
	assert_non_null(data->rests);
}

static char *written(const struct flame_data *data, int (*write)(const struct flame_data *, FILE *))
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	assert_int_equal(write(data, out), 0);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void assert_folded(const struct flame_data *data, const char *expected)
{
	_cleanup_(freep) char *text = written(data, flame_extract_folded);

	assert_string_equal(text, expected);
}

static void each_node_with_a_value_is_a_line(void **state)
{
	_cleanup_(flame_data_freep) struct flame_data *data = new_data();

	(void)state;
	add(data, "main;b", 3, 0);
	add(data, "main;a;k", 2, 0);
	add(data, "main", 1, 0);
	add(data, "main;b;i;j", 5, 0);
	finish(data);
	assert_folded(data, "main 1\nmain;a;k_[k] 2\nmain;b 3\nmain;b;i_[i];j_[j] 5\n");
}

static void a_chart_is_extracted_in_the_order_of_time(void **state)
{
	static const char lines[] = "a 5\na;b 4\na 3\na;c;d 2\na;c 3\na;c;e 4\na 6\nf 1\n"
				    "[no stack] 2\ng 3\n";
	_cleanup_(flame_data_freep) struct flame_data *data = calloc(1, sizeof(*data));

	(void)state;
	assert_int_equal(flame_tree_new(true, &data->tree), 0);
	add(data, "a", 5, 0);
	add(data, "a;b", 4, 0);
	add(data, "a", 3, 0);
	add(data, "a;c;d", 2, 0);
	add(data, "a;c", 3, 0);
	add(data, "a;c;e", 4, 0);
	add(data, "a", 2, 0);
	add(data, "a", 4, 0);
	add(data, "f", 1, 0);
	assert_int_equal(flame_tree_add(data->tree, NULL, 0, 2, 0), 0);
	add(data, "g", 3, 0);
	finish(data);
	assert_folded(data, lines);
	/* As if 'f' were a rest, which has the lead of 'a', before it. */
	data->tree->leads[data->tree->nodes[1].next] = 0;
	data->tree->nodes[data->tree->nodes[1].next].next = PROFILE_NONE;
	data->tree->nodes[0].value -= 3;
	assert_folded(data, "a 5\na;b 4\na 3\na;c;d 2\na;c 3\na;c;e 4\na 6\nf 1\n"
			    "[no stack] 2\n");
}

static void two_profiles_have_two_counts(void **state)
{
	_cleanup_(flame_data_freep) struct flame_data *data = new_data();

	(void)state;
	add(data, "main;new", 3, 0);
	add(data, "main;gone", 0, 2);
	finish(data);
	assert_folded(data, "main;gone 2 0\nmain;new 0 3\n");
}

static void names_cannot_break_lines_or_make_comments(void **state)
{
	_cleanup_(flame_data_freep) struct flame_data *data = new_data();
	uint32_t frames[2];

	(void)state;
	assert_int_equal(flame_tree_add_frame(data->tree, "# x;y", "", 0, &frames[0]), 0);
	assert_int_equal(flame_tree_add_frame(data->tree, "# z", "", 0, &frames[1]), 0);
	assert_int_equal(flame_tree_add(data->tree, frames, 2, 4, 0), 0);
	assert_int_equal(flame_tree_add(data->tree, frames, 0, 5, 0), 0);
	finish(data);
	assert_folded(data, "[no stack] 5\n? x:y;# z 4\n");
}

static void json_has_all_that_is_known_of_nodes(void **state)
{
	_cleanup_(flame_data_freep) struct flame_data *data = new_data();
	_cleanup_(freep) char *text = NULL;
	uint32_t frames[2];
	json_t *json, *nodes, *one;

	(void)state;
	assert_int_equal(flame_tree_add_frame(data->tree, "a\"\\", "x.so", 2, &frames[0]), 0);
	assert_int_equal(flame_tree_add_frame(data->tree, "[7 frames]", "", 4, &frames[1]), 0);
	assert_int_equal(flame_tree_add(data->tree, frames, 1, 3, 1), 0);
	assert_int_equal(flame_tree_add(data->tree, frames, 2, 4, 2), 0);
	finish(data);
	data->rests[2] = 7;
	text = written(data, flame_extract_json);
	json = json_loads(text, 0, NULL);
	assert_non_null(json);
	nodes = json_object_get(json, "nodes");
	assert_int_equal(json_array_size(nodes), 3);
	one = json_array_get(nodes, 1);
	assert_string_equal(json_string_value(json_object_get(one, "name")), "a\"\\");
	assert_string_equal(json_string_value(json_object_get(one, "module")), "x.so");
	assert_string_equal(json_string_value(json_object_get(one, "kind")), "inlined");
	assert_int_equal(json_integer_value(json_object_get(one, "self")), 3);
	assert_int_equal(json_integer_value(json_object_get(one, "total")), 7);
	assert_int_equal(json_integer_value(json_object_get(one, "self_before")), 1);
	assert_int_equal(json_integer_value(json_object_get(one, "total_before")), 3);
	assert_null(json_object_get(one, "rest"));
	one = json_array_get(nodes, 2);
	assert_int_equal(json_integer_value(json_object_get(one, "rest")), 7);
	assert_int_equal(json_integer_value(json_object_get(one, "parent")), 1);
	assert_true(json_is_null(json_object_get(json_array_get(nodes, 0), "parent")));
	json_decref(json);
}

static void what_was_too_narrow_is_told(void **state)
{
	_cleanup_(flame_data_freep) struct flame_data *data = new_data();
	char text[256];

	(void)state;
	add(data, "main;a", 3, 0);
	add(data, "main;b", 1, 0);
	finish(data);
	flame_extract_note(data, text, sizeof(text));
	assert_string_equal(text, "");
	data->rests[3] = 12;
	data->n_rests = 1;
	data->rest_value = 1;
	flame_extract_note(data, text, sizeof(text));
	assert_ptr_equal(strstr(text, "12 frames, 25 % of all, were too narrow"), text);
}

static void an_old_picture_is_refused_in_a_sentence(void **state)
{
	_cleanup_(folder_remove) struct folder f;
	struct flame_data *data = NULL;

	(void)state;
	folder_make(&f);
	folder_write(&f, "old.svg", "<svg></svg>", 11);
	assert_int_equal(flame_extract_read(folder_path(&f, "old.svg"), &data), -EINVAL);
	assert_non_null(strstr(err_text(), "has no call tree inside: pictures of flamegraph.pl"));
	assert_int_equal(flame_extract_read(folder_path(&f, "none"), &data), -ENOENT);
	assert_null(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_node_with_a_value_is_a_line),
		cmocka_unit_test(a_chart_is_extracted_in_the_order_of_time),
		cmocka_unit_test(two_profiles_have_two_counts),
		cmocka_unit_test(names_cannot_break_lines_or_make_comments),
		cmocka_unit_test(json_has_all_that_is_known_of_nodes),
		cmocka_unit_test(what_was_too_narrow_is_told),
		cmocka_unit_test(an_old_picture_is_refused_in_a_sentence),
	};

	return cmocka_run_group_tests_name("flame_extract", tests, NULL, NULL);
}
