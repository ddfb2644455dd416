/* SPDX-License-Identifier: BSD-2-Clause */
/* probe_insn: BPF instructions by hand (linux/bpf.h and RFC 9669), and loading them. */
#pragma once

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <stddef.h>

#define INSN(c, d, s, o, i) \
	((struct bpf_insn){ .code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) })
#define INSN_MOV(dst, src)	     INSN(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0)
#define INSN_MOV_IMM(dst, i)	     INSN(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, i)
#define INSN_ADD_IMM(dst, i)	     INSN(BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, i)
#define INSN_ATOMIC_ADD(dst, o, src) INSN(BPF_STX | BPF_ATOMIC | BPF_DW, dst, src, o, BPF_ADD)
#define INSN_CALL(helper)	     INSN(BPF_JMP | BPF_CALL, 0, 0, 0, helper)
#define INSN_EXIT		     INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
/* Two instructions long; the second is INSN_WIDE_END(offset into the map's value). */
#define INSN_MAP_FD(dst, fd)	INSN(BPF_LD | BPF_DW | BPF_IMM, dst, BPF_PSEUDO_MAP_FD, 0, fd)
#define INSN_MAP_VALUE(dst, fd) INSN(BPF_LD | BPF_DW | BPF_IMM, dst, BPF_PSEUDO_MAP_VALUE, 0, fd)
#define INSN_WIDE_END(i)	INSN(0, 0, 0, 0, i)

/* Loads a program; a file descriptor or -errno. 'opts' may be NULL. */
int probe_load(enum bpf_prog_type type, struct bpf_prog_load_opts *opts,
	       const struct bpf_insn *insns, size_t n);

/* A CPU that is online. */
int probe_cpu(void);
