/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * allocs: memory that is asked for and given back at known places, and how much of it.
 *
 *   allocs heap [THREADS [ROUNDS [SEED]]]   all functions of the heap, by threads and a child
 *   allocs maps [ROUNDS]                    anonymous mappings, of which parts go and come
 *   allocs churn PAIRS [THREADS [BYTES]]    pairs of malloc and free, and what a pair took
 *
 * With ALLOCS_WAIT in the environment it begins when something is on standard input.
 *
 * heap and maps print what was asked for at each place, a function "site_..." whose caller notes
 * it; the same in each run:
 *
 *   {"site_malloc": {"objects": N, "bytes": N, "freed_objects": N, "freed_bytes": N,
 *                    "leaked_objects": N, "leaked_bytes": N,
 *                    "temporary_objects": N, "temporary_bytes": N}, ...}
 *
 * Leaked is what was not freed at the end; temporary what was freed when it was still the last that
 * this thread had been given, and not moved by realloc. Blocks of a child process are told of like
 * the others; that it frees what its parent has, too, is not. A mapping is freed as an object when
 * the last of its bytes is; bytes of mappings are whole pages.
 *
 *   {"pairs": N, "ns_per_pair": X}
 */
#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_THREADS 64
#define SLOTS	    64
#define PAGE	    4096ul

/* What the compiler knows of a place it could leave out. */
#define SITE __attribute__((noinline, noclone, noipa))

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

/* --- places ------------------------------------------------------------------------------- */

enum site {
	MALLOC,
	CALLOC,
	REALLOC_NEW,
	POSIX_MEMALIGN,
	ALIGNED_ALLOC,
	MEMALIGN,
	VALLOC,
	PVALLOC,
	STRDUP,
	ZERO,
	LARGE,
	N_HEAP, /* those before it give new blocks */
	REALLOC_GROW = N_HEAP,
	REALLOC_SHRINK,
	REALLOCARRAY,
	TEMPORARY,
	CHILD,
	FAILED,
	MAP,
	MAP_SHARED_TOO,
	MAP_FIXED_OVER,
	REMAP_GROW,
	REMAP_MOVE,
	N_SITES
};

static const char *const names[] = {
	[MALLOC] = "site_malloc",
	[CALLOC] = "site_calloc",
	[REALLOC_NEW] = "site_realloc_new",
	[POSIX_MEMALIGN] = "site_posix_memalign",
	[ALIGNED_ALLOC] = "site_aligned_alloc",
	[MEMALIGN] = "site_memalign",
	[VALLOC] = "site_valloc",
	[PVALLOC] = "site_pvalloc",
	[STRDUP] = "site_strdup",
	[ZERO] = "site_zero",
	[LARGE] = "site_large",
	[REALLOC_GROW] = "site_realloc_grow",
	[REALLOC_SHRINK] = "site_realloc_shrink",
	[REALLOCARRAY] = "site_reallocarray",
	[TEMPORARY] = "site_temporary",
	[CHILD] = "site_child",
	[FAILED] = "site_failed",
	[MAP] = "site_map",
	[MAP_SHARED_TOO] = "site_map_shared",
	[MAP_FIXED_OVER] = "site_map_fixed",
	[REMAP_GROW] = "site_remap_grow",
	[REMAP_MOVE] = "site_remap_move",
};

/* In memory that a child shares. */
struct total {
	uint64_t objects, bytes, freed_objects, freed_bytes, temporary_objects, temporary_bytes;
};
static struct total *totals;

static void add(uint64_t *to, uint64_t n)
{
	__atomic_fetch_add(to, n, __ATOMIC_RELAXED);
}

SITE static void *site_malloc(size_t n)
{
	return malloc(n);
}

SITE static void *site_calloc(size_t n)
{
	return n % 8 ? calloc(n, 1) : calloc(n / 8, 8);
}

SITE static void *site_realloc_new(size_t n)
{
	return realloc(NULL, n);
}

SITE static void *site_posix_memalign(size_t n)
{
	void *p = NULL;

	return posix_memalign(&p, 256, n) ? NULL : p;
}

SITE static void *site_aligned_alloc(size_t n)
{
	return aligned_alloc(64, n);
}

SITE static void *site_memalign(size_t n)
{
	return memalign(128, n);
}

SITE static void *site_valloc(size_t n)
{
	return valloc(n);
}

SITE static void *site_pvalloc(size_t n)
{
	return pvalloc(n);
}

/* n - 1 characters: libc asks for their copy. */
SITE static void *site_strdup(size_t n)
{
	static const char text[4096] = { [0 ... 4094] = 'x' };

	return strdup(text + sizeof(text) - n);
}

SITE static void *site_zero(size_t n)
{
	return malloc(n);
}

SITE static void *site_large(size_t n)
{
	return malloc(n);
}

SITE static void *site_realloc_grow(void *old, size_t n)
{
	return realloc(old, n);
}

SITE static void *site_realloc_shrink(void *old, size_t n)
{
	return realloc(old, n);
}

SITE static void *site_reallocarray(void *old, size_t n)
{
	return reallocarray(old, n / 16, 16);
}

SITE static void *site_temporary(size_t n)
{
	return malloc(n);
}

SITE static void *site_child(size_t n)
{
	return malloc(n);
}

SITE static void *site_failed(void *old, size_t n)
{
	return old ? realloc(old, n) : malloc(n);
}

static void *(*const makers[])(size_t n) = {
	site_malloc,	    site_calloc,   site_realloc_new, site_posix_memalign,
	site_aligned_alloc, site_memalign, site_valloc,	     site_pvalloc,
	site_strdup,	    site_zero,	   site_large,
};
_Static_assert(sizeof(makers) / sizeof(makers[0]) == N_HEAP, "a place without its function");

/* --- the heap ----------------------------------------------------------------------------- */

struct block {
	void *p;
	size_t bytes;
	enum site site;
};
struct thread {
	struct block slots[SLOTS];
	uint64_t random;
};
static struct thread threads[MAX_THREADS];
static unsigned n_threads = 4, rounds = 2000, seed = 1;
static pthread_barrier_t barrier;
static __thread void *last;

static uint32_t draw(struct thread *t, uint32_t below)
{
	t->random = t->random * 6364136223846793005ull + 1442695040888963407ull;
	return (t->random >> 33) % below;
}

static void note_made(struct block *b, enum site site, void *p, size_t bytes)
{
	if (!p)
		fail(names[site]);
	*b = (struct block){ p, bytes, site };
	last = p;
	add(&totals[site].objects, 1);
	add(&totals[site].bytes, bytes);
}

static void note_freed(const struct block *b, bool is_temporary)
{
	struct total *t = &totals[b->site];

	add(&t->freed_objects, 1);
	add(&t->freed_bytes, b->bytes);
	if (is_temporary) {
		add(&t->temporary_objects, 1);
		add(&t->temporary_bytes, b->bytes);
	}
}

static void free_block(struct block *b)
{
	note_freed(b, b->p == last);
	free(b->p);
	b->p = NULL;
}

static size_t draw_size(struct thread *t, enum site site)
{
	switch (site) {
	case ZERO:
		return 0;
	case LARGE:
		return 200000 + draw(t, 800000);
	case PVALLOC:
		return (1 + draw(t, 4)) * PAGE; /* those do round */
	default:
		return 1 + draw(t, 2000);
	}
}

static void make_block(struct thread *t, struct block *b)
{
	/* Large ones are rare. */
	enum site site = draw(t, draw(t, 16) ? N_HEAP - 1 : N_HEAP);
	size_t n = draw_size(t, site);

	note_made(b, site, makers[site](n), n);
}

static void move_block(struct thread *t, struct block *b)
{
	struct block old = *b;
	size_t n;

	switch (draw(t, 3)) {
	case 0:
		n = old.bytes + 1 + draw(t, 20000);
		note_made(b, REALLOC_GROW, site_realloc_grow(old.p, n), n);
		break;
	case 1:
		n = old.bytes / 2 + 1;
		note_made(b, REALLOC_SHRINK, site_realloc_shrink(old.p, n), n);
		break;
	default:
		n = 16 * (1 + draw(t, 100));
		note_made(b, REALLOCARRAY, site_reallocarray(old.p, n), n);
		break;
	}
	note_freed(&old, false);
}

/* What cannot be had leaves the old block as it is. */
static void fail_block(struct block *b)
{
	size_t n = PTRDIFF_MAX - 4096;

	if (site_failed(b->p, n) || errno != ENOMEM)
		fail("a block of half the address space");
}

/* What realloc(3) of 0 bytes frees is not temporary either: it has moved to nowhere. */
static void end_block(struct block *b)
{
	note_freed(b, false);
	if (site_realloc_shrink(b->p, 0))
		fail("realloc(p, 0) gives a block here: this is not glibc");
	b->p = NULL;
}

static void step(struct thread *t)
{
	struct block *b = &t->slots[draw(t, SLOTS)], temporary;
	size_t n;

	switch (draw(t, 8)) {
	case 0:
		n = 1 + draw(t, 300);
		note_made(&temporary, TEMPORARY, site_temporary(n), n);
		free_block(&temporary);
		return;
	case 1:
		fail_block(b);
		return;
	case 2:
		if (b->p)
			end_block(b);
		return;
	case 3:
	case 4:
		if (b->p)
			move_block(t, b);
		return;
	default:
		if (b->p)
			free_block(b);
		else
			make_block(t, b);
		return;
	}
}

static void *run(void *arg)
{
	struct thread *t = arg;
	unsigned i, next = (t - threads + 1) % n_threads;

	t->random = seed * 1000003ull + (t - threads);
	for (i = 0; i < rounds; i++)
		step(t);
	pthread_barrier_wait(&barrier);
	/* Every other block is freed by another thread than the one that made it. */
	for (i = 0; i < SLOTS; i += 2) {
		if (threads[next].slots[i].p)
			free_block(&threads[next].slots[i]);
	}
	return NULL;
}

/* What it frees of its parent's stays its parent's. */
static void run_child(void)
{
	struct thread t = { .random = seed };
	struct block b[100];
	unsigned i;

	for (i = 0; i < 100; i++) {
		size_t n = 1 + draw(&t, 5000);

		note_made(&b[i], CHILD, site_child(n), n);
	}
	for (i = 0; i < SLOTS; i++)
		free(threads[0].slots[i].p);
	for (i = 0; i < 100; i += 4)
		free_block(&b[i]);
	_exit(0);
}

static void fork_child(void)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		fail("fork");
	if (!pid)
		run_child();
	if (waitpid(pid, &status, 0) != pid || status)
		fail("the child");
}

static void heap(void)
{
	pthread_t ids[MAX_THREADS];
	unsigned i;

	if (pthread_barrier_init(&barrier, NULL, n_threads))
		fail("barrier");
	for (i = 0; i < n_threads; i++) {
		if (pthread_create(&ids[i], NULL, run, &threads[i]))
			fail("pthread_create");
	}
	for (i = 0; i < n_threads; i++)
		pthread_join(ids[i], NULL);
	fork_child();
}

/* --- mappings ----------------------------------------------------------------------------- */

SITE static char *site_map(size_t n)
{
	return mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

SITE static char *site_map_shared(size_t n)
{
	return mmap64(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

SITE static char *site_map_fixed(char *at, size_t n)
{
	return mmap(at, n, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

/* Over anonymous memory: its bytes are gone, and those of the file are not told of. */
SITE static char *site_map_file(char *at, size_t n, int fd)
{
	return mmap(at, n, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0);
}

SITE static char *site_remap_grow(char *old, size_t from, size_t to)
{
	return mremap(old, from, to, MREMAP_MAYMOVE);
}

SITE static char *site_remap_move(char *old, size_t from, size_t to, char *at)
{
	return mremap(old, from, to, MREMAP_MAYMOVE | MREMAP_FIXED, at);
}

static char *mapped(enum site site, char *p, size_t pages)
{
	if (p == MAP_FAILED)
		fail(names[site]);
	add(&totals[site].objects, 1);
	add(&totals[site].bytes, pages * PAGE);
	return p;
}

static void unmapped(enum site site, unsigned objects, size_t pages)
{
	add(&totals[site].freed_objects, objects);
	add(&totals[site].freed_bytes, pages * PAGE);
}

static void unmap(char *p, size_t pages)
{
	if (munmap(p, pages * PAGE - 1))
		fail("munmap");
}

/* Ten pages, and in the end two of them are left. */
static void map_parts(int file)
{
	char *p = mapped(MAP, site_map(10 * PAGE), 10);

	unmap(p + 8 * PAGE, 1);
	unmapped(MAP, 0, 1);
	mapped(MAP_FIXED_OVER, site_map_fixed(p + 2 * PAGE, 3 * PAGE), 3);
	unmapped(MAP, 0, 3);
	/* Of both. */
	unmap(p + 4 * PAGE, 2);
	unmapped(MAP_FIXED_OVER, 0, 1);
	unmapped(MAP, 0, 1);
	site_map_file(p + 2 * PAGE, PAGE, file);
	unmapped(MAP_FIXED_OVER, 0, 1);
	unmap(p + 2 * PAGE, 2);
	unmapped(MAP_FIXED_OVER, 1, 1);
	/* Nothing is there, one page, and nothing again. */
	unmap(p + 8 * PAGE, 2);
	unmapped(MAP, 0, 1);
	unmap(p + PAGE, 1);
	unmapped(MAP, 0, 1);
	unmap(p + 6 * PAGE, 1);
	unmapped(MAP, 0, 1);
}

/* Sizes that are no whole pages; what is added is a mapping of its own, what moves is not. */
static void map_moves(void)
{
	char *p = mapped(MAP_SHARED_TOO, site_map_shared(4 * PAGE - 100), 4), *q;
	char *place = mapped(MAP, site_map(16 * PAGE), 16);

	p = mapped(REMAP_GROW, site_remap_grow(p, 4 * PAGE - 100, 6 * PAGE), 2);
	q = site_remap_move(p, 6 * PAGE, 5 * PAGE, place + 4 * PAGE);
	if (q != place + 4 * PAGE)
		fail("mremap");
	unmapped(MAP, 0, 5);
	unmapped(REMAP_GROW, 0, 1);
	q = mapped(REMAP_MOVE, site_remap_move(place, PAGE, 3 * PAGE, place + 12 * PAGE), 2);
	unmapped(MAP, 0, 3);
	/* One page of the move's, and the one that was moved. */
	unmap(q, 2);
	unmapped(MAP, 0, 1);
	unmapped(REMAP_MOVE, 0, 1);
	unmap(place + 4 * PAGE, 5);
	unmapped(MAP_SHARED_TOO, 1, 4);
	unmapped(REMAP_GROW, 1, 1);
	unmap(place, 16);
	unmapped(MAP, 1, 7);
	unmapped(REMAP_MOVE, 1, 1);
	if (munmap(place + 1, PAGE) != -1 || errno != EINVAL)
		fail("munmap of half a page");
}

static void maps(void)
{
	FILE *file = tmpfile();
	unsigned i;

	if (!file || ftruncate(fileno(file), PAGE))
		fail("a file");
	for (i = 0; i < rounds; i++) {
		map_parts(fileno(file));
		map_moves();
	}
	fclose(file);
}

/* --- pairs -------------------------------------------------------------------------------- */

static uint64_t pairs;
static size_t pair_bytes = 100;

static void *run_churn(void *arg)
{
	void *volatile p;
	uint64_t i;

	for (i = 0; i < pairs; i++) {
		p = malloc(pair_bytes);
		free(p);
	}
	return arg;
}

static void churn(void)
{
	struct timespec begin, end;
	pthread_t ids[MAX_THREADS];
	unsigned i;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (i = 0; i < n_threads; i++) {
		if (pthread_create(&ids[i], NULL, run_churn, NULL))
			fail("pthread_create");
	}
	for (i = 0; i < n_threads; i++)
		pthread_join(ids[i], NULL);
	clock_gettime(CLOCK_MONOTONIC, &end);
	printf("{\"pairs\": %" PRIu64 ", \"ns_per_pair\": %.3f}\n", pairs * n_threads,
	       ((end.tv_sec - begin.tv_sec) * 1e9 + end.tv_nsec - begin.tv_nsec) / pairs);
}

static void print_totals(void)
{
	const char *separator = "";
	int i;

	putchar('{');
	for (i = 0; i < N_SITES; i++) {
		const struct total *t = &totals[i];

		if (!t->objects)
			continue;
		printf("%s\"%s\": {\"objects\": %" PRIu64 ", \"bytes\": %" PRIu64
		       ", \"freed_objects\": %" PRIu64 ", \"freed_bytes\": %" PRIu64
		       ", \"leaked_objects\": %" PRIu64 ", \"leaked_bytes\": %" PRIu64
		       ", \"temporary_objects\": %" PRIu64 ", \"temporary_bytes\": %" PRIu64 "}",
		       separator, names[i], t->objects, t->bytes, t->freed_objects, t->freed_bytes,
		       t->objects - t->freed_objects, t->bytes - t->freed_bytes,
		       t->temporary_objects, t->temporary_bytes);
		separator = ",\n ";
	}
	puts("}");
}

static unsigned number(int argc, char **argv, int i, unsigned otherwise)
{
	return argc > i ? strtoul(argv[i], NULL, 10) : otherwise;
}

static int usage(void)
{
	fputs("usage: allocs heap [THREADS [ROUNDS [SEED]]] | maps [ROUNDS] | "
	      "churn PAIRS [THREADS [BYTES]]\n",
	      stderr);
	return 2;
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	bool is_maps = !strcmp(mode, "maps"), is_churn = !strcmp(mode, "churn") && argc > 2;
	char go;

	if (!is_maps && !is_churn && strcmp(mode, "heap") != 0)
		return usage();
	n_threads = number(argc, argv, is_churn ? 3 : 2, is_churn ? 1 : n_threads);
	if (is_maps)
		n_threads = 1;
	rounds = number(argc, argv, is_maps ? 2 : 3, is_maps ? 10 : rounds);
	seed = number(argc, argv, 4, seed);
	if (!n_threads || n_threads > MAX_THREADS)
		return usage();
	/* By the system call: it is none of what is counted. */
	totals = (void *)syscall(SYS_mmap, NULL, N_SITES * sizeof(*totals), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0L);
	if (totals == MAP_FAILED)
		fail("mmap");
	if (getenv("ALLOCS_WAIT") && read(0, &go, 1) < 0)
		fail("read");
	if (is_churn) {
		pairs = strtoull(argv[2], NULL, 10);
		pair_bytes = number(argc, argv, 4, 100);
		if (!pairs)
			return usage();
		churn();
		return 0;
	}
	if (is_maps)
		maps();
	else
		heap();
	print_totals();
	return 0;
}
