/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/processes.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/clock.h"
#include "user/base/err.h"
#include "user/base/keyset.h"
#include "user/base/strtab.h"
#include "user/collect/layout.h"
#include "user/collect/maps_file.h"

/* An exec is over by then, unless its files are slow to read. */
#define EXEC_NS 200000000

/* Forks in a row without an exec, whose mappings are looked for. */
#define MAX_GENERATIONS 64

struct mapping {
	struct sym_mapping m; /* m.path is set when it is asked for: the string table may move */
	uint64_t since_ns;
	uint64_t max_end; /* of this and all mappings before it in the sorted order */
	uint32_t path;
};

struct image {
	uint32_t pid;
	uint32_t older;	 /* image of the same PID before this one, or PROCESSES_NO_IMAGE */
	uint32_t parent; /* image that this one was forked from, or PROCESSES_NO_IMAGE */
	uint64_t since_ns;
	struct mapping *mappings;
	size_t n, cap;
	bool is_sorted;
};

/* What /proc/PID/maps showed; which image that was is known once the side band is there, too. */
struct scan {
	uint32_t pid;
	uint64_t from_ns, to_ns; /* it was opened after the one and read before the other */
	struct mapping *mappings;
	size_t n, cap;
};

struct processes {
	struct keyset pids; /* of uint32_t */
	uint32_t *newest;   /* by number in 'pids' */
	size_t newest_cap;
	struct image *images;
	size_t n, cap;
	struct scan *scans; /* that wait, in the order of time */
	size_t n_scans, scans_cap;
	DIR *proc; /* while not all of it has been scanned */
	bool all_scanned;
	struct strtab paths;
	uint64_t dropped;
};

int processes_new(struct processes **ret)
{
	_cleanup_(processes_freep) struct processes *ps = calloc(1, sizeof(*ps));

	if (!ps)
		return errf(-ENOMEM, "no memory for the list of processes");
	keyset_init(&ps->pids, sizeof(uint32_t));
	if (strtab_init(&ps->paths))
		return errf(-ENOMEM, "no memory for the list of processes");
	*ret = take(ps);
	return 0;
}

void processes_free(struct processes *ps)
{
	size_t i;

	if (!ps)
		return;
	for (i = 0; i < ps->n; i++)
		free(ps->images[i].mappings);
	for (i = 0; i < ps->n_scans; i++)
		free(ps->scans[i].mappings);
	if (ps->proc)
		closedir(ps->proc);
	free(ps->scans);
	free(ps->images);
	free(ps->newest);
	keyset_release(&ps->pids);
	strtab_release(&ps->paths);
	free(ps);
}

uint64_t processes_dropped(const struct processes *ps)
{
	return ps->dropped;
}

static uint32_t newest_of(const struct processes *ps, uint32_t pid)
{
	uint32_t i = keyset_find(&ps->pids, &pid);

	return i == KEYSET_NONE ? PROCESSES_NO_IMAGE : ps->newest[i];
}

/*
 * A new image of the process, from that time on. *ret is PROCESSES_NO_IMAGE beyond the limit, and
 * then an image that the PID had before is forgotten: better no names than those of another image.
 */
static int add_image(struct processes *ps, uint32_t pid, uint64_t since_ns, uint32_t parent,
		     uint32_t *ret)
{
	uint32_t i, older;
	int added;

	*ret = PROCESSES_NO_IMAGE;
	if (ps->n >= PROCESSES_MAX_IMAGES) {
		i = keyset_find(&ps->pids, &pid);
		if (i != KEYSET_NONE)
			ps->newest[i] = PROCESSES_NO_IMAGE;
		ps->dropped++;
		return 0;
	}
	if (array_reserve(ps->images, ps->cap, ps->n + 1) ||
	    array_reserve(ps->newest, ps->newest_cap, ps->pids.n + 1))
		return errf(-ENOMEM, "no memory for the list of processes");
	added = keyset_add(&ps->pids, &pid, &i);
	if (added < 0)
		return errf(added, "no memory for the list of processes");
	older = added ? PROCESSES_NO_IMAGE : ps->newest[i];
	ps->images[ps->n] = (struct image){
		.pid = pid,
		.older = older,
		.parent = parent,
		.since_ns = since_ns,
	};
	*ret = ps->newest[i] = ps->n++;
	return 0;
}

/* The newest image; one that has always been there if the process was not known. */
static int have_image(struct processes *ps, uint32_t pid, uint32_t *ret)
{
	*ret = newest_of(ps, pid);
	return *ret == PROCESSES_NO_IMAGE ? add_image(ps, pid, 0, PROCESSES_NO_IMAGE, ret) : 0;
}

/* 'm' with the number of its path instead of the path. */
static int add_mapping(struct processes *ps, struct image *image, const struct sym_mapping *m,
		       uint32_t path, uint64_t since_ns)
{
	struct mapping *mapping;

	if (image->n >= PROCESSES_MAX_MAPPINGS) {
		ps->dropped++;
		return 0;
	}
	if (array_reserve(image->mappings, image->cap, image->n + 1))
		return errf(-ENOMEM, "no memory for the mappings of PID %u", image->pid);
	mapping = &image->mappings[image->n++];
	*mapping = (struct mapping){ .m = *m, .since_ns = since_ns, .path = path };
	mapping->m.path = NULL;
	mapping->m.image = image->since_ns;
	image->is_sorted = false;
	return 0;
}

int processes_mmap(struct processes *ps, const struct sym_mapping *m, uint64_t time_ns)
{
	uint32_t image, path;
	int err = have_image(ps, m->pid, &image);

	if (err || image == PROCESSES_NO_IMAGE)
		return err;
	if (strtab_add(&ps->paths, m->path, &path))
		return errf(-ENOMEM, "no memory for the mappings of PID %u", m->pid);
	return add_mapping(ps, &ps->images[image], m, path, time_ns);
}

int processes_fork(struct processes *ps, uint32_t pid, uint32_t parent, uint64_t time_ns)
{
	uint32_t from, to;
	int err = have_image(ps, parent, &from);

	return err ? err : add_image(ps, pid, time_ns, from, &to);
}

int processes_exec(struct processes *ps, uint32_t pid, uint64_t time_ns)
{
	uint32_t image;
	int err = have_image(ps, pid, &image); /* what a scan before the exec has seen */

	return err ? err : add_image(ps, pid, time_ns, PROCESSES_NO_IMAGE, &image);
}

static int by_start(const void *a, const void *b)
{
	const struct mapping *x = a, *y = b;

	if (x->m.start != y->m.start)
		return x->m.start < y->m.start ? -1 : 1;
	return (x->since_ns > y->since_ns) - (x->since_ns < y->since_ns);
}

static int by_age(const void *a, const void *b)
{
	const struct mapping *x = *(const struct mapping *const *)a;
	const struct mapping *y = *(const struct mapping *const *)b;

	if (x->since_ns != y->since_ns)
		return x->since_ns < y->since_ns ? -1 : 1;
	return (x > y) - (x < y);
}

static void sort_mappings(struct image *image)
{
	uint64_t max_end = 0;
	size_t i;

	if (image->n)
		qsort(image->mappings, image->n, sizeof(*image->mappings), by_start);
	for (i = 0; i < image->n; i++) {
		if (image->mappings[i].m.end > max_end)
			max_end = image->mappings[i].m.end;
		image->mappings[i].max_end = max_end;
	}
	image->is_sorted = true;
}

/* --- /proc ------------------------------------------------------------------------------------ */

static int add_to_scan(struct processes *ps, struct scan *scan, const struct sym_mapping *m)
{
	struct mapping *mapping;

	if (array_reserve(scan->mappings, scan->cap, scan->n + 1))
		return errf(-ENOMEM, "no memory for the mappings of PID %u", scan->pid);
	mapping = &scan->mappings[scan->n];
	*mapping = (struct mapping){ .m = *m };
	mapping->m.path = NULL;
	if (strtab_add(&ps->paths, m->path, &mapping->path))
		return errf(-ENOMEM, "no memory for the mappings of PID %u", scan->pid);
	scan->n++;
	return 0;
}

/* What reading a maps file fills. */
struct scanning {
	struct processes *ps;
	struct scan *scan;
};

static int on_scanned(void *ctx, const struct sym_mapping *m)
{
	struct scanning *to = ctx;

	return add_to_scan(to->ps, to->scan, m);
}

int processes_scan(struct processes *ps, uint32_t pid)
{
	struct scan scan = { .pid = pid, .from_ns = clock_ns(CLOCK_MONOTONIC) };
	struct scanning to = { .ps = ps, .scan = &scan };
	int err;

	if (array_reserve(ps->scans, ps->scans_cap, ps->n_scans + 1))
		return errf(-ENOMEM, "no memory for the mappings of PID %u", pid);
	err = maps_file_read(pid, PROCESSES_MAX_MAPPINGS, on_scanned, &to);
	if (err == -E2BIG) {
		ps->dropped++;
		err = 0;
	}
	scan.to_ns = clock_ns(CLOCK_MONOTONIC);
	if (err || !scan.n)
		free(scan.mappings);
	else
		ps->scans[ps->n_scans++] = scan;
	return err;
}

int processes_scan_some(struct processes *ps, uint64_t max_ns)
{
	uint64_t began_ns = clock_ns(CLOCK_MONOTONIC);
	struct dirent *entry;
	int err = 0;

	if (ps->all_scanned)
		return 0;
	if (!ps->proc)
		ps->proc = opendir("/proc");
	if (!ps->proc)
		return errf(-errno, "cannot list '/proc': %m");
	do {
		entry = readdir(ps->proc);
		if (entry && isdigit((unsigned char)entry->d_name[0]))
			err = processes_scan(ps, strtoul(entry->d_name, NULL, 10));
	} while (entry && !err && clock_ns(CLOCK_MONOTONIC) - began_ns < max_ns);
	if (entry && !err)
		return 1;
	closedir(ps->proc);
	ps->proc = NULL;
	ps->all_scanned = true;
	return err;
}

/* --- what was scanned takes effect -------------------------------------------------------- */

/*
 * The image that was scanned, or PROCESSES_NO_IMAGE if it cannot be told. What /proc shows is that
 * of the image at the opening, and an exec is recorded before it maps the new program: so one that
 * is recorded before the opening was over by then, and one after the reading has shown nothing yet.
 */
static int image_of_scan(struct processes *ps, const struct scan *scan, uint32_t *ret)
{
	const struct image *image;
	int err;

	*ret = processes_image(ps, scan->pid, scan->to_ns);
	if (*ret == PROCESSES_NO_IMAGE) {
		err = have_image(ps, scan->pid, ret);
		if (err || *ret == PROCESSES_NO_IMAGE)
			return err;
	}
	image = &ps->images[*ret];
	/* A child is seen in /proc a moment before its fork is recorded. */
	if (image->since_ns >= scan->from_ns && image->older != PROCESSES_NO_IMAGE)
		*ret = PROCESSES_NO_IMAGE;
	return 0;
}

/* Whether it is among the first 'n' mappings, which are sorted, and was there at that time. */
static bool is_known(const struct image *image, size_t n, const struct mapping *m, uint64_t time_ns)
{
	size_t low = 0, high = n;

	while (low < high) { /* the first that starts there or later */
		size_t middle = low + (high - low) / 2;

		if (image->mappings[middle].m.start < m->m.start)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < n && image->mappings[low].m.start == m->m.start; low++) {
		const struct mapping *have = &image->mappings[low];

		if (have->m.ino == m->m.ino && have->path == m->path && have->since_ns <= time_ns)
			return true;
	}
	return false;
}

static int apply(struct processes *ps, const struct scan *scan)
{
	struct image *image;
	uint32_t number;
	size_t i, before;
	int err = image_of_scan(ps, scan, &number);

	if (err || number == PROCESSES_NO_IMAGE)
		return err;
	image = &ps->images[number];
	if (!image->is_sorted)
		sort_mappings(image);
	before = image->n;
	for (i = 0; i < scan->n && !err; i++) {
		const struct mapping *m = &scan->mappings[i];

		if (!is_known(image, before, m, scan->to_ns))
			err = add_mapping(ps, image, &m->m, m->path, image->since_ns);
	}
	return err;
}

int processes_settle(struct processes *ps, uint64_t until_ns)
{
	size_t done;
	int err = 0;

	for (done = 0; done < ps->n_scans && ps->scans[done].to_ns <= until_ns; done++) {
		if (!err)
			err = apply(ps, &ps->scans[done]);
		free(ps->scans[done].mappings);
	}
	ps->n_scans -= done;
	if (done)
		memmove(ps->scans, ps->scans + done, ps->n_scans * sizeof(*ps->scans));
	return err;
}

/* --- asking -------------------------------------------------------------------------------- */

uint32_t processes_image(const struct processes *ps, uint32_t pid, uint64_t time_ns)
{
	uint32_t i = newest_of(ps, pid);

	while (i != PROCESSES_NO_IMAGE && ps->images[i].since_ns > time_ns &&
	       ps->images[i].older != PROCESSES_NO_IMAGE)
		i = ps->images[i].older;
	return i;
}

uint64_t processes_since(const struct processes *ps, uint32_t pid)
{
	uint32_t i = newest_of(ps, pid);

	return i == PROCESSES_NO_IMAGE ? 0 : ps->images[i].since_ns;
}

static void hand_out(struct processes *ps, const struct mapping *mappings, size_t n,
		     processes_fn fn, void *ctx)
{
	size_t i;

	for (i = 0; i < n; i++) {
		struct sym_mapping m = mappings[i].m;

		m.path = strtab_get(&ps->paths, mappings[i].path);
		fn(ctx, &m);
	}
}

void processes_for_each(struct processes *ps, uint32_t pid, processes_fn fn, void *ctx)
{
	uint32_t image = newest_of(ps, pid);
	size_t i;

	if (image != PROCESSES_NO_IMAGE)
		hand_out(ps, ps->images[image].mappings, ps->images[image].n, fn, ctx);
	for (i = ps->n_scans; i--;) {
		if (ps->scans[i].pid == pid) {
			hand_out(ps, ps->scans[i].mappings, ps->scans[i].n, fn, ctx);
			break;
		}
	}
}

/* Of the mappings that cover the address, the newest at that time. */
static struct mapping *find_in(struct image *image, uint64_t time_ns, uint64_t address)
{
	struct mapping *best = NULL;
	size_t low = 0, high = image->n;

	if (!image->is_sorted)
		sort_mappings(image);
	while (low < high) { /* the first that starts beyond the address */
		size_t middle = low + (high - low) / 2;

		if (image->mappings[middle].m.start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	while (low-- && image->mappings[low].max_end > address) {
		struct mapping *m = &image->mappings[low];

		if (m->m.end > address && m->since_ns <= time_ns &&
		    (!best || m->since_ns > best->since_ns))
			best = m;
	}
	return best;
}

const struct sym_mapping *processes_find(struct processes *ps, uint32_t image, uint64_t time_ns,
					 uint64_t address)
{
	struct mapping *m = NULL;

	while (image != PROCESSES_NO_IMAGE) {
		struct image *im = &ps->images[image];

		m = find_in(im, time_ns, address);
		if (m)
			break;
		image = im->parent;
		/* In the middle of an exec the user registers are still those of the old image. */
		if (image == PROCESSES_NO_IMAGE && time_ns - im->since_ns < EXEC_NS)
			image = im->older;
		/* What is forked has what its parent had at that moment. */
		if (im->since_ns < time_ns)
			time_ns = im->since_ns;
	}
	if (!m)
		return NULL;
	m->m.path = strtab_get(&ps->paths, m->path);
	return &m->m;
}

/* Adds what the image has had mapped up to then, over what is there. */
static int paint(const struct image *image, uint32_t number, uint64_t time_ns,
		 struct layout *layout)
{
	_cleanup_(freep) const struct mapping **order = NULL;
	size_t n = 0, i;
	int err = 0;

	order = calloc(image->n + 1, sizeof(*order));
	if (!order)
		return -ENOMEM;
	for (i = 0; i < image->n; i++) {
		if (image->mappings[i].since_ns <= time_ns)
			order[n++] = &image->mappings[i];
	}
	qsort(order, n, sizeof(*order), by_age);
	for (i = 0; i < n && !err; i++)
		err = layout_add(layout, order[i]->m.start, order[i]->m.end, number,
				 order[i] - image->mappings);
	return err;
}

int processes_layout(struct processes *ps, uint32_t image, uint64_t time_ns, struct layout *ret)
{
	uint32_t line[MAX_GENERATIONS];
	uint64_t until[MAX_GENERATIONS];
	size_t n = 0;
	int err = 0;

	layout_clear(ret);
	/* What is forked has what its parent had at that moment. */
	while (image != PROCESSES_NO_IMAGE && n < MAX_GENERATIONS) {
		const struct image *im = &ps->images[image];

		line[n] = image;
		until[n++] = time_ns;
		if (im->since_ns < time_ns)
			time_ns = im->since_ns;
		image = im->parent;
	}
	while (n-- && !err)
		err = paint(&ps->images[line[n]], line[n], until[n], ret);
	return err ? errf(-ENOMEM, "no memory for what a process has mapped") : 0;
}

void processes_part(const struct processes *ps, const struct layout_part *part,
		    struct sym_mapping *ret)
{
	const struct mapping *mapping = &ps->images[part->image].mappings[part->mapping];

	*ret = mapping->m;
	ret->path = strtab_get(&ps->paths, mapping->path);
	ret->pgoff += part->start - ret->start;
	ret->start = part->start;
	ret->end = part->end;
}

size_t processes_n_mappings(const struct processes *ps, uint32_t image)
{
	return ps->images[image].n;
}

int processes_add_missing(struct processes *ps, const struct sym_mapping *m, uint64_t time_ns)
{
	uint32_t image = processes_image(ps, m->pid, time_ns), path;

	if (image == PROCESSES_NO_IMAGE || processes_find(ps, image, time_ns, m->start))
		return 0;
	if (strtab_add(&ps->paths, m->path, &path))
		return errf(-ENOMEM, "no memory for the mappings of PID %u", m->pid);
	return add_mapping(ps, &ps->images[image], m, path, ps->images[image].since_ns);
}

uint32_t processes_before(const struct processes *ps, uint32_t pid)
{
	uint32_t image = newest_of(ps, pid), n;

	for (n = 0; image != PROCESSES_NO_IMAGE && n < MAX_GENERATIONS; n++) {
		const struct image *im = &ps->images[image];

		if (!im->since_ns)
			return im->pid;
		if (im->parent == PROCESSES_NO_IMAGE)
			return 0; /* it has exec'ed since */
		image = im->parent;
	}
	return pid;
}
