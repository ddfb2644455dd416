/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/shim_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "user/base/err.h"
#include "user/base/file.h"
#include "user/collect/shim_image.h"

#define FOLDER "/fathom-alloc.XXXXXX"

static int check_folder(const char *path)
{
	struct stat st;

	if (lstat(path, &st))
		return errf(-errno, "cannot look at '%s': %m", path);
	if (!S_ISDIR(st.st_mode))
		return errf(-ENOTDIR, "'%s' is no folder", path);
	if (st.st_uid)
		return errf(-EPERM, "'%s' does not belong to root", path);
	if (st.st_mode & (S_IWGRP | S_IWOTH) && !(st.st_mode & S_ISVTX))
		return errf(-EPERM, "others may write to '%s'", path);
	return 0;
}

/* Each folder on the way: who may write to one of them may put another one there. */
static int check_parents(const char *path)
{
	_cleanup_(freep) char *copy = strdup(path);
	char *slash;
	int err;

	if (!copy)
		return errf(-ENOMEM, "no memory for a path");
	if (*path != '/' || strpbrk(path, " :"))
		return errf(-EINVAL, "LD_PRELOAD cannot name what is in '%s'", path);
	err = check_folder("/");
	for (slash = copy; !err && (slash = strchr(slash + 1, '/'));) {
		*slash = '\0';
		err = check_folder(copy);
		*slash = '/';
	}
	return err ? err : check_folder(path);
}

static int check_file_system(const char *path)
{
	struct statvfs fs;

	if (statvfs(path, &fs))
		return errf(-errno, "cannot look at the file system of '%s': %m", path);
	if (fs.f_flag & ST_NOEXEC)
		return errf(-EACCES, "'%s' is mounted noexec: no library can be used there", path);
	return 0;
}

/* Others can look into it and map the file, whatever the umask is. */
static int write_library(const struct shim_file *f)
{
	_cleanup_(closep) int fd = -1;
	const void *bytes;
	size_t len;
	int err;

	if (chmod(f->folder, 0755))
		return errf(-errno, "cannot open '%s' to others: %m", f->folder);
	fd = open(f->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return errf(-errno, "cannot create '%s': %m", f->path);
	bytes = shim_image(&len);
	err = file_write_all(fd, f->path, bytes, len);
	if (!err && fchmod(fd, 0755))
		err = errf(-errno, "cannot open '%s' to others: %m", f->path);
	return err;
}

static void release(struct shim_file *f)
{
	free(f->folder);
	free(f->path);
	*f = (struct shim_file){};
}

static int place_in(const char *parent, struct shim_file *ret)
{
	struct shim_file f = {};
	bool is_made = false;
	int err;

	err = check_parents(parent);
	if (!err)
		err = check_file_system(parent);
	if (err)
		return err;
	if (asprintf(&f.folder, "%s" FOLDER, parent) < 0)
		f.folder = NULL;
	if (!f.folder)
		return errf(-ENOMEM, "no memory for a path");
	if (!mkdtemp(f.folder))
		err = errf(-errno, "cannot make a folder in '%s': %m", parent);
	else
		is_made = true;
	if (!err && asprintf(&f.path, "%s/" SHIM_FILE_NAME, f.folder) < 0)
		f.path = NULL;
	if (!err && !f.path)
		err = errf(-ENOMEM, "no memory for a path");
	if (!err)
		err = write_library(&f);
	if (err) {
		if (is_made)
			shim_file_remove(&f);
		release(&f);
		return err;
	}
	*ret = f;
	return 0;
}

int shim_file_place_in(const char *const *parents, struct shim_file *ret)
{
	int err = errf(-ENOENT, "there is no folder for a library");

	for (; err && *parents; parents++)
		err = place_in(*parents, ret);
	return err ? err_prefix(err, "no place for the library of allocations") : 0;
}

int shim_file_place(struct shim_file *ret)
{
	static const char *const parents[] = { "/run", "/var/lib", "/tmp", NULL };

	return shim_file_place_in(parents, ret);
}

void shim_file_remove(struct shim_file *f)
{
	if (f->path)
		unlink(f->path);
	if (f->folder)
		rmdir(f->folder);
	release(f);
}

int shim_file_leave(struct shim_file *f, char **ret_sentence)
{
	char *sentence;

	if (asprintf(&sentence,
		     "'%s' stays for programs that are still running and may start others: remove "
		     "'%s' when they have ended",
		     f->path, f->folder) < 0)
		return errf(-ENOMEM, "no memory for a sentence");
	release(f);
	*ret_sentence = sentence;
	return 0;
}
