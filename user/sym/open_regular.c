/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sym/open_regular.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "user/base/cleanup.h"
#include "user/base/err.h"

/* From a handle that cannot be read to a descriptor that can, if it is a regular file's. */
static int reopen(int handle, const char *path)
{
	char self[64];
	struct stat st;
	int fd;

	if (fstat(handle, &st))
		return errf(-errno, "cannot look at '%s': %m", path);
	if (!S_ISREG(st.st_mode))
		return errf(-EINVAL, "'%s' is not a regular file", path);
	snprintf(self, sizeof(self), "/proc/self/fd/%d", handle);
	fd = open(self, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	return fd < 0 ? errf(-errno, "cannot open '%s': %m", path) : fd;
}

int open_regular(const char *path, bool follow)
{
	_cleanup_(closep) int handle = -1;

	handle = open(path, O_PATH | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW));
	if (handle < 0)
		return errf(-errno, "cannot open '%s': %m", path);
	return reopen(handle, path);
}

int open_regular_in(uint32_t pid, const char *path, bool follow)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW),
		.resolve = RESOLVE_IN_ROOT,
	};
	_cleanup_(closep) int root = -1, handle = -1;
	char root_path[64];

	snprintf(root_path, sizeof(root_path), "/proc/%u/root", pid);
	root = open(root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return errf(-errno, "cannot open '%s': %m", root_path);
	handle = syscall(SYS_openat2, root, path, &how, sizeof(how));
	if (handle < 0)
		return errf(-errno, "cannot open '%s' of process %u: %m", path, pid);
	return reopen(handle, path);
}
