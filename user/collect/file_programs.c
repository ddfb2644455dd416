/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/file_programs.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <linux/types.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/file_wire.h"

#include "file.skel.h"
#include "user/base/array.h"
#include "user/base/cleanup.h"
#include "user/base/err.h"
#include "user/collect/bpf_cost.h"

/* --- what the kernel has ------------------------------------------------------------------- */

/* What a tracepoint hands to its programs; NULL if this kernel has no such tracepoint. */
static const struct btf_type *tracepoint_type(const struct btf *btf, const char *name)
{
	const struct btf_type *t;
	char text[64];
	int id;

	snprintf(text, sizeof(text), "btf_trace_%s", name);
	id = btf__find_by_name_kind(btf, text, BTF_KIND_TYPEDEF);
	if (id < 0)
		return NULL;
	t = btf__type_by_id(btf, btf__type_by_id(btf, id)->type);
	if (!t || !btf_is_ptr(t))
		return NULL;
	t = btf__type_by_id(btf, t->type);
	return t && btf_is_func_proto(t) ? t : NULL;
}

/* Whether its argument 'i' (from 0) is a pointer to that struct. */
static bool is_pointer_to(const struct btf *btf, const struct btf_type *tracepoint, unsigned int i,
			  const char *name)
{
	const struct btf_type *t;

	i++; /* the first one is the tracepoint's own */
	if (!tracepoint || i >= btf_vlen(tracepoint))
		return false;
	t = btf__type_by_id(btf, btf_params(tracepoint)[i].type);
	if (!t || !btf_is_ptr(t))
		return false;
	t = btf__type_by_id(btf, t->type);
	return t && btf_is_struct(t) && !strcmp(btf__name_by_offset(btf, t->name_off), name);
}

static int load_also(struct bpf_program *program, bool wanted)
{
	return bpf_program__set_autoload(program, wanted);
}

/* Completions with a request's address come in two shapes. */
enum uring_shape { URING_NONE, URING_RESULT, URING_CQE };

static enum uring_shape completion_shape(const struct btf *btf)
{
	const struct btf_type *t = tracepoint_type(btf, "io_uring_complete");

	if (is_pointer_to(btf, t, 2, "io_uring_cqe"))
		return URING_CQE;
	/* (ctx, req, user_data, res, cflags, extra1, extra2), from 5.18 on; without req: 5 or less.
	 */
	return t && btf_vlen(t) == 8 ? URING_RESULT : URING_NONE;
}

static int choose_uring(struct file_programs *p, const struct btf *btf)
{
	enum uring_shape shape = completion_shape(btf);
	const char *submission = NULL;
	int err;

	if (is_pointer_to(btf, tracepoint_type(btf, "io_uring_submit_req"), 0, "io_kiocb"))
		submission = "io_uring_submit_req";
	else if (is_pointer_to(btf, tracepoint_type(btf, "io_uring_submit_sqe"), 0, "io_kiocb"))
		submission = "io_uring_submit_sqe";
	if (!submission || shape == URING_NONE)
		p->no_uring = "this kernel's tracepoints do not tell which request of io_uring "
			      "completes (6.0 and later do)";
	err = load_also(p->skel->progs.on_uring_submit, !p->no_uring);
	if (!err)
		err = load_also(p->skel->progs.on_uring_complete,
				!p->no_uring && shape == URING_RESULT);
	if (!err)
		err = load_also(p->skel->progs.on_uring_complete_cqe,
				!p->no_uring && shape == URING_CQE);
	if (!err && submission)
		err = bpf_program__set_attach_target(p->skel->progs.on_uring_submit, 0, submission);
	return err;
}

static int choose_faults(struct file_programs *p, const struct btf *btf)
{
	bool has_vma =
		libbpf_probe_bpf_helper(BPF_PROG_TYPE_PERF_EVENT, BPF_FUNC_find_vma, NULL) == 1;
	int err;

	if (!tracepoint_type(btf, "page_fault_user"))
		p->no_faults = "this kernel has no tracepoint where page faults begin";
	else if (!has_vma)
		p->no_fault_files = "this kernel cannot look up a mapping (5.17 and later can)";
	err = load_also(p->skel->progs.on_fault_begin, !p->no_faults);
	if (!err)
		err = load_also(p->skel->progs.on_fault_end, !p->no_faults && has_vma);
	if (!err)
		err = load_also(p->skel->progs.on_fault_end_without_file,
				!p->no_faults && !has_vma);
	return err;
}

/* Nothing but system calls. */
static int choose_calls(struct file_programs *p)
{
	static const char refused[] = "this kernel refuses the programs";
	struct bpf_program *const others[] = {
		p->skel->progs.on_fault_begin,
		p->skel->progs.on_fault_end,
		p->skel->progs.on_uring_submit,
		p->skel->progs.on_uring_complete,
		p->skel->progs.on_fault_end_without_file,
		p->skel->progs.on_uring_complete_cqe,
		p->skel->progs.on_bio,
	};
	size_t i;
	int err = 0;

	p->no_faults = p->no_uring = p->no_touched = refused;
	for (i = 0; i < ARRAY_SIZE(others) && !err; i++)
		err = load_also(others[i], false);
	return err;
}

int file_programs_choose(struct file_programs *p, struct file_bpf *skel, bool only_calls)
{
	struct btf *btf;
	int err;

	*p = (struct file_programs){ .skel = skel };
	btf = btf__load_vmlinux_btf();
	if (!btf)
		return bpf_fail(-errno, "the file collector");
	if (only_calls) {
		err = choose_calls(p);
	} else {
		if (!tracepoint_type(btf, "block_bio_queue"))
			p->no_touched = "this kernel has no block devices";
		err = load_also(skel->progs.on_bio, !p->no_touched);
		if (!err)
			err = choose_faults(p, btf);
		if (!err)
			err = choose_uring(p, btf);
	}
	btf__free(btf);
	return err ? bpf_fail(err, "the file collector") : 0;
}

/* --- attaching ----------------------------------------------------------------------------- */

int file_programs_attach(struct file_programs *p)
{
	struct bpf_program *program;
	struct bpf_link *link;
	int err;

	bpf_object__for_each_program(program, p->skel->obj)
	{
		if (!bpf_program__autoload(program) ||
		    bpf_program__type(program) != BPF_PROG_TYPE_TRACING)
			continue;
		if (p->n_links == FILE_MAX_LINKS)
			return errf(-E2BIG, "the file collector has too many programs");
		link = bpf_program__attach(program);
		if (!link) {
			err = -errno;
			return bpf_fail(err, "the file collector");
		}
		p->links[p->n_links++] = link;
	}
	return 0;
}

static struct bpf_program *fault_program(const struct file_programs *p)
{
	if (p->no_faults)
		return NULL;
	return p->no_fault_files ? p->skel->progs.on_fault_end_without_file
				 : p->skel->progs.on_fault_end;
}

static int open_faults(struct file_programs *p, unsigned int cpu)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_PAGE_FAULTS_MAJ,
		.sample_period = 1,
	};
	int fd = perf_open(&attr, cpu), err;

	if (fd == -ENODEV)
		return 0; /* it went offline just now */
	if (fd < 0)
		return errf(fd, "cannot open the event of page faults of CPU %u: %s", cpu,
			    strerror(-fd));
	p->fault_links[cpu] = bpf_program__attach_perf_event(fault_program(p), fd);
	if (p->fault_links[cpu])
		return 0;
	err = -errno;
	close(fd);
	return bpf_fail(err, "the file collector's event of page faults");
}

int file_programs_follow(struct file_programs *p, const struct cpu_set *online)
{
	unsigned int cpu;
	int err = 0;

	if (!fault_program(p))
		return 0;
	for (cpu = 0; cpu < PERF_MAX_CPUS && !err; cpu++) {
		bool is_online = cpu_set_has(online, cpu);

		if (is_online && array_reserve(p->fault_links, p->fault_links_cap, cpu + 1ul))
			return errf(-ENOMEM, "no memory for the event of CPU %u", cpu);
		while (is_online && p->n_fault_links <= cpu)
			p->fault_links[p->n_fault_links++] = NULL;
		if (cpu >= p->n_fault_links)
			continue;
		if (is_online && !p->fault_links[cpu]) {
			err = open_faults(p, cpu);
		} else if (!is_online && p->fault_links[cpu]) {
			bpf_link__destroy(p->fault_links[cpu]);
			p->fault_links[cpu] = NULL;
		}
	}
	return err;
}

void file_programs_release(struct file_programs *p)
{
	size_t i;

	for (i = 0; i < p->n_fault_links; i++)
		bpf_link__destroy(p->fault_links[i]);
	free(p->fault_links);
	while (p->n_links)
		bpf_link__destroy(p->links[--p->n_links]);
}
