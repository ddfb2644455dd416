/* SPDX-License-Identifier: BSD-2-Clause */
/* Which functions of a file are an allocator's, and which files of a process have one. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/base/err.h"
#include "user/collect/allocator_functions.h"
#include "user/collect/allocators.h"

#define LIBRARIES "/usr/lib/x86_64-linux-gnu/"

static const char *workload(const char *name)
{
	static char path[PATH_MAX];
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	assert_true(n > 0);
	self[n] = '\0';
	assert_true((size_t)snprintf(path, sizeof(path), "%s/workloads/%s",
				     dirname(dirname(dirname(self))), name) < sizeof(path));
	return path;
}

static const struct allocator_probe *find(const struct allocator *a, const char *name)
{
	size_t i;

	for (i = 0; i < a->n_probes; i++) {
		if (!strcmp(a->probes[i].name, name))
			return &a->probes[i];
	}
	return NULL;
}

/* The allocator of a file that must have one; skips the test if there is no such file. */
static const struct allocator *allocator_in(struct allocators *list, const char *path)
{
	struct allocator_set set;

	if (access(path, R_OK))
		skip();
	assert_int_equal(allocators_of_program(list, path, &set), 0);
	assert_int_equal(set.n, 1);
	assert_true(set.all[0]->fd >= 0);
	return set.all[0];
}

/* --- names -------------------------------------------------------------------------------- */

static void check_name(const char *name, enum alloc_owner owner, int function)
{
	struct alloc_name is;

	if (function < 0) {
		assert_false(alloc_name_find(name, owner, &is));
		return;
	}
	assert_true(alloc_name_find(name, owner, &is));
	assert_int_equal(is.function, function);
}

static void names_are_those_of_the_allocator(void **state)
{
	(void)state;
	check_name("malloc", ALLOC_OF_ANY, ALLOC_MALLOC);
	check_name("malloc", ALLOC_OF_JEMALLOC, ALLOC_MALLOC);
	check_name("pvalloc", ALLOC_OF_ANY, ALLOC_MALLOC);
	check_name("aligned_alloc", ALLOC_OF_ANY, ALLOC_MEMALIGN);
	check_name("je_malloc", ALLOC_OF_JEMALLOC, ALLOC_MALLOC);
	check_name("_rjem_realloc", ALLOC_OF_JEMALLOC, ALLOC_REALLOC);
	check_name("je_malloc", ALLOC_OF_ANY, -1);
	check_name("je_malloc", ALLOC_OF_TCMALLOC, -1);
	check_name("mallocx", ALLOC_OF_JEMALLOC, ALLOC_MALLOC);
	check_name("mallocx", ALLOC_OF_ANY, -1);
	check_name("tc_new", ALLOC_OF_TCMALLOC, ALLOC_MALLOC);
	check_name("new", ALLOC_OF_TCMALLOC, -1);
	check_name("mi_free_size", ALLOC_OF_MIMALLOC, ALLOC_FREE);
	check_name("mi_reallocn", ALLOC_OF_MIMALLOC, ALLOC_REALLOCARRAY);
	check_name("free_size", ALLOC_OF_MIMALLOC, -1);
	check_name("malloc_usable_size", ALLOC_OF_ANY, -1);
	check_name("mallo", ALLOC_OF_ANY, -1);
	check_name("", ALLOC_OF_ANY, -1);
}

static void operators_count_where_they_do_not_call_malloc(void **state)
{
	(void)state;
	check_name("_Znwm", ALLOC_OF_JEMALLOC, ALLOC_MALLOC);
	check_name("_ZnamSt11align_val_tRKSt9nothrow_t", ALLOC_OF_MIMALLOC, ALLOC_MALLOC);
	check_name("_ZdaPvmSt11align_val_t", ALLOC_OF_TCMALLOC, ALLOC_FREE);
	check_name("_Znwm", ALLOC_OF_ANY, -1);
	check_name("_ZdlPv", ALLOC_OF_ANY, -1);
	check_name("_ZnwmX", ALLOC_OF_JEMALLOC, -1);
	check_name("_ZnwmPv", ALLOC_OF_JEMALLOC, -1); /* placement */
}

/* --- files -------------------------------------------------------------------------------- */

static void a_static_program_has_its_own(void **state)
{
	const struct allocator_probe *malloc_probe, *realloc_probe;
	const struct allocator *a;
	struct allocators list;

	(void)state;
	allocators_init(&list);
	a = allocator_in(&list, workload("allocator-static"));
	assert_string_equal(a->kind, "glibc");
	assert_false(a->is_wrapper);
	malloc_probe = find(a, "malloc");
	realloc_probe = find(a, "realloc");
	assert_non_null(malloc_probe);
	assert_non_null(realloc_probe);
	assert_non_null(find(a, "free"));
	assert_non_null(find(a, "calloc"));
	assert_int_equal(find(a, "posix_memalign")->function, ALLOC_POSIX_MEMALIGN);
	/* It only calls realloc. */
	assert_null(find(a, "reallocarray"));
	assert_int_equal(malloc_probe->function, ALLOC_MALLOC);
	/* realloc calls malloc, and jumps to it if it is given no block. */
	assert_true(realloc_probe->cookie & FT_ALLOC_CALL_NOT_NULL);
	assert_int_equal(malloc_probe->cookie >> FT_ALLOC_CALL_BYTES_SHIFT &
				 FT_ALLOC_CALL_BYTES_MAX,
			 realloc_probe->size);
	allocators_release(&list);
}

static void musl_has_few_functions_that_do_it_themselves(void **state)
{
	const struct allocator *a;
	struct allocators list;

	(void)state;
	allocators_init(&list);
	a = allocator_in(&list, workload("allocator-musl-static"));
	assert_string_equal(a->kind, "musl");
	assert_non_null(find(a, "malloc"));
	assert_non_null(find(a, "realloc"));
	assert_non_null(find(a, "free"));
	assert_non_null(find(a, "aligned_alloc"));
	assert_null(find(a, "calloc"));
	assert_null(find(a, "posix_memalign"));
	allocators_release(&list);
}

static void what_is_linked_dynamically_has_none(void **state)
{
	struct allocator_set set = { .n = 77 };
	struct allocators list;
	int i;

	(void)state;
	allocators_init(&list);
	for (i = 0; i < 2; i++) { /* also when it is known already */
		assert_int_equal(allocators_of_program(&list, workload("allocator"), &set),
				 -ENOENT);
		assert_non_null(strstr(err_text(), "no allocator of its own"));
	}
	assert_int_equal(set.n, 77);
	allocators_release(&list);
}

static void jemalloc_serves_the_operators(void **state)
{
	const struct allocator *a;
	struct allocators list;

	(void)state;
	allocators_init(&list);
	a = allocator_in(&list, LIBRARIES "libjemalloc.so.2");
	assert_string_equal(a->kind, "jemalloc");
	assert_non_null(find(a, "malloc"));
	assert_non_null(find(a, "_Znwm"));
	assert_null(find(a, "_ZdlPv")); /* jumps to free */
	assert_false(find(a, "malloc")->is_slow);
	assert_false(find(a, "free")->is_slow);
	allocators_release(&list);
}

static void one_address_has_one_probe(void **state)
{
	static const char *const files[] = { LIBRARIES "libtcmalloc_minimal.so.4",
					     LIBRARIES "libjemalloc.so.2",
					     LIBRARIES "libmimalloc.so.2" };
	const struct allocator *a;
	struct allocators list;
	size_t i, j, k;

	(void)state;
	allocators_init(&list);
	for (i = 0; i < 3; i++) {
		if (access(files[i], R_OK))
			continue;
		a = allocator_in(&list, files[i]);
		assert_true(a->n_probes > 5);
		for (j = 0; j < a->n_probes; j++) {
			for (k = 0; k < j; k++)
				assert_true(a->probes[j].address != a->probes[k].address);
		}
		/* The shortest name that has no prefix. */
		assert_non_null(find(a, "malloc"));
		assert_null(find(a, "tc_malloc"));
		assert_null(find(a, "mi_malloc"));
	}
	allocators_release(&list);
}

static void a_preloaded_wrapper_is_one(void **state)
{
	const struct allocator *a;
	struct allocators list;

	(void)state;
	allocators_init(&list);
	a = allocator_in(&list, workload("unwind/wrapper.so"));
	assert_string_equal(a->kind, "malloc");
	assert_true(a->is_wrapper);
	allocators_release(&list);
}

/* --- processes ---------------------------------------------------------------------------- */

static void this_process_has_some(void **state)
{
	struct allocator_set set, again;
	struct allocators list;
	bool found = false;
	size_t i;

	(void)state;
	allocators_init(&list);
	assert_int_equal(allocators_of_process(&list, getpid(), &set), 0);
	for (i = 0; i < set.n; i++)
		found |= !strcmp(set.all[i]->kind, "glibc");
	assert_true(found);
	/* It is not read again. */
	assert_int_equal(allocators_of_process(&list, getpid(), &again), 0);
	assert_int_equal(again.n, set.n);
	assert_ptr_equal(again.all[0], set.all[0]);
	allocators_release(&list);
}

static void a_process_that_is_gone_has_none(void **state)
{
	struct allocator_set set;
	struct allocators list;

	(void)state;
	allocators_init(&list);
	assert_int_equal(allocators_of_process(&list, 0x3fffff, &set), -ENOENT);
	assert_non_null(strstr(err_text(), "no allocator was found"));
	allocators_release(&list);
}

/* --- hostile files ------------------------------------------------------------------------ */

static void what_is_no_program_is_refused(void **state)
{
	char fifo[] = "/tmp/test_allocators.XXXXXX";
	struct allocator_set set;
	struct allocators list;

	(void)state;
	allocators_init(&list);
	assert_int_equal(allocators_of_program(&list, "/dev/zero", &set), -EINVAL);
	assert_int_equal(allocators_of_program(&list, "/", &set), -EINVAL);
	assert_int_equal(allocators_of_program(&list, "/no/such/file", &set), -ENOENT);
	assert_int_equal(allocators_of_program(&list, "Makefile", &set), -ENOEXEC);
	assert_non_null(mkdtemp(fifo));
	assert_int_equal(rmdir(fifo), 0);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(allocators_of_program(&list, fifo, &set), -EINVAL);
	unlink(fifo);
	allocators_release(&list);
}

/* Each byte of some is another one, or what follows is not there. */
static void broken_files_do_no_harm(void **state)
{
	static char text[4 << 20];
	char path[] = "/tmp/test_allocators.XXXXXX";
	int in = open(workload("allocator-static"), O_RDONLY), out = mkstemp(path), i, j;
	ssize_t n = read(in, text, sizeof(text));
	uint64_t seed = 4711;

	(void)state;
	assert_true(n > 100000 && out >= 0);
	for (i = 0; i < 60; i++) {
		struct allocator_set set;
		struct allocators list;
		ssize_t len = n;

		for (j = 0; j < 20; j++) {
			seed = seed * 6364136223846793005ull + 1442695040888963407ull;
			/* Headers mostly, and the tables at the end. */
			if (j & 1)
				text[(seed >> 33) % 800] = seed >> 56;
			else
				text[n - 1 - (seed >> 33) % 60000] = seed >> 56;
		}
		if (i % 3 == 0)
			len = (seed >> 20) % n;
		assert_int_equal(ftruncate(out, 0), 0);
		assert_int_equal(pwrite(out, text, len, 0), len);
		allocators_init(&list);
		(void)allocators_of_program(&list, path, &set);
		allocators_release(&list);
		assert_int_equal(pread(in, text, sizeof(text), 0), n);
	}
	close(in);
	close(out);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_those_of_the_allocator),
		cmocka_unit_test(operators_count_where_they_do_not_call_malloc),
		cmocka_unit_test(a_static_program_has_its_own),
		cmocka_unit_test(musl_has_few_functions_that_do_it_themselves),
		cmocka_unit_test(what_is_linked_dynamically_has_none),
		cmocka_unit_test(jemalloc_serves_the_operators),
		cmocka_unit_test(one_address_has_one_probe),
		cmocka_unit_test(a_preloaded_wrapper_is_one),
		cmocka_unit_test(this_process_has_some),
		cmocka_unit_test(a_process_that_is_gone_has_none),
		cmocka_unit_test(what_is_no_program_is_refused),
		cmocka_unit_test(broken_files_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
