/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sym/perf_map.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/base/file.h"
#include "user/sym/addr_table.h"
#include "user/sym/line_scan.h"
#include "user/sym/name_arena.h"
#include "user/sym/open_regular.h"

#define MAX_BYTES (256u << 20)
#define MAX_LINES (2u << 20)
#define TAIL	  256 /* bytes by which a file is recognized that was written anew */

struct perf_map {
	uint32_t pid;
	int fd; /* kept, so that the rest can be read when the process is gone */
	dev_t dev;
	ino_t ino;
	uint64_t done_bytes;
	char tail[TAIL]; /* the last of them */
	size_t tail_len;
	uint32_t first; /* line of the present file; older ones are of another */
	uint32_t n;
	struct addr_range *ranges; /* may be sorted: 'value' says which line it is */
	size_t ranges_cap;
	const char **names; /* by line */
	size_t names_cap;
	struct name_arena arena;
	uint64_t arena_bytes;
	struct addr_table table;
	bool table_is_old;
};

int perf_map_new(uint32_t pid, struct perf_map **ret)
{
	struct perf_map *map = calloc(1, sizeof(*map));

	if (!map)
		return errf(-ENOMEM, "no memory for the perf map of process %u", pid);
	map->pid = pid;
	map->fd = -1;
	*ret = map;
	return 0;
}

void perf_map_free(struct perf_map *map)
{
	if (!map)
		return;
	closep(&map->fd);
	free(map->ranges);
	free(map->names);
	name_arena_release(&map->arena);
	addr_table_release(&map->table);
	free(map);
}

static int add_line(struct perf_map *map, const char *line, size_t len)
{
	const char *at = line, *end = line + len, *name;
	uint64_t start, size;

	if (!line_scan_hex(&at, end, &start) || at == end || *at++ != ' ' ||
	    !line_scan_hex(&at, end, &size) || at == end || *at++ != ' ' || at == end || !*at)
		return 0;
	if (!size || size > UINT64_MAX - start)
		return 0;
	if (map->n >= MAX_LINES || map->arena_bytes > MAX_BYTES)
		return -EFBIG;
	if (array_reserve(map->ranges, map->ranges_cap, (size_t)map->n - map->first + 1) ||
	    array_reserve(map->names, map->names_cap, (size_t)map->n + 1))
		return -ENOMEM;
	name = name_arena_add(&map->arena, at, end - at);
	if (!name)
		return -ENOMEM;
	map->arena_bytes += strlen(name) + 1;
	map->names[map->n] = name;
	map->ranges[map->n - map->first] =
		(struct addr_range){ start, start + size, map->n, map->n };
	map->n++;
	return 0;
}

static int read_lines(struct perf_map *map, int fd, const char *path)
{
	uint32_t before = map->n;
	struct line_scan scan;
	const char *line;
	size_t len;
	int err;

	err = line_scan_init(&scan, fd, path);
	if (err)
		return err;
	while ((err = line_scan_next(&scan, &line, &len)) > 0) {
		err = map->done_bytes + scan.done_bytes > MAX_BYTES ? -EFBIG
								    : add_line(map, line, len);
		if (err) {
			errf(err,
			     err == -EFBIG ? "'%s' is too large: the rest is left out"
					   : "no memory for '%s'",
			     path);
			break;
		}
	}
	map->done_bytes += scan.done_bytes;
	line_scan_release(&scan);
	if (map->n != before)
		map->table_is_old = true;
	return err ? err : map->n != before;
}

/* Names stay: results that were given out point to them. */
static void forget(struct perf_map *map)
{
	map->first = map->n;
	map->done_bytes = map->tail_len = 0;
	map->table_is_old = true;
}

/*
 * JVMs do not add to the file, they write all of it again, longer. What the last time's lines say
 * stays, under what is new: the code may have been there then.
 */
static void look_back(struct perf_map *map, int fd)
{
	char now[TAIL];

	if (pread(fd, now, map->tail_len, map->done_bytes - map->tail_len) !=
		    (ssize_t)map->tail_len ||
	    memcmp(now, map->tail, map->tail_len) != 0)
		map->done_bytes = map->tail_len = 0;
}

static void remember_tail(struct perf_map *map, int fd)
{
	size_t len = map->done_bytes < TAIL ? map->done_bytes : TAIL;

	map->tail_len = 0;
	if (pread(fd, map->tail, len, map->done_bytes - len) == (ssize_t)len)
		map->tail_len = len;
}

static int read_named(struct perf_map *map, int fd, const char *path)
{
	struct stat st;
	int err;

	if (fstat(fd, &st))
		return errf(-errno, "cannot look at '%s': %m", path);
	if (st.st_dev != map->dev || st.st_ino != map->ino ||
	    (uint64_t)st.st_size < map->done_bytes)
		forget(map);
	map->dev = st.st_dev;
	map->ino = st.st_ino;
	look_back(map, fd);
	if ((uint64_t)st.st_size <= map->done_bytes)
		return 0;
	if (map->done_bytes >= MAX_BYTES)
		return errf(-EFBIG, "'%s' is too large: the rest is left out", path);
	if (lseek(fd, map->done_bytes, SEEK_SET) < 0)
		return errf(-errno, "cannot read '%s': %m", path);
	err = read_lines(map, fd, path);
	remember_tail(map, fd);
	return err;
}

int perf_map_read(struct perf_map *map, int fd)
{
	return read_named(map, fd, "perf map");
}

/* The number behind a tab: the second of "Uid:" (effective), the last of "NSpid:" (innermost). */
static bool status_number(const char *status, const char *key, bool last, uint32_t *ret)
{
	const char *p = strstr(status, key);
	unsigned long n = 0;
	char *end;
	int i;

	if (!p)
		return false;
	p += strlen(key);
	for (i = 0; *p == '\t' && (last || i < 2); i++) {
		n = strtoul(p, &end, 10);
		if (end == p + 1 || n > UINT32_MAX)
			return false;
		p = end;
	}
	*ret = n;
	return i > 0;
}

/* -ENOENT without a sentence if the process is gone. */
static int read_status(uint32_t pid, uint32_t *ret_uid, uint32_t *ret_inner_pid)
{
	_cleanup_(freep) char *status = NULL;
	char path[64];
	size_t len;

	snprintf(path, sizeof(path), "/proc/%u/status", pid);
	if (file_read(path, 1 << 20, &status, &len))
		return -ENOENT;
	if (!status_number(status, "\nUid:", false, ret_uid))
		return -ENOENT;
	if (!status_number(status, "\nNSpid:", true, ret_inner_pid))
		*ret_inner_pid = pid; /* a kernel without PID namespaces */
	return 0;
}

static int open_map(uint32_t pid, char *path, size_t path_size)
{
	uint32_t uid, inner_pid;
	_cleanup_(closep) int fd = -1;
	struct stat st;
	int err;

	err = read_status(pid, &uid, &inner_pid);
	if (err)
		return err;
	snprintf(path, path_size, "/tmp/perf-%u.map", inner_pid);
	fd = open_regular_in(pid, path, false);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st))
		return errf(-errno, "cannot look at '%s': %m", path);
	if (st.st_uid != uid && st.st_uid != 0)
		return errf(-EPERM, "'%s' belongs to user %u, process %u to user %u: not read",
			    path, st.st_uid, pid, uid);
	return take_fd(fd);
}

int perf_map_refresh(struct perf_map *map)
{
	char path[64] = "perf map";
	int fd = open_map(map->pid, path, sizeof(path));

	if (fd >= 0) {
		closep(&map->fd);
		map->fd = fd;
	} else if (map->fd < 0 || fd != -ENOENT) {
		return fd;
	}
	return read_named(map, map->fd, path);
}

bool perf_map_find(struct perf_map *map, uint64_t address, struct perf_map_function *ret)
{
	uint64_t offset;
	uint32_t line;

	if (map->table_is_old) {
		addr_table_release(&map->table);
		/* Without memory there are no names until more is read. */
		addr_table_init(&map->table, map->ranges, map->n - map->first);
		map->table_is_old = false;
	}
	if (!addr_table_find(&map->table, address, &line, &offset))
		return false;
	*ret = (struct perf_map_function){ line, map->names[line], offset };
	return true;
}

uint64_t perf_map_bytes(const struct perf_map *map)
{
	return map->arena_bytes + map->n * (sizeof(*map->ranges) + sizeof(*map->names) +
					    sizeof(uint64_t) + sizeof(struct addr_piece));
}
