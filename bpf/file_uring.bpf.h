// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * file_uring: operations that are requests of io_uring. Task and stack are those of who submits;
 * the completion may run in any thread.
 */
#pragma once

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/file_operation.bpf.h"

const volatile __u8 cfg_uring_operations[FT_URING_OPCODES] = {};

struct uring_request {
	__u64 start_ns;
	__u32 operation;
	__u32 touched;
	__u32 lost; /* ledger slot: its stacks are not kept */
	__u32 pad;
	struct ft_origin origin; /* else they are, already */
};

/* By the request's address. The loader makes it large where io_uring is followed. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u64);
	__type(value, struct uring_request);
} requests SEC(".maps");

static const struct uring_request request_none = {};

/* 0, or the ledger slot of why it is not followed. */
static __always_inline __u32 request_note(struct sample *s, __u64 request, __u32 operation)
{
	struct uring_request *r;
	__u32 filtered = sample_task(s), lost;

	if (filtered)
		return filtered;
	s->origin.user_stack = s->origin.kernel_stack = 0;
	lost = operation_keep_stack(s, active_set, FT_BY_URING);
	/* Its address may have been that of one whose completion was not seen. */
	if (bpf_map_update_elem(&requests, &request, &request_none, BPF_ANY))
		return FT_FILE_LOST_REQUESTS;
	r = bpf_map_lookup_elem(&requests, &request);
	if (!r)
		return FT_FILE_LOST_REQUESTS;
	r->operation = operation;
	r->lost = lost;
	r->origin = s->origin;
	r->start_ns = bpf_ktime_get_ns();
	return 0;
}

static __always_inline int uring_submit(struct io_kiocb *request)
{
	__u32 opcode = BPF_CORE_READ(request, opcode), operation, lost;
	struct ft_thread *thread;
	struct sample *s;

	if (!is_on || opcode >= FT_URING_OPCODES)
		return 0;
	operation = cfg_uring_operations[opcode];
	if (!operation)
		return 0;
	s = sample_take();
	if (!s) {
		ledger_close(FT_LOST_NESTED);
		return 0;
	}
	lost = request_note(s, (__u64)request, operation);
	sample_release(s);
	if (lost) {
		ledger_close(lost);
		return 0;
	}
	thread = thread_get();
	if (thread)
		thread->request = (__u64)request;
	return 0;
}

static __always_inline int uring_complete(void *request, __s64 result)
{
	__u64 key = (__u64)request;
	struct uring_request *r = bpf_map_lookup_elem(&requests, &key);
	struct operation *o;
	struct sample *s;

	if (!r || !is_on)
		return 0;
	o = operation_begin(r->start_ns);
	if (!o)
		goto out;
	s = bpf_map_lookup_elem(&samples, &o->place);
	if (!s)
		goto out;
	s->origin = r->origin;
	origin_date(&s->origin);
	o->lost = r->lost;
	o->result = result;
	o->key.kind.operation = r->operation;
	o->key.kind.touched = r->touched;
	o->key.kind.by = FT_BY_URING;
	operation_set_file(o, BPF_CORE_READ((struct io_kiocb *)request, file));
	if (!o->file)
		o->key.kind.class = FT_CLASS_FILE; /* it is about a path, which is not known */
	operation_end(o->place);
out:
	bpf_map_delete_elem(&requests, &key);
	return 0;
}

/* The thread gives a request to a block device, as far as it can be told for what. */
static __always_inline void thread_touch(struct ft_thread *thread)
{
	struct uring_request *r;
	__u64 request = thread->request;

	if (thread->fault_ns)
		thread->fault_touched = 1;
	if (thread->start_ns) {
		thread->touched = 1;
		return;
	}
	r = request ? bpf_map_lookup_elem(&requests, &request) : NULL;
	if (r)
		r->touched = 1;
}
