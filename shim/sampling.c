/* SPDX-License-Identifier: BSD-2-Clause */
#include "shim/sampling.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "shim/draw.h"
#include "shim/filter.h"
#include "shim/own_memory.h"
#include "shim/real.h"
#include "shim/settings.h"
#include "shim/settle.h"

#define LIBRARY "libfathom-alloc.so"

enum mode { UNKNOWN, STARTING, PASSIVE, EXACT, SAMPLING };

/* Negative from the start: a thread's first allocation, of nothing even, is looked at. */
__thread struct sampling_thread sampling_me = { .left = -1 };

static struct sampling_process fallback;
struct sampling_process *sampling_process = &fallback;

static int mode; /* enum mode */
static bool has_maps;
static double interval;
static uint64_t seed;

static uint64_t random_seed(void)
{
	struct timespec now;
	uint64_t n;

	if (getrandom(&n, sizeof(n), GRND_NONBLOCK) == sizeof(n))
		return n;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return draw_mix(now.tv_sec * 1000000000ull + now.tv_nsec) ^ getpid();
}

/*
 * A page that the kernel empties in a child (MADV_WIPEONFORK, Linux 4.14): else parent and child
 * would draw the same, and somebody who is not there any more might hold the lock of the mappings.
 * Unlike pthread_atfork() it works for whoever calls clone(2), and asks nobody for memory.
 */
static void start_process(void)
{
	size_t page = getauxval(AT_PAGESZ);
	struct sampling_process *p = own_memory(page);

	if (!p)
		return;
	madvise(p, page, MADV_WIPEONFORK);
	sampling_process = p;
}

/*
 * It translates the bytes of our probes as they are in memory: where a recorder is, that is a
 * breakpoint, of which the program dies. What it has preloaded tells of it.
 */
static bool is_under_valgrind(void)
{
	const char *preloaded = getenv("LD_PRELOAD");

	return preloaded && strstr(preloaded, "/vgpreload_");
}

static int start(const char *text)
{
	struct settings s;

	if (!text || is_under_valgrind() || !settings_parse(text, &s))
		return PASSIVE;
	seed = s.has_seed ? s.seed : random_seed();
	interval = s.interval_bytes;
	has_maps = s.maps;
	if (has_maps)
		real_nest();
	start_process();
	sampling_process->generation = 1;
	if (!s.known[0] || !settle(s.known))
		probe_settling(0);
	if (s.interval_bytes == 1) {
		filter_pass_all();
		return EXACT;
	}
	filter_start(s.interval_bytes);
	return SAMPLING;
}

/* As soon as libc has the environment: ld.so and constructors allocate before ours is called. */
static int mode_now(void)
{
	int now = __atomic_load_n(&mode, __ATOMIC_ACQUIRE), err = errno;

	if (now != UNKNOWN || !environ)
		return now;
	if (!__atomic_compare_exchange_n(&mode, &now, STARTING, false, __ATOMIC_ACQ_REL,
					 __ATOMIC_ACQUIRE))
		return now;
	now = getauxval(AT_SECURE) ? PASSIVE : start(getenv(SETTINGS_VARIABLE));
	__atomic_store_n(&mode, now, __ATOMIC_RELEASE);
	errno = err;
	return now;
}

static void __attribute__((constructor)) on_load(void)
{
	struct settings s;
	const char *text;

	real_resolve();
	if (mode_now() == PASSIVE)
		return;
	text = getenv(SETTINGS_VARIABLE);
	if (text && settings_parse(text, &s) && !s.follow)
		settings_forget(environ, LIBRARY);
}

/* True if the thread has never drawn before; it has not the other's numbers after this. */
static bool seed_thread(struct sampling_thread *me)
{
	uint64_t generation = __atomic_load_n(&sampling_process->generation, __ATOMIC_RELAXED);
	uint64_t mine, serial;
	bool is_new = !me->generation;

	if (generation && me->generation == generation)
		return false;
	if (!generation) {
		mine = draw_mix(seed ^ draw_mix(getpid())) | 1;
		if (__atomic_compare_exchange_n(&sampling_process->generation, &generation, mine,
						false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
			generation = mine;
	}
	serial = __atomic_add_fetch(&sampling_process->threads, 1, __ATOMIC_RELAXED);
	me->random = draw_mix(seed ^ draw_mix(generation ^ draw_mix(serial)));
	me->generation = generation;
	return is_new;
}

static uint64_t weigh_sampled(struct sampling_thread *me, const void *address, size_t bytes)
{
	if (seed_thread(me)) {
		me->left = draw_gap(&me->random, interval) - (int64_t)bytes;
		if (me->left >= 0)
			return 0;
	}
	/* The gaps have no memory: what is left of this one behind the block need not be known. */
	me->left = draw_gap(&me->random, interval);
	filter_put(address);
	return draw_weight(bytes, interval);
}

uint64_t sampling_weigh(const void *address, size_t bytes)
{
	struct sampling_thread *me = &sampling_me;

	switch (mode_now()) {
	case PASSIVE:
		me->left = INT64_MAX;
		return 0;
	case EXACT:
		me->left = -1;
		return SHIM_WEIGHT_ONE;
	case SAMPLING:
		return weigh_sampled(me, address, bytes);
	default:
		me->left = -1;
		return 0;
	}
}

bool sampling_forgets(const void *address)
{
	switch (__atomic_load_n(&mode, __ATOMIC_RELAXED)) {
	case EXACT:
		return address && !sampling_me.nested;
	case SAMPLING:
		return address && filter_take(address);
	default:
		return false;
	}
}

void sampling_remembers(const void *address)
{
	if (__atomic_load_n(&mode, __ATOMIC_RELAXED) == SAMPLING)
		filter_put(address);
}

bool sampling_has_maps(void)
{
	return mode_now() > PASSIVE && has_maps;
}
