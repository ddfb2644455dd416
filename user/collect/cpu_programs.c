/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/cpu_programs.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/types.h>
#include <stdbool.h>

#include "bpf/wire.h"

#include "cpu.skel.h"
#include "user/base/err.h"

int cpu_programs_choose(struct cpu_bpf *skel, bool by_loop, struct bpf_program **ret)
{
	if (bpf_program__set_autoload(skel->progs.on_sample, by_loop) ||
	    bpf_program__set_autoload(skel->progs.on_sample_in_calls, !by_loop) ||
	    bpf_program__set_autoload(skel->progs.on_sample_walk, !by_loop))
		return -EINVAL;
	*ret = by_loop ? skel->progs.on_sample : skel->progs.on_sample_in_calls;
	return 0;
}

int cpu_programs_link(struct cpu_bpf *skel)
{
	int fd = bpf_program__fd(skel->progs.on_sample_walk);
	uint32_t zero = 0;

	if (fd < 0)
		return 0; /* it is not needed */
	if (bpf_map_update_elem(bpf_map__fd(skel->maps.walkers), &zero, &fd, BPF_ANY))
		return errf(-errno, "cannot link the CPU collector's programs: %m");
	return 0;
}
