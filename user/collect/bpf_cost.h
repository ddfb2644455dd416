/* SPDX-License-Identifier: BSD-2-Clause */
/* bpf_cost: what a loaded BPF object costs: run time of its programs, memory of its maps. */
#pragma once

#include <bpf/libbpf.h>
#include <stdint.h>

struct bpf_cost {
	uint64_t run_ns; /* 0 unless run-time statistics are on */
	uint64_t runs;
	uint64_t map_bytes; /* kernel memory, as /proc/self/fdinfo tells it */
};

/* Adds to *ret. What cannot be read adds nothing. */
void bpf_cost_add(struct bpf_object *object, struct bpf_cost *ret);

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
