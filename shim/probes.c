/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Notes of SystemTap's format, version 3: address of the probe, of .stapsdt.base, and of a
 * semaphore (none); then provider, name and arguments, each with a NUL. The note is not loaded.
 * Source: https://sourceware.org/systemtap/wiki/UserSpaceProbeImplementation
 */
#include "shim/probes.h"

#if defined(__x86_64__)
/*
 * The nop of one byte is emulated by every kernel (branch_setup_xol_ops(),
 * arch/x86/kernel/uprobes.c), that of five, 0f 1f 44 00 00, is single-stepped by older ones.
 * Linux 6.18 replaces the latter by a call into a page that a process has and the children that it
 * forks have not: they die of SIGSEGV.
 */
#define NOP  "nop"
#define ARG1 "8@%rdi"
#define ARG2 "8@%rsi"
#define ARG3 "8@%rdx"
#elif defined(__aarch64__)
#define NOP  "nop"
#define ARG1 "8@x0"
#define ARG2 "8@x1"
#define ARG3 "8@x2"
#endif

/* In assembler, so that no compiler puts anything before the nop or leaves out an argument. */
#define PROBE(name, args)                                                       \
	__asm__(".pushsection .text\n"                                          \
		".balign 16\n"                                                  \
		".hidden probe_" #name "\n"                                     \
		".globl probe_" #name "\n"                                      \
		".type probe_" #name ", %function\n"                            \
		"probe_" #name ":\n"                                            \
		".cfi_startproc\n"                                              \
		"990:	" NOP "\n"                                              \
		"	ret\n"                                                        \
		".cfi_endproc\n"                                                \
		".size probe_" #name ", . - probe_" #name "\n"                  \
		".popsection\n"                                                 \
		".pushsection .note.stapsdt, \"\", %note\n"                     \
		".balign 4\n"                                                   \
		".4byte 992f - 991f, 994f - 993f, 3\n"                          \
		"991:	.asciz \"stapsdt\"\n"                                     \
		"992:	.balign 4\n"                                              \
		"993:	.8byte 990b, _.stapsdt.base, 0\n"                         \
		"	.asciz \"fathom_alloc\", \"" #name "\", \"" args "\"\n" \
		"994:	.balign 4\n"                                              \
		".popsection")

__asm__(".pushsection .stapsdt.base, \"aG\", %progbits, .stapsdt.base, comdat\n"
	".weak _.stapsdt.base\n"
	".hidden _.stapsdt.base\n"
	"_.stapsdt.base:	.space 1\n"
	".size _.stapsdt.base, 1\n"
	".popsection");

PROBE(made, ARG1 " " ARG2 " " ARG3);
PROBE(freed, ARG1 " " ARG2);
PROBE(moving, ARG1);
PROBE(moved, ARG1 " " ARG2);
PROBE(mapped, ARG1 " " ARG2);
PROBE(unmapped, ARG1 " " ARG2);
PROBE(settling, ARG1);
