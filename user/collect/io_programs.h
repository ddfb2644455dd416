/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * io_programs: which programs of bpf/io.bpf.c fit the running kernel. Tracepoints have lost and
 * changed arguments over time; how many they have here is what the kernel's BTF says.
 */
#pragma once

struct btf;
struct io_bpf;

/* Why something is not followed: a sentence without its stop, a literal; NULL: it is. */
struct io_kernel {
	const char *no_lineage, *no_writeback, *no_merges, *no_queue;
};

/* What the running kernel's types tell. 0 or -ENOTSUP with a sentence. */
int io_kernel_look(struct io_kernel *ret);
/* The same of any types. */
void io_kernel_of(const struct btf *btf, struct io_kernel *ret);

/*
 * Chooses the programs of an opened skeleton that are loaded, and configures what the kernel's BTF
 * tells. -ENOTSUP with a sentence if the kernel lacks a tracepoint without which there is nothing
 * to measure.
 */
int io_programs_choose(struct io_bpf *skel, struct io_kernel *ret);
