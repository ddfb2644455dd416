// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * alloc_calls: calls of an allocator's functions, seen by probes on them: at an instruction of the
 * prologue where the arguments are in their registers and the stack pointer is at the return
 * address still (user/collect/prologue.h).
 *
 * Without cfg_in_use, what is asked for is counted when a call begins. With it, a block is counted
 * when the call has returned its address: by a return probe, or by the same program of a session
 * link, which is called again at the return if it said so at the beginning. A call that is not
 * sampled says no, and costs as little as without return probes.
 *
 * Calls that an allocator makes of its own functions are not counted. Two things tell them:
 *
 * - their return address is in realloc, whose place the probe's cookie has (FT_ALLOC_CALL_*);
 * - the thread is in a call that is followed, deeper on the same stack.
 *
 * A call that never returns (an exception, longjmp) is over when its thread calls from above it on
 * the stack, or the same function from the same place, or more often than an allocator would: no
 * thread is lost for ever. The stack at the return and at the beginning is the same one: that of
 * the call instruction.
 */
#pragma once

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/alloc_account.bpf.h"
#include "bpf/alloc_draw.bpf.h"
#include "bpf/alloc_wire.h"
#include "bpf/own_stack.bpf.h"

/* The programs are those of a session link. */
const volatile __u8 cfg_calls_in_session = 0;

/* How a program of a session link says that the return is of no interest. */
#define CALL_IS_SEEN 1

#define CALL_MAX_NESTED 64

#if defined(__TARGET_ARCH_x86)
#define CALL_RETURN_BYTES 8 /* of stack that a return takes */
#else
#define CALL_RETURN_BYTES 0
#endif

/* A call that has not returned, of each thread; kept for its next one. */
struct call {
	__u64 sp;    /* before its first instruction; 0: it has returned */
	__u64 entry; /* pc of the probe */
	__u64 bytes, weight;
	__u64 pointer; /* to where it puts the address; 0: it returns it */
	__u32 moves;   /* realloc: the old block is among 'movings' */
	__u32 nested;  /* calls within it */
};

/* The loader sets the number of entries: threads at the same time. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64); /* bpf_get_current_pid_tgid() */
	__type(value, struct call);
} calls SEC(".maps");

/* --- what a probe knows ------------------------------------------------------------------- */

/* 0 before 5.15. */
static __always_inline __u64 call_cookie(void *ctx)
{
	if (!bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_attach_cookie))
		return 0;
	return bpf_get_attach_cookie(ctx);
}

/* Where a call that begins will return to, 0 if that cannot be read. */
static __always_inline __u64 call_returns_to(struct pt_regs *ctx, __u64 cookie)
{
	__u64 words = cookie >> FT_ALLOC_CALL_STACK_SHIFT & FT_ALLOC_CALL_STACK_MAX, ret = 0;

	if (!CALL_RETURN_BYTES)
		return PT_REGS_RET(ctx);
	bpf_probe_read_user(&ret, sizeof(ret), (const void *)(PT_REGS_SP(ctx) + words * 8));
	return ret;
}

static __always_inline bool call_is_from_realloc(struct pt_regs *ctx, __u64 cookie)
{
	__u64 bytes = cookie >> FT_ALLOC_CALL_BYTES_SHIFT & FT_ALLOC_CALL_BYTES_MAX;
	__u64 start = PT_REGS_IP(ctx) + (__s64)(__s32)(__u32)cookie;

	return bytes && call_returns_to(ctx, cookie) - start < bytes;
}

/* Whether a program of a session link is called at the return. */
static __always_inline bool call_is_over(struct pt_regs *ctx)
{
	return cfg_calls_in_session && bpf_get_func_ip(ctx) != PT_REGS_IP(ctx);
}

static __always_inline int call_is_seen(void)
{
	return cfg_calls_in_session ? CALL_IS_SEEN : 0;
}

/* --- a call ------------------------------------------------------------------------------- */

/* Not inlined, for there are many who call it. */
static __noinline int call_count(__u64 address, __u64 bytes, __u64 weight, __u32 is_return)
{
	struct alloc_request r = {
		.address = address,
		.bytes = bytes,
		.weight = weight,
		.kind = FT_ALLOC_HEAP,
		.flags = ALLOC_USER_STACK | (is_return ? ALLOC_FROM_RETURN : ALLOC_FROM_CALLER),
	};

	return alloc_made(NULL, &r);
}

static __always_inline bool call_is_nested(struct call *outer, __u64 sp, __u64 entry)
{
	if (!outer->sp || sp > outer->sp || (sp == outer->sp && entry == outer->entry) ||
	    outer->nested >= CALL_MAX_NESTED)
		return false;
	outer->nested++;
	return true;
}

/* Notes a call until it returns. 'old' is what realloc was given, else 0. */
static __always_inline int call_follow(struct pt_regs *ctx, __u64 bytes, __u64 weight, __u64 old,
				       __u64 pointer)
{
	struct call new = {
		.sp = PT_REGS_SP(ctx),
		.entry = PT_REGS_IP(ctx),
		.bytes = bytes,
		.weight = weight,
		.pointer = pointer,
	};
	__u64 thread = bpf_get_current_pid_tgid();
	struct call *call = bpf_map_lookup_elem(&calls, &thread);

	if (call) {
		if (call_is_nested(call, new.sp, new.entry))
			return call_is_seen();
		if (call->sp && call->moves)
			alloc_moved(false);
		call->sp = 0;
	}
	if (old) {
		struct ft_alloc_block_key key = { .address = old };

		key.process = alloc_process_of_current(0);
		new.moves = alloc_moving(&key);
	}
	if (!weight && !new.moves)
		return call_is_seen();
	if (call) {
		*call = new;
		return 0;
	}
	if (!bpf_map_update_elem(&calls, &thread, &new, BPF_NOEXIST))
		return 0;
	if (new.moves)
		alloc_moved(false);
	ledger_close(FT_ALLOC_LOST_CALLS);
	return call_is_seen();
}

static __always_inline int call_returned(struct pt_regs *ctx, __u64 address)
{
	__u64 thread = bpf_get_current_pid_tgid();
	struct call *call = bpf_map_lookup_elem(&calls, &thread), was;

	if (!call || !call->sp || call->sp + CALL_RETURN_BYTES != PT_REGS_SP(ctx))
		return 0;
	was = *call;
	call->sp = 0;
	if (was.pointer) {
		if (address ||
		    bpf_probe_read_user(&address, sizeof(address), (const void *)was.pointer))
			address = 0;
	}
	/* A block that becomes 0 bytes is freed, whatever is returned. */
	if (was.moves)
		alloc_moved(address || !was.bytes);
	if (!is_on || !was.weight)
		return 0;
	if (address)
		call_count(address, was.bytes, was.weight, 1);
	else if (was.bytes)
		__sync_fetch_and_add(&state.failed, 1);
	return 0;
}

static __always_inline int call_begins(struct pt_regs *ctx, __u64 cookie, __u64 bytes, __u64 old,
				       __u64 pointer)
{
	__u64 weight;

	if (!is_on)
		return call_is_seen();
	/* The call that is made instead has a probe of its own. */
	if (call_is_from_realloc(ctx, cookie) || (!old && cookie & FT_ALLOC_CALL_NOT_NULL))
		return call_is_seen();
	weight = !old || bytes ? alloc_draw(bytes) : 0;
	if (cfg_in_use)
		return call_follow(ctx, bytes, weight, old, pointer);
	if (weight)
		call_count(0, bytes, weight, 0);
	return call_is_seen();
}

/* n times 'size' bytes; false if that is beyond all memory, and the call will fail. */
static __always_inline bool call_bytes(__u64 n, __u64 size, __u64 *ret)
{
	__u64 most = n > size ? n : size, least = n > size ? size : n;

	/* There is no product of 128 bits; no process has 2^60 bytes. */
	if (least >> 32 || (most >> 32) * least >> 28)
		return false;
	*ret = most * least;
	return true;
}

static __always_inline int call_frees(struct pt_regs *ctx, __u64 cookie, __u64 address)
{
	struct ft_alloc_block_key key = { .address = address };
	__u64 thread = bpf_get_current_pid_tgid();
	struct call *call;

	if (!is_on || !address || call_is_from_realloc(ctx, cookie))
		return call_is_seen();
	call = bpf_map_lookup_elem(&calls, &thread);
	if (call && call_is_nested(call, PT_REGS_SP(ctx), PT_REGS_IP(ctx)))
		return call_is_seen();
	key.process = alloc_process_of_current(0);
	/* Most blocks are not sampled: that one is not known means nothing then. */
	if (cfg_interval_bytes <= 1 || bpf_map_lookup_elem(&blocks, &key))
		alloc_freed(&key, 0);
	return call_is_seen();
}

/* A call of that function begins, with these arguments. */
static __always_inline int call_of(struct pt_regs *ctx, __u32 function, __u64 cookie, __u64 a,
				   __u64 b, __u64 c)
{
	__u64 bytes = a, old = 0, pointer = 0;
	bool is_possible = true;

	switch (function) {
	case FT_ALLOC_CALL_MALLOC:
		break;
	case FT_ALLOC_CALL_CALLOC:
		is_possible = call_bytes(a, b, &bytes);
		break;
	case FT_ALLOC_CALL_REALLOC:
		old = a;
		bytes = b;
		break;
	case FT_ALLOC_CALL_REALLOCARRAY:
		old = a;
		is_possible = call_bytes(b, c, &bytes);
		break;
	case FT_ALLOC_CALL_POSIX_MEMALIGN:
		pointer = a;
		bytes = c;
		break;
	case FT_ALLOC_CALL_MEMALIGN:
		bytes = b;
		break;
	case FT_ALLOC_CALL_FREE:
		return call_frees(ctx, cookie, a);
	default:
		is_possible = false;
	}
	return is_possible ? call_begins(ctx, cookie, bytes, old, pointer) : call_is_seen();
}

/* A thread that ends has no calls. */
static __always_inline void calls_end_thread(void)
{
	__u64 thread = bpf_get_current_pid_tgid();

	if (cfg_in_use)
		bpf_map_delete_elem(&calls, &thread);
}

/*
 * Of all functions, where a link takes many places (6.6): links are detached one by one, and each
 * waits for all that the kernel runs at the time.
 */
SEC("uprobe")
int BPF_KPROBE(on_call, __u64 a, __u64 b, __u64 c)
{
	__u64 cookie;
	__u32 function;

	own_stack(ctx);
	if (call_is_over(ctx))
		return call_returned(ctx, PT_REGS_RC(ctx));
	cookie = call_cookie(ctx);
	function = cookie >> FT_ALLOC_CALL_FUNCTION_SHIFT & FT_ALLOC_CALL_FUNCTION_MAX;
	return call_of(ctx, function, cookie, a, b, c);
}

/* Where that is no session link. */
SEC("uretprobe")
int BPF_KRETPROBE(on_call_returned, __u64 address)
{
	own_stack(ctx);
	return call_returned(ctx, address);
}

/* --- programs of older kernels, by what the arguments are --------------------------------- */

SEC("uprobe")
int BPF_KPROBE(on_malloc, __u64 bytes)
{
	own_stack(ctx);
	return call_of(ctx, FT_ALLOC_CALL_MALLOC, call_cookie(ctx), bytes, 0, 0);
}

SEC("uprobe")
int BPF_KPROBE(on_calloc, __u64 n, __u64 size)
{
	own_stack(ctx);
	return call_of(ctx, FT_ALLOC_CALL_CALLOC, call_cookie(ctx), n, size, 0);
}

SEC("uprobe")
int BPF_KPROBE(on_realloc, __u64 old, __u64 bytes)
{
	own_stack(ctx);
	return call_of(ctx, FT_ALLOC_CALL_REALLOC, call_cookie(ctx), old, bytes, 0);
}

SEC("uprobe")
int BPF_KPROBE(on_reallocarray, __u64 old, __u64 n, __u64 size)
{
	own_stack(ctx);
	return call_of(ctx, FT_ALLOC_CALL_REALLOCARRAY, call_cookie(ctx), old, n, size);
}

SEC("uprobe")
int BPF_KPROBE(on_posix_memalign, __u64 pointer, __u64 alignment, __u64 bytes)
{
	own_stack(ctx);
	return call_of(ctx, FT_ALLOC_CALL_POSIX_MEMALIGN, call_cookie(ctx), pointer, alignment,
		       bytes);
}

SEC("uprobe")
int BPF_KPROBE(on_memalign, __u64 alignment, __u64 bytes)
{
	own_stack(ctx);
	return call_of(ctx, FT_ALLOC_CALL_MEMALIGN, call_cookie(ctx), alignment, bytes, 0);
}

SEC("uprobe")
int BPF_KPROBE(on_free, __u64 address)
{
	own_stack(ctx);
	return call_of(ctx, FT_ALLOC_CALL_FREE, call_cookie(ctx), address, 0, 0);
}
