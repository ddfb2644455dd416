/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/unwind/special_code.h"

#include <string.h>

/* Of all segments together: small enough to be searched. What has more code is no C library. */
#define MAX_CODE (4u << 20)
/* Always searched: a vDSO has no more. */
#define LITTLE_CODE (64u << 10)
/* Behind an entry point that has no call frame information of its own comes code that belongs to
 * it: glibc's _dl_start_user has some 50 bytes. */
#define MAX_ROOT 128

/*
 * x86-64: "mov $15,%rax; syscall" (musl's __restore_rt). The stack pointer is at the ucontext,
 * since the return address has been popped; its gregs begin at 40 (Linux, asm/sigcontext.h): rbp is
 * number 10, rbx 11, rsp 15, rip 16.
 */
static const uint8_t x86_code[] = { 0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05 };
static const struct ft_unwind_rule x86_rule = {
	.cfa = FT_CFA_DEREF | FT_CFA_SIGNAL,
	.cfa_reg = FT_X86_RSP,
	.cfa_offset = 160,
	.ra = FT_SAVED_AT_SP,
	.ra_offset = 168,
	.fp_bx = FT_SAVED_AT_SP | FT_SAVED_AT_SP << 4,
	.fp_offset = 120,
	.bx_offset = 128,
};

/*
 * arm64: "mov x8, #139; svc #0" (the vDSO's __kernel_rt_sigreturn, without call frame information
 * since Linux 5.8; musl's). The stack pointer is at the siginfo of 128 bytes, the ucontext's
 * mcontext 176 bytes into that: x0 is at 312, x29 at 544, sp at 560, pc at 568 (Linux,
 * asm/sigcontext.h).
 */
static const uint8_t arm64_code[] = { 0x68, 0x11, 0x80, 0xd2, 0x01, 0, 0, 0xd4 };
static const struct ft_unwind_rule arm64_rule = {
	.cfa = FT_CFA_DEREF | FT_CFA_SIGNAL,
	.cfa_reg = FT_ARM64_SP,
	.cfa_offset = 560,
	.ra = FT_SAVED_AT_SP,
	.ra_offset = 568,
	.fp_bx = FT_SAVED_AT_SP,
	.fp_offset = 544,
};

static const struct ft_unwind_rule root_rule = { .cfa = FT_CFA_REG, .ra = FT_SAVED_UNDEFINED };

/* Keeps the order of addresses. */
static void add(struct special_code *special, uint64_t code, uint64_t len, uint64_t before,
		const struct ft_unwind_rule *rule)
{
	size_t i;

	if (special->n == SPECIAL_CODE_MAX)
		return;
	for (i = special->n++; i && special->at[i - 1].code > code; i--)
		special->at[i] = special->at[i - 1];
	special->at[i] = (struct special_range){
		.start = code - before, .end = code + len, .code = code, .rule = *rule
	};
}

/* Signal handlers return to these; callers are looked up at the byte before. */
static void find_signal_code(struct special_code *special, const struct elf_image *image,
			     const Elf64_Phdr *p)
{
	bool is_x86 = image->machine == EM_X86_64;
	const uint8_t *code = is_x86 ? x86_code : arm64_code, *at, *end, *hit;
	size_t len = is_x86 ? sizeof(x86_code) : sizeof(arm64_code);
	uint64_t address;
	Elf_Data *data;

	if (!p->p_filesz || elf_image_bytes_at(image, p->p_vaddr, MAX_CODE, &data))
		return;
	at = data->d_buf;
	end = at + data->d_size;
	while ((hit = memmem(at, end - at, code, len)) && special->n < SPECIAL_CODE_MAX) {
		address = p->p_vaddr + (hit - (const uint8_t *)data->d_buf);
		at = hit + len;
		if (is_x86)
			add(special, address, len, 1, &x86_rule);
		else if (address % 4 == 0)
			add(special, address, len, 4, &arm64_rule);
	}
}

/*
 * Where such code may be: in musl, which has no call frame information, be it shared or linked into
 * a static program; in a vDSO. Others are not read for it: that takes longer than their tables.
 */
static bool may_have_signal_code(const struct elf_image *image, const Elf64_Phdr *p)
{
	bool is_static = image->entry && !elf_image_segment_of_type(image, PT_INTERP);

	return p->p_filesz <= LITTLE_CODE || is_static ||
	       !elf_image_segment_of_type(image, PT_GNU_EH_FRAME);
}

void special_code_find(struct special_code *special, const struct elf_image *image)
{
	uint64_t left = MAX_CODE;
	size_t i;

	*special = (struct special_code){ .n = 0 };
	for (i = 0; i < image->n_phdrs; i++) {
		const Elf64_Phdr *p = &image->phdrs[i];

		if (p->p_type != PT_LOAD || !(p->p_flags & PF_X))
			continue;
		if (image->entry && image->entry >= p->p_vaddr &&
		    image->entry - p->p_vaddr < p->p_memsz)
			add(special, image->entry, MAX_ROOT, 0, &root_rule);
		if (p->p_filesz > left || !may_have_signal_code(image, p))
			continue;
		find_signal_code(special, image, p);
		left -= p->p_filesz;
	}
}

bool special_code_next(const struct special_code *special, uint64_t from, uint64_t to,
		       struct special_range *ret)
{
	size_t i;

	for (i = 0; i < special->n; i++) {
		const struct special_range *r = &special->at[i];
		uint64_t start = r->start > from ? r->start : from;
		uint64_t end = r->end < to ? r->end : to;

		if (r->code < from || start >= end)
			continue;
		*ret = *r;
		ret->start = start;
		ret->end = end;
		return true;
	}
	return false;
}
