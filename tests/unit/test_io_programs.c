/* SPDX-License-Identifier: BSD-2-Clause */
/* What a kernel's types tell of the tracepoints that it has. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include <bpf/btf.h>

#include "user/collect/io_programs.h"

/* btf_trace_NAME: a pointer to a function of a context and n arguments. */
static void add_tracepoint(struct btf *btf, const char *name, int n)
{
	int number = btf__add_int(btf, "long", 8, 0), proto = btf__add_func_proto(btf, 0), i;
	char text[64];

	assert_true(number > 0 && proto > 0);
	for (i = 0; i <= n; i++)
		assert_int_equal(btf__add_func_param(btf, "a", number), 0);
	snprintf(text, sizeof(text), "btf_trace_%s", name);
	assert_true(btf__add_typedef(btf, text, btf__add_ptr(btf, proto)) > 0);
}

static void what_a_kernel_lacks_is_said(void **state)
{
	struct btf *btf = btf__new_empty();
	struct io_kernel has;

	(void)state;
	assert_non_null(btf);
	add_tracepoint(btf, "block_getrq", 1);
	io_kernel_of(btf, &has);
	assert_non_null(has.no_lineage);
	assert_non_null(has.no_writeback);
	assert_non_null(has.no_merges);
	assert_non_null(has.no_queue);
	add_tracepoint(btf, "block_bio_remap", 3);
	add_tracepoint(btf, "block_bio_backmerge", 1);
	io_kernel_of(btf, &has);
	assert_null(has.no_lineage);
	assert_non_null(has.no_merges); /* one of two */
	add_tracepoint(btf, "block_bio_frontmerge", 1);
	add_tracepoint(btf, "block_rq_insert", 1);
	io_kernel_of(btf, &has);
	assert_null(has.no_merges);
	assert_null(has.no_queue);
	assert_non_null(has.no_writeback);
	btf__free(btf);
}

static void before_5_17_pages_are_dirtied_and_after_that_folios(void **state)
{
	static const char *const names[] = { "writeback_dirty_page", "writeback_dirty_folio" };
	struct io_kernel has;
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		struct btf *btf = btf__new_empty();

		assert_non_null(btf);
		add_tracepoint(btf, names[i], 2);
		io_kernel_of(btf, &has);
		assert_null(has.no_writeback);
		btf__free(btf);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_kernel_lacks_is_said),
		cmocka_unit_test(before_5_17_pages_are_dirtied_and_after_that_folios),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
