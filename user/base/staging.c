/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/base/staging.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/base/cleanup.h"
#include "user/base/err.h"

#define MAX_TRIES 16 /* for a name that nobody has */

DIR *staging_list(int parent, const char *name)
{
	_cleanup_(closep) int fd =
		openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (dir)
		take_fd(fd);
	return dir;
}

void staging_remove(int parent, const char *name)
{
	DIR *dir = staging_list(parent, name);
	struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir)))
		unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
	unlinkat(parent, name, AT_REMOVEDIR);
}

static int make_up(const char *path, char *name)
{
	uint64_t random;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return errf(-EIO, "cannot make up a name for '%s': %m", path);
	snprintf(name, STAGING_NAME_SIZE, ".fathom-%016" PRIx64 ".tmp", random);
	return 0;
}

static int make_folder(int parent, const char *path, char *name)
{
	unsigned int tries = 0;
	int err;

	do {
		err = make_up(path, name);
		if (err)
			return err;
		if (!mkdirat(parent, name, 0755))
			return 0;
	} while (errno == EEXIST && ++tries < MAX_TRIES);
	return errf(-errno, "cannot make a folder for '%s': %m", path);
}

static bool is_empty(int folder)
{
	DIR *dir = staging_list(folder, ".");
	const struct dirent *entry;
	bool has_any = false;

	if (!dir)
		return false;
	while (!has_any && (entry = readdir(dir)))
		has_any = strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
	closedir(dir);
	return !has_any;
}

int staging_make(int parent, const char *path, char ret_name[STAGING_NAME_SIZE])
{
	_cleanup_(closep) int fd = -1;
	char name[STAGING_NAME_SIZE];
	struct stat st;
	int err = make_folder(parent, path, name);

	if (err)
		return err;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		err = errf(-errno, "cannot open the new folder for '%s': %m", path);
		unlinkat(parent, name, AT_REMOVEDIR);
		return err;
	}
	/* Whoever may write to the parent may have put another one there, for us to give away. */
	if (fstat(fd, &st) || st.st_uid != geteuid() || !is_empty(fd))
		return errf(-EPERM, "the new folder for '%s' was exchanged or filled by another",
			    path);
	memcpy(ret_name, name, sizeof(name)); /* ours to remove from here on */
	return take_fd(fd);
}

int staging_make_file(int parent, const char *path, char ret_name[STAGING_NAME_SIZE])
{
	unsigned int tries = 0;
	char name[STAGING_NAME_SIZE];
	int fd, err;

	do {
		err = make_up(path, name);
		if (err)
			return err;
		fd = openat(parent, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
		if (fd >= 0) {
			memcpy(ret_name, name, sizeof(name));
			return fd;
		}
	} while (errno == EEXIST && ++tries < MAX_TRIES);
	return errf(-errno, "cannot make a file for '%s': %m", path);
}

int staging_put(int parent, const char *temporary, const char *name)
{
	struct stat st;

	if (!renameat2(parent, temporary, parent, name, RENAME_NOREPLACE))
		return 0;
	if (errno != EINVAL)
		return -1;
	if (!fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW)) {
		errno = EEXIST;
		return -1;
	}
	return renameat(parent, temporary, parent, name);
}
