/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/stacks.h"

#include <jansson.h>
#include <math.h>

#include "flamegraph/flame_data.h"
#include "tests/unit/folder.h"
#include "user/bench/statistics.h"
#include "user/cmd/diff_picture.h"

struct world {
	struct profile *before, *after;
	struct difference_input in[DIFFERENCE_SIDES];
	struct difference *d;
	struct difference_report r;
	struct diff_options o;
	struct folder folder;
	struct flame_data *data; /* read back from the picture */
	json_t *header;
};

static void world_init(struct world *w)
{
	*w = (struct world){ .before = stacks_new("cpu", "nanoseconds"),
			     .after = stacks_new("cpu", "nanoseconds") };
	folder_make(&w->folder);
	w->o = (struct diff_options){ .panes = 1, .max_growth = NAN };
}

static void compare(struct world *w, enum difference_scale scale)
{
	w->in[DIFFERENCE_BEFORE] = (struct difference_input){ w->before, 0, DIFFERENCE_NO_VALUE };
	w->in[DIFFERENCE_AFTER] = (struct difference_input){ w->after, 0, DIFFERENCE_NO_VALUE };
	difference_free(w->d);
	assert_int_equal(difference_new(&w->in[0], &w->in[1], &w->d), 0);
	assert_int_equal(difference_set_scale(w->d, scale), 0);
	w->r = (struct difference_report){
		.d = w->d,
		.scale = scale,
		.value = "cpu",
		.unit = "nanoseconds",
		.sources = { "old", "new" },
		.origins = { "", "of today" },
		.max_growth = NAN,
	};
}

static void draw(struct world *w)
{
	_cleanup_(fclosep) FILE *in = NULL;

	w->o.output = folder_path(&w->folder, "x.svg");
	assert_int_equal(diff_picture_write(&w->o, &w->r, w->in), 0);
	in = fopen(w->o.output, "re");
	assert_non_null(in);
	if (w->data)
		flame_data_free(w->data);
	w->data = NULL;
	assert_int_equal(flame_data_read(in, "x.svg", &w->data), 0);
	json_decref(w->header);
	w->header = json_loads(w->data->header, 0, NULL);
	assert_non_null(w->header);
}

static void world_release(struct world *w)
{
	json_decref(w->header);
	if (w->data)
		flame_data_free(w->data);
	folder_remove(&w->folder);
	difference_free(w->d);
	profile_free(w->before);
	profile_free(w->after);
}

static bool has_name(const struct world *w, const char *name)
{
	uint32_t i;

	for (i = 0; i < w->data->tree->n_nodes; i++) {
		if (!strcmp(flame_name(w->data->tree, i), name))
			return true;
	}
	return false;
}

static double scale(const struct world *w, size_t side)
{
	return json_number_value(json_array_get(json_object_get(w->header, "scales"), side));
}

static void some_stacks(struct world *w)
{
	world_init(w);
	stacks_add(w->before, "sh", "main@sh;work@sh", 3000);
	stacks_add(w->before, "sh", "main@sh;old@sh", 7000);
	stacks_add(w->after, "sh", "main@sh;work@sh", 4500);
	stacks_add(w->after, "sh", "main@sh;fresh@sh", 10500);
	w->before->duration_ns = 2000000000;
	w->after->duration_ns = 3000000000;
}

static void sides_are_measured_as_the_table_does(void **state)
{
	struct world w;

	(void)state;
	some_stacks(&w);
	compare(&w, DIFFERENCE_SHARE);
	draw(&w);
	assert_int_equal(w.data->tree->nodes[0].value, 15000);
	assert_int_equal(w.data->tree->before[0], 10000);
	assert_true(scale(&w, 0) == 1.5 && scale(&w, 1) == 1);
	assert_string_equal(json_string_value(json_object_get(w.header, "subtitle")),
			    "cpu, shares of all on each side: amounts before are times 1.5");
	compare(&w, DIFFERENCE_SECOND);
	draw(&w);
	assert_true(scale(&w, 0) == 0.5);
	assert_true(fabs(scale(&w, 1) - 1.0 / 3) < 1e-9);
	compare(&w, DIFFERENCE_ABSOLUTE);
	draw(&w);
	assert_true(scale(&w, 0) == 1 && scale(&w, 1) == 1);
	assert_string_equal(json_string_value(json_object_get(w.header, "subtitle")),
			    "cpu, amounts as they are");
	world_release(&w);
}

static void options_reach_the_picture(void **state)
{
	struct world w;

	(void)state;
	some_stacks(&w);
	compare(&w, DIFFERENCE_SHARE);
	w.o.title = "Ours";
	w.o.subtitle = "and theirs";
	w.o.is_negated = w.o.is_icicle = w.o.delta_is_percent = true;
	w.r.significance = SIGNIFICANCE_GATE;
	draw(&w);
	assert_string_equal(json_string_value(json_object_get(w.header, "title")), "Ours");
	assert_string_equal(json_string_value(json_object_get(w.header, "subtitle")), "and theirs");
	assert_true(json_is_true(json_object_get(w.header, "negate")));
	assert_true(json_is_true(json_object_get(w.header, "icicle")));
	assert_string_equal(json_string_value(json_object_get(w.header, "delta_by")), "percent");
	assert_int_equal(json_array_size(json_object_get(w.header, "provenance")), 3);
	assert_string_equal(json_string_value(json_array_get(
				    json_array_get(json_object_get(w.header, "provenance"), 1), 1)),
			    "new, 15.0 us of cpu in 3.00 s; of today");
	world_release(&w);
}

static const char *provenance(const struct world *w, const char *key)
{
	const json_t *list = json_object_get(w->header, "provenance");
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		const json_t *pair = json_array_get(list, i);

		if (!strcmp(json_string_value(json_array_get(pair, 0)), key))
			return json_string_value(json_array_get(pair, 1));
	}
	return NULL;
}

static void what_both_sides_say_of_themselves_is_said_once(void **state)
{
	struct world w;

	(void)state;
	some_stacks(&w);
	assert_int_equal(profile_add_comment(w.before, "2 s of sh"), 0);
	assert_int_equal(profile_add_comment(w.before, "host: here"), 0);
	assert_int_equal(profile_add_comment(w.before, "command: sh old"), 0);
	assert_int_equal(profile_add_comment(w.after, "3 s of sh"), 0);
	assert_int_equal(profile_add_comment(w.after, "host: here"), 0);
	assert_int_equal(profile_add_comment(w.after, "command: sh new"), 0);
	compare(&w, DIFFERENCE_SHARE);
	draw(&w);
	assert_string_equal(provenance(&w, "before"),
			    "old, 10.0 us of cpu in 2.00 s; command: sh old");
	assert_string_equal(provenance(&w, "after"),
			    "new, 15.0 us of cpu in 3.00 s; of today; command: sh new");
	assert_string_equal(provenance(&w, "host"), "here");
	assert_null(provenance(&w, "command"));
	assert_null(provenance(&w, "noise"));
	world_release(&w);
}

static void verdicts_are_those_of_the_table(void **state)
{
	const json_t *verdicts;
	size_t i, significant = 0;
	struct world w;

	(void)state;
	world_init(&w);
	stacks_add(w.before, NULL, "main@build-a;work@build-a", 3000);
	stacks_add(w.before, NULL, "main@build-a;rest@build-a;work@build-a", 1000);
	stacks_add(w.after, NULL, "main@build-b;work@build-b", 4500);
	compare(&w, DIFFERENCE_ABSOLUTE);
	draw(&w);
	assert_null(json_object_get(w.header, "verdicts"));
	w.d->is_judged = true;
	/* Below 'rest', which is gone, it has the module that it had. */
	difference_find(w.d, "work", "build-b")->p = 0.25;
	difference_find(w.d, "work", "build-b")->is_significant = true;
	draw(&w);
	verdicts = json_object_get(w.header, "verdicts");
	for (i = 0; i < json_array_size(verdicts); i++) {
		const json_t *one = json_array_get(verdicts, i);

		if (!json_integer_value(json_array_get(one, 2)))
			continue;
		significant++;
		assert_true(json_number_value(json_array_get(one, 1)) == 0.25);
	}
	assert_int_equal(significant, 2);
	world_release(&w);
}

static void names_of_two_processes_are_left_out(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	stacks_add(w.before, "old", "main;work", 3000);
	stacks_add(w.after, "new", "main;work", 5000);
	compare(&w, DIFFERENCE_SHARE);
	assert_true(diff_picture_has_no_comm(&w.o, w.in));
	draw(&w);
	assert_int_equal(w.data->tree->n_nodes, 3);
	assert_false(has_name(&w, "old"));
	/* With another process beside it the name says something. */
	stacks_add(w.after, "helper", "main;work", 100);
	compare(&w, DIFFERENCE_SHARE);
	assert_false(diff_picture_has_no_comm(&w.o, w.in));
	draw(&w);
	assert_true(has_name(&w, "old") && has_name(&w, "new") && has_name(&w, "helper"));
	w.o.no_comm = true;
	draw(&w);
	assert_int_equal(w.data->tree->n_nodes, 3);
	world_release(&w);
}

static void one_name_on_both_sides_stays(void **state)
{
	struct world w;

	(void)state;
	some_stacks(&w);
	compare(&w, DIFFERENCE_SHARE);
	assert_false(diff_picture_has_no_comm(&w.o, w.in));
	draw(&w);
	assert_true(has_name(&w, "sh"));
	world_release(&w);
	world_init(&w); /* nothing at all */
	compare(&w, DIFFERENCE_SHARE);
	assert_false(diff_picture_has_no_comm(&w.o, w.in));
	draw(&w);
	assert_int_equal(w.data->tree->n_nodes, 1);
	world_release(&w);
}

static void random_stacks(struct random *r, struct profile *p)
{
	static const char *const names[] = { "a@x", "b@x", "c@y", "d@y", "e@[kernel]" };
	char stack[256];
	int i, k;

	for (i = 0; i < 60; i++) {
		int depth = 1 + (int)random_below(r, 8);

		*stack = '\0';
		for (k = 0; k < depth; k++) {
			strcat(stack, k ? ";" : "");
			strcat(stack, names[random_below(r, 5)]);
		}
		stacks_add(p, "sh", stack, (int64_t)random_below(r, 1000));
	}
}

/* What the frames of a function spent themselves is what the table says of it. */
static void picture_and_table_agree(const struct world *w)
{
	const struct flame_tree *tree = w->data->tree;
	size_t i, k;

	for (i = 0; i < w->d->n; i++) {
		const struct difference_row *row = &w->d->rows[i];
		int64_t before = 0, after = 0;

		for (k = 0; k < tree->n_nodes; k++) {
			if (strcmp(flame_name(tree, k), row->function) ||
			    strcmp(flame_module(tree, k), row->module))
				continue;
			before += flame_tree_self_before(tree, k);
			after += flame_tree_self(tree, k);
		}
		assert_int_equal(before, row->self[DIFFERENCE_BEFORE]);
		assert_int_equal(after, row->self[DIFFERENCE_AFTER]);
	}
	assert_int_equal(tree->before[0], w->d->all[DIFFERENCE_BEFORE]);
	assert_int_equal(tree->nodes[0].value, w->d->all[DIFFERENCE_AFTER]);
}

static void pictures_of_random_profiles_agree_with_their_tables(void **state)
{
	struct random random;
	int round;

	(void)state;
	random_init(&random, 5);
	for (round = 0; round < 50; round++) {
		struct world w;

		world_init(&w);
		random_stacks(&random, w.before);
		random_stacks(&random, w.after);
		compare(&w, (enum difference_scale)(round % 2 ? DIFFERENCE_SHARE
							      : DIFFERENCE_ABSOLUTE));
		draw(&w);
		picture_and_table_agree(&w);
		world_release(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sides_are_measured_as_the_table_does),
		cmocka_unit_test(options_reach_the_picture),
		cmocka_unit_test(what_both_sides_say_of_themselves_is_said_once),
		cmocka_unit_test(verdicts_are_those_of_the_table),
		cmocka_unit_test(names_of_two_processes_are_left_out),
		cmocka_unit_test(one_name_on_both_sides_stays),
		cmocka_unit_test(pictures_of_random_profiles_agree_with_their_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
