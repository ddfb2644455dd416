/* SPDX-License-Identifier: BSD-2-Clause */
/* measure_lock: one run at a time on a machine (measure.h). */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "user/base/cleanup.h"
#include "user/base/err.h"
#include "user/bench/measure.h"

/* Where nobody but root, or but this user, can hold the lock for ever; folders in which others may
 * make files are made safe by what open_own() checks. */
static void lock_path(char ret[PATH_MAX])
{
	const char *own = getenv("XDG_RUNTIME_DIR");

	if (!geteuid() && !access("/run/lock", W_OK))
		snprintf(ret, PATH_MAX, "/run/lock/fathom-run.lock");
	else if (geteuid() && own && *own == '/' && !access(own, W_OK))
		snprintf(ret, PATH_MAX, "%s/fathom-run.lock", own);
	else
		snprintf(ret, PATH_MAX, "/tmp/fathom-run-%u.lock", geteuid());
}

/* A regular file of ours, which no link has put there. */
static int open_own(const char *path)
{
	const int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
	_cleanup_(closep) int fd = open(path, flags | O_CREAT | O_EXCL, 0600);
	struct stat st;

	/* fs.protected_regular refuses O_CREAT on others' files: only look at what is there. */
	if (fd < 0 && errno == EEXIST)
		fd = open(path, flags);
	if (fd < 0)
		return errf(-errno, "cannot open the lock '%s': %m", path);
	if (fstat(fd, &st))
		return errf(-errno, "cannot look at the lock '%s': %m", path);
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || st.st_nlink != 1 ||
	    (st.st_mode & 077))
		return errf(-EPERM, "the lock '%s' is not a private file of this user: remove it",
			    path);
	return take_fd(fd);
}

int measure_lock_at(const char *path, bool wait)
{
	_cleanup_(closep) int fd = open_own(path);
	int err;

	if (fd < 0)
		return fd;
	do {
		err = flock(fd, LOCK_EX | (wait ? 0 : LOCK_NB));
	} while (err && errno == EINTR);
	if (err && errno == EWOULDBLOCK)
		return errf(-EBUSY,
			    "another run measures on this machine ('%s' is locked): wait for it",
			    path);
	if (err)
		return errf(-errno, "cannot lock '%s': %m", path);
	return take_fd(fd);
}

int measure_lock(bool wait)
{
	char path[PATH_MAX];

	lock_path(path);
	return measure_lock_at(path, wait);
}
