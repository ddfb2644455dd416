/* SPDX-License-Identifier: BSD-2-Clause */
/* Which programs follow a kernel's memory, by what its tracepoints hand out, and how that is told.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include <bpf/btf.h>

#include "user/base/array.h"
#include "user/base/cleanup.h"
#include "user/collect/kmem_programs.h"
#include "user/collect/kmem_tags.h"

/* btf_trace_NAME: a pointer to a function of a context and these arguments: 'p' is a pointer, 'n' a
 * number. */
static void add_tracepoint(struct btf *btf, const char *name, const char *arguments)
{
	int number = btf__add_int(btf, "long", 8, 0), pointer = btf__add_ptr(btf, 0);
	int proto = btf__add_func_proto(btf, 0);
	char text[64];

	assert_true(number > 0 && pointer > 0 && proto > 0);
	assert_int_equal(btf__add_func_param(btf, "a", pointer), 0);
	for (; *arguments; arguments++)
		assert_int_equal(
			btf__add_func_param(btf, "a", *arguments == 'p' ? pointer : number), 0);
	snprintf(text, sizeof(text), "btf_trace_%s", name);
	assert_true(btf__add_typedef(btf, text, btf__add_ptr(btf, proto)) > 0);
}

/* All programs of bpf/kmem.bpf.c that are not the same everywhere. */
static const struct {
	const char *program, *tracepoint;
} programs[] = {
	{ "on_kmalloc", "kmalloc" },
	{ "on_kmalloc_c", "kmalloc" },
	{ "on_kmalloc_node", "kmalloc_node" },
	{ "on_kmalloc_node_c", "kmalloc_node" },
	{ "on_object", "kmem_cache_alloc" },
	{ "on_object_s", "kmem_cache_alloc" },
	{ "on_object_node", "kmem_cache_alloc_node" },
	{ "on_object_node_s", "kmem_cache_alloc_node" },
};

/* Exactly those in 'wanted' fit, which names them with a blank behind each. */
static void assert_chosen(const struct btf *btf, const char *wanted)
{
	char name[64];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(programs); i++) {
		bool is_wanted;

		snprintf(name, sizeof(name), "%s ", programs[i].program);
		is_wanted = strstr(wanted, name);
		if (kmem_program_fits(btf, programs[i].program, programs[i].tracepoint) !=
		    is_wanted)
			fail_msg("%s is%s wanted", name, is_wanted ? "" : " not");
	}
}

static void each_kernel_has_the_programs_that_fit_it(void **state)
{
	static const struct {
		const char *kmalloc, *kmalloc_node, *object, *object_node, *wanted;
	} kernels[] = {
		/* 5.10 */
		{ "npnnn", "npnnnn", "npnnn", "npnnnn",
		  "on_kmalloc on_kmalloc_node on_object_s on_object_node_s " },
		/* 5.19: the cache in front of the sizes */
		{ "nppnnn", "nppnnnn", "nppnnn", "nppnnnn",
		  "on_kmalloc_c on_kmalloc_node_c on_object on_object_node " },
		/* 6.1 and later: one tracepoint each, with the node */
		{ "npnnnn", NULL, "nppnn", NULL, "on_kmalloc on_object " },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(kernels); i++) {
		struct btf *btf = btf__new_empty();

		assert_non_null(btf);
		add_tracepoint(btf, "kmalloc", kernels[i].kmalloc);
		add_tracepoint(btf, "kmem_cache_alloc", kernels[i].object);
		if (kernels[i].kmalloc_node)
			add_tracepoint(btf, "kmalloc_node", kernels[i].kmalloc_node);
		if (kernels[i].object_node)
			add_tracepoint(btf, "kmem_cache_alloc_node", kernels[i].object_node);
		add_tracepoint(btf, "kfree", "np");
		assert_chosen(btf, kernels[i].wanted);
		assert_true(kmem_program_fits(btf, "on_kfree", "kfree"));
		assert_false(kmem_program_fits(btf, "on_pages", "mm_page_alloc"));
		btf__free(btf);
	}
}

static size_t ranges_of(const char *text, struct ft_kmem_range ret[FT_KMEM_MAX_RANGES])
{
	_cleanup_(fclosep) FILE *f = fmemopen((void *)text, strlen(text), "r");

	assert_non_null(f);
	memset(ret, 0, sizeof(*ret) * FT_KMEM_MAX_RANGES);
	return kmem_slab_ranges(f, ret);
}

static void functions_that_take_pages_for_objects_are_found(void **state)
{
	static const char text[] = "ffffffff81000000 T _text\n"
				   "ffffffff81000100 t alloc_slab_page\n"
				   "ffffffff81000100 t an_alias\n"
				   "ffffffff81000180 t allocate_slab.isra.0\n"
				   "ffffffff810001c0 t allocate_slabs_of_another_kind\n"
				   "ffffffff810001e0 d new_slab\n"
				   "ffffffff81000200 T ___slab_alloc\n"
				   "ffffffff81000300 T kfree\n"
				   "ffffffffc0000000 t new_slab\t[module]\n";
	struct ft_kmem_range ranges[FT_KMEM_MAX_RANGES];

	(void)state;
	assert_int_equal(ranges_of(text, ranges), 3);
	assert_int_equal(ranges[0].start, 0xffffffff81000100);
	assert_int_equal(ranges[0].end, 0xffffffff81000180);
	assert_int_equal(ranges[1].start, 0xffffffff81000180);
	assert_int_equal(ranges[1].end, 0xffffffff810001c0);
	assert_int_equal(ranges[2].start, 0xffffffff81000200);
	assert_int_equal(ranges[2].end, 0xffffffff81000300);
}

static void hidden_addresses_are_no_functions(void **state)
{
	struct ft_kmem_range ranges[FT_KMEM_MAX_RANGES];

	(void)state;
	assert_int_equal(
		ranges_of("0000000000000000 t new_slab\n0000000000000000 t kfree\n", ranges), 0);
	assert_int_equal(ranges_of("new_slab\n\n? t new_slab\n", ranges), 0);
}

static void there_is_room_for_so_many_functions(void **state)
{
	struct ft_kmem_range ranges[FT_KMEM_MAX_RANGES];
	char text[2048];
	size_t i, at = 0;

	(void)state;
	for (i = 0; i < 2 * FT_KMEM_MAX_RANGES + 1; i++)
		at += snprintf(text + at, sizeof(text) - at, "ffffffff81%06zx t new_slab.%zu\n",
			       16 * i, i);
	assert_int_equal(ranges_of(text, ranges), FT_KMEM_MAX_RANGES);
	assert_int_equal(ranges[FT_KMEM_MAX_RANGES - 1].end, 0xffffffff81000080);
}

static void assert_told(struct kmem_tags *tags, uint32_t kind, uint32_t detail, const char *cache,
			const char *leaf)
{
	struct ft_alloc_site_key key = { .kind = kind, .detail = detail };
	struct ft_kmem_cache c = { 0 };
	struct sample_tag told;
	int64_t tag;

	if (cache)
		memcpy(c.name, cache, strnlen(cache, sizeof(c.name)));
	tag = kmem_tags_add(tags, &key, cache ? &c : NULL);
	assert_true(tag >= 0);
	kmem_tags_describe(tags, tag, &told);
	assert_string_equal(told.leaf, leaf);
}

static void each_kind_of_memory_has_its_name(void **state)
{
	struct kmem_tags tags;

	(void)state;
	kmem_tags_init(&tags);
	assert_told(&tags, FT_ALLOC_KMALLOC, 96, NULL, "[kmalloc-96]");
	assert_told(&tags, FT_ALLOC_KMALLOC, 8192, NULL, "[kmalloc-8k]");
	assert_told(&tags, FT_ALLOC_CACHE, 77, "dentry", "[cache dentry]");
	assert_told(&tags, FT_ALLOC_CACHE, 78, NULL, "[cache unknown]");
	assert_told(&tags, FT_ALLOC_CACHE, FT_KMEM_BY_SIZE | 192, NULL, "[cache of 192 bytes]");
	assert_told(&tags, FT_ALLOC_PAGES, 3, NULL, "[pages order 3]");
	assert_told(&tags, FT_ALLOC_PAGES, FT_KMEM_OF_SLAB | 1, NULL, "[slab pages order 1]");
	/* A name without an end does not run into what follows. */
	assert_told(&tags, FT_ALLOC_CACHE, 79, "a_name_of_a_cache_that_is_longer_than_its_place",
		    "[cache a_name_of_a_cache_that_is_longer_than_i]");
	kmem_tags_release(&tags);
}

static void caches_of_one_name_are_one(void **state)
{
	struct ft_alloc_site_key one = { .kind = FT_ALLOC_CACHE, .detail = 1 }, other = one;
	struct ft_kmem_cache a = { .cache = 1, .name = "dentry" },
			     b = { .cache = 2, .name = "dentry" };
	struct kmem_tags tags;

	(void)state;
	kmem_tags_init(&tags);
	other.detail = 2;
	assert_int_equal(kmem_tags_add(&tags, &one, &a), kmem_tags_add(&tags, &other, &b));
	kmem_tags_release(&tags);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kernel_has_the_programs_that_fit_it),
		cmocka_unit_test(functions_that_take_pages_for_objects_are_found),
		cmocka_unit_test(hidden_addresses_are_no_functions),
		cmocka_unit_test(there_is_room_for_so_many_functions),
		cmocka_unit_test(each_kind_of_memory_has_its_name),
		cmocka_unit_test(caches_of_one_name_are_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
