/* SPDX-License-Identifier: BSD-2-Clause */
/* The lists that the kernel's walk finds tables by. The kernel's part is played here: what
 * user/collect/unwind_maps.c would do is defined below, and so not linked from the library. */
#include "tests/unit/unwind_fixture.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "user/base/clock.h"
#include "user/collect/unwind_lists.h"

#define ROOM	 32
#define MAX_KEYS 64

static struct {
	struct ft_process_key keys[MAX_KEYS];
	struct ft_process values[MAX_KEYS];
	size_t n, max, n_sets, n_waits;
	void (*on_wait)(void); /* what happens in the meantime */
} kernel;

static struct unwind_fixture fixture;
static struct unwind_lists *lists;
static pid_t children[8];
static size_t n_children;

static size_t find(const struct ft_process_key *key)
{
	size_t i;

	for (i = 0; i < kernel.n; i++) {
		if (!memcmp(&kernel.keys[i], key, sizeof(*key)))
			return i;
	}
	return kernel.n;
}

int unwind_maps_set_process(const struct unwind_maps *maps, const struct ft_process_key *key,
			    const struct ft_process *process)
{
	size_t i = find(key);

	assert_ptr_equal(maps, &fixture.maps);
	kernel.n_sets++;
	if (i == kernel.n) {
		if (kernel.n == kernel.max)
			return -E2BIG;
		kernel.keys[kernel.n++] = *key;
	}
	kernel.values[i] = *process;
	return 0;
}

void unwind_maps_drop_process(const struct unwind_maps *maps, const struct ft_process_key *key)
{
	size_t i = find(key);

	(void)maps;
	if (i == kernel.n)
		return;
	kernel.n--;
	kernel.keys[i] = kernel.keys[kernel.n];
	kernel.values[i] = kernel.values[kernel.n];
}

int unwind_maps_for_each(const struct unwind_maps *maps, unwind_maps_fn fn, void *ctx)
{
	size_t i;

	(void)maps;
	for (i = 0; i < kernel.n; i++)
		fn(ctx, &kernel.keys[i], &kernel.values[i]);
	return 0;
}

void unwind_maps_wait(void)
{
	kernel.n_waits++;
	if (kernel.on_wait)
		kernel.on_wait();
}

static int set_up(void **state)
{
	(void)state;
	memset(&kernel, 0, sizeof(kernel));
	kernel.max = MAX_KEYS;
	n_children = 0;
	unwind_fixture_init(&fixture, 8, 4096, ROOM);
	return unwind_lists_new(&fixture.maps, fixture.processes, fixture.tables, &lists);
}

/* For what this program and its libraries have mapped. */
static int set_up_large(void **state)
{
	(void)state;
	memset(&kernel, 0, sizeof(kernel));
	kernel.max = MAX_KEYS;
	n_children = 0;
	unwind_fixture_init(&fixture, 64, 65536, 1024);
	return unwind_lists_new(&fixture.maps, fixture.processes, fixture.tables, &lists);
}

static void end(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static int tear_down(void **state)
{
	(void)state;
	while (n_children)
		if (children[--n_children])
			end(children[n_children]);
	unwind_lists_free(lists);
	unwind_fixture_release(&fixture);
	return 0;
}

/* A process that lives until it is ended. */
static pid_t live(void)
{
	pid_t pid = fork();

	if (!pid) {
		for (;;)
			pause();
	}
	assert_true(pid > 0);
	assert_true(n_children < sizeof(children) / sizeof(*children));
	return children[n_children++] = pid;
}

static void die(pid_t pid)
{
	size_t i;

	for (i = 0; children[i] != pid; i++)
		;
	children[i] = 0;
	end(pid);
}

static struct ft_process_key key_of(pid_t pid)
{
	return (struct ft_process_key){ .start_ns = 1000 + pid, .tgid = pid };
}

static void publish_as(pid_t pid, uint64_t mm)
{
	struct ft_process_key key = key_of(pid);

	assert_int_equal(unwind_lists_publish(lists, pid, &key, mm), 0);
}

static void publish(pid_t pid)
{
	publish_as(pid, 0xaa0000 + pid);
}

/* 'n' mappings of a page each, the first of which is at page 'first'. */
static void map_pages(pid_t pid, uint32_t first, uint32_t n)
{
	uint32_t i;

	for (i = first; i < first + n; i++)
		unwind_fixture_map(&fixture, pid, i * 8192ull, i * 8192ull + 4096, 1);
}

/* What the kernel knows of the process, NULL for nothing. */
static const struct ft_process *known(pid_t pid)
{
	struct ft_process_key key = key_of(pid);
	size_t i = find(&key);

	return i == kernel.n ? NULL : &kernel.values[i];
}

/* It has a list of just those pages. */
static void assert_list(pid_t pid, uint32_t first, uint32_t n)
{
	const struct ft_process *p = known(pid);
	uint32_t i;

	assert_non_null(p);
	assert_int_equal(p->n, n);
	assert_true(p->first + n <= ROOM);
	for (i = 0; i < n; i++) {
		const struct ft_unwind_mapping *m = &fixture.maps.mappings[p->first + i];

		assert_int_equal(m->start, (first + i) * 8192ull);
		assert_int_equal(m->end, (first + i) * 8192ull + 4096);
		assert_int_equal(m->kind, FT_MAPPING_NO_CFI);
	}
}

/* As bpf/unwind.bpf.c does at a fork. */
static void inherit(pid_t parent, uint32_t child)
{
	struct ft_process_key key = { .tgid = child };
	struct ft_process copy = *known(parent);

	copy.mm = child;
	assert_int_equal(unwind_maps_set_process(&fixture.maps, &key, &copy), 0);
}

static void disinherit(uint32_t child)
{
	struct ft_process_key key = { .tgid = child };

	unwind_maps_drop_process(&fixture.maps, &key);
}

/* Until room may be looked for again. */
static void wait_a_second(void)
{
	struct timespec second = { .tv_sec = 1, .tv_nsec = 50000000 };

	nanosleep(&second, NULL);
}

/* --- what is published ----------------------------------------------------------------------- */

static void a_process_gets_a_list_of_what_it_has_mapped(void **state)
{
	pid_t pid = live();

	(void)state;
	map_pages(pid, 12, 2); /* by address, whenever they were mapped */
	map_pages(pid, 10, 2);
	publish(pid);
	assert_list(pid, 10, 4);
	assert_int_equal(known(pid)->mm, 0xaa0000 + pid);
	assert_int_equal(known(pid)->deferred, 0);
	assert_int_equal(kernel.n, 1);
}

static void what_a_process_has_from_its_parent_is_in_its_list(void **state)
{
	pid_t parent = live(), child = live();

	(void)state;
	map_pages(parent, 10, 2);
	assert_int_equal(processes_fork(fixture.processes, child, parent, 5), 0);
	unwind_fixture_map(&fixture, child, 12 * 8192, 12 * 8192 + 4096, 6);
	publish(child);
	assert_list(child, 10, 3);
}

static void a_process_that_has_its_list_is_left_alone(void **state)
{
	pid_t pid = live();

	(void)state;
	map_pages(pid, 10, 2);
	publish(pid);
	publish(pid);
	assert_int_equal(unwind_lists_refresh(lists), 0);
	assert_int_equal(kernel.n_sets, 1);
}

static void who_is_gone_or_unknown_gets_none(void **state)
{
	pid_t pid = live(), unknown = live();

	(void)state;
	map_pages(pid, 10, 2);
	die(pid);
	publish(pid);
	publish(unknown);
	map_pages(0, 10, 2);
	publish(0); /* is in another PID namespace */
	assert_int_equal(kernel.n, 0);
	assert_int_equal(unwind_lists_full(lists), 0);
}

/* A walk may be on its way through the old one. */
static void a_change_makes_a_new_list_and_leaves_the_old_one(void **state)
{
	pid_t pid = live();
	struct ft_process old;

	(void)state;
	map_pages(pid, 10, 2);
	publish(pid);
	old = *known(pid);
	map_pages(pid, 12, 1);
	assert_int_equal(unwind_lists_refresh(lists), 0);
	assert_list(pid, 10, 3);
	assert_true(known(pid)->first >= old.first + old.n);
	assert_int_not_equal(known(pid)->list, old.list);
	assert_int_equal(fixture.maps.mappings[old.first].start, 10 * 8192);
	assert_int_equal(fixture.maps.mappings[old.first + 1].start, 11 * 8192);
}

static void another_address_space_gets_another_list(void **state)
{
	pid_t pid = live();

	(void)state;
	map_pages(pid, 10, 2);
	publish_as(pid, 1);
	publish_as(pid, 2);
	assert_list(pid, 10, 2);
	assert_int_equal(known(pid)->mm, 2);
	assert_int_equal(processes_exec(fixture.processes, pid, 100), 0);
	unwind_fixture_map(&fixture, pid, 20 * 8192, 20 * 8192 + 4096, 101);
	publish_as(pid, 3);
	assert_list(pid, 20, 1);
	assert_int_equal(known(pid)->mm, 3);
}

static void after_an_exec_the_list_waits_for_the_next_sample(void **state)
{
	pid_t pid = live();

	(void)state;
	map_pages(pid, 10, 2);
	publish(pid);
	assert_int_equal(processes_exec(fixture.processes, pid, 100), 0);
	map_pages(pid, 20, 1);
	assert_int_equal(unwind_lists_refresh(lists), 0);
	assert_int_equal(kernel.n_sets, 1);
}

/* --- room --------------------------------------------------------------------------------- */

static void room_of_old_lists_is_used_again(void **state)
{
	pid_t pid = live();
	uint64_t mm;

	(void)state;
	map_pages(pid, 10, 12);
	for (mm = 1; mm <= 3; mm++) /* the third needs the room of the first */
		publish_as(pid, mm);
	assert_list(pid, 10, 12);
	assert_int_equal(known(pid)->mm, 3);
	assert_int_equal(kernel.n_waits, 1);
	assert_int_equal(unwind_lists_full(lists), 0);
}

static void a_list_that_a_child_has_inherited_is_kept(void **state)
{
	pid_t pid = live();
	struct ft_process shared;

	(void)state;
	map_pages(pid, 10, 12);
	publish_as(pid, 1);
	shared = *known(pid);
	inherit(pid, 999);
	publish_as(pid, 2);
	publish_as(pid, 3); /* the second one has gone back */
	assert_list(pid, 10, 12);
	assert_int_not_equal(known(pid)->first, shared.first);
	/* Without the child there is room for it. */
	disinherit(999);
	wait_a_second();
	publish_as(pid, 4);
	assert_list(pid, 10, 12);
	assert_int_equal(known(pid)->first, shared.first);
}

static pid_t forking;
static struct ft_process about_to_be_inherited;

static void inherit_late(void)
{
	struct ft_process_key key = { .tgid = 999 };

	assert_int_equal(unwind_maps_set_process(&fixture.maps, &key, &about_to_be_inherited), 0);
}

/* A fork that has read its parent's list before that was replaced, and writes it after. */
static void a_list_that_is_inherited_in_the_meantime_is_kept(void **state)
{
	(void)state;
	forking = live();
	map_pages(forking, 10, 12);
	publish_as(forking, 1);
	about_to_be_inherited = *known(forking);
	publish_as(forking, 2);
	kernel.on_wait = inherit_late;
	publish_as(forking, 3);
	assert_list(forking, 10, 12);
	assert_int_not_equal(known(forking)->first, about_to_be_inherited.first);
}

static void lists_of_the_dead_make_room_for_the_living(void **state)
{
	pid_t dead = live(), first = live(), second = live(), third = live();

	(void)state;
	map_pages(dead, 10, 16);
	map_pages(first, 30, 4);
	map_pages(second, 40, 4);
	map_pages(third, 50, 4);
	publish(dead);
	publish(first);
	publish(second);
	publish(third);
	die(dead);
	map_pages(third, 54, 10); /* 14: only where the dead one was */
	assert_int_equal(unwind_lists_refresh(lists), 0);
	assert_null(known(dead));
	assert_list(first, 30, 4);
	assert_list(second, 40, 4);
	assert_list(third, 50, 14);
	/* Each is still known by its own key. */
	map_pages(first, 34, 1);
	assert_int_equal(unwind_lists_refresh(lists), 0);
	assert_list(first, 30, 5);
	assert_list(second, 40, 4);
	assert_list(third, 50, 14);
	assert_int_equal(kernel.n, 3);
}

/* The new process is not dead for having no list yet. */
static void who_finds_no_room_at_first_gets_it_from_the_dead(void **state)
{
	pid_t dead = live(), other = live(), pid = live();

	(void)state;
	map_pages(dead, 10, 20);
	map_pages(other, 30, 4);
	map_pages(pid, 40, 16);
	publish(dead);
	publish(other);
	die(dead);
	publish(pid);
	assert_list(pid, 40, 16);
	assert_list(other, 30, 4);
	map_pages(pid, 56, 1);
	wait_a_second();
	assert_int_equal(unwind_lists_refresh(lists), 0);
	/* 17 and 16 and 4 are more than there is: the old list stays. */
	assert_list(pid, 40, 16);
	assert_int_equal(unwind_lists_full(lists), 1);
}

static void the_list_of_an_image_of_before_makes_room(void **state)
{
	pid_t executed = live(), pid = live();

	(void)state;
	map_pages(executed, 10, 20);
	map_pages(pid, 40, 16);
	publish(executed);
	assert_int_equal(processes_exec(fixture.processes, executed, 100), 0);
	publish(pid);
	assert_list(pid, 40, 16);
	assert_null(known(executed));
}

static void what_finds_no_room_is_counted_once_and_not_looked_for_all_the_time(void **state)
{
	pid_t large = live(), pid = live();
	int i;

	(void)state;
	map_pages(large, 10, 30);
	map_pages(pid, 60, 4);
	publish(large);
	for (i = 0; i < 20; i++) {
		publish(pid);
		assert_int_equal(unwind_lists_refresh(lists), 0);
	}
	assert_null(known(pid));
	assert_int_equal(unwind_lists_full(lists), 1);
	assert_true(kernel.n_waits <= 2);
	die(large);
	wait_a_second();
	publish(pid);
	assert_list(pid, 60, 4);
}

static void a_list_without_room_for_a_change_stays_as_it_is(void **state)
{
	pid_t pid = live();
	int i;

	(void)state;
	map_pages(pid, 10, 20);
	publish(pid);
	map_pages(pid, 30, 1);
	for (i = 0; i < 20; i++)
		assert_int_equal(unwind_lists_refresh(lists), 0);
	assert_list(pid, 10, 20);
	assert_int_equal(unwind_lists_full(lists), 1);
	assert_int_equal(kernel.n_waits, 1);
}

/* An exec has no use for the list of before. */
static void without_room_a_new_address_space_is_tried_again(void **state)
{
	pid_t large = live(), pid = live();

	(void)state;
	map_pages(large, 10, 24);
	map_pages(pid, 60, 8);
	publish(large);
	publish_as(pid, 1);
	inherit(pid, 999);
	publish_as(pid, 2);
	assert_int_equal(unwind_lists_full(lists), 1);
	disinherit(999);
	wait_a_second();
	publish_as(pid, 2);
	assert_list(pid, 60, 8);
	assert_int_equal(known(pid)->mm, 2);
}

static void a_full_map_of_processes_is_counted_and_keeps_no_list(void **state)
{
	pid_t first = live(), second = live();
	int i;

	(void)state;
	kernel.max = 1;
	map_pages(first, 10, 2);
	map_pages(second, 20, 4);
	publish(first);
	for (i = 0; i < 30; i++) /* far more than there is room */
		publish(second);
	assert_null(known(second));
	assert_int_equal(unwind_lists_full(lists), 1);
	kernel.max = 2;
	wait_a_second();
	publish(second);
	assert_list(second, 20, 4);
	assert_list(first, 10, 2);
}

static void thousands_that_come_and_go_find_room(void **state)
{
	pid_t pid = live();
	struct ft_process_key key = key_of(pid);
	uint32_t i;

	(void)state;
	for (i = 0; i < 5000; i++) {
		key.start_ns++;
		assert_int_equal(processes_exec(fixture.processes, pid, 100 + i), 0);
		unwind_fixture_map(&fixture, pid, 4096, 8192, 100 + i);
		assert_int_equal(unwind_lists_publish(lists, pid, &key, i), 0);
		assert_int_not_equal(find(&key), kernel.n);
	}
	assert_int_equal(unwind_lists_full(lists), 0);
	assert_true(kernel.n <= ROOM);
	assert_true(kernel.n_waits < 5000 / 8);
}

/* --- tables ------------------------------------------------------------------------------- */

/* This program's own code. */
static uint64_t here(void)
{
	return (uintptr_t)here;
}

static struct ft_unwind_mapping *mapping_of(pid_t pid, uint64_t address)
{
	const struct ft_process *p = known(pid);
	uint32_t i;

	assert_non_null(p);
	for (i = p->first; i < p->first + p->n; i++) {
		struct ft_unwind_mapping *m = &fixture.maps.mappings[i];

		if (m->start <= address && address < m->end)
			return m;
	}
	fail_msg("%#llx is not in the list", (unsigned long long)address);
	return NULL;
}

static bool evicts_nothing(void *ctx)
{
	(void)ctx;
	return false;
}

static void a_table_that_comes_and_goes_is_told_in_all_lists(void **state)
{
	struct sym_mapping m = unwind_fixture_find(&fixture, here());
	pid_t other = live();
	uint32_t table;

	(void)state;
	assert_int_equal(
		processes_fork(fixture.processes, other, getpid(), clock_ns(CLOCK_MONOTONIC)), 0);
	publish(getpid());
	publish(other);
	assert_int_equal(mapping_of(getpid(), here())->kind, FT_MAPPING_PENDING);
	assert_int_equal(unwind_tables_of(fixture.tables, &m, &table), 0);
	assert_int_equal(unwind_tables_make(fixture.tables, table, &m, evicts_nothing, NULL), 0);
	unwind_lists_update(lists, table);
	assert_int_equal(mapping_of(getpid(), here())->kind, FT_MAPPING_TABLE);
	assert_int_equal(mapping_of(other, here())->kind, FT_MAPPING_TABLE);
	assert_int_equal(mapping_of(other, here())->bias, mapping_of(getpid(), here())->bias);
	unwind_tables_retire(fixture.tables, table);
	unwind_lists_update(lists, table);
	assert_int_equal(mapping_of(getpid(), here())->kind, FT_MAPPING_PENDING);
	assert_int_equal(mapping_of(other, here())->kind, FT_MAPPING_PENDING);
}

static void use_in_the_kernel_is_noted_and_taken_back(void **state)
{
	struct sym_mapping m = unwind_fixture_find(&fixture, here());
	uint64_t now = clock_ns(CLOCK_MONOTONIC) + 3600000000000ull;
	uint32_t table;

	(void)state;
	publish(getpid());
	assert_int_equal(unwind_tables_of(fixture.tables, &m, &table), 0);
	assert_int_equal(unwind_tables_make(fixture.tables, table, &m, evicts_nothing, NULL), 0);
	unwind_lists_update(lists, table);
	unwind_lists_note_use(lists, now);
	assert_int_equal(unwind_tables_oldest(fixture.tables, now), table);
	mapping_of(getpid(), here())->used = 1;
	unwind_lists_note_use(lists, now);
	assert_int_equal(unwind_tables_oldest(fixture.tables, now), UNWIND_TABLES_NONE);
	assert_int_equal(mapping_of(getpid(), here())->used, 0);
	unwind_lists_note_use(lists, now + 1);
	assert_int_equal(unwind_tables_oldest(fixture.tables, now + 1), table);
}

static int n_needed;

static int need(void *ctx, uint32_t table, const struct sym_mapping *m)
{
	assert_ptr_equal(ctx, &n_needed);
	n_needed++;
	assert_int_equal(unwind_tables_make(fixture.tables, table, m, evicts_nothing, NULL), 0);
	unwind_lists_update(lists, table);
	return 0;
}

static void a_whole_list_has_all_its_tables(void **state)
{
	struct ft_process_key key = key_of(getpid());
	const struct ft_process *p;
	uint32_t i;

	(void)state;
	unwind_fixture_find(&fixture, here());
	n_needed = 0;
	assert_int_equal(unwind_lists_publish_whole(lists, getpid(), &key, 1, need, &n_needed), 0);
	p = known(getpid());
	assert_non_null(p);
	assert_true(n_needed >= 2);
	for (i = p->first; i < p->first + p->n; i++)
		assert_int_not_equal(fixture.maps.mappings[i].kind, FT_MAPPING_PENDING);
	assert_int_equal(mapping_of(getpid(), here())->kind, FT_MAPPING_TABLE);
	/* Nothing of another process. */
	i = n_needed;
	assert_int_equal(unwind_lists_publish_whole(lists, 0, &key, 1, need, &n_needed), 0);
	assert_int_equal(n_needed, i);
}

int main(void)
{
#define TEST(name)  cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define LARGE(name) cmocka_unit_test_setup_teardown(name, set_up_large, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_process_gets_a_list_of_what_it_has_mapped),
		TEST(what_a_process_has_from_its_parent_is_in_its_list),
		TEST(a_process_that_has_its_list_is_left_alone),
		TEST(who_is_gone_or_unknown_gets_none),
		TEST(a_change_makes_a_new_list_and_leaves_the_old_one),
		TEST(another_address_space_gets_another_list),
		TEST(after_an_exec_the_list_waits_for_the_next_sample),
		TEST(room_of_old_lists_is_used_again),
		TEST(a_list_that_a_child_has_inherited_is_kept),
		TEST(a_list_that_is_inherited_in_the_meantime_is_kept),
		TEST(lists_of_the_dead_make_room_for_the_living),
		TEST(who_finds_no_room_at_first_gets_it_from_the_dead),
		TEST(the_list_of_an_image_of_before_makes_room),
		TEST(what_finds_no_room_is_counted_once_and_not_looked_for_all_the_time),
		TEST(a_list_without_room_for_a_change_stays_as_it_is),
		TEST(without_room_a_new_address_space_is_tried_again),
		TEST(a_full_map_of_processes_is_counted_and_keeps_no_list),
		TEST(thousands_that_come_and_go_find_room),
		LARGE(a_table_that_comes_and_goes_is_told_in_all_lists),
		LARGE(use_in_the_kernel_is_noted_and_taken_back),
		LARGE(a_whole_list_has_all_its_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
