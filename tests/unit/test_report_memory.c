/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/folder.h"
#include "tests/unit/json_at.h"
#include "tests/unit/some_memory.h"

#include <errno.h>
#include <stdio.h>

#include "user/base/err.h"
#include "user/base/json_parts.h"
#include "user/export/memory_json.h"
#include "user/export/memory_read.h"
#include "user/export/report_memory.h"
#include "user/export/stacks_json.h"

/* As a run folder has it, and as a report reads it. */
struct fixture {
	struct profile *profile;
	struct memory *memory;
	struct view view;
	struct calltree *tree;
	struct recording recording;
	struct report report;
	struct report_style style;
};

static int through_a_file(const json_t *stacks, json_t **ret)
{
	_cleanup_(folder_remove) struct folder f;
	_cleanup_(freep) char *text = json_text(stacks);

	folder_make(&f);
	folder_write(&f, "alloc.stacks.json", text, strlen(text));
	return memory_read_stacks(f.path, "alloc", ret);
}

static void fixture_init(struct fixture *f, struct memory *(*make)(struct profile *p),
			 enum memory_value value)
{
	_cleanup_(decrefp) json_t *written = NULL, *stacks = NULL;

	*f = (struct fixture){ .profile = some_memory_profile(), .view.value = value };
	f->memory = make(f->profile);
	assert_int_equal(calltree_new(f->profile, &f->view, &f->tree), 0);
	written = memory_json(f->memory, f->profile);
	stacks = stacks_json(f->memory, f->profile, &f->view, "alloc");
	f->recording.memory = memory_read(written);
	assert_true(json_equal(f->recording.memory, written));
	assert_int_equal(through_a_file(stacks, &f->recording.stacks), 0);
	assert_true(json_equal(json_object_get(f->recording.stacks, "stacks"),
			       json_object_get(stacks, "stacks")));
	f->report = (struct report){ .source = "run",
				     .profile = f->profile,
				     .view = &f->view,
				     .tree = f->tree,
				     .recording = &f->recording };
}

static void fixture_release(struct fixture *f)
{
	json_decref(f->recording.memory);
	json_decref(f->recording.stacks);
	calltree_free(f->tree);
	memory_free(f->memory);
	profile_free(f->profile);
}

static char *text_of(const struct fixture *f)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	assert_int_equal(report_memory(&f->report, &f->style, out), 0);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		print_message("no '%s' in:\n%s\n", part, text);
	assert_non_null(strstr(text, part));
}

static void assert_has_not(const char *text, const char *part)
{
	if (strstr(text, part))
		print_message("'%s' in:\n%s\n", part, text);
	assert_null(strstr(text, part));
}

/* Every block, with numbers that can be seen to be right. */
static struct memory *exact(struct profile *p)
{
	static const struct some_blocks blocks[] = {
		{ "sh", "main;one", 100, 7, 3, 5, 1, 2 },
		{ "sh", "main;two;three;four;five", 1000, 1, 0, 1, 0, 0 },
	};
	struct memory *m = some_memory_new(1);

	m->expected_slowdown = 0;
	m->blocks_full = 1;
	some_blocks_add(m, p, &blocks[0]);
	some_blocks_add(m, p, &blocks[1]);
	return m;
}

static void exact_numbers_have_no_intervals(void **state)
{
	_cleanup_(fixture_release) struct fixture f;
	_cleanup_(freep) char *text = NULL;

	(void)state;
	fixture_init(&f, exact, MEMORY_ALLOC_SPACE);
	text = text_of(&f);
	assert_string_equal(
		text,
		"memory by shim, every block: 8 blocks\n"
		"                   OBJECTS      BYTES\n"
		"allocated                8   1.66 KiB\n"
		"in use at the end        3  300 bytes  17.6% of the bytes allocated\n"
		"at the peak              6   1.46 KiB  after 2.50 s\n"
		"temporary                1  100 bytes  5.9% of the bytes allocated\n"
		"left at the end          2  200 bytes  11.8% of the bytes allocated\n"
		"temporary: freed before their thread allocated anything else\n"
		"left: still in use when their process ended, or for 1.00 s at the end of the "
		"recording;\n"
		"      whether anything points to them is not known\n"
		"1 block had no room in the table of those in use: it counts as allocated only\n"
		"\n"
		"sizes of what was allocated: mean 213 bytes, p50 101 bytes, p90 -, p99 -, "
		"max 1000 bytes\n"
		"   64 bytes ..  128 bytes  7  |########################################|\n"
		"  128 bytes ..  256 bytes  0  |                                        |\n"
		"  256 bytes ..  512 bytes  0  |                                        |\n"
		"  512 bytes ..   1.00 KiB  1  |######                                  |\n"
		"\n"
		"lifetimes of what was freed: mean 2.40 ms, p50 2.97 ms, p90 -, p99 -, max 3.00 "
		"ms\n"
		"    1.02 us ..    2.05 us  1  |##########                              |\n"
		"    2.05 us ..    4.10 us  0  |                                        |\n"
		"    4.10 us ..    8.19 us  0  |                                        |\n"
		"    8.19 us ..    16.4 us  0  |                                        |\n"
		"    16.4 us ..    32.8 us  0  |                                        |\n"
		"    32.8 us ..    65.5 us  0  |                                        |\n"
		"    65.5 us ..     131 us  0  |                                        |\n"
		"     131 us ..     262 us  0  |                                        |\n"
		"     262 us ..     524 us  0  |                                        |\n"
		"     524 us ..    1.05 ms  0  |                                        |\n"
		"    1.05 ms ..    2.10 ms  0  |                                        |\n"
		"    2.10 ms ..    4.19 ms  4  |########################################|\n"
		"\n"
		"stacks by alloc_space\n"
		"       BYTES  OBJECTS  STACK\n"
		"  1000 bytes        1  five < four < three < two < main < sh\n"
		"   700 bytes        7  one < main < sh\n"
		"\n");
}

static void estimates_have_intervals(void **state)
{
	_cleanup_(fixture_release) struct fixture f;
	_cleanup_(freep) char *text = NULL;

	(void)state;
	fixture_init(&f, some_memory, MEMORY_ALLOC_SPACE);
	text = text_of(&f);
	assert_has(text, "memory by shim, sampled every 512 KiB on average: 449 blocks; expected "
			 "to slow down by a factor of 1.02\n");
	assert_has(text, "OBJECTS        95% INTERVAL     BYTES          95% INTERVAL\n");
	assert_has(text, "7 blocks had no room");
	assert_has(text, "stacks by alloc_space\n     BYTES          95% INTERVAL  OBJECTS  STACK\n"
			 "   201 MiB    182 MiB .. 221 MiB   51,400  grow < read < main < sh\n");
}

static void the_stacks_are_ranked_by_what_is_shown(void **state)
{
	_cleanup_(fixture_release) struct fixture f;
	_cleanup_(freep) char *in_use = NULL, *temporary = NULL;

	(void)state;
	fixture_init(&f, some_memory, MEMORY_INUSE_OBJECTS);
	in_use = text_of(&f);
	assert_has(in_use,
		   "stacks by inuse_objects\n  OBJECTS       95% INTERVAL     BYTES  STACK\n"
		   "   81,925  ");
	assert_has(in_use, "node < parse < main < sh\n      514  ");
	assert_has_not(in_use, "list < main"); /* has none in use */
	f.view.value = MEMORY_TEMPORARY_SPACE;
	temporary = text_of(&f);
	assert_has(temporary, "stacks by temporary_space\n     BYTES  OBJECTS  STACK\n");
}

static struct memory *without_frees(struct profile *p)
{
	struct memory *m = some_memory(p);

	m->has_frees = false;
	return m;
}

static void what_is_not_known_is_not_shown(void **state)
{
	_cleanup_(fixture_release) struct fixture f;
	_cleanup_(freep) char *text = NULL;

	(void)state;
	fixture_init(&f, without_frees, MEMORY_ALLOC_SPACE);
	text = text_of(&f);
	assert_has(text, "\nallocated ");
	assert_has(text, "frees were not followed");
	assert_has_not(text, "in use at the end");
	assert_has_not(text, "left");
	assert_has_not(text, "lifetimes");
	assert_has(text, "sizes of what was allocated");
}

static struct memory *without_temporary(struct profile *p)
{
	struct memory *m = some_memory(p);

	m->has_temporary = false;
	return m;
}

static void what_was_temporary_need_not_be_known(void **state)
{
	_cleanup_(fixture_release) struct fixture f;
	_cleanup_(freep) char *text = NULL;

	(void)state;
	fixture_init(&f, without_temporary, MEMORY_TEMPORARY_SPACE);
	text = text_of(&f);
	assert_has(text, "\nat the peak");
	assert_has(text, "\nleft at the end");
	assert_has_not(text, "temporary");
	assert_true(json_is_null(at(f.recording.memory, "totals.temporary")));
	assert_true(json_is_null(at(f.recording.stacks, "stacks.0.values.temporary_space")));
	assert_true(json_is_integer(at(f.recording.stacks, "stacks.0.values.leaked_space")));
}

static struct memory *many(struct profile *p)
{
	struct memory *m = some_memory_new(1);
	char stack[8];
	unsigned int i;

	for (i = 0; i < 12; i++) {
		struct some_blocks b = { NULL, stack, 10, 12 - i, 0, 0, 0, 0 };

		snprintf(stack, sizeof(stack), "f%u", i);
		some_blocks_add(m, p, &b);
	}
	return m;
}

static void what_is_beyond_the_list_is_summed_up(void **state)
{
	_cleanup_(fixture_release) struct fixture f;
	_cleanup_(freep) char *text = NULL;

	(void)state;
	fixture_init(&f, many, MEMORY_ALLOC_OBJECTS);
	text = text_of(&f);
	assert_has(text, "  f9\n... and 2 more, with 3\n");
	free(text);
	json_object_set_new(json_object_get(f.recording.stacks, "stacks_other"), "stacks",
			    json_integer(5));
	json_object_set_new(
		json_object_get(json_object_get(f.recording.stacks, "stacks_other"), "values"),
		"alloc_objects", json_integer(INT64_MAX));
	text = text_of(&f);
	assert_has(text, "... and 7 more, with 9,223,372,036,854,775,807\n");
}

static struct memory *deep(struct profile *p)
{
	static const struct some_blocks blocks = { "sh", "a;b;c;d;e;f;g", 10, 1, 1, 1, 0, 0 };
	struct memory *m = some_memory_new(1);

	some_blocks_add(m, p, &blocks);
	return m;
}

static void of_a_deep_stack_both_ends_are_shown(void **state)
{
	_cleanup_(fixture_release) struct fixture f;
	_cleanup_(freep) char *text = NULL;

	(void)state;
	fixture_init(&f, deep, MEMORY_ALLOC_OBJECTS);
	text = text_of(&f);
	assert_has(text, "  g < f < e < d < c < .. < sh\n");
	f.style.utf8 = true;
	free(text);
	text = text_of(&f);
	assert_has(text, "  g ← f ← e ← d ← c ← … ← sh\n");
}

static void a_recording_without_memory_says_nothing(void **state)
{
	struct recording rec = { .memory = json_null() };
	struct fixture f = { .report.recording = &rec };
	_cleanup_(freep) char *text = text_of(&f);
	_cleanup_(decrefp) json_t *of_nothing = memory_read(NULL);

	(void)state;
	assert_string_equal(text, "");
	assert_true(json_is_null(of_nothing));
	f.report.recording = NULL;
	free(text);
	text = text_of(&f);
	assert_string_equal(text, "");
}

static void damaged_stacks_are_refused(void **state)
{
	_cleanup_(folder_remove) struct folder f;
	json_t *stacks = NULL;

	(void)state;
	folder_make(&f);
	assert_int_equal(memory_read_stacks(f.path, "alloc", &stacks), -ENOENT);
	folder_write(&f, "alloc.stacks.json", "{\"stacks\"", 9);
	assert_int_equal(memory_read_stacks(f.path, "alloc", &stacks), -EINVAL);
	assert_has(err_text(), "is damaged");
	folder_write(&f, "alloc.stacks.json", "{}", 2);
	assert_int_equal(memory_read_stacks(f.path, "alloc", &stacks), -EINVAL);
	assert_has(err_text(), "is not of schema fathom.stacks/1");
	assert_null(stacks);
}

/* Innermost frames are at a stack's end: it must not be cut as other text is. */
static void a_long_stack_keeps_its_end(void **state)
{
	char stack[20000];
	json_t *doc, *got = NULL;

	(void)state;
	memset(stack, 'x', sizeof(stack));
	strcpy(stack + sizeof(stack) - 6, ";leaf");
	doc = json_pack("{s:s, s:[{s:s}, s, {}]}", "schema", STACKS_SCHEMA, "stacks", "stack",
			stack, "nonsense");
	assert_non_null(doc);
	assert_int_equal(through_a_file(doc, &got), 0);
	assert_int_equal(json_array_size(at(got, "stacks")), 3);
	assert_string_equal(json_string_value(at(got, "stacks.0.stack")), stack);
	assert_at(got, "stacks.1.stack", "null");
	assert_at(got, "stacks.1.values.peak_space", "null");
	assert_at(got, "stacks.2.intervals.alloc_space", "null");
	assert_at(got, "stacks_other.stacks", "0");
	json_decref(doc);
	json_decref(got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exact_numbers_have_no_intervals),
		cmocka_unit_test(estimates_have_intervals),
		cmocka_unit_test(the_stacks_are_ranked_by_what_is_shown),
		cmocka_unit_test(what_is_not_known_is_not_shown),
		cmocka_unit_test(what_was_temporary_need_not_be_known),
		cmocka_unit_test(what_is_beyond_the_list_is_summed_up),
		cmocka_unit_test(of_a_deep_stack_both_ends_are_shown),
		cmocka_unit_test(a_recording_without_memory_says_nothing),
		cmocka_unit_test(damaged_stacks_are_refused),
		cmocka_unit_test(a_long_stack_keeps_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
