/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "user/base/cleanup.h"
#include "user/base/err.h"

#define DEPTH_MAX 128

int scratch_make(const char *parent, const char *prefix, char **ret)
{
	_cleanup_(freep) char *path = NULL;

	if (asprintf(&path, "%s/%s-XXXXXX", parent, prefix) < 0) {
		path = NULL;
		return errf(-ENOMEM, "no memory for a folder in '%s'", parent);
	}
	if (!mkdtemp(path))
		return errf(-errno, "cannot make a folder in '%s': %m", parent);
	*ret = take(path);
	return 0;
}

/* By descriptors and not by paths, so that nothing can be put in the way meanwhile. */
static int empty(int fd, dev_t device, int depth)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry;
	int err = 0, inner, one;
	struct stat st;

	if (!dir) {
		one = -errno;
		close(fd);
		return one;
	}
	while ((entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") ||
		    !unlinkat(dirfd(dir), entry->d_name, 0))
			continue;
		one = -errno;
		inner = openat(dirfd(dir), entry->d_name,
			       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (inner >= 0 && (fstat(inner, &st) || st.st_dev != device || !depth)) {
			close(inner);
			inner = -1;
		}
		if (inner >= 0) {
			one = empty(inner, device, depth - 1);
			if (unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR))
				one = one ? one : -errno;
		}
		err = err ? err : one;
	}
	closedir(dir);
	return err;
}

int scratch_remove(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), err;
	struct stat st;

	if (fd < 0 || fstat(fd, &st)) {
		err = -errno;
		closep(&fd);
	} else {
		err = empty(fd, st.st_dev, DEPTH_MAX);
	}
	if (!err && rmdir(path))
		err = -errno;
	errno = -err;
	return err ? errf(err, "cannot remove '%s': %m", path) : 0;
}
