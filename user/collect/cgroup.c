/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/base/keyset.h"
#include "user/base/strtab.h"
#include "user/collect/mountinfo.h"

#define HANDLE_KERNFS 0xfe /* enum fid_type, include/linux/exportfs.h: the handle is the ID */

struct cgroups {
	char *mount;
	int mount_fd;
	struct keyset ids; /* of uint64_t */
	uint32_t *paths;   /* string in 'names' by number in 'ids' */
	size_t paths_cap;
	struct strtab names;
};

static int on_mount(void *ctx, const struct mountinfo *m)
{
	char **ret = ctx;

	if (strcmp(m->type, "cgroup2") != 0)
		return 0;
	*ret = strdup(m->mount_point);
	return *ret ? 1 : -ENOMEM;
}

/* The first mount of type cgroup2, NULL without one. */
static char *find_mount(void)
{
	char *mount = NULL;

	mountinfo_read("/proc/self/mountinfo", on_mount, &mount);
	return mount;
}

int cgroups_new(struct cgroups **ret)
{
	_cleanup_(cgroups_freep) struct cgroups *cg = calloc(1, sizeof(*cg));

	if (!cg)
		return errf(-ENOMEM, "no memory for cgroups");
	cg->mount_fd = -1;
	keyset_init(&cg->ids, sizeof(uint64_t));
	if (strtab_init(&cg->names))
		return errf(-ENOMEM, "no memory for cgroups");
	cg->mount = find_mount();
	if (cg->mount)
		cg->mount_fd = open(cg->mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*ret = take(cg);
	return 0;
}

void cgroups_free(struct cgroups *cg)
{
	if (!cg)
		return;
	free(cg->mount);
	if (cg->mount_fd >= 0)
		close(cg->mount_fd);
	keyset_release(&cg->ids);
	free(cg->paths);
	strtab_release(&cg->names);
	free(cg);
}

const char *cgroups_mount(const struct cgroups *cg)
{
	return cg->mount;
}

static void read_path(const struct cgroups *cg, uint64_t id, char *ret, size_t size)
{
	struct {
		struct file_handle h;
		uint64_t id;
	} handle = { .h = { .handle_bytes = sizeof(uint64_t), .handle_type = HANDLE_KERNFS } };
	char link[64], path[4096];
	size_t skip;
	ssize_t n;
	int fd;

	snprintf(ret, size, "cgroup:%" PRIu64, id);
	if (cg->mount_fd < 0)
		return;
	memcpy(handle.h.f_handle, &id, sizeof(id));
	fd = open_by_handle_at(cg->mount_fd, &handle.h, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	close(fd);
	skip = strlen(cg->mount);
	if (n < 0)
		return;
	path[n] = '\0';
	if (strncmp(path, cg->mount, skip))
		return;
	snprintf(ret, size, "%s", path[skip] ? path + skip : "/");
}

const char *cgroups_path(struct cgroups *cg, uint64_t id)
{
	char path[4096];
	uint32_t i;
	int added;

	if (array_reserve(cg->paths, cg->paths_cap, cg->ids.n + 1))
		return "";
	added = keyset_add(&cg->ids, &id, &i);
	if (added < 0)
		return "";
	if (added) {
		cg->paths[i] = 0;
		read_path(cg, id, path, sizeof(path));
		if (strtab_add(&cg->names, path, &cg->paths[i]))
			return "";
	}
	return strtab_get(&cg->names, cg->paths[i]);
}

int cgroups_open(const struct cgroups *cg, const char *path)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char below[4096];
	struct statfs fs;

	if (fd < 0 && errno == ENOENT && cg->mount &&
	    (size_t)snprintf(below, sizeof(below), "%s/%s", cg->mount, path) < sizeof(below))
		fd = open(below, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errf(-errno, "cannot open the cgroup '%s': %m", path);
	if (fstatfs(fd, &fs))
		return errf(-errno, "cannot look at '%s': %m", path);
	if (fs.f_type != CGROUP2_SUPER_MAGIC)
		return errf(-EINVAL, "'%s' is not in the cgroup2 hierarchy%s%s", path,
			    cg->mount ? ", which is mounted at " : ", which is not mounted here",
			    cg->mount ? cg->mount : "");
	return take_fd(fd);
}
