/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/running.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include "tasks.skel.h"
#include "user/base/array.h"
#include "user/base/cleanup.h"

static int read_all(int fd, running_fn fn, void *ctx)
{
	struct ft_running some[64];
	ssize_t n;
	size_t i;
	int err;

	/* Whole records as a rule: a page of them at most at a time. */
	while ((n = read(fd, some, sizeof(some))) >= (ssize_t)sizeof(*some)) {
		for (i = 0; i < n / sizeof(*some); i++) {
			err = fn(ctx, &some[i]);
			if (err)
				return err;
		}
		if (n % sizeof(*some))
			return 0;
	}
	return 0;
}

int running_read(uint32_t pidns_inum, running_fn fn, void *ctx)
{
	struct tasks_bpf *skel = tasks_bpf__open();
	int fd, err = 0;

	if (!skel)
		return 0;
	skel->rodata->cfg_pidns_inum = pidns_inum;
	if (!tasks_bpf__load(skel) && !tasks_bpf__attach(skel)) {
		fd = bpf_iter_create(bpf_link__fd(skel->links.each_task));
		if (fd >= 0) {
			err = read_all(fd, fn, ctx);
			close(fd);
		}
	}
	tasks_bpf__destroy(skel);
	return err;
}
