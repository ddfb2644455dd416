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
#define BPF_KPROBE    BPF_PROG
#define BPF_KRETPROBE BPF_PROG

/* What a program on a function sees of registers, and of its probe. */
static struct {
	__u64 sp, ip, rc, ret;
	__u64 func_ip, cookie;
} fake_probe;

#define PT_REGS_SP(x)  ((void)(x), fake_probe.sp)
#define PT_REGS_IP(x)  ((void)(x), fake_probe.ip)
#define PT_REGS_RC(x)  ((void)(x), fake_probe.rc)
#define PT_REGS_RET(x) ((void)(x), fake_probe.ret) /* the link register, where there is one */

static inline __u64 bpf_get_func_ip(void *ctx_)
{
	(void)ctx_;
	return fake_probe.func_ip;
}

/* No program of a test makes one. */
static inline long bpf_tail_call(void *ctx_, void *map, __u32 index)
{
	(void)ctx_;
	(void)map;
	(void)index;
	return -1;
}

static inline __u64 bpf_get_attach_cookie(void *ctx_)
{
	(void)ctx_;
	return fake_probe.cookie;
}
