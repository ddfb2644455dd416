/* SPDX-License-Identifier: BSD-2-Clause */
/* Where probes go, in prologues of allocators as Debian has them, and in bytes of nobody. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/collect/prologue.h"

#define ADDRESS 0x401000

static int choose_in(uint16_t machine, const char *hex, unsigned int n_args, bool stack_may_move,
		     struct prologue_point *ret)
{
	size_t len = 0;
	uint8_t *bytes = malloc(strlen(hex) + 1); /* not more than there are: ASan looks */
	struct code code = { .machine = machine, .address = ADDRESS };
	char *end;
	int err;

	assert_non_null(bytes);
	while (*hex) {
		bytes[len++] = strtoul(hex, &end, 16);
		assert_true(end > hex);
		hex = end + strspn(end, " ");
	}
	bytes = realloc(bytes, len ? len : 1);
	assert_non_null(bytes);
	code.bytes = bytes;
	code.len = len;
	err = prologue_choose(&code, n_args, stack_may_move, ret);
	free(bytes);
	return err;
}

static void at(uint32_t offset, const char *hex, unsigned int n_args)
{
	struct prologue_point p;

	assert_int_equal(choose_in(EM_X86_64, hex, n_args, false, &p), 0);
	assert_int_equal(p.offset, offset);
	assert_int_equal(p.stack_bytes, 0);
	assert_false(p.is_slow);
}

static void slow(const char *hex, unsigned int n_args)
{
	struct prologue_point p;

	assert_int_equal(choose_in(EM_X86_64, hex, n_args, false, &p), 0);
	assert_int_equal(p.offset, 0);
	assert_true(p.is_slow);
}

static void a_push_is_taken_where_it_is(void **state)
{
	(void)state;
	/* glibc 2.36 and 2.41, malloc: push %r12 */
	at(0, "41 54 55 53 48 89 fb 48 83 ec 10 80 3d 46 1b 14 00 00 0f 84 f8 01 00 00", 1);
	/* 2.31: mov __malloc_hook, %rax; push %r12 */
	at(7, "48 8b 05 09 81 14 00 41 54 55 48 89 fd 53 48 8b 00 48 85 c0", 1);
	/* 2.36, posix_memalign: cmpb $0, (%rip); push %r12 */
	at(7, "80 3d 01 02 14 00 00 41 54 49 89 d4 55 48 89 fd 53", 3);
	/* 2.36, calloc: push %r13; what comes behind has nothing to say */
	at(0, "41 55 48 89 f8 41 54 55 53 48 83 ec 18 48 f7 e6", 2);
}

static void a_branch_is_taken_but_nothing_behind_it(void **state)
{
	(void)state;
	/* glibc 2.36, free: test %rdi, %rdi; je */
	at(3, "48 85 ff 0f 84 bf 00 00 00 55 48 8d 77 f0 53", 1);
	/* jemalloc 5.3, malloc: cmp $0x1000, %rdi; ja */
	at(7, "48 81 ff 00 10 00 00 0f 87 93 00 00 00 48 8d 15 5c 7f 2c 00", 1);
	/* the same, free: the first branch is the tenth instruction */
	at(48,
	   "48 89 f8 48 8b 15 0e 53 0a 00 48 89 f9 48 c1 e8 1a 48 81 e1 00 00 00 c0 25 f0 00 00 00 "
	   "64 48 03 04 25 00 00 00 00 48 01 d0 48 3b 88 b0 01 00 00 0f 85 8a 00 00 00",
	   1);
	/* gperftools 2.10, malloc: mov; test; jne */
	at(10, "48 8b 05 59 ab 00 00 48 85 c0 75 75 48 8b 05 05 a1 00 00", 1);
	/* musl 1.2.3: jmp, and 1.2.5: endbr64; jmp */
	at(0, "e9 6b 19 00 00 66 2e 0f 1f 84 00", 1);
	at(4, "f3 0f 1e fa e9 c7 0b 00 00", 1);
	/* call: what it returns to is not looked at */
	at(3, "48 89 f8 e8 00 00 00 00 55", 1);
	/* jrcxz, loop, an indirect jump and ret are single-stepped, and end it */
	slow("48 89 f8 e3 10 55", 1);
	slow("e2 10 55", 1);
	slow("ff e0 55", 1);
	slow("c3 55", 1);
}

static void only_some_nops_are_executed_by_the_kernel(void **state)
{
	struct prologue_point p;

	(void)state;
	at(0, "90 48 89 f8", 1);
	at(4, "f3 0f 1e fa 90 c3", 1);
	/* nopl, nopw and nop with a prefix; the first is replaced by what a forked child has not */
	assert_int_equal(choose_in(EM_X86_64, "0f 1f 44 00 00 c3", 1, false, &p), -EOPNOTSUPP);
	at(5, "0f 1f 44 00 00 55 c3", 1);
	slow("66 90 c3", 1);
	/* xchg %r8, %rax is a nop to no one */
	slow("41 90 c3", 1);
	/* push $1, push (%rax), push %fs and push %r12 with another REX */
	slow("6a 01 c3", 1);
	slow("ff 30 c3", 1);
	slow("0f a0 c3", 1);
	slow("4f 54 c3", 1);
}

static void arguments_must_be_where_they_were(void **state)
{
	(void)state;
	/* mimalloc 2.0, malloc: mov; mov %rdi, %rsi; mov %fs:(%rax), %rdi; cmp; ja */
	slow("48 8b 05 49 b4 00 00 48 89 fe 64 48 8b 38 48 81 fe 00 04 00 00 77 29", 1);
	/* glibc 2.36, reallocarray: mov %rsi, %rax; mul %rdx; mov %rax, %rsi; jo */
	slow("48 89 f0 48 f7 e2 48 89 c6 70 05", 3);
	at(9, "48 89 f0 48 f7 e2 48 89 c6 70 05", 1);
	/* xor %edx, %edx does no harm to two arguments, and mul (%rdi) none to one */
	at(2, "31 d2 90", 2);
	slow("31 d2 90", 3);
	slow("40 b7 01 90", 1);	      /* mov $1, %dil */
	slow("66 be 01 00 90", 2);    /* mov $1, %si */
	slow("b6 01 90", 3);	      /* mov $1, %dh */
	slow("48 99 90", 3);	      /* cqto */
	slow("f3 a4 90", 1);	      /* rep movsb */
	slow("48 87 f8 90", 1);	      /* xchg %rdi, %rax */
	slow("48 87 c7 90", 1);	      /* the same, the other way round */
	slow("48 0f b1 3f 5f 90", 1); /* pop %rdi */
}

static void the_stack_must_be_where_it_was(void **state)
{
	struct prologue_point p;

	(void)state;
	slow("48 83 ec 18 90", 1);
	slow("5d 90", 1);	      /* pop */
	slow("48 89 ec 90", 1);	      /* mov %rbp, %rsp */
	slow("48 8d 64 24 f8 90", 1); /* lea */
	slow("c8 10 00 00 90", 1);    /* enter */
	/* glibc 2.31, free: sub $0x18, %rsp; mov; mov; test; jne */
	assert_int_equal(choose_in(EM_X86_64,
				   "48 83 ec 18 48 8b 05 dd 7a 14 00 48 8b 00 48 85 c0 0f 85 81 00 "
				   "00 00 48 85 ff",
				   1, true, &p),
			 0);
	assert_int_equal(p.offset, 17);
	assert_int_equal(p.stack_bytes, 0x18);
	assert_false(p.is_slow);
	/* not by an unknown distance, nor too far, nor up */
	assert_int_equal(choose_in(EM_X86_64, "48 29 c4 90", 1, true, &p), 0);
	assert_true(p.is_slow);
	assert_int_equal(choose_in(EM_X86_64, "48 81 ec 00 04 00 00 90", 1, true, &p), 0);
	assert_true(p.is_slow);
	assert_int_equal(choose_in(EM_X86_64, "48 83 ec f8 90", 1, true, &p), 0);
	assert_true(p.is_slow);
}

/* A loop would be counted each time around. */
static void a_place_that_is_jumped_back_to_is_not_taken(void **state)
{
	(void)state;
	at(3, "48 89 f8 90 48 ff c8 75 f3 c3", 1);    /* to the first byte: a call as any other */
	slow("48 89 f8 90 48 ff c8 75 fa c3", 1);     /* to the nop */
	slow("48 89 f8 48 89 c1 90 75 fa c3", 1);     /* to what is before it */
	at(6, "48 89 f8 48 89 c1 90 90 75 fd c3", 1); /* behind it */
}

static void bytes_that_are_no_code_are_refused(void **state)
{
	struct prologue_point p = { .offset = 77 };

	(void)state;
	assert_int_equal(choose_in(EM_X86_64, "", 1, false, &p), -EINVAL);
	assert_int_equal(choose_in(EM_X86_64, "06", 1, false, &p), -EINVAL);
	assert_int_equal(choose_in(EM_X86_64, "48", 1, false, &p), -EINVAL);
	assert_int_equal(choose_in(EM_X86_64, "0f 84 bf 00", 1, false, &p), -EINVAL);
	assert_int_equal(choose_in(EM_X86_64, "66 66 66 66 66 66 66 66 66 66 66 66 66 66 66 66", 1,
				   false, &p),
			 -EINVAL);
	assert_int_equal(choose_in(EM_386, "55", 1, false, &p), -ENOTSUP);
	assert_int_equal(p.offset, 77); /* untouched on failure */
	/* cut short behind the first instruction */
	slow("48 89 f8 48", 1);
	slow("48 89 f8 0f 84 00", 1);
	slow("48 89 f8 06 55", 1);
}

static void every_string_of_bytes_has_an_answer(void **state)
{
	struct prologue_point p;
	uint64_t seed = 12345;
	uint8_t bytes[48];
	int i;
	size_t j;

	(void)state;
	for (i = 0; i < 20000; i++) {
		struct code code = {
			.machine = i & 1 ? EM_X86_64 : EM_AARCH64,
			.bytes = bytes,
			.len = i % (int)sizeof(bytes),
			.address = i & 2 ? UINT64_MAX - 8 : ADDRESS,
		};

		for (j = 0; j < sizeof(bytes); j++) {
			seed = seed * 6364136223846793005ull + 1442695040888963407ull;
			bytes[j] = seed >> 56;
		}
		if (prologue_choose(&code, i % 4, i & 4, &p))
			continue;
		assert_true(p.offset < code.len);
		assert_true(!p.is_slow || !p.offset);
	}
}

static void arm64(uint32_t offset, bool is_slow, const char *hex)
{
	struct prologue_point p;

	assert_int_equal(choose_in(EM_AARCH64, hex, 1, true, &p), 0);
	assert_int_equal(p.is_slow, is_slow);
	assert_int_equal(p.offset, offset);
}

static void arm64_has_branches_that_the_kernel_simulates(void **state)
{
	(void)state;
	/* glibc 2.41, free: bti c; cbz x0; and malloc: paciasp; stp */
	arm64(4, false, "5f 24 03 d5 a0 0e 00 b4 3f 23 03 d5");
	arm64(0, true, "3f 23 03 d5 fd 7b bc a9 fd 03 00 91 f7 1b 00 f9 f7 08 00 f0");
	/* jemalloc 5.3, malloc: bti c; mov x3, x0; cmp x0, #0x1000; b.hi */
	arm64(12, false, "5f 24 03 d5 e3 03 00 aa 1f 04 40 f1 08 04 00 54");
	/* b, nop, ret, tbz, adrp */
	arm64(0, false, "0a 00 00 14");
	arm64(0, false, "1f 20 03 d5");
	arm64(0, false, "c0 03 5f d6");
	arm64(0, false, "00 00 00 36");
	arm64(0, false, "01 00 00 90");
	/* mov x0, x1; b */
	arm64(0, true, "e0 03 01 aa 0a 00 00 14");
	/* mov x30, x1; b */
	arm64(0, true, "fe 03 01 aa 0a 00 00 14");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_push_is_taken_where_it_is),
		cmocka_unit_test(a_branch_is_taken_but_nothing_behind_it),
		cmocka_unit_test(only_some_nops_are_executed_by_the_kernel),
		cmocka_unit_test(arguments_must_be_where_they_were),
		cmocka_unit_test(the_stack_must_be_where_it_was),
		cmocka_unit_test(a_place_that_is_jumped_back_to_is_not_taken),
		cmocka_unit_test(bytes_that_are_no_code_are_refused),
		cmocka_unit_test(every_string_of_bytes_has_an_answer),
		cmocka_unit_test(arm64_has_branches_that_the_kernel_simulates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
