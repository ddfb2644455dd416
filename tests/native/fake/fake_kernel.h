/* SPDX-License-Identifier: BSD-2-Clause */
/* fake_kernel: the kernel around a BPF program: who runs, its memory, its stacks and the time. */
#pragma once

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "vmlinux.h"

#define FAKE_USER_WORDS 2048
#define FAKE_USER_BASE	0x7f0000000000ULL
#define FAKE_RING_BYTES (1u << 18)

static struct {
	struct task_struct *current;
	__u64 now_ns, cgroup_id;
	long under_cgroup;	     /* what bpf_current_task_under_cgroup() says */
	__u64 user[FAKE_USER_WORDS]; /* user memory at FAKE_USER_BASE; there is no other */
	/* Or all user memory, if the test sets it. */
	long (*read_user)(void *to, __u32 size, __u64 from);
	const __u64 *kernel_pcs;     /* what bpf_get_stack() finds */
	long kernel_bytes;	     /* or its error */
	const struct pt_regs *saved; /* user registers at the top of the task's kernel stack */
	bool lacks_task_pt_regs;     /* the helper is from 5.15 */
	bool kernel_reads_fail;
	bool counts_no_nul;	    /* of an empty user string, as before 6.13 */
	__u32 (*random)(void);	    /* what bpf_get_prandom_u32() draws from */
	struct vm_area_struct *vma; /* what every address is mapped by; NULL: nothing is mapped */
	/* What was submitted, one record behind the other, aligned as the kernel does. */
	unsigned char ring[FAKE_RING_BYTES] __attribute__((aligned(8)));
	__u32 ring_bytes, n_submitted;
	bool ring_is_full;
} fake;

/* A ring buffer: one record is made at a time. */
static inline void *bpf_ringbuf_reserve(void *ring, __u64 size, __u64 flags)
{
	if (fake.ring_is_full || size > sizeof(fake.ring) - fake.ring_bytes)
		return NULL;
	return fake.ring + fake.ring_bytes;
}

static inline void bpf_ringbuf_submit(void *data, __u64 flags)
{
	fake.n_submitted++;
}

static inline __u64 bpf_ringbuf_query(void *ring, __u64 flags)
{
	return flags == BPF_RB_RING_SIZE ? sizeof(fake.ring) : fake.ring_bytes;
}

/* Pages that are never mapped: what a null pointer and its members lie in. */
static inline long bpf_probe_read_kernel(void *to, __u32 size, const void *from)
{
	if (fake.kernel_reads_fail || (uintptr_t)from < 4096) {
		memset(to, 0, size);
		return -EFAULT;
	}
	memcpy(to, from, size);
	return 0;
}

/* As strncpy_from_kernel_nofault(): what follows the NUL stays as it was. */
static inline long bpf_probe_read_kernel_str(void *to, __u32 size, const void *from)
{
	size_t n;

	if ((uintptr_t)from < 4096) {
		memset(to, 0, size);
		return -EFAULT;
	}
	n = strnlen(from, size - 1);
	memcpy(to, from, n);
	((char *)to)[n] = '\0';
	return n + 1;
}

static inline long bpf_probe_read_user(void *to, __u32 size, const void *from)
{
	uintptr_t at = (uintptr_t)from - FAKE_USER_BASE;

	if (fake.read_user)
		return fake.read_user(to, size, (uintptr_t)from);
	if ((uintptr_t)from < FAKE_USER_BASE || at > sizeof(fake.user) ||
	    size > sizeof(fake.user) - at) {
		memset(to, 0, size);
		return -EFAULT;
	}
	memcpy(to, (const char *)fake.user + at, size);
	return 0;
}

/* As strncpy_from_user_nofault(): what follows the NUL stays as it was. */
static inline long bpf_probe_read_user_str(void *to, __u32 size, const void *from)
{
	uintptr_t at = (uintptr_t)from - FAKE_USER_BASE;
	size_t n;

	if ((uintptr_t)from < FAKE_USER_BASE || at >= sizeof(fake.user))
		return -EFAULT;
	n = strnlen((const char *)fake.user + at, size - 1);
	memcpy(to, (const char *)fake.user + at, n);
	((char *)to)[n] = '\0';
	return n || !fake.counts_no_nul ? n + 1 : 0;
}

static inline long bpf_find_vma(struct task_struct *task, __u64 address,
				long (*fn)(struct task_struct *, struct vm_area_struct *, void *),
				void *ctx, __u64 flags)
{
	if (!fake.vma)
		return -ENOENT;
	fn(task, fake.vma, ctx);
	return 0;
}

static inline long bpf_get_stack(void *ctx, void *to, __u32 size, __u64 flags)
{
	(void)ctx;
	(void)flags;
	if (fake.kernel_bytes <= 0)
		return fake.kernel_bytes;
	if (size > fake.kernel_bytes)
		size = fake.kernel_bytes;
	memcpy(to, fake.kernel_pcs, size);
	return size;
}

static inline __u64 bpf_get_current_task(void)
{
	return (uintptr_t)fake.current;
}

static inline struct task_struct *bpf_get_current_task_btf(void)
{
	return fake.current;
}

static inline long bpf_task_pt_regs(struct task_struct *task)
{
	(void)task;
	return (long)(uintptr_t)fake.saved;
}

static inline __u64 bpf_get_current_pid_tgid(void)
{
	return (__u64)fake.current->tgid << 32 | (__u32)fake.current->pid;
}

static inline long bpf_get_current_comm(void *to, __u32 size)
{
	memset(to, 0, size);
	memcpy(to, fake.current->comm, strnlen(fake.current->comm, size - 1));
	return 0;
}

static inline __u64 bpf_get_current_cgroup_id(void)
{
	return fake.cgroup_id;
}

static inline long bpf_current_task_under_cgroup(void *map, __u32 index)
{
	(void)map;
	(void)index;
	return fake.under_cgroup;
}

static inline __u64 bpf_ktime_get_ns(void)
{
	return ++fake.now_ns;
}

static inline __u32 bpf_get_prandom_u32(void)
{
	return fake.random();
}
