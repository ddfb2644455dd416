/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/prologue.h"

#include <capstone/capstone.h>
#include <elf.h>
#include <errno.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/err.h"

#define MAX_PROLOGUE_INSNS 32
#define MAX_ARGS	   3

/* A decoder and its one instruction. */
struct decoder {
	csh handle;
	cs_insn *insn;
	bool is_open;
	uint16_t machine;
	const uint8_t *at;
	size_t left;
	uint64_t address;
};

static void decoder_release(struct decoder *d)
{
	if (d->insn)
		cs_free(d->insn, 1);
	if (d->is_open)
		cs_close(&d->handle);
}

static int decoder_init(struct decoder *d, const struct code *code)
{
	bool is_x86 = code->machine == EM_X86_64;

	*d = (struct decoder){
		.machine = code->machine,
		.at = code->bytes,
		.left = code->len < PROLOGUE_MAX_BYTES ? code->len : PROLOGUE_MAX_BYTES,
		.address = code->address,
	};
	if (!is_x86 && code->machine != EM_AARCH64)
		return errf(-ENOTSUP, "code of another machine is not understood");
	if (cs_open(is_x86 ? CS_ARCH_X86 : CS_ARCH_ARM64, is_x86 ? CS_MODE_64 : CS_MODE_ARM,
		    &d->handle) != CS_ERR_OK)
		return errf(-ENOTSUP, "libcapstone does not know this machine's code");
	d->is_open = true;
	if (cs_option(d->handle, CS_OPT_DETAIL, CS_OPT_ON) != CS_ERR_OK)
		return errf(-ENOTSUP, "libcapstone was built without details of instructions");
	d->insn = cs_malloc(d->handle);
	return d->insn ? 0 : errf(-ENOMEM, "no memory to decode instructions");
}

static bool decoder_next(struct decoder *d)
{
	return cs_disasm_iter(d->handle, &d->at, &d->left, &d->address, d->insn);
}

/* --- what the kernel executes itself --------------------------------------------------------- */

/* Prefixes make none of these cheaper: with them nothing is chosen. */
static bool is_emulated_x86(const cs_insn *insn)
{
	const uint8_t *b = insn->bytes;

	switch (insn->size) {
	case 1:
		return b[0] == 0x90 || (b[0] >= 0x50 && b[0] <= 0x57);
	case 2:
		return b[0] == 0xeb || (b[0] >= 0x70 && b[0] <= 0x7f) ||
		       (b[0] == 0x41 && b[1] >= 0x50 && b[1] <= 0x57);
	case 5:
		return b[0] == 0xe9 || b[0] == 0xe8;
	case 6:
		return b[0] == 0x0f && b[1] >= 0x80 && b[1] <= 0x8f;
	default:
		return false;
	}
}

/* Arm Architecture Reference Manual, C4.1: masks and values of the instructions named above. */
static bool is_emulated_arm64(const cs_insn *insn)
{
	static const struct {
		uint32_t mask, value;
	} simulated[] = {
		{ 0x7c000000, 0x14000000 }, /* b, bl */
		{ 0xff000010, 0x54000000 }, /* b.cond */
		{ 0x7e000000, 0x34000000 }, /* cbz, cbnz */
		{ 0x7e000000, 0x36000000 }, /* tbz, tbnz */
		{ 0x1f000000, 0x10000000 }, /* adr, adrp */
		{ 0xfffffc1f, 0xd61f0000 }, /* br */
		{ 0xfffffc1f, 0xd63f0000 }, /* blr */
		{ 0xfffffc1f, 0xd65f0000 }, /* ret */
		{ 0xffffffff, 0xd503201f }, /* nop */
	};
	uint32_t word;
	size_t i;

	memcpy(&word, insn->bytes, sizeof(word));
	for (i = 0; i < ARRAY_SIZE(simulated); i++) {
		if ((word & simulated[i].mask) == simulated[i].value)
			return true;
	}
	return false;
}

static bool is_emulated(const struct decoder *d)
{
	return d->machine == EM_X86_64 ? is_emulated_x86(d->insn) : is_emulated_arm64(d->insn);
}

/* --- what an instruction changes ----------------------------------------------------------------
 */

/* The number of the argument in a register (System V ABI), MAX_ARGS for the stack pointer, or -1.
 */
static int place_of_x86(unsigned int reg)
{
	switch (reg) {
	case X86_REG_RDI:
	case X86_REG_EDI:
	case X86_REG_DI:
	case X86_REG_DIL:
		return 0;
	case X86_REG_RSI:
	case X86_REG_ESI:
	case X86_REG_SI:
	case X86_REG_SIL:
		return 1;
	case X86_REG_RDX:
	case X86_REG_EDX:
	case X86_REG_DX:
	case X86_REG_DL:
	case X86_REG_DH:
		return 2;
	case X86_REG_RSP:
	case X86_REG_ESP:
	case X86_REG_SP:
	case X86_REG_SPL:
		return MAX_ARGS;
	default:
		return -1;
	}
}

/* The same by AAPCS64; the link register is as good as the stack pointer. */
static int place_of_arm64(unsigned int reg)
{
	switch (reg) {
	case ARM64_REG_X0:
	case ARM64_REG_W0:
		return 0;
	case ARM64_REG_X1:
	case ARM64_REG_W1:
		return 1;
	case ARM64_REG_X2:
	case ARM64_REG_W2:
		return 2;
	case ARM64_REG_SP:
	case ARM64_REG_WSP:
	case ARM64_REG_X30:
	case ARM64_REG_W30:
		return MAX_ARGS;
	default:
		return -1;
	}
}

static bool is_needed(const struct decoder *d, unsigned int reg, unsigned int n_args)
{
	int place = d->machine == EM_X86_64 ? place_of_x86(reg) : place_of_arm64(reg);

	return place == MAX_ARGS || (place >= 0 && (unsigned int)place < n_args);
}

/* Instructions of prologues whose first operand is only read. */
static bool only_reads(const struct decoder *d)
{
	if (d->machine == EM_X86_64)
		return d->insn->id == X86_INS_CMP || d->insn->id == X86_INS_TEST;
	return d->insn->id == ARM64_INS_CMP || d->insn->id == ARM64_INS_TST ||
	       d->insn->id == ARM64_INS_STR || d->insn->id == ARM64_INS_STP;
}

/* What the first operand of an instruction is, if it is a register; else 0. */
static unsigned int first_register(const struct decoder *d)
{
	const cs_detail *detail = d->insn->detail;

	if (d->machine == EM_X86_64)
		return detail->x86.op_count && detail->x86.operands[0].type == X86_OP_REG
			       ? detail->x86.operands[0].reg
			       : 0;
	return detail->arm64.op_count && detail->arm64.operands[0].type == ARM64_OP_REG
		       ? detail->arm64.operands[0].reg
		       : 0;
}

/* Where libcapstone's tables lack an access, the first operand counts as written all the same. */
static bool changes_needed(const struct decoder *d, unsigned int n_args)
{
	uint8_t n_read, n_written, i;
	cs_regs read, written;

	if (cs_regs_access(d->handle, d->insn, read, &n_read, written, &n_written) != CS_ERR_OK)
		return true;
	for (i = 0; i < n_written; i++) {
		if (is_needed(d, written[i], n_args))
			return true;
	}
	return !only_reads(d) && is_needed(d, first_register(d), n_args);
}

/* Behind it not every call comes along, or something else has run before. */
static bool ends_straight_line(const struct decoder *d)
{
	static const uint8_t groups[] = {
		CS_GRP_JUMP,	  CS_GRP_CALL,		 CS_GRP_RET, CS_GRP_INT, CS_GRP_IRET,
		CS_GRP_PRIVILEGE, CS_GRP_BRANCH_RELATIVE
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(groups); i++) {
		if (cs_insn_group(d->handle, d->insn, groups[i]))
			return true;
	}
	return d->insn->id == 0;
}

/* --- branches
 * ------------------------------------------------------------------------------------- */

static bool branch_of_x86(const cs_insn *insn, struct code_branch *ret)
{
	const cs_x86 *x = &insn->detail->x86;

	if (x->op_count != 1 || x->operands[0].type != X86_OP_IMM)
		return false;
	ret->target = x->operands[0].imm;
	ret->is_call = insn->id == X86_INS_CALL;
	return true;
}

static bool branch_of_arm64(const cs_insn *insn, struct code_branch *ret)
{
	const cs_arm64 *a = &insn->detail->arm64;

	if (!a->op_count || a->operands[a->op_count - 1].type != ARM64_OP_IMM)
		return false;
	ret->target = a->operands[a->op_count - 1].imm;
	ret->is_call = insn->id == ARM64_INS_BL;
	return true;
}

int code_branches(const struct code *code, code_branch_fn fn, void *ctx)
{
	__attribute__((cleanup(decoder_release))) struct decoder d;
	int err = decoder_init(&d, code);

	/* What is no code in between has the number 0, and no details. */
	if (!err && cs_option(d.handle, CS_OPT_SKIPDATA, CS_OPT_ON) != CS_ERR_OK)
		return errf(-ENOTSUP, "libcapstone cannot skip what is no code");
	while (!err && decoder_next(&d)) {
		struct code_branch b = { 0 };

		if (!d.insn->id)
			continue;
		b.offset = d.insn->address - code->address;
		if (!cs_insn_group(d.handle, d.insn, CS_GRP_JUMP) &&
		    !cs_insn_group(d.handle, d.insn, CS_GRP_CALL) &&
		    !(d.machine == EM_AARCH64 && d.insn->id == ARM64_INS_BL))
			continue;
		if (d.machine == EM_X86_64 ? branch_of_x86(d.insn, &b)
					   : branch_of_arm64(d.insn, &b))
			err = fn(ctx, &b);
	}
	return err;
}

/* A jump back to a place behind the first instruction and not behind the point. */
static int comes_again(void *ctx, const struct code_branch *b)
{
	const struct code *point = ctx; /* the code up to the point */

	return b->target > point->address && b->target <= point->address + point->len;
}

/* --- the choice
 * ------------------------------------------------------------------------------------- */

int prologue_choose(const struct code *code, unsigned int n_args, struct prologue_point *ret)
{
	__attribute__((cleanup(decoder_release))) struct decoder d;
	struct code before = *code;
	int err = decoder_init(&d, code), n;
	bool found = false, is_code = false;

	if (err)
		return err;
	for (n = 0; n < MAX_PROLOGUE_INSNS && decoder_next(&d); n++) {
		is_code = true;
		found = is_emulated(&d);
		if (found || ends_straight_line(&d) || changes_needed(&d, n_args))
			break;
	}
	if (!is_code)
		return errf(-EINVAL, "there is no instruction at %#llx",
			    (unsigned long long)code->address);
	before.len = found ? d.insn->address - code->address : 0;
	if (before.len) {
		err = code_branches(code, comes_again, &before);
		if (err < 0)
			return err;
		found = !err;
	}
	*ret = (struct prologue_point){
		.offset = found ? before.len : 0,
		.is_slow = !found,
	};
	return 0;
}
