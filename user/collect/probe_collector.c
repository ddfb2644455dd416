/* SPDX-License-Identifier: BSD-2-Clause */
/* probe_collector: do the collectors' own programs pass this kernel's verifier? */
#include <errno.h>
#include <linux/types.h>

#include "bpf/wire.h"

#include "cpu.skel.h"
#include "follow.skel.h"
#include "unwind.skel.h"

#include "user/collect/probe_facts.h"

static int load_cpu(void)
{
	struct cpu_bpf *obj = cpu_bpf__open();
	int err = obj ? cpu_bpf__load(obj) : -errno;

	cpu_bpf__destroy(obj);
	return err;
}

static int load_follow(void)
{
	struct follow_bpf *obj = follow_bpf__open();
	int err = obj ? follow_bpf__load(obj) : -errno;

	follow_bpf__destroy(obj);
	return err;
}

static int load_unwind(void)
{
	struct unwind_bpf *obj = unwind_bpf__open();
	int err = obj ? unwind_bpf__load(obj) : -errno;

	if (!err)
		err = unwind_bpf__attach(obj);
	unwind_bpf__destroy(obj);
	return err;
}

void probe_collector(int arg, struct probe_try *ret)
{
	static int (*const load[])(void) = { load_cpu, load_follow, load_unwind };

	ret->err = load[arg]();
	ret->stage = "at load";
}
