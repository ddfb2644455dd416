/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/alloc_follow.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/types.h>

#include "bpf/alloc_wire.h"
#include "user/base/cleanup.h"

int alloc_follow_command(struct alloc_calls *calls, uint32_t pid, const char *command)
{
	const char *path = getenv("PATH"), *end;
	char file[PATH_MAX];
	int err;

	if (strchr(command, '/')) {
		err = alloc_calls_attach_program(calls, pid, command);
		return err == -ENOENT || err == -ENOEXEC ? 0 : err;
	}
	for (; path; path = *end ? end + 1 : NULL) {
		end = strchrnul(path, ':');
		snprintf(file, sizeof(file), "%.*s/%s", (int)(end - path), path, command);
		if (access(file, X_OK))
			continue;
		err = alloc_calls_attach_program(calls, pid, file);
		return err == -ENOENT || err == -ENOEXEC ? 0 : err;
	}
	return 0; /* whoever starts it says that it is not there */
}

int alloc_follow_tick(struct alloc_calls *calls, const struct bpf_map *news, uint32_t only)
{
	struct ft_alloc_news one;
	int err = 0;

	while (!err && !bpf_map_lookup_and_delete_elem(bpf_map__fd(news), NULL, &one)) {
		if (one.what == FT_ALLOC_ENDED)
			alloc_calls_forget(calls, one.tgid);
		else if (!only || one.tgid == only)
			err = alloc_calls_follow(calls, one.tgid);
	}
	return err;
}
