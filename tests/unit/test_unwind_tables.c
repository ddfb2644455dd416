/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables of files: which file has which, and what becomes of those that have no room. */
#include "tests/unit/unwind_fixture.h"

#include <stdio.h>
#include <sys/stat.h>

#include "tests/unit/test_sym_folder.h"

static struct unwind_fixture fixture;
static int n_evictions;

/* Code of this program. */
static uint64_t here(void)
{
	return (uint64_t)(uintptr_t)here;
}

static bool evicts_nothing(void *ctx)
{
	assert_ptr_equal(ctx, &fixture);
	n_evictions++;
	return false;
}

static uint32_t make_own(void)
{
	struct sym_mapping m = unwind_fixture_find(&fixture, here());
	uint32_t table;

	assert_int_equal(unwind_tables_of(fixture.tables, &m, &table), 0);
	assert_int_equal(unwind_tables_kind(fixture.tables, table), FT_MAPPING_PENDING);
	assert_int_equal(unwind_tables_make(fixture.tables, table, &m, evicts_nothing, &fixture),
			 0);
	return table;
}

static void a_table_is_placed_where_its_file_is(void **state)
{
	struct ft_unwind_mapping placed;
	struct sym_mapping m;
	uint32_t table;

	(void)state;
	unwind_fixture_init(&fixture, 64, 65536, 64);
	table = make_own();
	m = unwind_fixture_find(&fixture, here());
	unwind_tables_place(fixture.tables, table, m.start, m.end, m.pgoff, &placed);
	assert_int_equal(placed.kind, FT_MAPPING_TABLE);
	assert_true(here() >= placed.start && here() < placed.end);
	assert_int_equal(n_evictions, 0);
	unwind_fixture_release(&fixture);
}

/* It would be built for each sample, and each time in vain. */
static void a_table_without_room_is_counted_once_and_given_up(void **state)
{
	struct unwind_tables_counts counts;
	uint32_t table;

	(void)state;
	n_evictions = 0;
	unwind_fixture_init(&fixture, 1, 1, 64);
	table = make_own();
	assert_int_equal(unwind_tables_kind(fixture.tables, table), FT_MAPPING_FULL);
	unwind_tables_counts(fixture.tables, &counts);
	assert_int_equal(counts.full, 1);
	assert_int_equal(counts.tables, 0);
	assert_true(n_evictions <= 1);
	unwind_fixture_release(&fixture);
}

static struct sym_mapping mapping_of_file(const char *name)
{
	static char path[4096];
	struct stat st;

	snprintf(path, sizeof(path), "%s", in_folder(name));
	assert_int_equal(stat(path, &st), 0);
	return (struct sym_mapping){
		.start = 0x10000,
		.end = 0x11000,
		.dev = st.st_dev,
		.ino = st.st_ino,
		.path = path,
		.pid = getpid(),
	};
}

/* Who makes a file chooses its build ID. */
static void files_with_one_build_id_have_tables_of_their_own(void **state)
{
	struct sym_mapping m;
	uint32_t one, other, again;

	(void)state;
	write_text("one.c", "int main(void) { return 1; }\n");
	write_text("other.c", "int main(void) { return 2; }\n");
	assert_int_equal(run("gcc -Wl,--build-id=0x1234567890 one.c -o one && "
			     "gcc -Wl,--build-id=0x1234567890 other.c -o other"),
			 0);
	unwind_fixture_init(&fixture, 64, 65536, 64);
	m = mapping_of_file("one");
	assert_int_equal(unwind_tables_of(fixture.tables, &m, &one), 0);
	m = mapping_of_file("other");
	assert_int_equal(unwind_tables_of(fixture.tables, &m, &other), 0);
	m = mapping_of_file("one");
	/* As another source of mappings may know it: the symbolizer takes that for another file. */
	memcpy(m.build_id, "\x12\x34\x56\x78\x90", 5);
	m.build_id_len = 5;
	assert_int_equal(unwind_tables_of(fixture.tables, &m, &again), 0);
	assert_int_not_equal(one, other);
	assert_int_equal(one, again);
	unwind_fixture_release(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table_is_placed_where_its_file_is),
		cmocka_unit_test(a_table_without_room_is_counted_once_and_given_up),
		cmocka_unit_test(files_with_one_build_id_have_tables_of_their_own),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
