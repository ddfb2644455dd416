/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/alloc_follow.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>

#include <linux/types.h>

#include "bpf/alloc_wire.h"
#include "user/base/cleanup.h"
#include "user/collect/command_path.h"

int alloc_follow_command(struct alloc_calls *calls, uint32_t pid, const char *command)
{
	_cleanup_(freep) char *path = NULL;
	int err = command_path(command, &path);

	if (!err)
		err = alloc_calls_attach_program(calls, pid, path);
	/* One that is not there is for who starts it to tell of. */
	return err == -ENOENT || err == -ENOEXEC ? 0 : err;
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
