/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * io_programs: which programs of bpf/io.bpf.c fit the running kernel. Tracepoints have lost and
 * changed arguments over time; how many they have here is what the kernel's BTF says.
 */
#pragma once

struct io_bpf;

/*
 * Chooses the programs of an opened skeleton that are loaded, and configures what the kernel's BTF
 * tells. -ENOTSUP with a sentence if the kernel lacks a tracepoint without which there is nothing
 * to measure.
 */
int io_programs_choose(struct io_bpf *skel);
