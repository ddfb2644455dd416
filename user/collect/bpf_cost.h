/* SPDX-License-Identifier: BSD-2-Clause */
/* bpf_cost: what a loaded BPF object costs: run time of its programs, memory of its maps. */
#pragma once

#include <bpf/libbpf.h>
#include <stdint.h>

#include "user/model/summary.h"

struct bpf_cost {
	uint64_t run_ns; /* 0 unless run-time statistics are on */
	uint64_t runs;
	uint64_t map_bytes; /* kernel memory, as /proc/self/fdinfo tells it */
};

/* Adds to *ret. What cannot be read adds nothing. */
void bpf_cost_add(struct bpf_object *object, struct bpf_cost *ret);

/* The same as the kernel's part of a collector's cost. */
void bpf_cost_of(struct bpf_object *object, struct cost *ret);

/*
 * Run time so far, in ns, of the tracing programs on this host (of kprobes, uprobes, tracepoints
 * and perf events) that are not of 'object'. While one of them runs, the kernel skips the program
 * of a sampling event that interrupts it, and counts that nowhere (bpf_prog_active in
 * bpf_overflow_handler(), kernel/events/core.c). 0 where statistics are off or not allowed.
 */
uint64_t bpf_cost_of_others(struct bpf_object *object);

/*
 * Turns the kernel's BPF run-time statistics on for as long as the descriptor is open. -errno
 * without a sentence if that is not allowed (it needs CAP_SYS_ADMIN).
 */
int bpf_cost_enable(void);

/*
 * Records libbpf's error, with the reason that it printed last, as a sentence about 'what'. Returns
 * -EPERM for want of rights, -ENOMEM, or -ENOTSUP: this kernel does not take it.
 */
int bpf_fail(int err, const char *what);

/* Keeps libbpf quiet and remembers the last reason that it gave. Call once before loading. */
void bpf_quiet(void);
