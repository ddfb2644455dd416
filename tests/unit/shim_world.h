/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shim_world: the library of shim/ in a test: its functions are called shim_malloc() and so on, its
 * probes note what they are told, and it can be started again with other settings. The allocator
 * behind it is the test's own, libc's or a sanitizer's.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHIM_NAME(name) shim_##name

#include "shim/alloc.c"
#include "shim/early.c"
#include "shim/filter.c"
#include "shim/mappings.c"
#include "shim/ranges.c"
#include "shim/real.c"
#include "shim/sampling.c"
#include "shim/settle.c"
#include "shim/settings.c"

#define WORLD_EVENTS 4096

struct event {
	char kind; /* m made, f freed, < moving, > moved, M mapped, U unmapped, s settling */
	uint64_t a, b, c;
};
static struct event events[WORLD_EVENTS];
static size_t n_events;
static struct real real_at_first;

static void note(char kind, uint64_t a, uint64_t b, uint64_t c)
{
	size_t i = __atomic_fetch_add(&n_events, 1, __ATOMIC_RELAXED);

	if (i < WORLD_EVENTS)
		events[i] = (struct event){ kind, a, b, c };
}

void probe_made(const void *address, uint64_t bytes, uint64_t weight)
{
	note('m', (uintptr_t)address, bytes, weight);
}

void probe_freed(const void *address, uint64_t is_temporary)
{
	note('f', (uintptr_t)address, is_temporary, 0);
}

void probe_moving(const void *address)
{
	note('<', (uintptr_t)address, 0, 0);
}

void probe_moved(const void *address, uint64_t ok)
{
	note('>', (uintptr_t)address, ok, 0);
}

void probe_mapped(uint64_t id, uint64_t bytes)
{
	note('M', id, bytes, 0);
}

void probe_unmapped(uint64_t id, uint64_t bytes)
{
	note('U', id, bytes, 0);
}

void probe_settling(uint64_t since_ns)
{
	if (since_ns) /* each program says that it begins */
		note('s', since_ns, 0, 0);
}

/* As at the start of a program with this in FATHOM_ALLOC; NULL: without. */
static inline void world_start(const char *text)
{
	if (text)
		setenv(SETTINGS_VARIABLE, text, 1);
	else
		unsetenv(SETTINGS_VARIABLE);
	if (!real_at_first.malloc)
		real_at_first = real;
	real = real_at_first;
	mode = UNKNOWN;
	has_maps = false;
	memset(filter_counters, 0, sizeof(filter_counters));
	own_memory_free(buckets, n_buckets * sizeof(*buckets));
	buckets = NULL;
	if (sampling_process != &fallback) {
		own_memory_free(sampling_process->ranges.all,
				sampling_process->ranges.cap * sizeof(struct range));
		own_memory_free(sampling_process, getauxval(AT_PAGESZ));
	}
	sampling_process = &fallback;
	sampling_me = (struct sampling_thread){ .left = -1 };
	n_events = 0;
}

/* The next event, from the first on; what is not looked at is no fault. */
static inline void assert_event(size_t i, char kind, uint64_t a, uint64_t b, uint64_t c)
{
	assert_true(i < n_events);
	if (events[i].kind == kind && events[i].a == a && events[i].b == b && events[i].c == c)
		return;
	print_error("event %zu is %c(%#llx, %llu, %llu), not %c(%#llx, %llu, %llu)\n", i,
		    events[i].kind, (unsigned long long)events[i].a,
		    (unsigned long long)events[i].b, (unsigned long long)events[i].c, kind,
		    (unsigned long long)a, (unsigned long long)b, (unsigned long long)c);
	fail();
}

#define assert_made(i, p, bytes) assert_event(i, 'm', (uintptr_t)(p), bytes, SHIM_WEIGHT_ONE)
