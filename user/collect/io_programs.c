/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/io_programs.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "bpf/io_wire.h"

#include "io.skel.h"
#include "user/base/array.h"
#include "user/base/cleanup.h"
#include "user/base/err.h"

/* What there must be; without the others less is known (struct io_kernel). */
static const char *const needed[] = { "block_getrq", "block_rq_issue", "block_rq_complete" };

/* Arguments of a tracepoint, of which the first is not counted; -1: there is none of that name. */
static int n_arguments(const struct btf *btf, const char *tracepoint)
{
	const struct btf_type *type;
	char name[128];
	int id, i;

	if ((size_t)snprintf(name, sizeof(name), "btf_trace_%s", tracepoint) >= sizeof(name))
		return -1;
	id = btf__find_by_name_kind(btf, name, BTF_KIND_TYPEDEF);
	if (id < 0)
		return -1;
	type = btf__type_by_id(btf, id);
	for (i = 0; i < 2 && type; i++) /* a pointer to a function */
		type = btf__type_by_id(btf, type->type);
	return type && btf_is_func_proto(type) && btf_vlen(type) ? btf_vlen(type) - 1 : -1;
}

void io_kernel_of(const struct btf *btf, struct io_kernel *ret)
{
	*ret = (struct io_kernel){ 0 };
	if (n_arguments(btf, "block_bio_remap") < 0)
		ret->no_lineage = "this kernel has no tracepoint where a device hands requests on";
	if (n_arguments(btf, "writeback_dirty_folio") < 0 &&
	    n_arguments(btf, "writeback_dirty_page") < 0)
		ret->no_writeback = "this kernel has no tracepoint where pages become dirty";
	if (n_arguments(btf, "block_bio_backmerge") < 0 ||
	    n_arguments(btf, "block_bio_frontmerge") < 0)
		ret->no_merges = "this kernel has no tracepoint where bios are merged";
	if (n_arguments(btf, "block_rq_insert") < 0)
		ret->no_queue = "this kernel has no tracepoint where requests are queued";
}

static int load_types(struct btf **ret)
{
	*ret = btf__load_vmlinux_btf();
	return *ret ? 0 : errf(-ENOTSUP, "cannot read this kernel's BTF: %m");
}

int io_kernel_look(struct io_kernel *ret)
{
	struct btf *btf;
	int err = load_types(&btf);

	if (err)
		return err;
	io_kernel_of(btf, ret);
	btf__free(btf);
	return 0;
}

/*
 * Which of the programs of one tracepoint it is: those whose names end in "_q" take what it has had
 * before 5.11, the queue first.
 */
static bool fits(const char *program, const char *tracepoint, int n)
{
	static const struct {
		const char *tracepoint;
		int n;
	} later[] = {
		{ "block_getrq", 1 },	       { "block_bio_backmerge", 1 },
		{ "block_bio_frontmerge", 1 }, { "block_rq_insert", 1 },
		{ "block_rq_issue", 1 },       { "block_rq_requeue", 1 },
		{ "block_rq_merge", 1 },       { "block_rq_complete", 3 },
		{ "block_bio_remap", 3 },      { "block_split", 2 },
		{ "writeback_dirty_page", 2 }, { "writeback_dirty_folio", 2 },
		{ "block_io_start", 1 },
	};
	/* What they had in front of that, and block_getrq behind it. */
	static const char suffix[] = "_q";
	size_t len = strlen(program), i;
	bool is_older = len > 2 && !strcmp(program + len - 2, suffix);

	for (i = 0; i < ARRAY_SIZE(later); i++) {
		if (!strcmp(tracepoint, later[i].tracepoint))
			return is_older ? n > later[i].n : n == later[i].n;
	}
	return false;
}

static int choose(struct io_bpf *skel, const struct btf *btf)
{
	struct bpf_program *program;
	size_t i;

	bpf_object__for_each_program(program, skel->obj)
	{
		const char *name = bpf_program__name(program);
		const char *tracepoint = strchr(bpf_program__section_name(program), '/');
		int n = tracepoint ? n_arguments(btf, tracepoint + 1) : -1;

		if (bpf_program__set_autoload(program, n >= 0 && fits(name, tracepoint + 1, n)))
			return errf(-EINVAL, "cannot choose the program %s", name);
	}
	for (i = 0; i < ARRAY_SIZE(needed); i++) {
		if (n_arguments(btf, needed[i]) < 0)
			return errf(-ENOTSUP,
				    "this kernel has no tracepoint %s: it was built without block "
				    "devices or without tracepoints",
				    needed[i]);
	}
	return 0;
}

/* The number of an enumerator, whatever its enumeration is called; -1: there is none. */
static int enumerator(const struct btf *btf, const char *name)
{
	uint32_t n = btf__type_cnt(btf), id;
	int i;

	for (id = 1; id < n; id++) {
		const struct btf_type *type = btf__type_by_id(btf, id);

		if (!btf_is_enum(type))
			continue;
		for (i = 0; i < btf_vlen(type); i++) {
			const char *have = btf__name_by_offset(btf, btf_enum(type)[i].name_off);

			if (have && !strcmp(have, name))
				return btf_enum(type)[i].val;
		}
	}
	return -1;
}

int io_programs_choose(struct io_bpf *skel, struct io_kernel *ret)
{
	struct btf *btf;
	int bit, err = load_types(&btf);

	if (err)
		return err;
	err = choose(skel, btf);
	io_kernel_of(btf, ret);
	/* Its enumeration had no name at first: CO-RE does not find it. */
	bit = enumerator(btf, "__RQF_FLUSH_SEQ");
	if (bit >= 0 && bit < 32)
		skel->rodata->cfg_flush_seq = 1u << bit;
	btf__free(btf);
	return err;
}
