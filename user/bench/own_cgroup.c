/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/own_cgroup.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/cleanup.h"
#include "user/base/file.h"

/* Where the first file system of type cgroup2 is mounted (proc(5), mountinfo), NULL without one. */
static char *mount_point(const char *root)
{
	_cleanup_(freep) char *text = NULL;
	char path[PATH_MAX], point[PATH_MAX], *line, *state = NULL, *type;
	size_t len;

	if (snprintf(path, sizeof(path), "%s/proc/self/mountinfo", root) >= (int)sizeof(path) ||
	    file_read(path, 16 << 20, &text, &len))
		return NULL;
	for (line = strtok_r(text, "\n", &state); line; line = strtok_r(NULL, "\n", &state)) {
		type = strstr(line, " - ");
		if (!type || strncmp(type + 3, "cgroup2 ", 8) != 0 ||
		    sscanf(line, "%*s %*s %*s %*s %4095s", point) != 1)
			continue;
		/* Bytes that are written in octal are in no usual place for cgroups. */
		return strchr(point, '\\') ? NULL : strdup(point);
	}
	return NULL;
}

/* The path of "0::/path", NULL if it is outside of what the namespace shows ("/../..."). */
static char *own_path(const char *root)
{
	_cleanup_(freep) char *text = NULL;
	char path[PATH_MAX], *at;
	size_t len;

	if (snprintf(path, sizeof(path), "%s/proc/self/cgroup", root) >= (int)sizeof(path) ||
	    file_read(path, 1 << 20, &text, &len))
		return NULL;
	at = !strncmp(text, "0::/", 4) ? text : strstr(text, "\n0::/");
	if (!at)
		return NULL;
	at = strchr(at, '/');
	at[strcspn(at, "\n")] = '\0';
	return strstr(at, "/..") ? NULL : strdup(at);
}

int own_cgroup_each(const char *root, own_cgroup_fn fn, void *ctx)
{
	_cleanup_(freep) char *mount = mount_point(root);
	_cleanup_(freep) char *own = own_path(root);
	char folder[PATH_MAX], *slash;
	size_t top;
	int err;

	if (!mount || !own ||
	    snprintf(folder, sizeof(folder), "%s%s%s", root, mount, own) >= (int)sizeof(folder))
		return 0;
	top = strlen(root) + strlen(mount);
	while (true) {
		err = fn(ctx, folder);
		if (err || strlen(folder) <= top)
			return err;
		slash = strrchr(folder + top, '/');
		*slash = '\0';
	}
}
