/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/shim_world.h"

#include <math.h>
#include <pthread.h>
#include <sys/wait.h>

static void every_block_is_told_of_where_all_are(void **state)
{
	void *p, *q;

	(void)state;
	world_start("interval=1");
	p = shim_malloc(100);
	assert_made(0, p, 100);
	shim_free(p);
	assert_event(1, 'f', (uintptr_t)p, 1, 0);
	p = shim_malloc(0);
	assert_made(2, p, 0);
	q = shim_calloc(3, 7);
	assert_made(3, q, 21);
	/* Something was allocated since. */
	shim_free(p);
	assert_event(4, 'f', (uintptr_t)p, 0, 0);
	shim_cfree(q);
	assert_event(5, 'f', (uintptr_t)q, 1, 0);
	shim_free(NULL);
	assert_int_equal(n_events, 6);
}

static void all_functions_tell(void **state)
{
	void *p[10], *aligned = NULL;
	size_t i, n = 0;

	(void)state;
	world_start("interval=1");
	p[n] = shim_malloc(11);
	assert_made(n, p[n], 11);
	p[++n] = shim_calloc(4, 4);
	assert_made(n, p[n], 16);
	p[++n] = shim_realloc(NULL, 13);
	assert_made(n, p[n], 13);
	p[++n] = shim_reallocarray(NULL, 3, 5);
	assert_made(n, p[n], 15);
	assert_int_equal(shim_posix_memalign(&aligned, 512, 17), 0);
	p[++n] = aligned;
	assert_made(n, p[n], 17);
	assert_int_equal((uintptr_t)aligned % 512, 0);
	p[++n] = shim_aligned_alloc(64, 128);
	assert_made(n, p[n], 128);
	assert_int_equal((uintptr_t)p[n] % 64, 0);
	p[++n] = shim_memalign(256, 19);
	assert_made(n, p[n], 19);
	assert_int_equal((uintptr_t)p[n] % 256, 0);
	p[++n] = shim_valloc(20);
	assert_made(n, p[n], 20);
	assert_int_equal((uintptr_t)p[n] % getpagesize(), 0);
	p[++n] = shim_pvalloc(4096);
	assert_made(n, p[n], 4096);
	p[++n] = shim_malloc(1);
	assert_int_equal(n_events, n + 1);
	for (i = 0; i <= n; i++) {
		if (i % 3 == 0)
			shim_free(p[i]);
		else if (i % 3 == 1)
			shim_free_sized(p[i], 0);
		else
			shim_free_aligned_sized(p[i], 0, 0);
		assert_event(n + 1 + i, 'f', (uintptr_t)p[i], i == n, 0);
	}
}

static void realloc_gives_one_block_up_for_another(void **state)
{
	void *p, *q;

	(void)state;
	world_start("interval=1");
	p = shim_malloc(10);
	memset(p, 'x', 10);
	q = shim_realloc(p, 100000);
	assert_memory_equal(q, "xxxxxxxxxx", 10);
	assert_event(1, '<', (uintptr_t)p, 0, 0);
	assert_event(2, '>', (uintptr_t)p, 1, 0);
	assert_made(3, q, 100000);
	p = shim_reallocarray(q, 5, 6);
	assert_event(4, '<', (uintptr_t)q, 0, 0);
	assert_event(5, '>', (uintptr_t)q, 1, 0);
	assert_made(6, p, 30);
	shim_free(p);
	assert_int_equal(n_events, 8);
}

static void *fails(void *old, size_t bytes)
{
	(void)old;
	(void)bytes;
	errno = ENOMEM;
	return NULL;
}

static void *gives_nothing(size_t bytes)
{
	(void)bytes;
	errno = ENOMEM;
	return NULL;
}

static void what_fails_tells_nothing_and_leaves_the_block(void **state)
{
	void *p;

	(void)state;
	world_start("interval=1");
	p = shim_malloc(10);
	real.realloc = fails;
	real.malloc = gives_nothing;
	errno = 0;
	assert_null(shim_realloc(p, 20));
	assert_int_equal(errno, ENOMEM);
	assert_event(1, '<', (uintptr_t)p, 0, 0);
	assert_event(2, '>', (uintptr_t)p, 0, 0);
	errno = 0;
	assert_null(shim_reallocarray(p, SIZE_MAX / 2, 3));
	assert_int_equal(errno, ENOMEM);
	assert_null(shim_malloc(5));
	assert_int_equal(n_events, 3);
	real = real_at_first;
	shim_free(p);
	assert_event(3, 'f', (uintptr_t)p, 1, 0);
}

/* As in glibc: realloc(p, 0) frees, and returns nothing. */
static void *frees(void *old, size_t bytes)
{
	assert_int_equal(bytes, 0);
	real.free(old);
	return NULL;
}

static void a_realloc_of_nothing_frees(void **state)
{
	void *p;

	(void)state;
	world_start("interval=1");
	p = shim_malloc(10);
	real.realloc = frees;
	assert_null(shim_realloc(p, 0));
	assert_event(2, '>', (uintptr_t)p, 1, 0);
	assert_int_equal(n_events, 3);
	world_start("interval=2");
	p = shim_malloc(1000);
	assert_int_equal(fathom_alloc_kept(), 1);
	real.realloc = frees;
	assert_null(shim_realloc(p, 0));
	assert_int_equal(fathom_alloc_kept(), 0);
	real = real_at_first;
}

static void *ask_for_nothing(void *arg)
{
	*(void **)arg = shim_malloc(0);
	return NULL;
}

static void the_first_block_of_a_thread_is_told_of(void **state)
{
	pthread_t thread;
	void *p;

	(void)state;
	world_start("interval=1");
	assert_int_equal(pthread_create(&thread, NULL, ask_for_nothing, &p), 0);
	pthread_join(thread, NULL);
	assert_made(0, p, 0);
	shim_free(p);
	assert_event(1, 'f', (uintptr_t)p, 0, 0);
}

/* --- sampling ----------------------------------------------------------------------------- */

static void a_kept_block_is_remembered_until_it_is_freed(void **state)
{
	void *p, *q;
	int i;

	(void)state;
	world_start("interval=16,seed=1");
	p = shim_malloc(4096);
	assert_event(0, 'm', (uintptr_t)p, 4096, SHIM_WEIGHT_ONE);
	assert_int_equal(fathom_alloc_kept(), 1);
	real.realloc = fails;
	assert_null(shim_realloc(p, 5000));
	assert_event(1, '<', (uintptr_t)p, 0, 0);
	assert_event(2, '>', (uintptr_t)p, 0, 0);
	assert_int_equal(fathom_alloc_kept(), 1);
	real = real_at_first;
	q = shim_realloc(p, 8192);
	assert_event(3, '<', (uintptr_t)p, 0, 0);
	assert_event(4, '>', (uintptr_t)p, 1, 0);
	assert_event(5, 'm', (uintptr_t)q, 8192, SHIM_WEIGHT_ONE);
	assert_int_equal(fathom_alloc_kept(), 1);
	shim_free(q);
	assert_event(6, 'f', (uintptr_t)q, 1, 0);
	assert_int_equal(fathom_alloc_kept(), 0);
	for (i = 0; i < 1000; i++) {
		p = shim_malloc(0); /* never kept, and neither is its free told of */
		shim_free(p);
	}
	assert_int_equal(n_events, 7);
}

#define BLOCKS 200000

/* What kept blocks stand for is what there was, with its own deviation. */
static void estimates_are_unbiased(void **state)
{
	double interval_bytes = 4096, objects = 0, bytes = 0, variance = 0, p, kept = 0;
	uint64_t all_bytes = 0;
	size_t i, n;

	(void)state;
	world_start("interval=4096,seed=7");
	for (i = 0; i < BLOCKS; i++) {
		n = 1 + i * 37 % 3000;
		n_events = 0;
		shim_free(shim_malloc(n));
		all_bytes += n;
		p = -expm1(-(double)n / interval_bytes);
		variance += (1 - p) / p * n * n;
		kept += p;
		if (!n_events)
			continue;
		assert_int_equal(n_events, 2);
		assert_int_equal(events[0].b, n);
		objects += (double)events[0].c / SHIM_WEIGHT_ONE;
		bytes += (double)events[0].c / SHIM_WEIGHT_ONE * n;
	}
	assert_true(fabs(bytes - all_bytes) < 4 * sqrt(variance));
	assert_true(fabs(objects / BLOCKS - 1) < 0.1);
	assert_int_equal(fathom_alloc_kept(), 0);
}

/* When blocks are kept, as a number of events after each of them. */
static uint64_t pattern_of(const char *settings)
{
	uint64_t hash = 0;
	int i;

	world_start(settings);
	for (i = 0; i < 500; i++) {
		shim_free(shim_malloc(100));
		hash = hash * 31 + n_events;
	}
	assert_true(n_events > 20 && n_events < 200);
	return hash;
}

static void a_seed_makes_the_draws_known(void **state)
{
	uint64_t first = pattern_of("interval=1000,seed=5");

	(void)state;
	assert_true(first == pattern_of("interval=1000,seed=5"));
	assert_true(first != pattern_of("interval=1000,seed=6"));
	assert_true(pattern_of("interval=1000") != pattern_of("interval=1000"));
}

static void without_settings_nothing_is_told(void **state)
{
	static const char *const broken[] = { NULL,
					      "",
					      "interval",
					      "interval=",
					      "interval=0",
					      "interval=1x",
					      "interval= 1",
					      "interval=-1",
					      "interval=1099511627777",
					      "interval=99999999999999999999999",
					      "interval=1;maps=1",
					      "interval=1,maps=2",
					      "interval=1,unknown=1",
					      "interval=1,seed=",
					      "maps=1" };
	void *p;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		world_start(broken[i]);
		p = shim_malloc(100000000);
		p = shim_realloc(p, 10);
		shim_free(p);
		if (n_events)
			print_error("'%s' is taken\n", broken[i]);
		assert_int_equal(n_events, 0);
		assert_int_equal(mode, PASSIVE);
	}
}

/* --- others' allocators ------------------------------------------------------------------- */

/* By malloc and free, as a user's own library might. */
static void *moves_by_malloc(void *old, size_t bytes)
{
	void *p = shim_malloc(bytes);

	memcpy(p, old, 8);
	shim_free(old);
	return p;
}

static void *clears_by_malloc(size_t n, size_t bytes)
{
	return memset(shim_malloc(n * bytes), 0, n * bytes);
}

static void nested_calls_count_once(void **state)
{
	void *p, *q;
	int round;

	(void)state;
	for (round = 0; round < 2; round++) {
		world_start(round ? "interval=1" : "interval=2,seed=1");
		real.realloc = moves_by_malloc;
		real.calloc = clears_by_malloc;
		p = shim_calloc(1, 5000);
		assert_event(0, 'm', (uintptr_t)p, 5000, SHIM_WEIGHT_ONE);
		q = shim_realloc(p, 6000);
		assert_event(1, '<', (uintptr_t)p, 0, 0);
		assert_event(2, '>', (uintptr_t)p, 1, 0);
		assert_event(3, 'm', (uintptr_t)q, 6000, SHIM_WEIGHT_ONE);
		real = real_at_first;
		shim_free(q);
		assert_event(4, 'f', (uintptr_t)q, 1, 0);
		assert_int_equal(n_events, 5);
		assert_int_equal(fathom_alloc_kept(), 0);
	}
}

static void early_memory_is_given_and_recognized(void **state)
{
	char *p, *q;

	(void)state;
	world_start("interval=1000000,seed=1");
	is_resolving = 1;
	p = first_malloc(100);
	assert_true(early_has(p));
	q = first_calloc(10, 10);
	assert_true(early_has(q) && !q[0] && !q[99] && q >= p + 100);
	assert_true((uintptr_t)q % 16 == 0);
	assert_int_equal((uintptr_t)first_memalign(1024, 10) % 1024, 0);
	errno = 0;
	assert_null(first_malloc(100000));
	assert_int_equal(errno, ENOMEM);
	assert_null(first_calloc(SIZE_MAX, 2));
	is_resolving = 0;
	memset(p, 'p', 100);
	p = shim_realloc(p, 1000); /* a sanitizer would know if more was copied */
	assert_false(early_has(p));
	assert_true(p[0] == 'p' && p[99] == 'p');
	shim_free(p);
	shim_free(q);
}

/* --- many --------------------------------------------------------------------------------- */

#define THREADS 64
#define HELD	32

static void *churn(void *arg)
{
	uint64_t random = (uintptr_t)arg;
	void *held[HELD] = {};
	int i, k;

	for (i = 0; i < 4000; i++) {
		k = draw_random(&random) % HELD;
		if (i % 5 == 0 && held[k]) {
			held[k] = shim_realloc(held[k], 1 + draw_random(&random) % 9000);
			continue;
		}
		shim_free(held[k]);
		held[k] = shim_malloc(draw_random(&random) % 5000);
	}
	for (k = 0; k < HELD; k++)
		shim_free(held[k]);
	return NULL;
}

static void nothing_is_left_in_the_filter(void **state)
{
	pthread_t threads[THREADS];
	size_t i;

	(void)state;
	world_start("interval=2048,seed=3");
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, churn, (void *)(i + 1)), 0);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_true(n_events > 10000);
	assert_int_equal(fathom_alloc_kept(), 0);
	for (i = 0; i < FILTER_COUNTERS; i++)
		assert_int_equal(filter_counters[i], 0);
}

/* More addresses in one bucket than it has room for, in a row that the allocator has not made. */
static void a_full_bucket_lets_its_frees_pass(void **state)
{
	uintptr_t found[20], a;
	size_t i, n = 0;

	(void)state;
	world_start("interval=524288");
	filter_start(524288);
	for (a = 16; n < 20; a += 16) {
		if (bucket_of((void *)a) == &buckets[0])
			found[n++] = a;
	}
	for (i = 0; i < SLOTS; i++)
		filter_put((void *)found[i]);
	assert_false(filter_take((void *)found[SLOTS]));
	filter_put((void *)found[SLOTS]);
	for (i = 0; i <= SLOTS; i++) {
		assert_true(filter_may_hold((void *)found[i]));
		assert_true(filter_take((void *)found[i]));
	}
	assert_int_equal(filter_count(), 0);
	/* From then on that bucket knows nothing for certain. */
	assert_true(filter_take((void *)found[SLOTS + 1]));
	assert_true(filter_may_hold((void *)found[SLOTS]));
}

static void a_counter_that_is_full_stays_so(void **state)
{
	uintptr_t i;

	(void)state;
	world_start("interval=524288");
	filter_start(524288);
	for (i = 0; i < 300; i++)
		filter_put((void *)(512 + i));
	for (i = 0; i < 300; i++)
		assert_true(filter_take((void *)(512 + i)));
	assert_int_equal(filter_count(), 0);
	assert_true(filter_may_hold((void *)512));
	for (i = 0; i < 200; i++)
		filter_put((void *)(8192 + i));
	for (i = 0; i < 200; i++)
		assert_true(filter_take((void *)(8192 + i)));
	assert_false(filter_may_hold((void *)8192));
}

static void a_child_draws_other_numbers(void **state)
{
	uint64_t theirs;
	int pipes[2];
	pid_t pid;

	(void)state;
	world_start("interval=100,seed=9");
	shim_free(shim_malloc(1000));
	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	if (!pid) {
		shim_free(shim_malloc(1000));
		_exit(write(pipes[1], &sampling_me.random, 8) != 8);
	}
	assert_int_equal(read(pipes[0], &theirs, 8), 8);
	waitpid(pid, NULL, 0);
	shim_free(shim_malloc(1000));
	assert_true(theirs != sampling_me.random);
	close(pipes[0]);
	close(pipes[1]);
}

static void errno_is_left_alone(void **state)
{
	void *p;
	int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		world_start(i == 0 ? "interval=1" : i == 1 ? "interval=2" : "nonsense");
		errno = EXDEV;
		p = shim_malloc(100);
		assert_int_equal(errno, EXDEV);
		p = shim_realloc(p, 10000);
		assert_int_equal(errno, EXDEV);
		shim_free(p);
		assert_int_equal(errno, EXDEV);
	}
}

/* --- the environment ---------------------------------------------------------------------- */

static void the_library_is_forgotten_and_others_stay(void **state)
{
	static const struct {
		const char *before, *after;
	} cases[] = {
		{ "LD_PRELOAD=/run/x/libfathom-alloc.so", NULL },
		{ "LD_PRELOAD=libfathom-alloc.so", NULL },
		{ "LD_PRELOAD=", NULL },
		{ "LD_PRELOAD=/run/x/libfathom-alloc.so:/usr/lib/a.so",
		  "LD_PRELOAD=/usr/lib/a.so" },
		{ "LD_PRELOAD=a.so /x/libfathom-alloc.so b.so", "LD_PRELOAD=a.so:b.so" },
		{ "LD_PRELOAD=::a.so: b.so:", "LD_PRELOAD=a.so:b.so" },
		{ "LD_PRELOAD=notlibfathom-alloc.so", "LD_PRELOAD=notlibfathom-alloc.so" },
	};
	char text[100], settings[] = "FATHOM_ALLOC=interval=1", home[] = "HOME=/";
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *env[] = { settings, text, home, NULL };

		strcpy(text, cases[i].before);
		settings_forget(env, LIBRARY);
		if (cases[i].after)
			assert_string_equal(env[0], cases[i].after);
		assert_string_equal(env[cases[i].after ? 1 : 0], "HOME=/");
		assert_null(env[cases[i].after ? 2 : 1]);
	}
}

/* --- until the recorder knows of the process ---------------------------------------------- */

static char known[] = "/tmp/test-shim-known-XXXXXX";

static void write_known(uint64_t until_ns)
{
	int fd = open(known, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, &until_ns, sizeof(until_ns), 0), sizeof(until_ns));
	close(fd);
}

static void *say_later(void *arg)
{
	usleep(50000);
	write_known(UINT64_MAX);
	return arg;
}

static uint64_t settle_ms(void)
{
	uint64_t begin = now_ns();

	n_events = 0;
	settle(known);
	return (now_ns() - begin) / 1000000;
}

static void a_process_waits_until_it_is_known(void **state)
{
	pthread_t thread;
	uint64_t ms;

	(void)state;
	close(mkstemp(known));
	write_known(1);
	assert_int_equal(pthread_create(&thread, NULL, say_later, NULL), 0);
	ms = settle_ms();
	pthread_join(thread, NULL);
	assert_in_range(ms, 40, 5000);
	assert_int_equal(n_events, 1);
	assert_int_equal(events[0].kind, 's');
	assert_true(settle_ms() < 200); /* it is known now */
	write_known(1);
	assert_in_range(settle_ms(), 240, 5000); /* nobody answers */
	assert_int_equal(truncate(known, 0), 0);
	assert_true(settle_ms() < 200);
	unlink(known);
	assert_true(settle_ms() < 200);
	assert_int_equal(n_events, 0); /* there is no recorder */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_block_is_told_of_where_all_are),
		cmocka_unit_test(all_functions_tell),
		cmocka_unit_test(realloc_gives_one_block_up_for_another),
		cmocka_unit_test(what_fails_tells_nothing_and_leaves_the_block),
		cmocka_unit_test(a_realloc_of_nothing_frees),
		cmocka_unit_test(the_first_block_of_a_thread_is_told_of),
		cmocka_unit_test(a_kept_block_is_remembered_until_it_is_freed),
		cmocka_unit_test(estimates_are_unbiased),
		cmocka_unit_test(a_seed_makes_the_draws_known),
		cmocka_unit_test(without_settings_nothing_is_told),
		cmocka_unit_test(nested_calls_count_once),
		cmocka_unit_test(early_memory_is_given_and_recognized),
		cmocka_unit_test(nothing_is_left_in_the_filter),
		cmocka_unit_test(a_full_bucket_lets_its_frees_pass),
		cmocka_unit_test(a_counter_that_is_full_stays_so),
		cmocka_unit_test(a_child_draws_other_numbers),
		cmocka_unit_test(errno_is_left_alone),
		cmocka_unit_test(the_library_is_forgotten_and_others_stay),
		cmocka_unit_test(a_process_waits_until_it_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
