/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * heap_calls: what a program may expect of the functions of the heap, whoever stands before them.
 * Ends with 1 and a sentence on stderr at the first that is not so.
 *
 *   heap_calls              all checks; those that look at fathom_alloc_kept() want an interval of
 * 2 heap_calls environment  prints LD_PRELOAD and FATHOM_ALLOC, one a line, "-" for none
 */
#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(it)                                                                  \
	do {                                                                       \
		if (!(it)) {                                                       \
			fprintf(stderr, "line %d: not true: %s\n", __LINE__, #it); \
			exit(1);                                                   \
		}                                                                  \
	} while (0)

static uint64_t (*kept)(void); /* NULL: not looked at */

static int is_aligned(const void *p, size_t align)
{
	return (uintptr_t)p % align == 0;
}

/* All of it can be written to, and free takes it. */
static void use(void *p, size_t bytes, size_t align)
{
	CHECK(p);
	CHECK(is_aligned(p, align));
	CHECK(malloc_usable_size(p) >= bytes);
	memset(p, 0x5a, bytes);
	free(p);
}

static void check_functions(void)
{
	size_t page = getpagesize(), n, i;
	unsigned char *p;
	void *q;

	for (n = 0; n < 300000; n = n * 3 + 1) {
		errno = EXDEV;
		use(malloc(n), n, 16);
		p = calloc(n, 3);
		for (i = 0; i < 3 * n; i++)
			CHECK(!p[i]);
		use(p, 3 * n, 16);
		use(realloc(NULL, n), n, 16);
		use(reallocarray(NULL, 2, n), 2 * n, 16);
		CHECK(posix_memalign(&q, 4096, n) == 0);
		use(q, n, 4096);
		use(aligned_alloc(64, n), n, 64);
		use(memalign(1024, n), n, 1024);
		use(valloc(n), n, page);
		use(pvalloc(n), n, page);
		CHECK(errno == EXDEV);
	}
	free(NULL);
	CHECK(errno == EXDEV);
}

static void check_realloc(void)
{
	unsigned char *p = NULL;
	size_t n, i;

	for (n = 1; n < 1000000; n = n * 2 + 1) {
		p = realloc(p, n);
		CHECK(p);
		for (i = 0; i < n / 2; i++)
			CHECK(p[i] == (i & 0xff));
		for (i = 0; i < n; i++)
			p[i] = i;
	}
	for (; n > 1; n /= 2) {
		p = reallocarray(p, n, 1);
		CHECK(p);
		for (i = 0; i < n / 2; i++)
			CHECK(p[i] == (i & 0xff));
	}
	free(p);
}

/* More than there can be; volatile, so that no compiler knows. */
static void check_failures(void)
{
	volatile size_t huge = PTRDIFF_MAX - 4096, most = SIZE_MAX;
	int untouched;
	void *p = malloc(10), *q = &untouched;

	CHECK(p);
	memset(p, 7, 10);
	errno = 0;
	CHECK(!malloc(huge) && errno == ENOMEM);
	errno = 0;
	CHECK(!calloc(most, 2) && errno == ENOMEM);
	errno = 0;
	CHECK(!realloc(p, huge) && errno == ENOMEM);
	errno = 0;
	CHECK(!reallocarray(p, most, 2) && errno == ENOMEM);
	errno = 0;
	CHECK(!memalign(64, huge) && errno == ENOMEM);
	errno = EXDEV;
	CHECK(posix_memalign((void **)&q, 3, 10) == EINVAL);
	CHECK(posix_memalign((void **)&q, 64, huge) == ENOMEM);
	CHECK(q == &untouched && errno == EXDEV);
	CHECK(((char *)p)[0] == 7 && ((char *)p)[9] == 7);
	free(p);
}

/* Blocks of that size are kept, almost surely, at an interval of 2. */
#define LARGE 5000

static void check_libc_calls_go_through(void)
{
	static char text[LARGE + 1];
	uint64_t before;
	char *p = NULL;

	if (!kept)
		return;
	memset(text, 'x', LARGE);
	before = kept();
	p = strdup(text);
	CHECK(kept() == before + 1);
	free(p);
	CHECK(kept() == before);
	p = strndup(text, LARGE - 1);
	CHECK(kept() == before + 1);
	free(p);
	CHECK(asprintf(&p, "%s", text) == LARGE);
	CHECK(kept() == before + 1);
	free(p);
	p = realpath("/", NULL);
	free(p);
	CHECK(kept() == before);
}

/* operator new of libstdc++ asks malloc. */
static void check_cxx(void)
{
	void *library = dlopen("libstdc++.so.6", RTLD_NOW), *p;
	void *(*new)(size_t), *(*new_aligned)(size_t, size_t);
	void (*delete)(void *);
	uint64_t before;

	if (!library) {
		puts("no libstdc++ here");
		return;
	}
	*(void **)&new = dlsym(library, "_Znwm");
	*(void **)&new_aligned = dlsym(library, "_ZnwmSt11align_val_t");
	*(void **)&delete = dlsym(library, "_ZdlPv");
	CHECK(new &&delete);
	before = kept ? kept() : 0;
	p = new (LARGE);
	CHECK(p);
	CHECK(!kept || kept() == before + 1);
	delete (p);
	CHECK(!kept || kept() == before);
	if (!new_aligned)
		return;
	p = new_aligned(LARGE, 256);
	CHECK(p && is_aligned(p, 256));
	CHECK(!kept || kept() == before + 1);
	free(p);
	CHECK(!kept || kept() == before);
}

static pthread_key_t key;

static void *use_heap(void *arg)
{
	void *p[50] = {};
	int i, k;

	pthread_setspecific(key, malloc(LARGE)); /* freed when the thread ends */
	for (i = 0; i < 20000; i++) {
		k = i * 7 % 50;
		if (i % 11 == 0)
			p[k] = realloc(p[k], i % 4000 + 1);
		free(p[k]);
		p[k] = malloc(i % 3000);
		CHECK(p[k]);
	}
	for (k = 0; k < 50; k++)
		free(p[k]);
	return arg;
}

static void run_threads(void)
{
	pthread_t threads[8];
	int i;

	for (i = 0; i < 8; i++)
		CHECK(!pthread_create(&threads[i], NULL, use_heap, NULL));
	for (i = 0; i < 8; i++)
		CHECK(!pthread_join(threads[i], NULL));
}

/* What the threads had is gone with them; libc keeps what it has for the next ones. */
static void check_threads(void)
{
	uint64_t before;

	CHECK(!pthread_key_create(&key, free));
	run_threads();
	before = kept ? kept() : 0;
	run_threads();
	CHECK(!kept || kept() == before);
}

static volatile sig_atomic_t n_signals;

static void on_alarm(int number)
{
	(void)number;
	n_signals++;
}

static void check_signals(void)
{
	struct itimerval often = { { 0, 2000 }, { 0, 2000 } }, off = {};
	struct sigaction action = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };

	CHECK(!sigaction(SIGALRM, &action, NULL));
	CHECK(!setitimer(ITIMER_REAL, &often, NULL));
	while (n_signals < 50)
		use_heap(NULL);
	CHECK(!setitimer(ITIMER_REAL, &off, NULL));
}

static void check_children(void)
{
	void *p = malloc(LARGE);
	int i, status;
	pid_t pid;

	for (i = 0; i < 20; i++) {
		pid = fork();
		CHECK(pid >= 0);
		if (!pid) {
			free(p);
			use_heap(NULL);
			if (i % 2)
				run_threads();
			_exit(7);
		}
		CHECK(waitpid(pid, &status, 0) == pid);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	}
	pid = vfork();
	if (!pid) {
		execlp("true", "true", NULL);
		_exit(127);
	}
	CHECK(waitpid(pid, &status, 0) == pid && !status);
	free(p);
}

static void check_libraries(void)
{
	void *library;
	int i;

	for (i = 0; i < 20; i++) {
		library = dlopen("libm.so.6", RTLD_NOW | RTLD_LOCAL);
		CHECK(library && dlsym(library, "cos"));
		CHECK(!dlclose(library));
		CHECK(!dlopen("/no/such/library.so", RTLD_NOW) && dlerror());
	}
}

static void check_mappings(void)
{
	size_t page = getpagesize();
	char *p, *q;
	int i;

	for (i = 0; i < 200; i++) {
		errno = EXDEV;
		p = mmap(NULL, 8 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			 0);
		CHECK(p != MAP_FAILED);
		memset(p, i, 8 * page);
		CHECK(!munmap(p + page, page));
		q = mremap(p + 2 * page, 6 * page, 20 * page, MREMAP_MAYMOVE);
		CHECK(q != MAP_FAILED && q[0] == (char)i && q[6 * page - 1] == (char)i);
		CHECK(!q[6 * page]);
		CHECK(!munmap(q, 20 * page) && !munmap(p, page));
		CHECK(errno == EXDEV);
		CHECK(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
		CHECK(errno == EINVAL);
	}
}

static void print_variable(const char *name)
{
	const char *value = getenv(name);

	puts(value ? value : "-");
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "environment")) {
		print_variable("LD_PRELOAD");
		print_variable("FATHOM_ALLOC");
		return 0;
	}
	if (getenv("FATHOM_ALLOC") && !strncmp(getenv("FATHOM_ALLOC"), "interval=2,", 11)) {
		*(void **)&kept = dlsym(RTLD_DEFAULT, "fathom_alloc_kept");
		CHECK(kept);
	}
	check_functions();
	check_realloc();
	check_failures();
	check_libc_calls_go_through();
	check_cxx();
	check_threads();
	check_signals();
	check_children();
	check_libraries();
	check_mappings();
	return 0;
}
