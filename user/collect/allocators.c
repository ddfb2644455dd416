/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/allocators.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/collect/allocator_functions.h"
#include "user/collect/maps_file.h"
#include "user/sym/open_regular.h"

/* Of one process. */
#define MAX_MAPPINGS 16384

void allocator_release(struct allocator *a)
{
	free(a->probes);
	free(a->path);
	closep(&a->fd);
	*a = (struct allocator){ .fd = -1 };
}

/* One that was written to since is another one. */
struct allocator_file {
	uint64_t dev, ino, size, mtime_s, mtime_ns;
	uint64_t is_program;
};

void allocators_init(struct allocators *list)
{
	*list = (struct allocators){ 0 };
	keyset_init(&list->files, sizeof(struct allocator_file));
}

void allocators_release(struct allocators *list)
{
	size_t i;

	for (i = 0; i < list->files.n; i++) {
		if (list->all[i])
			allocator_release(list->all[i]);
		free(list->all[i]);
	}
	free(list->all);
	keyset_release(&list->files);
	*list = (struct allocators){ 0 };
}

/* -ENOENT if it has none, another error if it cannot be read. Takes 'fd' in any case. */
static int read_file(int file, const char *path, bool is_program, struct allocator **ret)
{
	_cleanup_(elf_image_freep) struct elf_image *image = NULL;
	_cleanup_(freep) struct allocator *a = calloc(1, sizeof(*a));
	_cleanup_(closep) int fd = file;
	int err = elf_image_open(fd, path, &image);

	if (err)
		return err;
	if (!a)
		return errf(-ENOMEM, "no memory for the allocator of '%s'", path);
	err = allocator_of_image(image, is_program, a);
	if (err)
		return err;
	a->path = strdup(path);
	if (!a->path) {
		allocator_release(a);
		return errf(-ENOMEM, "no memory for the allocator of '%s'", path);
	}
	a->fd = take_fd(fd);
	*ret = take(a);
	return 0;
}

/* The same of a file that may be known already. Takes 'fd' in any case. */
static int find_file(struct allocators *list, int file, const char *path, bool is_program,
		     struct allocator **ret)
{
	struct allocator_file key = { .is_program = is_program };
	_cleanup_(closep) int fd = file;
	struct stat st;
	uint32_t i;
	int err;

	if (fstat(fd, &st))
		return errf(-errno, "cannot look at '%s': %m", path);
	key.dev = st.st_dev;
	key.ino = st.st_ino;
	key.size = st.st_size;
	key.mtime_s = st.st_mtim.tv_sec;
	key.mtime_ns = st.st_mtim.tv_nsec;
	if (array_reserve(list->all, list->cap, list->files.n + 1))
		return errf(-ENOMEM, "no memory for the list of allocators");
	err = keyset_add(&list->files, &key, &i);
	if (err < 0)
		return errf(err, "no memory for the list of allocators");
	if (err) {
		list->all[i] = NULL;
		err = read_file(take_fd(fd), path, is_program, &list->all[i]);
		if (err)
			return err;
	}
	*ret = list->all[i];
	return *ret ? 0 : -ENOENT;
}

/* --- a process ---------------------------------------------------------------------------- */

struct scan {
	struct allocators *list;
	struct allocator_set *set;
	uint32_t pid;
	struct stat program;
	/* The file of the last mapping, of several of which are one behind the other. */
	uint64_t dev, ino;
	bool is_translated;
};

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

static void set_add(struct allocator_set *set, const struct allocator *a)
{
	size_t i;

	for (i = 0; i < set->n; i++) {
		if (set->all[i] == a)
			return;
	}
	if (set->n < ALLOCATORS_MAX)
		set->all[set->n++] = a;
}

static int look_at_mapping(void *ctx, const struct sym_mapping *m)
{
	struct scan *scan = ctx;
	struct allocator *a;
	struct stat st;
	int err, fd;

	if (m->path[0] != '/' || !m->ino || (m->ino == scan->ino && m->dev == scan->dev))
		return 0;
	scan->ino = m->ino;
	scan->dev = m->dev;
	scan->is_translated |= strstr(m->path, "/vgpreload_") != NULL;
	fd = open_mapped(scan->pid, m);
	if (fd < 0)
		return 0;
	if (fstat(fd, &st)) {
		close(fd);
		return 0;
	}
	err = find_file(scan->list, fd, m->path,
			st.st_dev == scan->program.st_dev && st.st_ino == scan->program.st_ino, &a);
	if (!err)
		set_add(scan->set, a);
	return err == -ENOMEM ? err : 0;
}

/* Who calls somebody else's malloc has none if there is somebody else. */
static void drop_wrappers(struct allocator_set *set)
{
	bool has_other = false;
	size_t i, n = 0;

	for (i = 0; i < set->n; i++)
		has_other |= !set->all[i]->is_wrapper;
	for (i = 0; i < set->n && has_other; i++) {
		if (!set->all[i]->is_wrapper)
			set->all[n++] = set->all[i];
	}
	if (has_other)
		set->n = n;
}

int allocators_of_process(struct allocators *list, uint32_t pid, struct allocator_set *ret)
{
	struct allocator_set set = { .n = 0 };
	struct scan scan = { .list = list, .set = &set, .pid = pid };
	char path[64];
	int err;

	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/exe", pid);
	if (stat(path, &scan.program))
		memset(&scan.program, 0, sizeof(scan.program));
	err = maps_file_read(pid, MAX_MAPPINGS, look_at_mapping, &scan);
	if (err == -ENOMEM)
		return err;
	/* It would execute the breakpoints instead of the kernel, and die. */
	if (scan.is_translated)
		return errf(-EOPNOTSUPP,
			    "process %" PRIu32 " runs under valgrind: it would not survive probes",
			    pid);
	drop_wrappers(&set);
	if (!set.n)
		return errf(-ENOENT,
			    "no allocator was found in process %" PRIu32
			    ": it has ended, or its program has no symbols",
			    pid);
	*ret = set;
	return 0;
}

/* --- a program ---------------------------------------------------------------------------- */

int allocators_of_program(struct allocators *list, const char *path, struct allocator_set *ret)
{
	int fd = open_regular(path, true), err;
	struct allocator *a;

	if (fd < 0)
		return fd;
	err = find_file(list, fd, path, true, &a);
	if (err == -ENOENT)
		return errf(err, "'%s' has no allocator of its own", path);
	if (err)
		return err;
	*ret = (struct allocator_set){ .all = { a }, .n = 1 };
	return 0;
}
