/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * assembly: works in functions of which there is no call frame information: main, calls_assembly,
 * then half of the time assembly_leaf, which has no frame, half assembly_framed, which has a frame
 * pointer.
 *
 *   assembly SECONDS
 */
#include "chain.h"

void assembly_leaf(unsigned long n);
void assembly_framed(unsigned long n);

#if defined(__x86_64__)
__asm__(".text\n"
	".p2align 4\n"
	".globl assembly_leaf\n"
	".type assembly_leaf, @function\n"
	"assembly_leaf:\n"
	"1:	dec %rdi\n"
	"	jnz 1b\n"
	"	ret\n"
	".size assembly_leaf, . - assembly_leaf\n"
	".p2align 4\n"
	".globl assembly_framed\n"
	".type assembly_framed, @function\n"
	"assembly_framed:\n"
	"	push %rbp\n"
	"	mov %rsp, %rbp\n"
	"	push %rbx\n"
	"	sub $40, %rsp\n"
	"1:	dec %rdi\n"
	"	jnz 1b\n"
	"	add $40, %rsp\n"
	"	pop %rbx\n"
	"	pop %rbp\n"
	"	ret\n"
	".size assembly_framed, . - assembly_framed\n");
#elif defined(__aarch64__)
__asm__(".text\n"
	".p2align 4\n"
	".globl assembly_leaf\n"
	".type assembly_leaf, @function\n"
	"assembly_leaf:\n"
	"1:	subs x0, x0, #1\n"
	"	b.ne 1b\n"
	"	ret\n"
	".size assembly_leaf, . - assembly_leaf\n"
	".p2align 4\n"
	".globl assembly_framed\n"
	".type assembly_framed, @function\n"
	"assembly_framed:\n"
	"	stp x29, x30, [sp, #-32]!\n"
	"	mov x29, sp\n"
	"1:	subs x0, x0, #1\n"
	"	b.ne 1b\n"
	"	ldp x29, x30, [sp], #32\n"
	"	ret\n"
	".size assembly_framed, . - assembly_framed\n");
#else
#error "no assembly for this architecture"
#endif

static NOINLINE void calls_assembly(double until)
{
	while (cpu_now() < until) {
		assembly_leaf(200000);
		assembly_framed(200000);
	}
	STAY();
}

int main(int argc, char **argv)
{
	calls_assembly(cpu_now() + seconds_of(argc, argv));
	return 0;
}
