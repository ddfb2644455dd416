/* SPDX-License-Identifier: BSD-2-Clause */
#include "shim/ranges.h"

#include <signal.h>
#include <string.h>
#include <time.h>

#include "shim/own_memory.h"

#define FIRST_CAP 1024

/* The kernel's own sigset_t, of 8 bytes. */
static uint64_t set_signals(uint64_t signals)
{
	uint64_t old = 0;

	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &signals, &old, sizeof(old));
	return old;
}

uint64_t ranges_lock(struct ranges *r)
{
	uint64_t signals = set_signals(UINT64_MAX);
	struct timespec nap = { 0, 20000 };
	unsigned tries = 0;

	/* A nap and no sched_yield(): who has the lock may be of a lower priority. */
	while (__atomic_exchange_n(&r->lock, 1, __ATOMIC_ACQUIRE)) {
		if (++tries % 64 == 0)
			syscall(SYS_nanosleep, &nap, NULL);
	}
	return signals;
}

void ranges_unlock(struct ranges *r, uint64_t signals)
{
	__atomic_store_n(&r->lock, 0, __ATOMIC_RELEASE);
	set_signals(signals);
}

/* The first one that ends behind 'address'. */
static size_t find(const struct ranges *r, uintptr_t address)
{
	size_t low = 0, high = r->n, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (r->all[middle].end > address)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static bool reserve_one(struct ranges *r)
{
	size_t cap = r->cap ? r->cap * 2 : FIRST_CAP;
	struct range *all;

	if (r->n < r->cap)
		return true;
	all = own_memory(cap * sizeof(*all));
	if (!all)
		return false;
	if (r->n)
		memcpy(all, r->all, r->n * sizeof(*all));
	own_memory_free(r->all, r->cap * sizeof(*all));
	r->all = all;
	r->cap = cap;
	return true;
}

static bool insert(struct ranges *r, const struct range *new)
{
	size_t i = find(r, new->start);

	if (!reserve_one(r))
		return false;
	memmove(&r->all[i + 1], &r->all[i], (r->n - i) * sizeof(*r->all));
	r->all[i] = *new;
	r->n++;
	return true;
}

uint64_t ranges_add(struct ranges *r, uintptr_t start, uintptr_t end)
{
	struct range new = { start, end, (r->serial + 1) << 4 | 1 };

	if (!insert(r, &new))
		return 0;
	r->serial++;
	return new.id;
}

static bool take_piece(struct ranges *r, uintptr_t start, uintptr_t end, struct range *ret)
{
	size_t i = find(r, start);
	struct range *at, rest;

	if (i == r->n || r->all[i].start >= end)
		return false;
	at = &r->all[i];
	rest = *at;
	*ret = (struct range){ at->start > start ? at->start : start, at->end < end ? at->end : end,
			       at->id };
	rest.start = ret->end;
	if (at->start < ret->start) {
		at->end = ret->start;
		/* Without memory what is behind it is forgotten, and never told of. */
		if (rest.start < rest.end)
			insert(r, &rest);
	} else if (rest.start < rest.end) {
		*at = rest;
	} else {
		r->n--;
		memmove(at, at + 1, (r->n - i) * sizeof(*at));
	}
	return true;
}

bool ranges_cut(struct ranges *r, uintptr_t start, uintptr_t end, uint64_t *ret_id,
		uint64_t *ret_bytes)
{
	struct range piece;

	if (!take_piece(r, start, end, &piece))
		return false;
	*ret_id = piece.id;
	*ret_bytes = piece.end - piece.start;
	return true;
}

void ranges_move(struct ranges *r, uintptr_t start, uintptr_t end, uintptr_t to)
{
	struct range piece;

	while (take_piece(r, start, end, &piece)) {
		piece.start += to - start;
		piece.end += to - start;
		insert(r, &piece);
	}
}

bool ranges_has(const struct ranges *r, uintptr_t address)
{
	size_t i = find(r, address);

	return i < r->n && r->all[i].start <= address;
}
