/* SPDX-License-Identifier: BSD-2-Clause */
/* owner: whom files belong to that are written under sudo: the user who called it. */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

struct owner {
	uid_t uid; /* (uid_t)-1: as we are */
	gid_t gid;
};

/* From SUDO_UID and SUDO_GID, if we are root. */
void owner_find(struct owner *ret);

/* Gives away an open file or folder. 0 or -errno with a sentence. */
int owner_give(const struct owner *o, int fd, const char *name);

/*
 * Whether what a file says may be acted on: it belongs to root, to us, or to who called us by sudo,
 * and not everybody may write to it.
 */
bool owner_is_trusted(const struct stat *st);
