/* SPDX-License-Identifier: BSD-2-Clause */
/* processes_scan: what /proc tells of processes, and which of their images that was. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/clock.h"
#include "user/base/err.h"
#include "user/collect/maps_file.h"
#include "user/collect/processes_images.h"

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
		err = processes_have_image(ps, scan->pid, ret);
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
		processes_sort_mappings(image);
	before = image->n;
	for (i = 0; i < scan->n && !err; i++) {
		const struct mapping *m = &scan->mappings[i];

		if (!is_known(image, before, m, scan->to_ns))
			err = processes_add_mapping(ps, image, &m->m, m->path, image->since_ns);
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
