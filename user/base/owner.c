/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/base/owner.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "user/base/err.h"

void owner_find(struct owner *ret)
{
	const char *uid = getenv("SUDO_UID"), *gid = getenv("SUDO_GID");
	char *end;

	ret->uid = -1;
	ret->gid = -1;
	if (geteuid() || !uid || !gid)
		return;
	ret->uid = strtoul(uid, &end, 10);
	if (*end || end == uid)
		ret->uid = -1;
	ret->gid = strtoul(gid, &end, 10);
	if (*end || end == gid)
		ret->gid = -1;
}

int owner_give(const struct owner *o, int fd, const char *name)
{
	if (o->uid != (uid_t)-1 && fchown(fd, o->uid, o->gid))
		return errf(-errno, "cannot give '%s' to UID %d: %m", name, (int)o->uid);
	return 0;
}

bool owner_is_trusted(const struct stat *st)
{
	struct owner caller;

	owner_find(&caller);
	if (st->st_mode & S_IWOTH)
		return false;
	return !st->st_uid || st->st_uid == geteuid() ||
	       (caller.uid != (uid_t)-1 && st->st_uid == caller.uid);
}
