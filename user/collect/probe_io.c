/* SPDX-License-Identifier: BSD-2-Clause */
/* probe_io: what of block I/O this kernel lets us follow. */
#include <errno.h>
#include <linux/types.h>

#include "bpf/io_wire.h"

#include "io.skel.h"
#include "user/collect/io_programs.h"
#include "user/collect/probe_facts.h"

static int load(const char **ret_stage)
{
	struct io_bpf *skel = io_bpf__open();
	struct io_kernel has;
	int err = skel ? io_programs_choose(skel, &has) : -errno;

	if (!err)
		err = io_bpf__load(skel);
	if (!err) {
		*ret_stage = "at attach";
		err = io_bpf__attach(skel);
	}
	io_bpf__destroy(skel);
	return err;
}

void probe_io(int what, struct probe_try *ret)
{
	struct io_kernel has;

	ret->stage = "at load";
	if (what == PROBE_IO_REQUESTS) {
		ret->err = load(&ret->stage);
		return;
	}
	ret->err = io_kernel_look(&has);
	if (!ret->err && what == PROBE_IO_LINEAGE && has.no_lineage)
		ret->err = -ENOENT;
	if (!ret->err && what == PROBE_IO_WRITEBACK && has.no_writeback)
		ret->err = -ENOENT;
	if (ret->err == -ENOENT)
		ret->stage = "among the kernel's types";
}
