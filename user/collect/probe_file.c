/* SPDX-License-Identifier: BSD-2-Clause */
/* probe_file: which operations on files this kernel lets us follow. */
#include <errno.h>
#include <linux/types.h>

#include "bpf/file_wire.h"

#include "file.skel.h"
#include "user/collect/file_programs.h"
#include "user/collect/probe_facts.h"

static int load(void)
{
	struct file_bpf *skel = file_bpf__open();
	struct file_programs programs = { 0 };
	int err = skel ? file_programs_choose(&programs, skel, false) : -errno;

	if (!err)
		err = file_bpf__load(skel);
	file_bpf__destroy(skel);
	return err;
}

void probe_file(int what, struct probe_try *ret)
{
	struct file_kernel has;

	ret->stage = "at load";
	if (what == PROBE_FILE_CALLS) {
		ret->err = load();
		return;
	}
	ret->err = file_kernel_look(&has);
	if (!ret->err && what == PROBE_FILE_FAULTS && (has.no_faults || has.no_fault_files))
		ret->err = -ENOENT;
	if (!ret->err && what == PROBE_FILE_URING && has.no_uring)
		ret->err = -ENOENT;
	if (ret->err == -ENOENT)
		ret->stage = "among the kernel's types";
}
