/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/processes.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/base/keyset.h"
#include "user/base/strtab.h"

/* An exec is over by then, unless its files are slow to read. */
#define EXEC_NS 200000000

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

struct processes {
	struct keyset pids; /* of uint32_t */
	uint32_t *newest;   /* by number in 'pids' */
	size_t newest_cap;
	struct image *images;
	size_t n, cap;
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

static int add_mapping(struct processes *ps, struct image *image, const struct sym_mapping *m,
		       uint64_t since_ns)
{
	struct mapping *mapping;

	if (image->n >= PROCESSES_MAX_MAPPINGS) {
		ps->dropped++;
		return 0;
	}
	if (array_reserve(image->mappings, image->cap, image->n + 1))
		return errf(-ENOMEM, "no memory for the mappings of PID %u", image->pid);
	mapping = &image->mappings[image->n];
	*mapping = (struct mapping){ .m = *m, .since_ns = since_ns };
	mapping->m.path = NULL;
	if (strtab_add(&ps->paths, m->path, &mapping->path))
		return errf(-ENOMEM, "no memory for the mappings of PID %u", image->pid);
	image->n++;
	image->is_sorted = false;
	return 0;
}

int processes_mmap(struct processes *ps, const struct sym_mapping *m, uint64_t time_ns)
{
	uint32_t image;
	int err = have_image(ps, m->pid, &image);

	if (err || image == PROCESSES_NO_IMAGE)
		return err;
	return add_mapping(ps, &ps->images[image], m, time_ns);
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

	return add_image(ps, pid, time_ns, PROCESSES_NO_IMAGE, &image);
}

/* --- /proc ------------------------------------------------------------------------------------ */

/* "START-END PERMS OFFSET MAJOR:MINOR INODE   PATH"; false if it is not executable. */
static bool parse_maps_line(char *line, uint32_t pid, struct sym_mapping *ret)
{
	unsigned int major, minor;
	char perms[5];
	int path = 0;

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 " %n",
		   &ret->start, &ret->end, perms, &ret->pgoff, &major, &minor, &ret->ino,
		   &path) < 7 ||
	    perms[2] != 'x' || ret->end <= ret->start)
		return false;
	line[strcspn(line, "\n")] = '\0';
	ret->path = path && line[path] ? line + path : "//anon";
	ret->dev = makedev(major, minor);
	ret->pid = pid;
	return true;
}

static bool is_known(const struct processes *ps, const struct image *image,
		     const struct sym_mapping *m)
{
	size_t i;

	for (i = image->n; i--;) {
		const struct mapping *have = &image->mappings[i];

		if (have->m.start == m->start && have->m.ino == m->ino &&
		    !strcmp(strtab_get(&ps->paths, have->path), m->path))
			return true;
	}
	return false;
}

int processes_scan(struct processes *ps, uint32_t pid)
{
	_cleanup_(fclosep) FILE *f = NULL;
	_cleanup_(freep) char *line = NULL;
	char path[64];
	size_t size = 0;
	uint32_t image;
	int err;

	snprintf(path, sizeof(path), "/proc/%u/maps", pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	err = have_image(ps, pid, &image);
	if (err || image == PROCESSES_NO_IMAGE)
		return err;
	while (getline(&line, &size, f) > 0) {
		struct image *im = &ps->images[image];
		struct sym_mapping m = { 0 };

		if (!parse_maps_line(line, pid, &m) || is_known(ps, im, &m))
			continue;
		err = add_mapping(ps, im, &m, im->since_ns);
		if (err)
			return err;
	}
	return 0;
}

int processes_scan_all(struct processes *ps)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	int err = 0;

	if (!dir)
		return errf(-errno, "cannot list '/proc': %m");
	while (!err && (entry = readdir(dir))) {
		if (isdigit((unsigned char)entry->d_name[0]))
			err = processes_scan(ps, strtoul(entry->d_name, NULL, 10));
	}
	closedir(dir);
	return err;
}

void processes_for_each(struct processes *ps, uint32_t pid, processes_fn fn, void *ctx)
{
	uint32_t image = newest_of(ps, pid);
	size_t i;

	for (i = 0; image != PROCESSES_NO_IMAGE && i < ps->images[image].n; i++) {
		struct sym_mapping m = ps->images[image].mappings[i].m;

		m.path = strtab_get(&ps->paths, ps->images[image].mappings[i].path);
		fn(ctx, &m);
	}
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

static int by_start(const void *a, const void *b)
{
	const struct mapping *x = a, *y = b;

	if (x->m.start != y->m.start)
		return x->m.start < y->m.start ? -1 : 1;
	return (x->since_ns > y->since_ns) - (x->since_ns < y->since_ns);
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
