/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/allocators.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/collect/allocator_functions.h"
#include "user/collect/maps_file.h"
#include "user/sym/open_regular.h"

/* Of one process; each file has one executable mapping, mostly. */
#define MAX_MAPPINGS 16384
#define MAX_FILES    4096

void allocator_release(struct allocator *a)
{
	free(a->probes);
	free(a->path);
	closep(&a->fd);
	*a = (struct allocator){ .fd = -1 };
}

void allocators_release(struct allocators *list)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		allocator_release(&list->all[i]);
	free(list->all);
	*list = (struct allocators){ 0 };
}

bool allocators_is_static(const struct elf_image *image)
{
	return !elf_image_segment_of_type(image, PT_INTERP);
}

static bool is_listed(const struct allocators *list, const struct stat *st)
{
	size_t i;

	for (i = 0; i < list->n; i++) {
		if (list->all[i].dev == st->st_dev && list->all[i].ino == st->st_ino)
			return true;
	}
	return false;
}

/*
 * Appends the file's allocator. 0, -ENOENT if it has none, another error if it cannot be read;
 * -ENOMEM if there is no memory. Takes 'fd' in any case.
 */
static int add_file(struct allocators *list, int file, const char *path, bool is_program)
{
	_cleanup_(elf_image_freep) struct elf_image *image = NULL;
	_cleanup_(closep) int fd = file;
	struct allocator *a;
	struct stat st;
	int err;

	if (fstat(fd, &st))
		return errf(-errno, "cannot look at '%s': %m", path);
	if (is_listed(list, &st))
		return 0;
	err = elf_image_open(fd, path, &image);
	if (err)
		return err;
	if (array_reserve(list->all, list->cap, list->n + 1))
		return errf(-ENOMEM, "no memory for the allocators of '%s'", path);
	a = &list->all[list->n];
	err = allocator_of_image(image, is_program, a);
	if (err)
		return err;
	a->path = strdup(path);
	if (!a->path) {
		allocator_release(a);
		return errf(-ENOMEM, "no memory for the allocators of '%s'", path);
	}
	a->fd = take_fd(fd);
	a->dev = st.st_dev;
	a->ino = st.st_ino;
	list->n++;
	return 0;
}

/* --- a process -------------------------------------------------------------------------------------- */

struct scan {
	struct allocators *list;
	uint32_t pid;
	struct stat program;
	/* Files that were looked at, by device and inode as maps says it. */
	struct seen {
		uint64_t dev, ino;
	} *seen;
	size_t n_seen, cap;
};

/* 1: seen before; 0: now for the first time, -ENOMEM, -E2BIG. */
static int see(struct scan *scan, const struct sym_mapping *m)
{
	size_t i;

	for (i = 0; i < scan->n_seen; i++) {
		if (scan->seen[i].dev == m->dev && scan->seen[i].ino == m->ino)
			return 1;
	}
	if (scan->n_seen == MAX_FILES)
		return -E2BIG;
	if (array_reserve(scan->seen, scan->cap, scan->n_seen + 1))
		return errf(-ENOMEM, "no memory for the files of PID %" PRIu32, scan->pid);
	scan->seen[scan->n_seen++] = (struct seen){ m->dev, m->ino };
	return 0;
}

/* The very file that is mapped, even if it has no name any more; or the one that has its name. */
static int open_mapped(uint32_t pid, const struct sym_mapping *m)
{
	char path[96];
	int fd;

	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/map_files/%" PRIx64 "-%" PRIx64, pid,
		 (uint64_t)m->start, (uint64_t)m->end);
	fd = open_regular(path, true);
	return fd >= 0 ? fd : open_regular_in(pid, m->path, true);
}

static int look_at_mapping(void *ctx, const struct sym_mapping *m)
{
	struct scan *scan = ctx;
	struct stat st;
	int err, fd;

	if (m->path[0] != '/' || !strncmp(m->path, "//anon", 6) || !m->ino)
		return 0;
	err = see(scan, m);
	if (err)
		return err < 0 ? err : 0;
	fd = open_mapped(scan->pid, m);
	if (fd < 0)
		return 0;
	if (fstat(fd, &st)) {
		close(fd);
		return 0;
	}
	err = add_file(scan->list, fd, m->path,
		       st.st_dev == scan->program.st_dev && st.st_ino == scan->program.st_ino);
	return err == -ENOMEM ? err : 0;
}

/* From 'first' on: who calls somebody else's malloc has none if there is somebody else. */
static void drop_wrappers(struct allocators *list, size_t first)
{
	bool has_other = false;
	size_t i, n = first;

	for (i = first; i < list->n; i++)
		has_other |= !list->all[i].is_wrapper;
	for (i = first; i < list->n; i++) {
		if (has_other && list->all[i].is_wrapper)
			allocator_release(&list->all[i]);
		else
			list->all[n++] = list->all[i];
	}
	list->n = n;
}

int allocators_of_process(uint32_t pid, struct allocators *list)
{
	struct scan scan = { .list = list, .pid = pid };
	size_t first = list->n;
	char path[64];
	int err;

	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/exe", pid);
	if (stat(path, &scan.program))
		memset(&scan.program, 0, sizeof(scan.program));
	err = maps_file_read(pid, MAX_MAPPINGS, look_at_mapping, &scan);
	free(scan.seen);
	if (err == -ENOMEM)
		return err;
	drop_wrappers(list, first);
	if (list->n == first)
		return errf(-ENOENT,
			    "no allocator was found in process %" PRIu32
			    ": it has ended, or its program has no symbols",
			    pid);
	return 0;
}

/* --- a program ---------------------------------------------------------------------------------------- */

int allocators_of_program(const char *path, struct allocators *list)
{
	int fd = open_regular(path, true), err;

	if (fd < 0)
		return fd;
	err = add_file(list, fd, path, true);
	if (err != -ENOENT)
		return err;
	return errf(-ENOENT, "'%s' has no allocator of its own", path);
}
