/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/sysfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/base/cleanup.h"
#include "user/base/file.h"

#define MAX_ATTRIBUTE 4096 /* PAGE_SIZE: fs/sysfs/file.c */

/* Puts 'len' bytes of a component behind the path: ".." takes the last one away. */
static int add_component(char path[SYSFS_PATH_MAX], const char *component, size_t len)
{
	size_t at = strlen(path);
	char *slash;

	if (len == 0 || (len == 1 && component[0] == '.'))
		return 0;
	if (len == 2 && !memcmp(component, "..", 2)) {
		if (at == 0)
			return -EXDEV;
		slash = strrchr(path, '/');
		*(slash ? slash : path) = '\0';
		return 0;
	}
	if (at + len + 2 > SYSFS_PATH_MAX)
		return -ENAMETOOLONG;
	if (at)
		path[at++] = '/';
	memcpy(path + at, component, len);
	path[at + len] = '\0';
	return 0;
}

int sysfs_follow(int root_fd, const char *dir, const char *name, char ret[SYSFS_PATH_MAX])
{
	char link[SYSFS_PATH_MAX], target[SYSFS_PATH_MAX], path[SYSFS_PATH_MAX];
	const char *part;
	size_t len;
	ssize_t n;
	int err;

	if ((size_t)snprintf(link, sizeof(link), "%s/%s", dir, name) >= sizeof(link) ||
	    (size_t)snprintf(path, sizeof(path), "%s", dir) >= sizeof(path))
		return -ENAMETOOLONG;
	n = readlinkat(root_fd, link, target, sizeof(target));
	if (n < 0)
		return errno == EINVAL ? -EXDEV : -errno;
	if ((size_t)n == sizeof(target))
		return -ENAMETOOLONG;
	target[n] = '\0';
	if (target[0] == '/')
		return -EXDEV;
	for (part = target; *part; part += len + (part[len] == '/')) {
		len = strcspn(part, "/");
		err = add_component(path, part, len);
		if (err)
			return err;
	}
	if (strncmp(path, "devices/", strlen("devices/")) != 0)
		return -EXDEV;
	memcpy(ret, path, strlen(path) + 1);
	return 0;
}

int sysfs_read(int dir_fd, const char *path, char **ret)
{
	_cleanup_(closep) int fd =
		openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
	struct stat st;
	size_t len;
	int err;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	err = file_read_fd(fd, path, MAX_ATTRIBUTE, ret, &len);
	if (err)
		return err;
	len = strlen(*ret);
	if (len && (*ret)[len - 1] == '\n')
		(*ret)[len - 1] = '\0';
	return 0;
}
