// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * file_operation: one operation that has ended: which file it was about, whether that is wanted,
 * and what is counted of it.
 *
 *	struct operation *o = operation_begin(start_ns);	NULL: counted as lost
 *	...							fills in what is known of it
 *	operation_end(o->place);
 */
#pragma once

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/file_hist.bpf.h"
#include "bpf/file_thread.bpf.h"
#include "bpf/file_wire.h"
#include "bpf/ledger.bpf.h"
#include "bpf/path.bpf.h"
#include "bpf/sample.bpf.h"
#include "bpf/syscall.bpf.h"

__u32 is_on = 0; /* events are counted; what is under way when it becomes 0 has not ended */

const volatile __u64 cfg_slower_ns = 0; /* what took longer is an outlier; 0: nothing is */
/* The loader's list is full of operations that took at least so long. */
__u64 outlier_floor_ns = 0;
const volatile __u64 cfg_stack_min_ns = 0; /* below it no stack is taken */

struct tally_table {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct ft_file_key);
	__type(value, struct ft_file_tally);
};
struct tally_table tallies_0 SEC(".maps");
struct tally_table tallies_1 SEC(".maps");

/*
 * Entries of each set that were made. From the limit on new ones go without their path: there are
 * always few enough of those, and there must be room for them.
 */
__u32 tallies_made[FT_SETS] = {};
const volatile __u32 cfg_tallies_with_path = 1u << 31;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} outliers SEC(".maps");

/* Too large for the BPF stack; one for each struct sample. */
struct operation {
	struct ft_file_key key;
	__u64 args[SYSCALL_ARGS];
	__u64 end_ns, latency_ns;
	__s64 result;
	struct file *file; /* NULL: none */
	__u64 name;	   /* address of a path in user memory, */
	__u64 at;	   /* relative to this descriptor */
	__u32 is_named;
	__u32 place;
	__u32 lost; /* ledger slot of what was lost before it ended */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SAMPLE_PLACES);
	__type(key, __u32);
	__type(value, struct operation);
} operations SEC(".maps");

#define OPERATION_AT_CWD ((__u64)-100) /* AT_FDCWD, include/uapi/linux/fcntl.h */

static __always_inline struct operation *operation_begin(__u64 start_ns)
{
	struct sample *s = sample_take();
	struct operation *o;
	__u32 place;

	if (!s) {
		ledger_close(FT_LOST_NESTED);
		return NULL;
	}
	place = s->place;
	o = bpf_map_lookup_elem(&operations, &place);
	if (!o) {
		sample_release(s);
		return NULL;
	}
	o->place = place;
	o->end_ns = bpf_ktime_get_ns();
	o->latency_ns = o->end_ns - start_ns;
	o->result = 0;
	o->file = NULL;
	o->is_named = 0;
	o->lost = 0;
	o->key.path = 0;
	o->key.kind = (struct ft_file_kind){};
	return o;
}

/* --- which file ------------------------------------------------------------------------------ */

static __always_inline bool class_is_apart(__u32 class)
{
	return class >= FT_CLASS_SOCKET;
}

static __always_inline void operation_set_file(struct operation *o, struct file *file)
{
	o->file = file;
	o->key.kind.class = file_class(file);
}

/* Where p->name begins; false if that cannot be told. */
static __always_inline bool name_base(struct path_place *p, __u64 at)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct file *file;

	if (p->name[0] == '/') {
		p->dentry = BPF_CORE_READ(task, fs, root.dentry);
		p->mnt = BPF_CORE_READ(task, fs, root.mnt);
	} else if ((__u32)at == (__u32)OPERATION_AT_CWD) {
		p->dentry = BPF_CORE_READ(task, fs, pwd.dentry);
		p->mnt = BPF_CORE_READ(task, fs, pwd.mnt);
	} else {
		file = task_file(task, at);
		p->dentry = BPF_CORE_READ(file, f_path.dentry);
		p->mnt = BPF_CORE_READ(file, f_path.mnt);
	}
	return p->dentry && p->mnt;
}

/*
 * Reads the name that the task gave. 0 if the operation is about its descriptor, which is what an
 * empty name means (AT_EMPTY_PATH), or no name at all (from 6.11 on); else its bytes, -1 if it
 * cannot be read.
 */
static __always_inline int operation_read_name(struct operation *o, struct path_place *p)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	long n = 1;

	if (o->name)
		n = bpf_probe_read_user_str(p->name, sizeof(p->name), (const void *)o->name);
	if (n > 1)
		return n - 1;
	/* Of an empty string kernels before 6.13 do not count the NUL. */
	if (n < 0 || (__u32)o->at == (__u32)OPERATION_AT_CWD)
		return -1;
	operation_set_file(o, task_file(task, o->at));
	return 0;
}

/* It has a file, but which one cannot be told. */
static __always_inline bool operation_is_unknown(const struct operation *o)
{
	return !o->is_named && !o->file && o->key.kind.by != FT_BY_CALL;
}

/* Fills in class, path and device; FT_PATH_WANTED, FT_PATH_UNDECIDED, or 0: nobody asked for it. */
static __always_inline __u32 operation_find_path(struct operation *o)
{
	struct path_place *p = bpf_map_lookup_elem(&path_places, &o->place);
	struct path_facts facts = {};
	int n = 0;

	if (!p)
		return 0;
	if (o->is_named)
		n = operation_read_name(o, p);
	if (n > 0 && name_base(p, o->at)) {
		o->key.path = path_of_name(p, o->place, n, &facts);
	} else if (n) {
		facts.flags = FT_PATH_UNDECIDED;
		__sync_fetch_and_add(&notes.paths_unread, 1);
	} else if (operation_is_unknown(o)) {
		facts.flags = FT_PATH_UNDECIDED;
	} else if (o->file && !class_is_apart(o->key.kind.class)) {
		o->key.path = path_of_file(p, o->place, o->file, &facts);
	}
	o->key.kind.dev = facts.dev;
	return facts.flags & (FT_PATH_WANTED | FT_PATH_UNDECIDED);
}

/* --- what is counted ------------------------------------------------------------------------- */

static __always_inline __u64 operation_bytes(const struct operation *o)
{
	__u32 operation = o->key.kind.operation;

	if (o->result <= 0 || operation < FT_FILE_READ || operation > FT_FILE_SPLICE)
		return 0;
	return o->result;
}

static __always_inline void hist_add(const struct operation *o)
{
	struct ft_file_kind kind = o->key.kind;
	struct ft_file_hist *hist = hist_get(&kind, o->key.path);
	__u32 slot = ft_hist_slot(o->latency_ns);

	if (!hist)
		return;
	__sync_fetch_and_add(&hist->n, 1);
	__sync_fetch_and_add(&hist->total_ns, o->latency_ns);
	__sync_fetch_and_add(&hist->bytes, operation_bytes(o));
	if (o->result < 0)
		__sync_fetch_and_add(&hist->errors, 1);
	/* Two at once may leave the shorter one: the slots are right all the same. */
	if (hist->max_ns < o->latency_ns)
		hist->max_ns = o->latency_ns;
	if (slot < FT_HIST_SLOTS)
		__sync_fetch_and_add(&hist->slots[slot], 1);
}

static __always_inline bool is_room_short(__u32 set)
{
	return tallies_made[set & 1] >= cfg_tallies_with_path;
}

/* NULL: there is none. */
static __always_inline struct ft_file_tally *tally_find(void *table, __u32 set, struct operation *o)
{
	struct ft_file_tally *have = bpf_map_lookup_elem(table, &o->key);

	if (have || !o->key.path || !is_room_short(set))
		return have;
	__sync_fetch_and_add(&notes.paths_left_out, 1);
	o->key.path = 0;
	return bpf_map_lookup_elem(table, &o->key);
}

/* 0, or the ledger slot of the loss. */
static __always_inline __u32 tally_add(void *table, __u32 set, struct operation *o)
{
	struct ft_file_tally first = { .n = 0 }, *have;
	long err;

	have = tally_find(table, set, o);
	if (!have) {
		first.first_ns = o->end_ns;
		err = bpf_map_update_elem(table, &o->key, &first, BPF_NOEXIST);
		if (err == -16 /* EBUSY */)
			return FT_LOST_MAP_BUSY;
		if (err && err != -17 /* EEXIST */)
			return FT_LOST_COUNTS_FULL;
		if (!err)
			__sync_fetch_and_add(&tallies_made[set & 1], 1);
		have = bpf_map_lookup_elem(table, &o->key);
		if (!have)
			return FT_LOST_MAP_BUSY;
	}
	__sync_fetch_and_add(&have->n, 1);
	__sync_fetch_and_add(&have->total_ns, o->latency_ns);
	__sync_fetch_and_add(&have->bytes, operation_bytes(o));
	if (o->result < 0)
		__sync_fetch_and_add(&have->errors, 1);
	if (have->max_ns < o->latency_ns) /* as in hist_add() */
		have->max_ns = o->latency_ns;
	return 0;
}

static __always_inline void outlier_send(const struct operation *o, __u32 lost)
{
	struct ft_file_outlier *outlier;

	if (!cfg_slower_ns || o->latency_ns <= cfg_slower_ns)
		return;
	if (o->latency_ns <= outlier_floor_ns) {
		__sync_fetch_and_add(&notes.outliers_faster, 1);
		return;
	}
	outlier = bpf_ringbuf_reserve(&outliers, sizeof(*outlier), 0);
	if (!outlier) {
		__sync_fetch_and_add(&notes.outliers_lost, 1);
		return;
	}
	outlier->origin = o->key.origin;
	outlier->path = o->key.path;
	outlier->kind = o->key.kind;
	outlier->end_ns = o->end_ns;
	outlier->latency_ns = o->latency_ns;
	outlier->result = o->result;
	outlier->lost = lost;
	outlier->pad = 0;
	bpf_ringbuf_submit(outlier, BPF_RB_NO_WAKEUP);
}

/* Of a fault its registers are there already. */
static __always_inline __u32 operation_keep_stack(struct sample *s, __u32 set, __u32 by)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	__u32 lost;

	if (by != FT_BY_FAULT)
		s->job.regs.is_user = 0;
	regs_to_user(task, &s->job.regs, &s->job.saved);
	sample_recall(task, s);
	/* Each one that is passed up has an entry of its own. */
	if (is_room_short(set))
		s->job.walk.end = FT_END_NO_TABLE;
	lost = sample_keep(s, set);
	if (lost != FT_LOST_WALK_FAILED)
		return lost;
	/* What is asked for first are latencies. */
	__sync_fetch_and_add(&notes.stackless, 1);
	return 0;
}

/* What became of the operation, as a ledger slot. */
static __always_inline __u32 operation_count(struct operation *o, struct sample *s)
{
	__u32 set = active_set, lost = 0, wanted;

	if (o->key.kind.by != FT_BY_URING)
		lost = sample_task(s);
	if (lost)
		return lost;
	wanted = operation_find_path(o);
	if (class_is_apart(o->key.kind.class)) {
		if (!cfg_by_path)
			hist_add(o);
		return FT_FILE_FILTERED_APART;
	}
	if (cfg_by_path && wanted != FT_PATH_WANTED)
		return wanted ? FT_FILE_LOST_UNDECIDED : FT_FILE_FILTERED_PATH;
	hist_add(o);
	/* That of a request was kept, or lost, when it was submitted. */
	lost = o->lost;
	if (o->key.kind.by != FT_BY_URING) {
		s->origin.user_stack = s->origin.kernel_stack = 0;
		if (o->latency_ns >= cfg_stack_min_ns)
			lost = operation_keep_stack(s, set, o->key.kind.by);
	}
	o->key.origin = s->origin;
	outlier_send(o, lost);
	if (lost)
		return lost;
	lost = tally_add(set ? (void *)&tallies_1 : (void *)&tallies_0, set, o);
	return lost ? lost : FT_KEPT;
}

/* Global, so that the verifier looks at it once for all programs. */
__noinline int operation_end(__u32 place)
{
	struct operation *o = bpf_map_lookup_elem(&operations, &place);
	struct sample *s = bpf_map_lookup_elem(&samples, &place);

	if (!o || !s)
		return 0;
	ledger_close(operation_count(o, s));
	sample_release(s);
	return 0;
}
