/* SPDX-License-Identifier: BSD-2-Clause */
/* bpf_tracing: a BPF program is a plain function here, with its arguments as they are. */
#pragma once

/* The C library has names of its own, such as on_exit(). */
#define BPF_PROG(name, args...) \
	prog_##name(args);      \
	int prog_##name(args)
