/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/processes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/collect/processes_images.h"

/* An exec is over by then, unless its files are slow to read. */
#define EXEC_NS 200000000

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

uint32_t processes_newest(const struct processes *ps, uint32_t pid)
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
int processes_have_image(struct processes *ps, uint32_t pid, uint32_t *ret)
{
	*ret = processes_newest(ps, pid);
	return *ret == PROCESSES_NO_IMAGE ? add_image(ps, pid, 0, PROCESSES_NO_IMAGE, ret) : 0;
}

/* 'm' with the number of its path instead of the path. */
int processes_add_mapping(struct processes *ps, struct image *image, const struct sym_mapping *m,
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
	int err = processes_have_image(ps, m->pid, &image);

	if (err || image == PROCESSES_NO_IMAGE)
		return err;
	if (strtab_add(&ps->paths, m->path, &path))
		return errf(-ENOMEM, "no memory for the mappings of PID %u", m->pid);
	return processes_add_mapping(ps, &ps->images[image], m, path, time_ns);
}

int processes_fork(struct processes *ps, uint32_t pid, uint32_t parent, uint64_t time_ns)
{
	uint32_t from, to;
	int err = processes_have_image(ps, parent, &from);

	return err ? err : add_image(ps, pid, time_ns, from, &to);
}

int processes_exec(struct processes *ps, uint32_t pid, uint64_t time_ns)
{
	uint32_t image;
	int err = processes_have_image(ps, pid, &image); /* what a scan before the exec has seen */

	return err ? err : add_image(ps, pid, time_ns, PROCESSES_NO_IMAGE, &image);
}

static int by_start(const void *a, const void *b)
{
	const struct mapping *x = a, *y = b;

	if (x->m.start != y->m.start)
		return x->m.start < y->m.start ? -1 : 1;
	return (x->since_ns > y->since_ns) - (x->since_ns < y->since_ns);
}

void processes_sort_mappings(struct image *image)
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

/* --- asking -------------------------------------------------------------------------------- */

uint32_t processes_image(const struct processes *ps, uint32_t pid, uint64_t time_ns)
{
	uint32_t i = processes_newest(ps, pid);

	while (i != PROCESSES_NO_IMAGE && ps->images[i].since_ns > time_ns &&
	       ps->images[i].older != PROCESSES_NO_IMAGE)
		i = ps->images[i].older;
	return i;
}

uint64_t processes_since(const struct processes *ps, uint32_t pid)
{
	uint32_t i = processes_newest(ps, pid);

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
	uint32_t image = processes_newest(ps, pid);
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
		processes_sort_mappings(image);
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

int processes_add_missing(struct processes *ps, const struct sym_mapping *m, uint64_t time_ns)
{
	uint32_t image = processes_image(ps, m->pid, time_ns), path;

	if (image == PROCESSES_NO_IMAGE || processes_find(ps, image, time_ns, m->start))
		return 0;
	if (strtab_add(&ps->paths, m->path, &path))
		return errf(-ENOMEM, "no memory for the mappings of PID %u", m->pid);
	return processes_add_mapping(ps, &ps->images[image], m, path, ps->images[image].since_ns);
}

uint32_t processes_before(const struct processes *ps, uint32_t pid)
{
	uint32_t image = processes_newest(ps, pid), n;

	for (n = 0; image != PROCESSES_NO_IMAGE && n < PROCESSES_MAX_GENERATIONS; n++) {
		const struct image *im = &ps->images[image];

		if (!im->since_ns)
			return im->pid;
		if (im->parent == PROCESSES_NO_IMAGE)
			return 0; /* it has exec'ed since */
		image = im->parent;
	}
	return pid;
}
