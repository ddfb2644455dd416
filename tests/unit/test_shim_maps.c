/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/shim_world.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#define PAGE	4096ul
#define RW	(PROT_READ | PROT_WRITE)
#define PRIVATE (MAP_PRIVATE | MAP_ANONYMOUS)

static int set_up(void **state)
{
	(void)state;
	if (getpagesize() != (int)PAGE)
		skip();
	world_start("interval=1000000000,maps=1");
	return 0;
}

static char *map_pages(size_t pages)
{
	char *p = shim_mmap(NULL, pages * PAGE, RW, PRIVATE, -1, 0);

	assert_ptr_not_equal(p, MAP_FAILED);
	return p;
}

/* Numbers are given in their order, and are no addresses of blocks. */
static uint64_t id(uint64_t serial)
{
	return serial << 4 | 1;
}

static void mappings_are_told_of_when_asked_for(void **state)
{
	char *p = map_pages(3);

	(void)state;
	assert_event(0, 'M', id(1), 3 * PAGE, 0);
	assert_int_equal(shim_munmap(p, 3 * PAGE), 0);
	assert_event(1, 'U', id(1), 3 * PAGE, 0);
	world_start("interval=1000000000");
	p = map_pages(3);
	assert_int_equal(shim_munmap(p, 3 * PAGE), 0);
	world_start(NULL);
	p = map_pages(3);
	assert_int_equal(shim_munmap(p, 3 * PAGE), 0);
	assert_int_equal(n_events, 0);
}

static void sizes_are_whole_pages(void **state)
{
	char *p = shim_mmap64(NULL, 100, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	(void)state;
	assert_event(0, 'M', id(1), PAGE, 0);
	assert_int_equal(shim_munmap(p, 1), 0);
	assert_event(1, 'U', id(1), PAGE, 0);
}

static void failures_tell_nothing(void **state)
{
	char *p = map_pages(1);

	(void)state;
	errno = 0;
	assert_ptr_equal(shim_mmap(NULL, 0, RW, PRIVATE, -1, 0), MAP_FAILED);
	assert_int_equal(errno, EINVAL);
	assert_ptr_equal(shim_mmap(p + 1, PAGE, RW, PRIVATE | MAP_FIXED, -1, 0), MAP_FAILED);
	errno = 0;
	assert_int_equal(shim_munmap(p + 1, PAGE), -1);
	assert_int_equal(errno, EINVAL);
	errno = 0;
	assert_ptr_equal(shim_mremap(p, PAGE, 0, 0), MAP_FAILED);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(n_events, 1);
	assert_int_equal(shim_munmap(p, PAGE), 0);
	assert_event(1, 'U', id(1), PAGE, 0);
}

static void files_are_not_told_of_but_end_what_they_cover(void **state)
{
	char *p = map_pages(4), *q;
	FILE *f = tmpfile();

	(void)state;
	assert_non_null(f);
	assert_int_equal(ftruncate(fileno(f), PAGE), 0);
	q = shim_mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fileno(f), 0);
	assert_int_equal(shim_munmap(q, PAGE), 0);
	assert_int_equal(n_events, 1);
	q = shim_mmap(p + PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, fileno(f), 0);
	assert_ptr_equal(q, p + PAGE);
	assert_event(1, 'U', id(1), PAGE, 0);
	/* Neither is what it grows to. */
	q = shim_mremap(q, PAGE, 2 * PAGE, MREMAP_MAYMOVE);
	assert_int_equal(n_events, 2);
	assert_int_equal(shim_munmap(q, 2 * PAGE), 0);
	assert_int_equal(n_events, 2);
	assert_int_equal(shim_munmap(p, 4 * PAGE), 0);
	assert_event(2, 'U', id(1), PAGE, 0);
	assert_event(3, 'U', id(1), 2 * PAGE, 0);
	assert_int_equal(n_events, 4);
	fclose(f);
}

static void parts_add_up(void **state)
{
	char *p = map_pages(10);

	(void)state;
	assert_int_equal(shim_munmap(p + 3 * PAGE, 2 * PAGE), 0);
	assert_event(1, 'U', id(1), 2 * PAGE, 0);
	assert_int_equal(shim_munmap(p + 3 * PAGE, 2 * PAGE), 0); /* nothing there */
	assert_int_equal(n_events, 2);
	assert_ptr_equal(shim_mmap(p + 4 * PAGE, 4 * PAGE, RW, PRIVATE | MAP_FIXED, -1, 0),
			 p + 4 * PAGE);
	assert_event(2, 'U', id(1), 3 * PAGE, 0);
	assert_event(3, 'M', id(2), 4 * PAGE, 0);
	assert_int_equal(shim_munmap(p + 2 * PAGE, 3 * PAGE), 0);
	assert_event(4, 'U', id(1), PAGE, 0);
	assert_event(5, 'U', id(2), PAGE, 0);
	assert_int_equal(shim_munmap(p, 10 * PAGE), 0);
	assert_event(6, 'U', id(1), 2 * PAGE, 0);
	assert_event(7, 'U', id(2), 3 * PAGE, 0);
	assert_event(8, 'U', id(1), 2 * PAGE, 0);
	assert_int_equal(n_events, 9);
}

static void what_grows_is_new_and_what_moves_is_not(void **state)
{
	char *place = map_pages(20), *p = map_pages(4), *q;

	(void)state;
	/* Where it is: what is behind it is made free first. */
	q = map_pages(10);
	assert_int_equal(shim_munmap(q + 2 * PAGE, 8 * PAGE), 0);
	assert_ptr_equal(shim_mremap(q, 2 * PAGE, 5 * PAGE, 0), q);
	assert_event(4, 'M', id(4), 3 * PAGE, 0);
	assert_ptr_equal(shim_mremap(q, 5 * PAGE, PAGE, 0), q);
	assert_event(5, 'U', id(3), PAGE, 0);
	assert_event(6, 'U', id(4), 3 * PAGE, 0);
	assert_int_equal(shim_munmap(q, PAGE), 0);
	assert_event(7, 'U', id(3), PAGE, 0);

	/* To a place that was something else, and larger. */
	q = shim_mremap(p, 4 * PAGE, 6 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place + 8 * PAGE);
	assert_ptr_equal(q, place + 8 * PAGE);
	assert_event(8, 'U', id(1), 6 * PAGE, 0);
	assert_event(9, 'M', id(5), 2 * PAGE, 0);
	/* And smaller. */
	q = shim_mremap(q, 6 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place);
	assert_ptr_equal(q, place);
	assert_event(10, 'U', id(2), PAGE, 0);
	assert_event(11, 'U', id(5), 2 * PAGE, 0);
	assert_event(12, 'U', id(1), 3 * PAGE, 0);
	assert_int_equal(shim_munmap(place, 20 * PAGE), 0);
	assert_event(13, 'U', id(2), 3 * PAGE, 0);
	assert_event(14, 'U', id(1), 5 * PAGE, 0);
	assert_event(15, 'U', id(1), 6 * PAGE, 0);
	assert_int_equal(n_events, 16);
}

static void a_second_view_is_a_mapping_of_its_own(void **state)
{
	char *p = shim_mmap(NULL, 3 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0), *q;

	(void)state;
	q = shim_mremap(p, 0, 3 * PAGE, MREMAP_MAYMOVE);
	assert_ptr_not_equal(q, MAP_FAILED);
	assert_event(1, 'M', id(2), 3 * PAGE, 0);
	assert_int_equal(shim_munmap(p, 3 * PAGE), 0);
	assert_int_equal(shim_munmap(q, 3 * PAGE), 0);
	assert_event(3, 'U', id(2), 3 * PAGE, 0);
	p = map_pages(2);
	q = shim_mremap(p, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP);
	if (q == MAP_FAILED)
		return; /* before Linux 5.7 */
	assert_event(5, 'M', id(4), 2 * PAGE, 0);
	assert_int_equal(shim_munmap(p, 2 * PAGE), 0);
	assert_event(6, 'U', id(3), 2 * PAGE, 0);
	assert_int_equal(shim_munmap(q, 2 * PAGE), 0);
	assert_event(7, 'U', id(4), 2 * PAGE, 0);
}

static void *maps_for_itself(size_t bytes)
{
	return shim_mmap(NULL, bytes, RW, PRIVATE, -1, 0);
}

static void unmaps_for_itself(void *p)
{
	assert_int_equal(shim_munmap(p, PAGE), 0);
}

static void what_an_allocator_maps_is_not_told_of(void **state)
{
	void *p;

	(void)state;
	/* It is there before the library starts. */
	real.malloc = maps_for_itself;
	real.free = unmaps_for_itself;
	assert_true(sampling_has_maps());
	p = shim_malloc(PAGE);
	shim_free(p);
	assert_int_equal(n_events, 0);
	p = map_pages(1);
	assert_event(0, 'M', id(1), PAGE, 0);
	assert_int_equal(shim_munmap(p, PAGE), 0);
	real = real_at_first;
}

/* Pages of one area that come and go, page by page: what is left is what is mapped. */
static void any_order_is_right_to_the_byte(void **state)
{
	uint64_t random = 1, in_use = 0, expected;
	bool is_mapped[64] = {};
	char *p = map_pages(64);
	size_t i, k, from, n;

	(void)state;
	assert_int_equal(shim_munmap(p, 64 * PAGE), 0);
	n_events = 0;
	for (i = 0; i < 5000; i++) {
		from = draw_random(&random) % 64;
		n = 1 + draw_random(&random) % (64 - from);
		if (draw_random(&random) % 2)
			assert_int_equal(shim_munmap(p + from * PAGE, n * PAGE), 0);
		else
			assert_ptr_equal(shim_mmap(p + from * PAGE, n * PAGE, RW,
						   PRIVATE | MAP_FIXED, -1, 0),
					 p + from * PAGE);
		/* The events end with a mapping if there was one. */
		for (k = 0; k < n; k++)
			is_mapped[from + k] = n_events && events[n_events - 1].kind == 'M';
		for (k = 0; k < n_events; k++)
			in_use += events[k].kind == 'M' ? events[k].b : -events[k].b;
		for (k = expected = 0; k < 64; k++)
			expected += is_mapped[k] * PAGE;
		assert_int_equal(in_use, expected);
		n_events = 0;
	}
	assert_int_equal(shim_munmap(p, 64 * PAGE), 0);
	assert_int_equal(sampling_process->ranges.n, 0);
}

static void *map_and_unmap(void *arg)
{
	int i;

	for (i = 0; i < 2000; i++)
		shim_munmap(shim_mmap(NULL, PAGE * (1 + i % 3), RW, PRIVATE, -1, 0),
			    PAGE * (1 + i % 3));
	return arg;
}

static void on_signal(int number)
{
	(void)number;
	shim_munmap(shim_mmap(NULL, PAGE, RW, PRIVATE, -1, 0), PAGE);
}

/* Of threads, handlers and children one waits for no other for ever. */
static void threads_handlers_and_children_do_not_hang(void **state)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART }, old;
	pthread_t threads[4];
	int i, status;
	pid_t pid;

	(void)state;
	sigaction(SIGUSR1, &action, &old);
	for (i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, map_and_unmap, NULL), 0);
	for (i = 0; i < 300; i++)
		pthread_kill(threads[i % 4], SIGUSR1);
	for (i = 0; i < 20; i++) {
		pid = fork();
		if (!pid) {
			alarm(20);
			map_and_unmap(NULL);
			_exit(sampling_process->ranges.n);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
	for (i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	sigaction(SIGUSR1, &old, NULL);
	assert_int_equal(sampling_process->ranges.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(mappings_are_told_of_when_asked_for, set_up),
		cmocka_unit_test_setup(sizes_are_whole_pages, set_up),
		cmocka_unit_test_setup(failures_tell_nothing, set_up),
		cmocka_unit_test_setup(files_are_not_told_of_but_end_what_they_cover, set_up),
		cmocka_unit_test_setup(parts_add_up, set_up),
		cmocka_unit_test_setup(what_grows_is_new_and_what_moves_is_not, set_up),
		cmocka_unit_test_setup(a_second_view_is_a_mapping_of_its_own, set_up),
		cmocka_unit_test_setup(what_an_allocator_maps_is_not_told_of, set_up),
		cmocka_unit_test_setup(any_order_is_right_to_the_byte, set_up),
		cmocka_unit_test_setup(threads_handlers_and_children_do_not_hang, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
