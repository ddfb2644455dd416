/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/command_path.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/base/cleanup.h"
#include "user/base/err.h"

static bool is_executable(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode) && !access(path, X_OK);
}

int command_path(const char *command, char **ret)
{
	const char *path = getenv("PATH");
	size_t len;

	if (strchr(command, '/')) {
		*ret = strdup(command);
		return *ret ? 0 : errf(-ENOMEM, "no memory for a path");
	}
	/* What execvp(3) takes: confstr(_CS_PATH). */
	if (!path)
		path = "/bin:/usr/bin";
	for (;; path += len + 1) {
		_cleanup_(freep) char *file = NULL;

		len = strcspn(path, ":");
		if (asprintf(&file, "%.*s%s%s", (int)len, path, len ? "/" : "", command) < 0) {
			file = NULL;
			return errf(-ENOMEM, "no memory for a path");
		}
		if (*command && is_executable(file)) {
			*ret = take(file);
			return 0;
		}
		if (!path[len])
			break;
	}
	return errf(-ENOENT, "there is no command '%s'", command);
}
