/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/alloc_shim.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/types.h>
#include <stdlib.h>
#include <unistd.h>

#include "bpf/alloc_wire.h"
#include "bpf/draw_wire.h"

#include "alloc.skel.h"
#include "user/base/cleanup.h"
#include "user/base/err.h"

_Static_assert(SHIM_MADE == FT_ALLOC_PROBE_MADE && SHIM_FREED == FT_ALLOC_PROBE_FREED &&
		       SHIM_MOVING == FT_ALLOC_PROBE_MOVING && SHIM_MOVED == FT_ALLOC_PROBE_MOVED &&
		       SHIM_MAPPED == FT_ALLOC_PROBE_MAPPED &&
		       SHIM_UNMAPPED == FT_ALLOC_PROBE_UNMAPPED &&
		       SHIM_SETTLING == FT_ALLOC_PROBE_SETTLING &&
		       (int)SHIM_PROBES == FT_ALLOC_PROBES,
	       "cookies");

static void fill(struct alloc_bpf *skel, struct bpf_program *ret[SHIM_PROBES])
{
	ret[SHIM_MADE] = skel->progs.on_made;
	ret[SHIM_FREED] = skel->progs.on_freed;
	ret[SHIM_MOVING] = skel->progs.on_moving;
	ret[SHIM_MOVED] = skel->progs.on_moved;
	ret[SHIM_MAPPED] = skel->progs.on_mapped;
	ret[SHIM_UNMAPPED] = skel->progs.on_unmapped;
	ret[SHIM_SETTLING] = skel->progs.on_settling;
}

static void load_only(struct alloc_bpf *skel, bool one_for_all, bool one_for_each)
{
	struct bpf_program *programs[SHIM_PROBES];
	int i;

	fill(skel, programs);
	for (i = 0; i < SHIM_PROBES; i++)
		bpf_program__set_autoload(programs[i], one_for_each);
	bpf_program__set_autoload(skel->progs.on_probe, one_for_all);
}

void alloc_shim_leave_out(struct alloc_bpf *skel)
{
	load_only(skel, false, false);
}

void alloc_shim_choose(struct alloc_shim *s, struct alloc_bpf *skel, bool maps, bool in_use)
{
	enum uprobes_way way = uprobes_best_way();
	bool all = way >= UPROBES_MULTI &&
		   !uprobes_prepare(skel->progs.on_probe, UPROBES_MULTI, UPROBES_AT_ENTRY);

	s->skel = skel;
	s->maps = maps;
	s->in_use = in_use;
	s->way = all ? UPROBES_MULTI : UPROBES_PERF;
	load_only(skel, all, !all);
}

static bool is_wanted(const struct alloc_shim *s, enum shim_probe_kind kind)
{
	if (!s->in_use && (kind == SHIM_FREED || kind == SHIM_MOVING || kind == SHIM_MOVED ||
			   kind == SHIM_UNMAPPED))
		return false;
	return s->maps || (kind != SHIM_MAPPED && kind != SHIM_UNMAPPED);
}

static int attach_all(struct alloc_shim *s, int file, pid_t pid, const struct shim_probe *probes,
		      size_t n)
{
	_cleanup_(freep) struct uprobe_place *places = calloc(n, sizeof(*places));
	size_t i, wanted = 0;

	if (!places)
		return errf(-ENOMEM, "no memory for the alloc collector");
	for (i = 0; i < n; i++) {
		if (is_wanted(s, probes[i].kind))
			places[wanted++] =
				(struct uprobe_place){ probes[i].offset, probes[i].kind };
	}
	return uprobes_attach(&s->probes, bpf_program__fd(s->skel->progs.on_probe), s->way,
			      UPROBES_AT_ENTRY, file, pid, places, wanted);
}

static int attach_each(struct alloc_shim *s, int file, pid_t pid, const struct shim_probe *probes,
		       size_t n)
{
	struct bpf_program *programs[SHIM_PROBES];
	size_t i;
	int err = 0;

	fill(s->skel, programs);
	for (i = 0; i < n && !err; i++) {
		struct uprobe_place place = { .offset = probes[i].offset };

		if (is_wanted(s, probes[i].kind))
			err = uprobes_attach(&s->probes, bpf_program__fd(programs[probes[i].kind]),
					     s->way, UPROBES_AT_ENTRY, file, pid, &place, 1);
	}
	return err;
}

static int attach(struct alloc_shim *s, int file, pid_t pid, const struct shim_probe *probes,
		  size_t n)
{
	return s->way == UPROBES_MULTI ? attach_all(s, file, pid, probes, n)
				       : attach_each(s, file, pid, probes, n);
}

int alloc_shim_attach(struct alloc_shim *s, const char *path)
{
	_cleanup_(freep) struct shim_probe *probes = NULL;
	_cleanup_(closep) int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	size_t n;
	int err;

	if (file < 0)
		return errf(-errno, "cannot open '%s': %m", path);
	err = shim_probes_own(&probes, &n);
	return err ? err : attach(s, file, 0, probes, n);
}

int alloc_shim_attach_provider(struct alloc_shim *s, const struct alloc_provider *p)
{
	/* In all processes that have the file: children of this one are among them. */
	return attach(s, p->file, 0, p->probes, p->n_probes);
}

void alloc_shim_release(struct alloc_shim *s)
{
	uprobes_release(&s->probes);
}
