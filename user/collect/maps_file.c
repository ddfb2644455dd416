/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/maps_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "user/base/cleanup.h"

/* The kernel's own limit (vm.max_map_count) is 65,530 by default. */
#define MAX_LINES (1u << 18)

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

int maps_file_read(uint32_t pid, size_t max, maps_file_fn fn, void *ctx)
{
	_cleanup_(freep) char *line = NULL;
	_cleanup_(fclosep) FILE *f = NULL;
	struct sym_mapping m = { 0 };
	size_t size = 0, lines, n = 0;
	char path[64];
	int err = 0;

	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/maps", pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	for (lines = 0; !err && getline(&line, &size, f) > 0; lines++) {
		if (lines >= MAX_LINES)
			return -E2BIG;
		if (!parse_maps_line(line, pid, &m))
			continue;
		if (n++ >= max)
			return -E2BIG;
		err = fn(ctx, &m);
	}
	return err;
}
