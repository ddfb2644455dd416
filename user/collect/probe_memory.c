/* SPDX-License-Identifier: BSD-2-Clause */
/* probe_memory: which collectors of memory this kernel takes. */
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/types.h>

#include "bpf/alloc_wire.h"
#include "bpf/draw_wire.h"
#include "bpf/kmem_wire.h"
#include "bpf/pagefault_wire.h"

#include "alloc.skel.h"
#include "kmem.skel.h"
#include "pagefault.skel.h"
#include "user/collect/alloc_calls.h"
#include "user/collect/alloc_shim.h"
#include "user/collect/kmem_programs.h"
#include "user/collect/pagefault_programs.h"
#include "user/collect/probe_facts.h"
#include "user/collect/shim_file.h"
#include "user/collect/uprobes.h"

static int load_kmem(void)
{
	struct kmem_bpf *skel = kmem_bpf__open();
	struct kmem_kernel has;
	int err = skel ? kmem_programs_choose(skel, &has) : -errno;

	if (!err)
		err = kmem_bpf__load(skel);
	kmem_bpf__destroy(skel);
	return err;
}

static int load_pagefault(void)
{
	struct pagefault_bpf *skel = pagefault_bpf__open();
	struct pagefault_programs programs = { 0 };
	int err = skel ? pagefault_kernel_look(&programs.has) : -errno;

	if (!err)
		err = pagefault_programs_choose(&programs, skel);
	if (!err)
		err = pagefault_bpf__load(skel);
	pagefault_bpf__destroy(skel);
	return err;
}

/* As the collector does it for a command. */
static int attach_alloc(const char **ret_stage)
{
	struct shim_file library = { 0 };
	struct alloc_shim shim = { 0 };
	struct alloc_calls calls = { 0 };
	struct alloc_bpf *skel = alloc_bpf__open();
	int err = skel ? 0 : -errno;

	if (!err) {
		alloc_shim_choose(&shim, skel, false, true);
		err = alloc_calls_choose(&calls, skel, NULL);
	}
	if (!err)
		err = alloc_bpf__load(skel);
	if (!err) {
		*ret_stage = "at attach";
		err = shim_file_place(&library);
	}
	if (!err)
		err = alloc_shim_attach(&shim, library.path);
	alloc_shim_release(&shim);
	alloc_calls_release(&calls);
	shim_file_remove(&library);
	alloc_bpf__destroy(skel);
	return err;
}

static int look(int what)
{
	struct pagefault_kernel faults;
	struct kmem_kernel kmem;
	int err;

	if (what == PROBE_ALLOC_LINKS)
		return uprobes_best_way() >= UPROBES_MULTI ? 0 : -ENOENT;
	if (what == PROBE_KMEM_CACHES) {
		err = kmem_kernel_look(&kmem);
		return err || !kmem.no_cache ? err : -ENOENT;
	}
	err = pagefault_kernel_look(&faults);
	return err || !(faults.no_growth || faults.no_memory_kind) ? err : -ENOENT;
}

void probe_memory(int what, struct probe_try *ret)
{
	ret->stage = "at load";
	if (what == PROBE_KMEM) {
		ret->err = load_kmem();
	} else if (what == PROBE_ALLOC) {
		ret->err = attach_alloc(&ret->stage);
	} else if (what == PROBE_PAGEFAULT) {
		ret->err = load_pagefault();
	} else {
		ret->err = look(what);
		if (ret->err == -ENOENT)
			ret->stage = "among the kernel's types";
	}
}
