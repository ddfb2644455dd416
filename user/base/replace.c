/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/base/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/base/cleanup.h"
#include "user/base/err.h"
#include "user/base/str.h"

struct replacing {
	const char *path;
	file_writer write;
	void *arg;
};

/* "DIR/.NAME.XXXXXX" for "DIR/NAME": a rename does not cross file systems. */
static int temporary_name(const char *path, struct str *out)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	int err = str_add_bytes(out, path, name - path);

	/* A name may be as long as the file system allows; this one must not be longer. */
	if (!err)
		err = str_addf(out, ".%.200s.XXXXXX", name);
	return err ? errf(err, "no memory for a file name") : 0;
}

static int write_to_fd(const struct replacing *r, int fd)
{
	_cleanup_(fclosep) FILE *out = fdopen(fd, "w");
	int err;

	if (!out) {
		err = errf(-errno, "cannot write to '%s': %m", r->path);
		close(fd);
		return err;
	}
	err = r->write(r->arg, out);
	if (err)
		return err;
	/* A file system that is full may say so only here. */
	if (fclose(take(out)))
		return errf(-errno, "cannot write to '%s': %m", r->path);
	return 0;
}

/* As open() would make it, or as the one was whose place it takes: that may have been private. */
static int set_mode(const struct replacing *r, int fd, const struct stat *old)
{
	mode_t mask = umask(0);

	umask(mask);
	/* Only root can give it away. */
	if (old && fchown(fd, old->st_uid, old->st_gid) && errno != EPERM)
		return errf(-errno, "cannot write to '%s': %m", r->path);
	if (fchmod(fd, old ? old->st_mode & 0777 : 0666 & ~mask))
		return errf(-errno, "cannot write to '%s': %m", r->path);
	return 0;
}

/* The old file (NULL: there is none) stays until the new one is whole. */
static int write_new(const struct replacing *r, const struct stat *old)
{
	_cleanup_(str_release) struct str name = { 0 };
	int fd, err;

	err = temporary_name(r->path, &name);
	if (err)
		return err;
	fd = mkostemp(name.data, O_CLOEXEC);
	if (fd < 0)
		return errf(-errno, "cannot write to the folder of '%s': %m", r->path);
	err = set_mode(r, fd, old);
	if (err)
		close(fd);
	else
		err = write_to_fd(r, fd);
	if (!err && rename(name.data, r->path))
		err = errf(-errno, "cannot replace '%s': %m", r->path);
	if (err)
		unlink(name.data);
	return err;
}

int file_replace(const char *path, const char *what, file_writer write, void *arg)
{
	struct replacing r = { .path = path, .write = write, .arg = arg };
	struct stat st;
	int fd;

	if (lstat(path, &st)) {
		if (errno == ENOENT)
			return write_new(&r, NULL);
		return errf(-errno, "cannot write to '%s': %m", path);
	}
	if (S_ISREG(st.st_mode))
		return write_new(&r, &st);
	if (S_ISDIR(st.st_mode))
		return errf(-EISDIR, "'%s' is a folder: name a file for %s", path, what);
	/* Renaming over a link would replace the link, and following it may lead anywhere. */
	if (S_ISLNK(st.st_mode))
		return errf(-ELOOP, "'%s' is a symbolic link: name the file itself", path);
	/* A device or a pipe takes the bytes, it must not be replaced. */
	fd = open(path, O_WRONLY | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return errf(-errno, "cannot write to '%s': %m", path);
	return write_to_fd(&r, fd);
}
