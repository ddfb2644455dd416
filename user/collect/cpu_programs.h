/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cpu_programs: which of the sampling program's variants (bpf/cpu.bpf.c) this kernel takes: one
 * that walks user stacks in bpf_loop(), or those that do it a few frames for each tail call.
 */
#pragma once

#include <stdbool.h>

struct cpu_bpf;
struct bpf_program;

/* Before loading: the others are left out. *ret is the one for the events. 0 or -EINVAL. */
int cpu_programs_choose(struct cpu_bpf *skel, bool by_loop, struct bpf_program **ret);

/* After loading: lets the walk call itself. 0 or -errno with a sentence. */
int cpu_programs_link(struct cpu_bpf *skel);
