/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/kmem_programs.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "bpf/draw_wire.h"

#include "kmem.skel.h"
#include "user/base/array.h"
#include "user/base/cleanup.h"
#include "user/base/err.h"
#include "user/collect/tracepoint_shape.h"

/* --- programs ------------------------------------------------------------------------------ */

static const char *const needed[] = { "kmalloc",	 "kfree",	  "kmem_cache_alloc",
				      "kmem_cache_free", "mm_page_alloc", "mm_page_free" };

static bool ends_in(const char *text, const char *suffix)
{
	size_t len = strlen(text), n = strlen(suffix);

	return len > n && !strcmp(text + len - n, suffix);
}

bool kmem_program_fits(const struct btf *btf, const char *program, const char *tracepoint)
{
	bool has_cache = tracepoint_has_pointer(btf, tracepoint, 2);

	if (tracepoint_arguments(btf, tracepoint) < 0)
		return false;
	if (!strncmp(tracepoint, "kmalloc", strlen("kmalloc")))
		return ends_in(program, "_c") == has_cache;
	if (!strncmp(tracepoint, "kmem_cache_alloc", strlen("kmem_cache_alloc")))
		return ends_in(program, "_s") != has_cache;
	return true;
}

static int look(const struct btf *btf, struct kmem_kernel *ret)
{
	size_t i;

	*ret = (struct kmem_kernel){ 0 };
	for (i = 0; i < ARRAY_SIZE(needed); i++) {
		if (tracepoint_arguments(btf, needed[i]) < 0)
			return errf(-ENOTSUP,
				    "this kernel has no tracepoint %s: it was built without "
				    "tracepoints",
				    needed[i]);
	}
	if (!tracepoint_has_pointer(btf, "kmem_cache_alloc", 2))
		ret->no_cache = "this kernel's tracepoints do not tell of caches (5.19 and later "
				"do): objects are told apart by their size";
	return 0;
}

static int load_types(struct btf **ret)
{
	*ret = btf__load_vmlinux_btf();
	return *ret ? 0 : errf(-ENOTSUP, "cannot read this kernel's BTF: %m");
}

int kmem_kernel_look(struct kmem_kernel *ret)
{
	struct btf *btf;
	int err = load_types(&btf);

	if (err)
		return err;
	err = look(btf, ret);
	btf__free(btf);
	return err;
}

static int choose(struct kmem_bpf *skel, const struct btf *btf)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, skel->obj)
	{
		const char *name = bpf_program__name(program);
		const char *tracepoint = strchr(bpf_program__section_name(program), '/');
		bool fits = tracepoint && kmem_program_fits(btf, name, tracepoint + 1);

		if (bpf_program__set_autoload(program, fits))
			return errf(-EINVAL, "cannot choose the program %s", name);
	}
	return 0;
}

/* --- where the allocator of objects takes pages --------------------------------------------- */

/* Of SLUB and of SLAB (mm/slub.c, mm/slab.c); what is inlined into its caller stands there. */
static bool takes_pages(const char *name)
{
	static const char *const names[] = { "allocate_slab", "alloc_slab_page", "new_slab",
					     "___slab_alloc", "__slab_alloc",	 "cache_grow_begin",
					     "refill_objects" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		size_t n = strlen(names[i]);

		/* Compilers add ".isra.0" and the like. */
		if (!strncmp(name, names[i], n) && (!name[n] || name[n] == '.'))
			return true;
	}
	return false;
}

/* The kernel's own functions stand in the order of their addresses; modules follow. */
size_t kmem_slab_ranges(FILE *kallsyms, struct ft_kmem_range ret[FT_KMEM_MAX_RANGES])
{
	char line[512], name[128], module;
	bool is_open = false;
	size_t n = 0;

	while (fgets(line, sizeof(line), kallsyms)) {
		uint64_t address;
		char type;

		if (sscanf(line, "%" SCNx64 " %c %127s %c", &address, &type, name, &module) != 3 ||
		    !address)
			continue;
		if (is_open && address > ret[n].start) {
			ret[n++].end = address;
			is_open = false;
		}
		if (n == FT_KMEM_MAX_RANGES)
			break;
		if (!is_open && strchr("tT", type) && takes_pages(name)) {
			ret[n].start = address;
			is_open = true;
		}
	}
	return n;
}

static void tell_slab_code(struct kmem_bpf *skel, struct kmem_kernel *has)
{
	_cleanup_(fclosep) FILE *f = fopen("/proc/kallsyms", "re");
	size_t n = f ? kmem_slab_ranges(f, (struct ft_kmem_range *)skel->rodata->cfg_slab_code) : 0;

	skel->rodata->cfg_slab_ranges = n;
	if (!n)
		has->no_slab_code = "the kernel hides where its functions are: pages that hold "
				    "objects look like all others";
}

int kmem_programs_choose(struct kmem_bpf *skel, struct kmem_kernel *ret)
{
	struct btf *btf;
	int err = load_types(&btf);

	if (err)
		return err;
	err = look(btf, ret);
	if (!err)
		err = choose(skel, btf);
	btf__free(btf);
	if (!err)
		tell_slab_code(skel, ret);
	return err;
}
