/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/unwind_lists.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/clock.h"
#include "user/base/err.h"
#include "user/base/keyset.h"
#include "user/unwind/extents.h"

#define NO_LIST UINT32_MAX

/* Processes may have died since it was looked last: then it is looked again. */
#define MANY_DEAD 1024

/* A list that takes so long is not made anew before that time has passed so many times over. */
#define SLOW_NS	      2000000
#define PUBLISH_PAUSE 20

/* Looking for room takes a grace period: where there was none, not for each process again. */
#define LOOK_AGAIN_NS 1000000000ull

/* What stands behind a mapping in a list: the same number in 'origins'. */
struct origin {
	uint64_t start, end, pgoff; /* all of the mapping, whatever its table covers */
	uint32_t table;
	uint32_t pad;
};

enum list_state { LIST_FREE, LIST_NEWEST, LIST_OLD, LIST_OLD_IN_USE };

struct list {
	uint32_t first, n;
	enum list_state state;
};

/* A process that was given a list here (not by a fork). */
struct published {
	uint32_t pid;
	uint32_t image; /* and how many mappings it had then */
	size_t n_mappings;
	uint64_t mm;
	uint32_t list;	 /* NO_LIST: it is gone, or there was no room */
	bool is_full;	 /* there was none, and that has been counted */
	uint64_t due_ns; /* a new list for more mappings, not before */
};

struct unwind_lists {
	struct unwind_maps *maps;
	struct processes *processes;
	struct unwind_tables *tables;
	struct layout layout;
	struct origin *origins; /* by number of a mapping of the maps */
	uint32_t n_origins;	/* beyond that none was ever in use */
	struct extents room;	/* in the maps' mappings */
	struct list *lists;
	size_t n_lists, lists_cap;
	size_t first_free;  /* there is none before */
	struct keyset keys; /* of struct ft_process_key */
	struct published *published;
	size_t published_cap;
	size_t n_living;    /* when the dead were forgotten last */
	uint64_t looked_ns; /* when room was looked for and none found; 0: there was some */
	uint64_t full;
};

int unwind_lists_new(struct unwind_maps *maps, struct processes *processes,
		     struct unwind_tables *tables, struct unwind_lists **ret)
{
	_cleanup_(unwind_lists_freep) struct unwind_lists *l = calloc(1, sizeof(*l));

	if (!l)
		return errf(-ENOMEM, "no memory for the unwinder's lists");
	l->maps = maps;
	l->processes = processes;
	l->tables = tables;
	keyset_init(&l->keys, sizeof(struct ft_process_key));
	l->origins = calloc(maps->n_mappings, sizeof(*l->origins));
	extents_init(&l->room);
	if (!l->origins || extents_reserve(&l->room, 1))
		return errf(-ENOMEM, "no memory for the unwinder's lists");
	extents_give(&l->room, 0, maps->n_mappings);
	*ret = take(l);
	return 0;
}

void unwind_lists_free(struct unwind_lists *l)
{
	if (!l)
		return;
	layout_release(&l->layout);
	extents_release(&l->room);
	keyset_release(&l->keys);
	free(l->origins);
	free(l->lists);
	free(l->published);
	free(l);
}

uint64_t unwind_lists_full(const struct unwind_lists *l)
{
	return l->full;
}

/* --- making room ----------------------------------------------------------------------------- */

static void mark_in_use(void *ctx, const struct ft_process_key *key,
			const struct ft_process *process)
{
	struct unwind_lists *l = ctx;

	(void)key;
	if (process->list < l->n_lists && l->lists[process->list].state == LIST_OLD)
		l->lists[process->list].state = LIST_OLD_IN_USE;
}

/* The process's list is an old one from now on. */
static void let_go(struct unwind_lists *l, struct published *p)
{
	if (p->list != NO_LIST)
		l->lists[p->list].state = LIST_OLD;
	p->list = NO_LIST;
}

/* The lists of processes that are not there any more, or not what they were, are old ones. */
static void let_the_dead_go(struct unwind_lists *l)
{
	size_t i;

	for (i = 0; i < l->keys.n; i++) {
		struct published *p = &l->published[i];

		if (p->list == NO_LIST)
			continue;
		if (p->image != processes_image(l->processes, p->pid, UINT64_MAX) ||
		    (kill(p->pid, 0) && errno == ESRCH)) {
			unwind_maps_drop_process(l->maps, keyset_key(&l->keys, i));
			let_go(l, p);
		}
	}
}

/* Renumbers the processes: not while one is at work. */
static int forget_the_dead(struct unwind_lists *l)
{
	struct keyset keys;
	uint32_t number;
	size_t i;

	let_the_dead_go(l);
	keyset_init(&keys, sizeof(struct ft_process_key));
	for (i = 0; i < l->keys.n; i++) {
		if (l->published[i].list == NO_LIST)
			continue;
		if (keyset_add(&keys, keyset_key(&l->keys, i), &number) < 0) {
			keyset_release(&keys);
			return errf(-ENOMEM, "no memory for the unwinder's lists");
		}
		l->published[number] = l->published[i];
	}
	keyset_release(&l->keys);
	l->keys = keys;
	l->n_living = keys.n;
	return 0;
}

/*
 * Frees the lists that nobody has any more. A fork that has read an old list before it was replaced
 * may write it to its child after the first look: the second comes when all those are over. Then
 * nobody reads them either.
 */
static int make_room(struct unwind_lists *l)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC);
	size_t i;
	int err;

	if (l->looked_ns && now - l->looked_ns < LOOK_AGAIN_NS)
		return 0;
	l->looked_ns = now;
	let_the_dead_go(l);
	err = unwind_maps_for_each(l->maps, mark_in_use, l);
	if (err)
		return err;
	unwind_maps_wait();
	err = unwind_maps_for_each(l->maps, mark_in_use, l);
	for (i = 0; i < l->n_lists && !err; i++) {
		struct list *list = &l->lists[i];

		if (list->state == LIST_OLD_IN_USE) {
			list->state = LIST_OLD;
		} else if (list->state == LIST_OLD) {
			err = extents_reserve(&l->room, 1);
			if (!err && list->n) {
				extents_give(&l->room, list->first, list->n);
				l->looked_ns = 0;
			}
			list->state = LIST_FREE;
			if (i < l->first_free)
				l->first_free = i;
		}
	}
	return err == -ENOMEM ? errf(err, "no memory for the unwinder's lists") : err;
}

/* A list with room for 'n' mappings: -ENOSPC if there is none. */
static int take_list(struct unwind_lists *l, uint32_t n, uint32_t *ret)
{
	uint32_t first = 0;
	size_t i;
	int err;

	for (i = l->first_free; i < l->n_lists && l->lists[i].state != LIST_FREE; i++)
		;
	l->first_free = i;
	if (i == l->n_lists) {
		if (array_reserve(l->lists, l->lists_cap, l->n_lists + 1))
			return errf(-ENOMEM, "no memory for the unwinder's lists");
		l->lists[l->n_lists++] = (struct list){ .state = LIST_FREE };
	}
	if (n && extents_find(&l->room, n) == UINT32_MAX) {
		err = make_room(l);
		if (err)
			return err;
	}
	if (extents_reserve(&l->room, 1))
		return errf(-ENOMEM, "no memory for the unwinder's lists");
	if (n) {
		first = extents_find(&l->room, n);
		if (first == UINT32_MAX)
			return -ENOSPC;
		extents_take(&l->room, first, n);
	}
	l->lists[i] = (struct list){ .first = first, .n = n, .state = LIST_NEWEST };
	if (first + n > l->n_origins)
		l->n_origins = first + n;
	*ret = i;
	return 0;
}

/* --- lists ----------------------------------------------------------------------------------- */

/*
 * Page and kind in one word, the bias having been said before: a walk that reads meanwhile sees a
 * table whole or not at all. What its table does not cover is cut off, and has no code.
 */
static void place(struct unwind_lists *l, uint32_t number)
{
	const struct origin *o = &l->origins[number];
	struct ft_unwind_mapping *to = &l->maps->mappings[number], m;

	unwind_tables_place(l->tables, o->table, o->start, o->end, o->pgoff, &m);
	to->start = m.start;
	to->end = m.end;
	to->bias = m.bias;
	__atomic_store_n(&to->word, m.word, __ATOMIC_RELEASE);
}

static int fill(struct unwind_lists *l, const struct list *list)
{
	uint32_t i;
	int err;

	for (i = 0; i < list->n; i++) {
		struct origin *o = &l->origins[list->first + i];
		struct sym_mapping m;

		processes_part(l->processes, &l->layout.parts[i], &m);
		*o = (struct origin){ .start = m.start, .end = m.end, .pgoff = m.pgoff };
		err = unwind_tables_of(l->tables, &m, &o->table);
		if (err)
			return err;
		l->maps->mappings[list->first + i] = (struct ft_unwind_mapping){ 0 };
		place(l, list->first + i);
	}
	return 0;
}

/* It keeps the list that it has, if any. */
static void note_full(struct unwind_lists *l, struct published *p)
{
	l->full += !p->is_full;
	p->is_full = true;
}

static int publish_now(struct unwind_lists *l, struct published *p,
		       const struct ft_process_key *key)
{
	struct ft_process process = { .mm = p->mm };
	uint32_t number = 0;
	int err;

	p->n_mappings = processes_n_mappings(l->processes, p->image);
	err = processes_layout(l->processes, p->image, UINT64_MAX, &l->layout);
	if (!err)
		err = take_list(l, l->layout.n, &number);
	if (err == -ENOSPC) {
		note_full(l, p);
		return 0;
	}
	if (!err)
		err = fill(l, &l->lists[number]);
	if (err)
		return err;
	process.first = l->lists[number].first;
	process.n = l->lists[number].n;
	process.list = number;
	if (unwind_maps_set_process(l->maps, key, &process)) {
		l->lists[number].state = LIST_OLD;
		note_full(l, p);
		return 0;
	}
	let_go(l, p);
	p->list = number;
	p->is_full = false;
	return 0;
}

/* A process with very many mappings, which goes on to make more, does not take all of our time. */
static int publish(struct unwind_lists *l, struct published *p, const struct ft_process_key *key)
{
	uint64_t began_ns = clock_ns(CLOCK_MONOTONIC), now;
	int err = publish_now(l, p, key);

	now = clock_ns(CLOCK_MONOTONIC);
	if (now - began_ns > SLOW_NS)
		p->due_ns = now + PUBLISH_PAUSE * (now - began_ns);
	return err;
}

/* Whether its list is not what it has mapped, and may be made anew. */
static bool is_due(const struct unwind_lists *l, const struct published *p)
{
	return p->n_mappings != processes_n_mappings(l->processes, p->image) &&
	       clock_ns(CLOCK_MONOTONIC) >= p->due_ns;
}

int unwind_lists_publish(struct unwind_lists *l, uint32_t pid, const struct ft_process_key *key,
			 uint64_t mm)
{
	uint32_t image = processes_image(l->processes, pid, UINT64_MAX), i;
	struct published *p;
	int added;

	if (!pid || image == PROCESSES_NO_IMAGE || (kill(pid, 0) && errno == ESRCH))
		return 0;
	if (l->keys.n > 2 * l->n_living + MANY_DEAD) {
		added = forget_the_dead(l);
		if (added)
			return added;
	}
	if (array_reserve(l->published, l->published_cap, l->keys.n + 1))
		return errf(-ENOMEM, "no memory for the unwinder's lists");
	added = keyset_add(&l->keys, key, &i);
	if (added < 0)
		return errf(added, "no memory for the unwinder's lists");
	p = &l->published[i];
	if (added)
		*p = (struct published){ .list = NO_LIST };
	if (p->list != NO_LIST && p->image == image && p->mm == mm && !is_due(l, p))
		return 0;
	/* A list of another address space is of no use, even if there is no room for a new one. */
	if (p->list != NO_LIST && (p->image != image || p->mm != mm)) {
		unwind_maps_drop_process(l->maps, key);
		let_go(l, p);
	}
	p->pid = pid;
	p->image = image;
	p->mm = mm;
	return publish(l, p, key);
}

int unwind_lists_publish_whole(struct unwind_lists *l, uint32_t pid,
			       const struct ft_process_key *key, uint64_t mm, late_need_fn need,
			       void *ctx)
{
	uint32_t image = processes_image(l->processes, pid, UINT64_MAX);
	int err = unwind_lists_publish(l, pid, key, mm);
	size_t i;

	layout_clear(&l->layout);
	if (!err && image != PROCESSES_NO_IMAGE)
		err = processes_layout(l->processes, image, UINT64_MAX, &l->layout);
	for (i = 0; i < l->layout.n && !err; i++) {
		struct sym_mapping m;
		uint32_t table;

		processes_part(l->processes, &l->layout.parts[i], &m);
		err = unwind_tables_of(l->tables, &m, &table);
		if (!err && unwind_tables_kind(l->tables, table) == FT_MAPPING_PENDING)
			err = need(ctx, table, &m);
	}
	return err;
}

int unwind_lists_refresh(struct unwind_lists *l)
{
	size_t i;
	int err = 0;

	for (i = 0; i < l->keys.n && !err; i++) {
		struct published *p = &l->published[i];

		if (p->list != NO_LIST &&
		    p->image == processes_image(l->processes, p->pid, UINT64_MAX) && is_due(l, p))
			err = publish(l, p, keyset_key(&l->keys, i));
	}
	return err;
}

void unwind_lists_update(struct unwind_lists *l, uint32_t table)
{
	uint32_t i;

	for (i = 0; i < l->n_origins; i++) {
		if (l->origins[i].end && l->origins[i].table == table)
			place(l, i);
	}
}

void unwind_lists_note_use(struct unwind_lists *l, uint64_t now_ns)
{
	uint32_t i;

	for (i = 0; i < l->n_origins; i++) {
		if (!l->maps->mappings[i].used)
			continue;
		l->maps->mappings[i].used = 0;
		unwind_tables_touch(l->tables, l->origins[i].table, now_ns);
	}
}
