/* SPDX-License-Identifier: BSD-2-Clause */
/* probe_file: which operations on files this kernel lets us follow. */
#include <errno.h>
#include <linux/types.h>

#include "bpf/file_wire.h"

#include "file.skel.h"
#include "user/collect/file_programs.h"
#include "user/collect/probe_facts.h"

static const char *reason_of(const struct file_programs *programs, int what)
{
	switch (what) {
	case PROBE_FILE_FAULTS:
		return programs->no_faults ? programs->no_faults : programs->no_fault_files;
	case PROBE_FILE_URING:
		return programs->no_uring;
	default:
		return NULL;
	}
}

void probe_file(int what, struct probe_try *ret)
{
	struct file_bpf *skel = file_bpf__open();
	struct file_programs programs = { 0 };

	ret->err = skel ? file_programs_choose(&programs, skel, false) : -errno;
	ret->stage = "at load";
	if (!ret->err && reason_of(&programs, what)) {
		ret->err = -ENOENT;
		ret->stage = "among the kernel's types";
	}
	if (!ret->err && what == PROBE_FILE_CALLS)
		ret->err = file_bpf__load(skel);
	file_bpf__destroy(skel);
}
