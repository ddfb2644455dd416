/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/scenario_file.h"

#define LEAST "name: x\ncommand: [a]\n"

static struct scenario_cases *cases_of(const struct scenario *s)
{
	struct scenario_cases *c = NULL;

	if (scenario_cases_new(s, NULL, 0, NULL, &c))
		fail_msg("%s", err_text());
	return c;
}

static void assert_names(const struct scenario_cases *c, const char *expected)
{
	char names[512] = "";
	size_t i;

	for (i = 0; i < c->n; i++) {
		strcat(names, i ? " " : "");
		strcat(names, c->list[i].name);
	}
	assert_string_equal(names, expected);
}

static void without_matrix_and_variants_there_is_one_case_without_a_name(void **state)
{
	_cleanup_(scenario_freep) struct scenario *s = scenario_of(LEAST);
	_cleanup_(scenario_cases_freep) struct scenario_cases *c = cases_of(s);

	(void)state;
	assert_int_equal(c->n, 1);
	assert_string_equal(c->list[0].name, "");
	assert_string_equal(c->list[0].cell, "");
	assert_null(c->list[0].variant);
	assert_string_equal(c->list[0].workdir, s->folder);
	assert_string_equal(c->list[0].subject.command[0], "a");
	assert_null(c->list[0].setup);
	assert_null(c->list[0].oracle.file);
	assert_false(c->list[0].needs_scratch);
}

#define MATRIX                                            \
	LEAST "matrix: {size: [s, m, l], mode: [1, 2]}\n" \
	      "variants: [{name: on}, {name: off}]\n"

static void cells_follow_each_other_with_their_variants(void **state)
{
	_cleanup_(scenario_freep) struct scenario *s = scenario_of(MATRIX);
	_cleanup_(scenario_cases_freep) struct scenario_cases *c = cases_of(s);

	(void)state;
	assert_names(c, "s.1.on s.1.off s.2.on s.2.off m.1.on m.1.off m.2.on m.2.off l.1.on "
			"l.1.off l.2.on l.2.off");
	assert_string_equal(c->list[3].cell, "s.2");
	assert_string_equal(c->list[3].variant, "off");
	assert_int_equal(c->list[3].parameters.n, 2);
	assert_string_equal(c->list[3].parameters.list[1].key, "mode");
	assert_string_equal(c->list[3].parameters.list[1].value, "2");
}

static void some_cases_can_be_chosen(void **state)
{
	_cleanup_(scenario_freep) struct scenario *s = scenario_of(MATRIX);
	_cleanup_(scenario_cases_freep) struct scenario_cases *one = NULL, *two = NULL;
	char size[] = "size", m[] = "m", mode[] = "mode", n1[] = "1";
	struct scenario_pair only[] = { { size, m }, { mode, n1 } };

	(void)state;
	assert_int_equal(scenario_cases_new(s, only, 1, NULL, &one), 0);
	assert_names(one, "m.1.on m.1.off m.2.on m.2.off");
	assert_int_equal(scenario_cases_new(s, only, 2, "off", &two), 0);
	assert_names(two, "m.1.off");
}

static void a_choice_of_what_is_not_there_is_refused(void **state)
{
	_cleanup_(scenario_freep) struct scenario *s = scenario_of(MATRIX);
	char size[] = "size", xl[] = "xl", sm[] = "s", m[] = "m", other[] = "other";
	struct scenario_pair no_value = { size, xl }, no_name = { other, sm };
	struct scenario_pair both[] = { { size, sm }, { size, m } };
	struct scenario_cases *c = NULL;

	(void)state;
	assert_int_equal(scenario_cases_new(s, &no_value, 1, NULL, &c), -EINVAL);
	assert_string_equal(err_text(), "the parameter 'size' of 'x' has no value 'xl'");
	assert_int_equal(scenario_cases_new(s, &no_name, 1, NULL, &c), -EINVAL);
	assert_string_equal(err_text(), "the matrix of 'x' has no parameter 'other'");
	assert_int_equal(scenario_cases_new(s, both, 2, NULL, &c), -EINVAL);
	assert_string_equal(err_text(), "the parameter 'size' cannot have two values at once");
	assert_int_equal(scenario_cases_new(s, NULL, 0, "maybe", &c), -EINVAL);
	assert_string_equal(err_text(), "'x' has no variant 'maybe'");
	assert_null(c);
}

static void names_are_replaced_and_dollars_kept(void **state)
{
	_cleanup_(scenario_freep) struct scenario *s =
		scenario_of("name: x\n"
			    "command: [sh, -c, \"${size}-${variant} $$ $1 $(x) $${size} $$$$ $\"]\n"
			    "matrix: {size: [s]}\n"
			    "variants: [{name: v, parameters: {p: \"${size}!\", q: \"$${p}\"}}]\n"
			    "setup: [\"${scenario_dir}/${p}\", \"${q}\"]\n");
	_cleanup_(scenario_cases_freep) struct scenario_cases *c = cases_of(s);
	char expected[512];

	(void)state;
	assert_string_equal(c->list[0].subject.command[2], "s-v $ $1 $(x) ${size} $$ $");
	snprintf(expected, sizeof(expected), "%s/s!", s->folder);
	assert_string_equal(c->list[0].setup[0], expected);
	/* What a value holds is not looked at again. */
	assert_string_equal(c->list[0].setup[1], "${p}");
}

static void variants_replace_what_they_say(void **state)
{
	_cleanup_(scenario_freep) struct scenario *s =
		scenario_of(LEAST "workdir: /w\n"
				  "env: {A: \"1\", B: \"2\"}\n"
				  "variants:\n"
				  "  - name: same\n"
				  "  - {name: other, command: [b, \"${variant}\"], workdir: /o,\n"
				  "     env: {B: \"${variant}\", C: \"3\"}}\n");
	_cleanup_(scenario_cases_freep) struct scenario_cases *c = cases_of(s);
	const struct scenario_case *same = &c->list[0], *other = &c->list[1];

	(void)state;
	assert_string_equal(same->subject.command[0], "a");
	assert_string_equal(same->workdir, "/w");
	assert_int_equal(same->env.n, 2);
	assert_string_equal(other->subject.command[1], "other");
	assert_string_equal(other->workdir, "/o");
	assert_int_equal(other->env.n, 3);
	assert_string_equal(other->env.list[0].value, "1");
	assert_string_equal(other->env.list[1].value, "other");
	assert_string_equal(other->env.list[2].key, "C");
}

static void paths_become_absolute_where_they_belong(void **state)
{
	_cleanup_(scenario_freep) struct scenario *s =
		scenario_of(LEAST "workdir: w\n"
				  "ready: {file: up}\n"
				  "oracle: {file: out, expected: want}\n"
				  "metrics:\n"
				  "  - {name: a, unit: u, better: lower, lines: l.txt}\n"
				  "  - {name: b, unit: u, better: lower, lines: /abs}\n"
				  "  - {name: c, unit: u, better: lower, lines: true}\n");
	_cleanup_(scenario_cases_freep) struct scenario_cases *c = cases_of(s);
	char expected[512];

	(void)state;
	snprintf(expected, sizeof(expected), "%s/w", s->folder);
	assert_string_equal(c->list[0].workdir, expected);
	snprintf(expected, sizeof(expected), "%s/w/up", s->folder);
	assert_string_equal(c->list[0].ready.text, expected);
	snprintf(expected, sizeof(expected), "%s/w/out", s->folder);
	assert_string_equal(c->list[0].oracle.file, expected);
	snprintf(expected, sizeof(expected), "%s/want", s->folder);
	assert_string_equal(c->list[0].oracle.expected, expected);
	snprintf(expected, sizeof(expected), "%s/w/l.txt", s->folder);
	assert_string_equal(c->list[0].metrics[0].file, expected);
	assert_string_equal(c->list[0].metrics[1].file, "/abs");
	assert_null(c->list[0].metrics[2].file);
}

static void the_scratch_folder_comes_late(void **state)
{
	_cleanup_(scenario_freep) struct scenario *s = scenario_of(
		"name: x\n"
		"command: [a, \"${scratch}/in\", \"${scratch}:${scratch}\"]\n"
		"matrix: {size: [s]}\n"
		"workdir: ${scratch}\n"
		"env: {T: \"${scratch}\"}\n"
		"setup: [\"$${scratch}\"]\n"
		"oracle: {file: out, expected: \"${scratch}/want\"}\n"
		"metrics:\n"
		"  - {name: a, unit: u, better: lower, regex: \"${scratch}/(x)\", file: log}\n");
	_cleanup_(scenario_cases_freep) struct scenario_cases *c = cases_of(s);
	struct scenario_case *one = &c->list[0];

	(void)state;
	assert_true(one->needs_scratch);
	assert_int_equal(scenario_case_set_scratch(one, "/tmp/q"), 0);
	assert_false(one->needs_scratch);
	assert_string_equal(one->subject.command[1], "/tmp/q/in");
	assert_string_equal(one->subject.command[2], "/tmp/q:/tmp/q");
	assert_string_equal(one->workdir, "/tmp/q");
	assert_string_equal(one->env.list[0].value, "/tmp/q");
	assert_string_equal(one->setup[0], "${scratch}");
	assert_string_equal(one->oracle.file, "/tmp/q/out");
	assert_string_equal(one->oracle.expected, "/tmp/q/want");
	assert_string_equal(one->metrics[0].pattern, "/tmp/q/(x)");
	assert_string_equal(one->metrics[0].file, "/tmp/q/log");
}

/* Two texts that only together make a pattern are looked at when they are together. */
static void patterns_are_looked_at_when_they_are_whole(void **state)
{
	_cleanup_(scenario_freep) struct scenario *s =
		scenario_of(LEAST "variants: [{name: v, parameters: {p: \"[\"}}]\n"
				  "ready: {stdout: \"a${p}\"}\n");
	_cleanup_(scenario_freep) struct scenario *late =
		scenario_of(LEAST "ready: {stdout: \"[a-z]${scratch}\"}\n");
	_cleanup_(scenario_cases_freep) struct scenario_cases *c = cases_of(late);
	struct scenario_cases *none = NULL;

	(void)state;
	assert_int_equal(scenario_cases_new(s, NULL, 0, NULL, &none), -EINVAL);
	assert_non_null(strstr(err_text(), "'a[' is no regular expression"));
	assert_null(none);
	assert_int_equal(scenario_case_set_scratch(&c->list[0], "/tmp/(x"), -EINVAL);
	assert_non_null(strstr(err_text(), "is no regular expression"));
}

static void what_becomes_empty_is_refused(void **state)
{
	_cleanup_(scenario_freep) struct scenario *command = scenario_of(
		"name: x\nvariants: [{name: v, parameters: {p: \"\"}}]\ncommand: [\"${p}\"]\n");
	_cleanup_(scenario_freep) struct scenario *path =
		scenario_of(LEAST "variants: [{name: v, parameters: {p: \"\"}}]\nworkdir: ${p}\n");
	struct scenario_cases *c = NULL;

	(void)state;
	assert_int_equal(scenario_cases_new(command, NULL, 0, NULL, &c), -EINVAL);
	assert_string_equal(err_text(), "'${p}' makes an empty command");
	assert_int_equal(scenario_cases_new(path, NULL, 0, NULL, &c), -EINVAL);
	assert_string_equal(err_text(), "'${p}' makes an empty path");
}

static void two_cases_cannot_have_one_name(void **state)
{
	_cleanup_(scenario_freep) struct scenario *s =
		scenario_of(LEAST "matrix: {a: [1, 1.2], b: [2.3, 3]}\n");
	struct scenario_cases *c = NULL;

	(void)state;
	assert_int_equal(scenario_cases_new(s, NULL, 0, NULL, &c), -EINVAL);
	assert_string_equal(err_text(), "two cases have the same name, '1.2.3'");
}

static void names_of_files_are_not_too_long(void **state)
{
	static const char name[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	_cleanup_(scenario_freep) struct scenario *s = NULL;
	struct scenario_cases *c = NULL;
	char text[1024];

	(void)state;
	snprintf(text, sizeof(text), LEAST "matrix: {a: [%s], b: [%s], c: [%s], d: [%s]}\n", name,
		 name, name, name);
	s = scenario_of(text);
	assert_int_equal(scenario_cases_new(s, NULL, 0, NULL, &c), -EINVAL);
	assert_non_null(strstr(err_text(), "has a name of more than 200 bytes"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_matrix_and_variants_there_is_one_case_without_a_name),
		cmocka_unit_test(cells_follow_each_other_with_their_variants),
		cmocka_unit_test(some_cases_can_be_chosen),
		cmocka_unit_test(a_choice_of_what_is_not_there_is_refused),
		cmocka_unit_test(names_are_replaced_and_dollars_kept),
		cmocka_unit_test(variants_replace_what_they_say),
		cmocka_unit_test(paths_become_absolute_where_they_belong),
		cmocka_unit_test(the_scratch_folder_comes_late),
		cmocka_unit_test(patterns_are_looked_at_when_they_are_whole),
		cmocka_unit_test(what_becomes_empty_is_refused),
		cmocka_unit_test(two_cases_cannot_have_one_name),
		cmocka_unit_test(names_of_files_are_not_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
