/* SPDX-License-Identifier: BSD-2-Clause */
/* bpf_tracing: a BPF program is a plain function here, with its arguments as they are. */
#pragma once

/* What libbpf's wrapper passes on beside the arguments. */
static void *const ctx __attribute__((unused));
#pragma GCC diagnostic ignored "-Wshadow" /* functions that take it call it the same */

/* The C library has names of its own, such as on_exit(). */
#define BPF_PROG(name, args...) \
	prog_##name(args);      \
	int prog_##name(args)
#define BPF_KPROBE BPF_PROG
