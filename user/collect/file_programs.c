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

/* Completions with a request's address come in two shapes. */
static enum file_completion completion_of(const struct btf *btf)
{
	const struct btf_type *t = tracepoint_type(btf, "io_uring_complete");

	if (is_pointer_to(btf, t, 2, "io_uring_cqe"))
		return FILE_COMPLETION_CQE;
	/* (ctx, req, user_data, res, cflags, extra1, extra2), from 5.18 on; without req: 5 or less.
	 */
	return t && btf_vlen(t) == 8 ? FILE_COMPLETION_RESULT : FILE_COMPLETION_NONE;
}

static void look_at_uring(const struct btf *btf, struct file_kernel *ret)
{
	static const char *const submissions[] = { "io_uring_submit_req", "io_uring_submit_sqe" };
	size_t i;

	ret->completion = completion_of(btf);
	for (i = 0; i < ARRAY_SIZE(submissions) && !ret->submission; i++) {
		if (is_pointer_to(btf, tracepoint_type(btf, submissions[i]), 0, "io_kiocb"))
			ret->submission = submissions[i];
	}
	if (!ret->submission || ret->completion == FILE_COMPLETION_NONE)
		ret->no_uring = "this kernel's tracepoints do not tell which request of io_uring "
				"completes (6.0 and later do)";
}

int file_kernel_look(struct file_kernel *ret)
{
	struct btf *btf = btf__load_vmlinux_btf();

	*ret = (struct file_kernel){ 0 };
	if (!btf)
		return bpf_fail(-errno, "the file collector");
	if (!tracepoint_type(btf, "block_bio_queue"))
		ret->no_touched = "this kernel has no block devices";
	if (!tracepoint_type(btf, "page_fault_user"))
		ret->no_faults = "this kernel has no tracepoint where page faults begin";
	else if (libbpf_probe_bpf_helper(BPF_PROG_TYPE_PERF_EVENT, BPF_FUNC_find_vma, NULL) != 1)
		ret->no_fault_files = "this kernel cannot look up a mapping (5.17 and later can)";
	look_at_uring(btf, ret);
	btf__free(btf);
	return 0;
}

/* --- what is loaded of it ------------------------------------------------------------------ */

/* 0 or -errno. */
static int choose(const struct file_kernel *has, struct file_bpf *skel)
{
	bool with_uring = !has->no_uring, with_faults = !has->no_faults;
	const struct {
		struct bpf_program *program;
		bool is_wanted;
	} programs[] = {
		{ skel->progs.on_bio, !has->no_touched },
		{ skel->progs.on_fault_begin, with_faults },
		{ skel->progs.on_fault_end, with_faults && !has->no_fault_files },
		{ skel->progs.on_fault_end_without_file, with_faults && has->no_fault_files },
		{ skel->progs.on_uring_submit, with_uring },
		{ skel->progs.on_uring_complete,
		  with_uring && has->completion == FILE_COMPLETION_RESULT },
		{ skel->progs.on_uring_complete_cqe,
		  with_uring && has->completion == FILE_COMPLETION_CQE },
	};
	size_t i;
	int err = 0;

	for (i = 0; i < ARRAY_SIZE(programs) && !err; i++)
		err = bpf_program__set_autoload(programs[i].program, programs[i].is_wanted);
	if (!err && with_uring)
		err = bpf_program__set_attach_target(skel->progs.on_uring_submit, 0,
						     has->submission);
	return err;
}

int file_programs_choose(struct file_programs *p, struct file_bpf *skel, bool only_calls)
{
	static const char refused[] = "this kernel refuses the programs";
	int err;

	*p = (struct file_programs){ .skel = skel };
	err = file_kernel_look(&p->has);
	if (err)
		return err;
	if (only_calls)
		p->has.no_touched = p->has.no_faults = p->has.no_uring = refused;
	err = choose(&p->has, skel);
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
	if (p->has.no_faults)
		return NULL;
	return p->has.no_fault_files ? p->skel->progs.on_fault_end_without_file
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
