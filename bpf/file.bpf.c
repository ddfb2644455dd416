// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * file: how long operations on files take as the calling thread sees them: system calls from entry
 * to exit, major page faults from the exception to the end of their handling, requests of io_uring
 * from submission to completion; by path, file system, operation and user stack.
 */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define FT_COLLECTOR FT_COLLECTOR_FILE

#include "bpf/file_operation.bpf.h"
#include "bpf/file_thread.bpf.h"
#include "bpf/file_uring.bpf.h"
#include "bpf/syscall.bpf.h"

const volatile struct ft_syscall cfg_syscalls[FT_SYSCALLS] = {};

/* NULL: it is not followed. */
static __always_inline const volatile struct ft_syscall *call_wanted(__u32 number)
{
	const volatile struct ft_syscall *call;

	if (number >= FT_SYSCALLS)
		return NULL;
	call = &cfg_syscalls[number];
	return call->operation ? call : NULL;
}

/* 0, or the ledger slot of the filter. */
static __always_inline __u32 filter_task(struct task_struct *task)
{
	__u32 tgid, tid;

	current_ids(task, &tgid, &tid);
	return filter_current(tgid, tid);
}

static __always_inline int note_compat(struct task_struct *task)
{
	if (!filter_task(task))
		__sync_fetch_and_add(&notes.compat_calls, 1);
	return 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(on_sys_enter, struct pt_regs *regs, long id)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct ft_thread *thread;
	__u32 filtered;

	if (!is_on)
		return 0;
	if (syscall_is_compat(regs))
		return note_compat(task);
	if (!call_wanted(id))
		return 0;
	if (syscall_is_compat_gate(task))
		return note_compat(task);
	filtered = filter_task(task);
	if (filtered) {
		ledger_close(filtered);
		return 0;
	}
	thread = thread_get();
	if (!thread) {
		ledger_close(FT_FILE_LOST_THREADS);
		return 0;
	}
	thread->call = id;
	thread->touched = 0;
	thread->fault_ns = 0;
	thread->request = 0;
	thread->start_ns = bpf_ktime_get_ns();
	return 0;
}

static __always_inline void find_by_descriptors(struct operation *o,
						const volatile struct ft_syscall *call)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();

	operation_set_file(o, task_file(task, o->args[call->a & (SYSCALL_ARGS - 1)]));
	if (call->at == FT_AT_FDS && class_is_apart(o->key.kind.class)) {
		struct file *other = task_file(task, o->args[call->b & (SYSCALL_ARGS - 1)]);

		if (!class_is_apart(file_class(other)))
			operation_set_file(o, other);
	}
}

/* Notes which file the call was about: one that is open, or one with a name. */
static __always_inline void find_file(struct operation *o, const volatile struct ft_syscall *call)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	__u32 at = call->at;

	if (at == FT_AT_NOTHING)
		return;
	if (at == FT_AT_FD || at == FT_AT_FDS) {
		find_by_descriptors(o, call);
		return;
	}
	if (at == FT_AT_OPENED && o->result >= 0) {
		operation_set_file(o, task_file(task, o->result));
		return;
	}
	o->is_named = 1;
	o->name = o->args[call->b & (SYSCALL_ARGS - 1)];
	o->at = call->a == FT_AT_CWD ? OPERATION_AT_CWD : o->args[call->a & (SYSCALL_ARGS - 1)];
}

SEC("tp_btf/sys_exit")
int BPF_PROG(on_sys_exit, struct pt_regs *regs, long result)
{
	__u32 number = syscall_number(regs), pid = (__u32)bpf_get_current_pid_tgid();
	const volatile struct ft_syscall *call = call_wanted(number);
	struct ft_thread *thread;
	struct operation *o;
	__u64 start_ns;

	if (!call || !is_on)
		return 0;
	thread = bpf_map_lookup_elem(&threads, &pid);
	if (!thread || !thread->start_ns || thread->call != number)
		return 0;
	start_ns = thread->start_ns;
	thread->start_ns = 0;
	o = operation_begin(start_ns);
	if (!o)
		return 0;
	o->result = result;
	o->key.kind.operation = call->operation;
	o->key.kind.touched = thread->touched;
	o->key.kind.by = FT_BY_CALL;
	syscall_args(regs, o->args);
	find_file(o, call);
	operation_end(o->place);
	return 0;
}

/* From 7.0 on it has one more argument. */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_thread_exit, struct task_struct *task)
{
	__u32 pid = (__u32)bpf_get_current_pid_tgid();
	struct ft_thread *thread = bpf_map_lookup_elem(&threads, &pid);

	if (!thread)
		return 0;
	if (thread->start_ns)
		__sync_fetch_and_add(&notes.unfinished, 1);
	bpf_map_delete_elem(&threads, &pid);
	return 0;
}

/*
 * A thread that executes a program becomes its process's first one: its own number is nobody's any
 * more, and the end of a thread of that number will not be seen.
 */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, pid_t old)
{
	__u32 pid = old;

	if (pid != (__u32)bpf_get_current_pid_tgid())
		bpf_map_delete_elem(&threads, &pid);
	return 0;
}

/*
 * The thread gives a request to a block device. Requests that others made for it, such as those
 * that were read ahead, are not seen. Its arguments differ from kernel to kernel; none is used.
 */
SEC("tp_btf/block_bio_queue")
int BPF_PROG(on_bio, void *first)
{
	__u32 pid = (__u32)bpf_get_current_pid_tgid();
	struct ft_thread *thread;

	if (!is_on)
		return 0;
	thread = bpf_map_lookup_elem(&threads, &pid);
	if (thread)
		thread_touch(thread);
	return 0;
}

/* --- page faults ----------------------------------------------------------------------------- */

/* x86-64 only: no other architecture had this tracepoint before 6.17. */
SEC("tp_btf/page_fault_user")
int BPF_PROG(on_fault_begin, __u64 address)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct ft_thread *thread;

	if (!is_on || filter_task(task))
		return 0;
	thread = thread_get();
	if (!thread) {
		__sync_fetch_and_add(&notes.faults_not_noted, 1);
		return 0; /* if it is a major one, on_fault_end() counts it */
	}
	thread->fault_touched = 0;
	thread->request = 0;
	thread->fault_ns = bpf_ktime_get_ns();
	return 0;
}

static long take_mapped_file(struct task_struct *task, struct vm_area_struct *vma, void *at)
{
	*(struct file **)at = vma->vm_file;
	return 0;
}

/* Which file the address is mapped from. Of memory without one it is a page of swap. */
static __always_inline void fault_find_file(struct operation *o, __u64 address)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct file *file = NULL;

	if (bpf_find_vma(task, address, take_mapped_file, &file, 0)) {
		__sync_fetch_and_add(&notes.faults_unmapped, 1);
		return;
	}
	operation_set_file(o, file);
}

/* Its thread, if it is known when it began. */
static __always_inline struct ft_thread *fault_thread(void)
{
	__u32 pid = (__u32)bpf_get_current_pid_tgid();
	struct ft_thread *thread = bpf_map_lookup_elem(&threads, &pid);
	__u32 filtered;

	if (thread)
		return thread->fault_ns ? thread : NULL;
	/* Either it began before the recording, or there was no room. */
	if (notes.faults_not_noted) {
		filtered = filter_task((struct task_struct *)bpf_get_current_task());
		ledger_close(filtered ? filtered : FT_FILE_LOST_THREADS);
	}
	return NULL;
}

static __always_inline int fault_end(struct bpf_perf_event_data *ctx, bool with_file)
{
	struct ft_thread *thread;
	struct operation *o;
	struct sample *s;
	__u32 place;

	/* One in the kernel takes its time from a system call. */
	if (!is_on || !regs_are_user((const void *)ctx))
		return 0;
	thread = fault_thread();
	if (!thread)
		return 0;
	o = operation_begin(thread->fault_ns);
	thread->fault_ns = 0;
	if (!o)
		return 0;
	place = o->place;
	s = bpf_map_lookup_elem(&samples, &place);
	if (!s)
		return 0;
	regs_take((const void *)ctx, &s->job.regs); /* the first member of the context */
	o->key.kind.operation = FT_FILE_FAULT;
	o->key.kind.touched = thread->fault_touched;
	o->key.kind.by = FT_BY_FAULT;
	if (with_file)
		fault_find_file(o, ctx->addr);
	operation_end(place);
	return 0;
}

/* perf's software event for each major fault: in its thread, when it has been handled. */
SEC("perf_event")
int on_fault_end(struct bpf_perf_event_data *ctx)
{
	return fault_end(ctx, true);
}

/* Where bpf_find_vma() is not there (before 5.17): which file it was is not known. */
SEC("perf_event")
int on_fault_end_without_file(struct bpf_perf_event_data *ctx)
{
	return fault_end(ctx, false);
}

/* --- io_uring -------------------------------------------------------------------------------- */

/* io_uring_submit_sqe until 6.2; in kernels whose tracepoint does not begin with the request its
 * completion cannot be told either, and the loader leaves both out. */
SEC("tp_btf/io_uring_submit_req")
int BPF_PROG(on_uring_submit, struct io_kiocb *request)
{
	return uring_submit(request);
}

SEC("tp_btf/io_uring_complete")
int BPF_PROG(on_uring_complete, void *ring, void *request, __u64 user_data, int result)
{
	return uring_complete(request, result);
}

/* From 6.13 on. */
SEC("tp_btf/io_uring_complete")
int BPF_PROG(on_uring_complete_cqe, void *ring, void *request, struct io_uring_cqe *cqe)
{
	return uring_complete(request, BPF_CORE_READ(cqe, res));
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
