/* SPDX-License-Identifier: BSD-2-Clause */
/* bpf/own_stack.bpf.h: all programs of uprobes have the call that keeps their stack their own. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <stdbool.h>

#include "bpf/alloc_wire.h"
#include "bpf/draw_wire.h"

#include "alloc.skel.h"

static bool has_tail_call(const struct bpf_program *program)
{
	const struct bpf_insn *insns = bpf_program__insns(program);
	size_t i;

	for (i = 0; i < bpf_program__insn_cnt(program); i++) {
		if (insns[i].code == (BPF_JMP | BPF_CALL) && !insns[i].src_reg &&
		    insns[i].imm == BPF_FUNC_tail_call)
			return true;
	}
	return false;
}

static void programs_of_uprobes_have_a_tail_call(void **state)
{
	struct alloc_bpf *skel = alloc_bpf__open();
	struct bpf_program *program;
	int n = 0;

	(void)state;
	assert_non_null(skel);
	bpf_object__for_each_program(program, skel->obj)
	{
		if (bpf_program__type(program) != BPF_PROG_TYPE_KPROBE)
			continue;
		n++;
		if (!has_tail_call(program))
			fail_msg("%s has none", bpf_program__name(program));
	}
	assert_in_range(n, 10, 100);
	assert_int_equal(skel->rodata->cfg_never, 0);
	alloc_bpf__destroy(skel);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(programs_of_uprobes_have_a_tail_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
