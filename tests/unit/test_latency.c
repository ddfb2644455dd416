/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "user/model/latency_groups.h"

#define MS 1000000ull

static const struct latency_description block = {
	.subject = "device",
	.stages = { "queue", "device", "total" },
	.n_stages = 3,
	.outlier_threshold_ns = 10 * MS,
	.max_outliers = 3,
};

static struct latency *new_latency(void)
{
	struct latency *l = NULL;

	assert_int_equal(latency_new(&block, &l), 0);
	return l;
}

static uint32_t row(struct latency *l, const char *subject, const char *operation,
		    const char *flags, const char *size_class)
{
	const struct latency_key key = { subject,
					 operation,
					 flags,
					 size_class,
					 strcmp(operation, "read") ? LATENCY_WRITE : LATENCY_READ,
					 false };
	uint32_t ret;

	assert_int_equal(latency_row(l, LATENCY_BY_SUBJECT, &key, &ret), 0);
	return ret;
}

/* One operation of so many bytes that took so long in all. */
static void add(struct latency *l, uint32_t r, uint64_t bytes, uint64_t ns)
{
	const struct latency_counts one = { .operations = 1, .bytes = bytes };

	assert_int_equal(latency_add_counts(l, LATENCY_BY_SUBJECT, r, &one), 0);
	assert_int_equal(latency_add_ns(l, LATENCY_BY_SUBJECT, r, 0, ns / 4), 0);
	assert_int_equal(latency_add_ns(l, LATENCY_BY_SUBJECT, r, 1, ns - ns / 4), 0);
	assert_int_equal(latency_add_ns(l, LATENCY_BY_SUBJECT, r, 2, ns), 0);
}

static void rows_are_told_apart_by_all_four_parts(void **state)
{
	_cleanup_(latency_freep) struct latency *l = new_latency();
	uint32_t first = row(l, "vda", "read", "sync", "4K");

	(void)state;
	assert_int_equal(row(l, "vda", "read", "sync", "4K"), first);
	assert_int_not_equal(row(l, "vdb", "read", "sync", "4K"), first);
	assert_int_not_equal(row(l, "vda", "write", "sync", "4K"), first);
	assert_int_not_equal(row(l, "vda", "read", NULL, "4K"), first);
	assert_int_not_equal(row(l, "vda", "read", "sync", "8K"), first);
	assert_int_equal(l->by_subject.n, 5);
	assert_int_equal(row(l, "vda", "read", "", "4K"), row(l, "vda", "read", NULL, "4K"));
	assert_string_equal(latency_string(l, l->by_subject.rows[1].subject), "vdb");
}

static void what_is_added_stands_in_the_row(void **state)
{
	_cleanup_(latency_freep) struct latency *l = new_latency();
	const struct latency_counts more = { 5, 4096, 3, 2, 1 };
	uint32_t r = row(l, "vda", "read", "", "");
	struct latency_row *got;

	(void)state;
	add(l, r, 512, 4000);
	assert_int_equal(latency_add_counts(l, LATENCY_BY_SUBJECT, r, &more), 0);
	assert_int_equal(latency_add_slot(l, LATENCY_BY_SUBJECT, r, 2, ft_hist_slot(100), 5), 0);
	assert_int_equal(latency_add_sum(l, LATENCY_BY_SUBJECT, r, 2, 500, 100), 0);
	/* No such stage. */
	assert_int_equal(latency_add_slot(l, LATENCY_BY_SUBJECT, r, 3, 1, 5), 0);
	assert_int_equal(latency_add_sum(l, LATENCY_BY_SUBJECT, r, 3, 500, 100), 0);
	got = &l->by_subject.rows[r];
	assert_int_equal(got->counts.operations, 6);
	assert_int_equal(got->counts.bytes, 4608);
	assert_int_equal(got->counts.errors, 3);
	assert_int_equal(got->counts.touched, 2);
	assert_int_equal(got->counts.inferred_bytes, 1);
	assert_int_equal(got->stages[0].n, 1);
	assert_int_equal(got->stages[0].sum_ns, 1000);
	assert_int_equal(got->stages[1].max_ns, 3000);
	assert_int_equal(got->stages[2].n, 6);
	assert_int_equal(got->stages[2].sum_ns, 4500);
	assert_int_equal(got->stages[2].max_ns, 4000);
}

static void what_has_no_room_is_in_the_other_row(void **state)
{
	_cleanup_(latency_freep) struct latency *l = new_latency();
	struct latency_key key = { .operation = "read" };
	const struct latency_counts one = { .operations = 1, .bytes = 7 };
	uint32_t r, strings, i;
	char path[32];

	(void)state;
	key.subject = path;
	for (i = 0; i < LATENCY_MAX_PATHS + 10; i++) {
		snprintf(path, sizeof(path), "/f%u", i);
		assert_int_equal(latency_row(l, LATENCY_BY_PATH, &key, &r), 0);
		assert_int_equal(r, i < LATENCY_MAX_PATHS ? i : LATENCY_OTHER);
		if (i == LATENCY_MAX_PATHS - 1)
			strings = l->strings.n;
		assert_int_equal(latency_add_counts(l, LATENCY_BY_PATH, r, &one), 0);
		assert_int_equal(latency_add_ns(l, LATENCY_BY_PATH, r, 2, i), 0);
	}
	assert_int_equal(l->by_path.other.counts.operations, 10);
	assert_int_equal(l->by_path.other.counts.bytes, 70);
	assert_int_equal(l->by_path.other.stages[2].n, 10);
	assert_int_equal(l->strings.n, strings); /* names without a row take no memory */
	snprintf(path, sizeof(path), "/f3");
	assert_int_equal(latency_row(l, LATENCY_BY_PATH, &key, &r), 0);
	assert_int_equal(r, 3); /* what is there is still found */
}

static struct latency_point *points(struct latency *l, const char *subject)
{
	size_t i;

	for (i = 0; i < l->series.n_subjects; i++) {
		if (!strcmp(latency_string(l, l->series.subjects[i]->subject), subject))
			return l->series.subjects[i]->points;
	}
	fail_msg("no series of '%s'", subject);
	return NULL;
}

static void a_column_holds_what_was_added_before_its_tick(void **state)
{
	_cleanup_(latency_freep) struct latency *l = new_latency();
	uint32_t read = row(l, "vda", "read", "", ""), write = row(l, "vda", "write", "", "");
	struct latency_point *p;

	(void)state;
	add(l, read, 1, 5); /* time has not begun: in no column */
	assert_int_equal(latency_series_columns(&l->series), 0);
	latency_start(l, 1000 * MS);
	add(l, read, 4096, 30 * MS);
	add(l, write, 512, 20 * MS);
	assert_int_equal(latency_in_flight(l, "vda", 3), 0);
	latency_tick(l, 1100 * MS);
	latency_tick(l, 1100 * MS); /* no time has passed */
	latency_tick(l, 1050 * MS);
	assert_int_equal(latency_series_columns(&l->series), 1);
	add(l, read, 1, 1 * MS);
	latency_tick(l, 1350 * MS); /* a late one */
	assert_int_equal(latency_series_columns(&l->series), 2);
	assert_int_equal(latency_column_start_ns(&l->series, 0), 1000 * MS);
	assert_int_equal(latency_column_start_ns(&l->series, 1), 1100 * MS);
	assert_int_equal(l->series.ends_ns[1], 1350 * MS);
	p = points(l, "vda");
	assert_int_equal(p[0].operations, 2);
	assert_int_equal(p[0].read_bytes, 4096);
	assert_int_equal(p[0].write_bytes, 512);
	assert_int_equal(p[0].n_total, 2);
	assert_int_equal(p[0].total_sum_ns, 50 * MS);
	assert_int_equal(p[0].in_flight, 3);
	assert_int_equal(p[1].operations, 1);
	assert_int_equal(p[1].total_sum_ns, 1 * MS);
}

static uint64_t heat_sum(const struct latency_heat *heat, size_t column)
{
	uint64_t sum = 0;
	uint32_t i;

	for (i = 0; i < LATENCY_HEAT_ROWS; i++)
		sum += heat->cells[column * LATENCY_HEAT_ROWS + i];
	return sum;
}

static void heat_is_of_everything_and_of_each_operation(void **state)
{
	_cleanup_(latency_freep) struct latency *l = new_latency();
	uint32_t read = row(l, "vda", "read", "", ""), write = row(l, "vdb", "write", "", "");
	const struct latency_heat *heats = l->series.heats;
	uint32_t at;

	(void)state;
	latency_start(l, 0);
	add(l, read, 1, 5 * MS);
	latency_tick(l, 100 * MS);
	add(l, read, 1, 5 * MS);
	add(l, write, 1, 5 * MS);
	latency_tick(l, 200 * MS);
	assert_int_equal(l->series.n_heats, 3);
	assert_int_equal(heats[0].operation, 0);
	assert_string_equal(latency_string(l, heats[1].operation), "read");
	assert_int_equal(heat_sum(&heats[0], 0), 1);
	assert_int_equal(heat_sum(&heats[0], 1), 2);
	assert_int_equal(heat_sum(&heats[1], 1), 1);
	assert_int_equal(heat_sum(&heats[2], 0), 0);
	assert_int_equal(heat_sum(&heats[2], 1), 1);
	at = ft_hist_slot(5 * MS) >> LATENCY_HEAT_SHIFT;
	assert_int_equal(heats[0].cells[LATENCY_HEAT_ROWS + at], 2);
	assert_true(latency_heat_lower_ns(at) <= 5 * MS && latency_heat_lower_ns(at + 1) > 5 * MS);
}

static void a_heat_map_without_room_is_left_out(void **state)
{
	_cleanup_(latency_freep) struct latency *l = new_latency();
	char name[8];
	int i;

	(void)state;
	latency_start(l, 0);
	for (i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "op%d", i);
		add(l, row(l, "vda", name, "", ""), 1, 100);
	}
	assert_int_equal(l->series.n_heats, LATENCY_MAX_HEATS);
	assert_int_equal(heat_sum(&l->series.heats[0], 0), 20);
	assert_int_equal(heat_sum(&l->series.heats[LATENCY_MAX_HEATS - 1], 0), 1);
}

static void full_columns_are_merged_in_pairs(void **state)
{
	_cleanup_(latency_freep) struct latency *l = new_latency();
	uint32_t read = row(l, "vda", "read", "", "");
	struct latency_point *p;
	uint64_t sum = 0, heat = 0;
	size_t i, n;
	unsigned int t;

	(void)state;
	latency_start(l, 0);
	for (t = 1; t <= 5 * LATENCY_COLUMNS; t++) {
		add(l, read, 10, t);
		assert_int_equal(latency_in_flight(l, "vda", t), 0);
		latency_tick(l, t * 100 * MS);
	}
	assert_int_equal(l->series.column_ticks, 8);
	n = latency_series_columns(&l->series);
	assert_int_equal(n, 5 * LATENCY_COLUMNS / 8);
	p = points(l, "vda");
	for (i = 0; i < n; i++) {
		assert_int_equal(l->series.ends_ns[i] - latency_column_start_ns(&l->series, i),
				 800 * MS);
		assert_int_equal(p[i].operations, 8);
		assert_int_equal(p[i].read_bytes, 80);
		assert_int_equal(p[i].in_flight, 8 * (i + 1));
		assert_int_equal(heat_sum(&l->series.heats[0], i), 8);
		sum += p[i].total_sum_ns;
		heat += heat_sum(&l->series.heats[1], i);
	}
	assert_int_equal(sum, l->by_subject.rows[read].stages[2].sum_ns);
	assert_int_equal(heat, 5 * LATENCY_COLUMNS);
}

static void subjects_beyond_the_limit_have_no_series(void **state)
{
	_cleanup_(latency_freep) struct latency *l = new_latency();
	char name[16];
	uint32_t r = 0;
	int i;

	(void)state;
	latency_start(l, 0);
	for (i = 0; i < LATENCY_MAX_SUBJECTS + 2; i++) {
		snprintf(name, sizeof(name), "sd%d", i);
		r = row(l, name, "read", "", "");
		add(l, r, 1, 100);
		assert_int_equal(latency_in_flight(l, name, 1), 0);
	}
	assert_int_equal(l->series.n_subjects, LATENCY_MAX_SUBJECTS);
	assert_int_equal(l->by_subject.rows[r].counts.operations, 1);
	assert_int_equal(heat_sum(&l->series.heats[0], 0), LATENCY_MAX_SUBJECTS + 2);
}

static void the_slowest_outliers_are_kept(void **state)
{
	static const uint64_t times[] = { 50, 10, 40, 20, 20, 60, 5, 40, 40 };
	_cleanup_(latency_freep) struct latency *l = new_latency();
	struct latency_outliers *o = &l->outliers;
	char comm[8];
	size_t i;

	(void)state;
	assert_int_equal(o->threshold_ns, 10 * MS);
	for (i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct latency_outlier one = { .time_ns = 1000 - i,
					       .stage_ns = { 1, 2, times[i] },
					       .comm = comm,
					       .stack = comm };

		snprintf(comm, sizeof(comm), "c%zu", i);
		assert_int_equal(latency_outliers_add(o, &one), 0);
	}
	assert_false(latency_outliers_wants(o, 40));
	assert_true(latency_outliers_wants(o, 41));
	latency_outliers_sort(o);
	assert_int_equal(o->n, 3);
	assert_int_equal(o->n_faster, 6);
	/* By time; of the equally slow ones the first to come. */
	assert_string_equal(o->list[0].comm, "c5");
	assert_string_equal(o->list[1].comm, "c2");
	assert_string_equal(o->list[2].comm, "c0");
	assert_null(o->list[0].path);
	assert_ptr_not_equal(o->list[0].comm, o->list[0].stack);
}

static void of_equally_slow_outliers_the_first_stay(void **state)
{
	_cleanup_(latency_freep) struct latency *l = new_latency();
	struct latency_outliers *o = &l->outliers;
	uint64_t i;

	(void)state;
	for (i = 0; i < 4; i++) {
		const struct latency_outlier one = { .time_ns = i,
						     .stage_ns = { 0, 0, i < 3 ? 40 : 60 } };

		assert_int_equal(latency_outliers_add(o, &one), 0);
	}
	latency_outliers_sort(o);
	assert_int_equal(o->list[0].time_ns, 0);
	assert_int_equal(o->list[1].time_ns, 1);
	assert_int_equal(o->list[2].time_ns, 3);
}

static void a_limit_of_none_given_is_the_default(void **state)
{
	struct latency_outliers o;

	(void)state;
	latency_outliers_init(&o, 1, 0, 2);
	assert_int_equal(o.max, LATENCY_OUTLIERS_DEFAULT);
	latency_outliers_release(&o);
}

static void devices_are_copied_with_what_is_below(void **state)
{
	_cleanup_(latency_freep) struct latency *l = new_latency();
	char vda[] = "vda", vdb[] = "vdb", name[] = "dm-0", kind[] = "dm";
	char *lower[] = { vda, vdb };
	const struct latency_device d = {
		.name = name, .kind = kind, .lower = lower, .n_lower = 2
	};
	int i;

	(void)state;
	assert_int_equal(latency_add_device(l, &d), 0);
	name[0] = vdb[0] = 'X';
	assert_string_equal(l->devices[0].name, "dm-0");
	assert_string_equal(l->devices[0].lower[1], "vdb");
	assert_int_equal(l->devices[0].n_lower, 2);
	assert_null(l->devices[0].number);
	for (i = 0; i < LATENCY_MAX_DEVICES + 4; i++)
		assert_int_equal(latency_add_device(l, &d), 0);
	assert_int_equal(l->n_devices, LATENCY_MAX_DEVICES);
	assert_int_equal(l->devices_left_out, 5);
}

static void routes_are_added_up(void **state)
{
	_cleanup_(latency_freep) struct latency *l = new_latency();
	char name[16];
	int i;

	(void)state;
	assert_int_equal(latency_add_route(l, "vda", "dm-0", 2, 8192), 0);
	assert_int_equal(latency_add_route(l, "dm-0", "vda", 1, 1), 0);
	for (i = 0; i < LATENCY_MAX_ROUTES; i++) {
		snprintf(name, sizeof(name), "dm-%d", i + 1);
		assert_int_equal(latency_add_route(l, "vda", name, 1, 512), 0);
	}
	assert_int_equal(latency_add_route(l, "vda", "dm-0", 1, 4096), 0);
	assert_int_equal(l->n_routes, LATENCY_MAX_ROUTES);
	assert_int_equal(l->routes[0].requests, 3);
	assert_int_equal(l->routes[0].bytes, 12288);
	assert_int_equal(l->routes[1].requests, 1);
	assert_int_equal(l->routes_other.operations, 2);
	assert_int_equal(l->routes_other.bytes, 1024);
}

static void groups_are_merged_and_ranked_by_time(void **state)
{
	_cleanup_(latency_freep) struct latency *l = new_latency();
	_cleanup_(latency_groups_freep) struct latency_groups *g = NULL;
	_cleanup_(freep) uint32_t *order = NULL;

	(void)state;
	add(l, row(l, "vda", "write", "sync", "4K"), 4096, 100);
	add(l, row(l, "vda", "read", "", "4K"), 4096, 500);
	add(l, row(l, "vda", "write", "", "8K"), 8192, 900);
	add(l, row(l, "vdb", "read", "", "4K"), 4096, 500);
	assert_int_equal(latency_groups_new(l, LATENCY_BY_SUBJECT, &g), 0);
	assert_int_equal(g->n, 3);
	assert_string_equal(latency_string(l, g->groups[0].operation), "write");
	assert_int_equal(g->groups[0].counts.operations, 2);
	assert_int_equal(g->groups[0].counts.bytes, 12288);
	assert_int_equal(g->groups[0].stages[2].sum_ns, 1000);
	assert_int_equal(g->groups[0].stages[0].n, 2);
	assert_string_equal(latency_string(l, g->groups[1].subject), "vda");
	assert_string_equal(latency_string(l, g->groups[2].subject), "vdb");
	assert_int_equal(latency_rows_order(l, LATENCY_BY_SUBJECT, &order), 0);
	assert_int_equal(order[0], 2);
	assert_int_equal(order[1], 1);
	assert_int_equal(order[2], 3);
	assert_int_equal(order[3], 0);
}

static void nothing_has_no_groups(void **state)
{
	_cleanup_(latency_freep) struct latency *l = new_latency();
	_cleanup_(latency_groups_freep) struct latency_groups *g = NULL;

	(void)state;
	assert_int_equal(latency_groups_new(l, LATENCY_BY_PATH, &g), 0);
	assert_int_equal(g->n, 0);
}

static void what_is_apart_comes_last_and_is_in_no_heat_map(void **state)
{
	_cleanup_(latency_groups_freep) struct latency_groups *g = NULL;
	_cleanup_(latency_freep) struct latency *l = new_latency();
	const struct latency_key pipe = { .subject = "pipe",
					  .operation = "read",
					  .is_apart = true };
	_cleanup_(freep) uint32_t *order = NULL;
	uint32_t r, slow, fast;

	(void)state;
	latency_start(l, 0);
	assert_int_equal(latency_row(l, LATENCY_BY_SUBJECT, &pipe, &r), 0);
	add(l, r, 1, 1000 * MS);
	assert_int_equal(l->series.n_heats, 0);
	fast = row(l, "vda", "write", NULL, NULL);
	slow = row(l, "vda", "read", NULL, NULL);
	add(l, fast, 1, MS);
	add(l, slow, 1, 2 * MS);
	assert_int_equal(l->series.n_heats, 3);
	assert_int_equal(latency_groups_new(l, LATENCY_BY_SUBJECT, &g), 0);
	assert_int_equal(g->n, 3);
	assert_false(g->groups[0].is_apart || g->groups[1].is_apart);
	assert_true(g->groups[2].is_apart);
	assert_string_equal(latency_string(l, g->groups[2].subject), "pipe");
	assert_int_equal(latency_rows_order(l, LATENCY_BY_SUBJECT, &order), 0);
	assert_int_equal(order[0], slow);
	assert_int_equal(order[1], fast);
	assert_int_equal(order[2], r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_apart_comes_last_and_is_in_no_heat_map),
		cmocka_unit_test(rows_are_told_apart_by_all_four_parts),
		cmocka_unit_test(what_is_added_stands_in_the_row),
		cmocka_unit_test(what_has_no_room_is_in_the_other_row),
		cmocka_unit_test(a_column_holds_what_was_added_before_its_tick),
		cmocka_unit_test(heat_is_of_everything_and_of_each_operation),
		cmocka_unit_test(a_heat_map_without_room_is_left_out),
		cmocka_unit_test(full_columns_are_merged_in_pairs),
		cmocka_unit_test(subjects_beyond_the_limit_have_no_series),
		cmocka_unit_test(the_slowest_outliers_are_kept),
		cmocka_unit_test(of_equally_slow_outliers_the_first_stay),
		cmocka_unit_test(a_limit_of_none_given_is_the_default),
		cmocka_unit_test(devices_are_copied_with_what_is_below),
		cmocka_unit_test(routes_are_added_up),
		cmocka_unit_test(groups_are_merged_and_ranked_by_time),
		cmocka_unit_test(nothing_has_no_groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
