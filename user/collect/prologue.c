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

/* --- what an instruction changes ---------------------------------------------------------- */

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

/* What is compared is only read; libcapstone takes the first operand for a result on arm64. */
static bool is_comparison(const struct decoder *d)
{
	const char *name = d->insn->mnemonic;

	if (d->machine == EM_X86_64)
		return d->insn->id == X86_INS_CMP || d->insn->id == X86_INS_TEST;
	return !strcmp(name, "cmp") || !strcmp(name, "cmn") || !strcmp(name, "tst");
}

/*
 * Those that write to their first operand and to nothing else but flags (and by mul, where
 * libcapstone says so). It does not know all that others do: enter moves the stack.
 */
static bool is_known_x86(unsigned int id)
{
	static const uint16_t known[] = {
		X86_INS_MOV,   X86_INS_MOVABS, X86_INS_MOVZX,  X86_INS_MOVSX, X86_INS_MOVSXD,
		X86_INS_LEA,   X86_INS_XOR,    X86_INS_AND,    X86_INS_OR,    X86_INS_ADD,
		X86_INS_SUB,   X86_INS_ADC,    X86_INS_SBB,    X86_INS_INC,   X86_INS_DEC,
		X86_INS_NEG,   X86_INS_NOT,    X86_INS_SHL,    X86_INS_SHR,   X86_INS_SAR,
		X86_INS_ROL,   X86_INS_ROR,    X86_INS_MUL,    X86_INS_IMUL,  X86_INS_BSR,
		X86_INS_BSF,   X86_INS_LZCNT,  X86_INS_TZCNT,  X86_INS_NOP,   X86_INS_ENDBR64,
		X86_INS_SETE,  X86_INS_SETNE,  X86_INS_SETA,   X86_INS_SETAE, X86_INS_SETB,
		X86_INS_SETBE, X86_INS_CMOVE,  X86_INS_CMOVNE, X86_INS_CMOVA, X86_INS_CMOVAE,
		X86_INS_CMOVB, X86_INS_CMOVBE,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(known); i++) {
		if (known[i] == id)
			return true;
	}
	return false;
}

/* The same without mul. bti is a hint; paciasp is one, too, and signs the return address. */
static bool is_known_arm64(const cs_insn *insn)
{
	static const uint16_t known[] = {
		ARM64_INS_MOV,	ARM64_INS_MOVZ, ARM64_INS_MOVK, ARM64_INS_MOVN,
		ARM64_INS_ADD,	ARM64_INS_SUB,	ARM64_INS_AND,	ARM64_INS_ORR,
		ARM64_INS_EOR,	ARM64_INS_LSL,	ARM64_INS_LSR,	ARM64_INS_ASR,
		ARM64_INS_UBFX, ARM64_INS_LDR,	ARM64_INS_LDRB, ARM64_INS_LDRH,
	};
	uint32_t word;
	size_t i;

	memcpy(&word, insn->bytes, sizeof(word));
	if ((word & 0xffffff3f) == 0xd503241f)
		return true;
	for (i = 0; i < ARRAY_SIZE(known); i++) {
		if (known[i] == insn->id)
			return !insn->detail->arm64.writeback;
	}
	return false;
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

	if (is_comparison(d))
		return false;
	if (d->machine == EM_X86_64 ? !is_known_x86(d->insn->id) : !is_known_arm64(d->insn))
		return true;
	if (cs_regs_access(d->handle, d->insn, read, &n_read, written, &n_written) != CS_ERR_OK)
		return true;
	for (i = 0; i < n_written; i++) {
		if (is_needed(d, written[i], n_args))
			return true;
	}
	return is_needed(d, first_register(d), n_args);
}

/* "sub $N, %rsp" makes room for N bytes; false if it is something else. */
static bool moves_stack(const struct decoder *d, uint32_t *bytes)
{
	const cs_x86 *x;

	if (d->machine != EM_X86_64 || d->insn->id != X86_INS_SUB)
		return false;
	x = &d->insn->detail->x86;
	if (x->op_count != 2 || x->operands[0].type != X86_OP_REG ||
	    x->operands[0].reg != X86_REG_RSP || x->operands[1].type != X86_OP_IMM ||
	    x->operands[1].imm <= 0 || x->operands[1].imm > PROLOGUE_MAX_STACK - *bytes)
		return false;
	*bytes += x->operands[1].imm;
	return true;
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

/* --- branches ----------------------------------------------------------------------------- */

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

/* --- the choice --------------------------------------------------------------------------- */

static bool is_nop_of_five(const struct code *code)
{
	static const uint8_t nop[] = { 0x0f, 0x1f, 0x44, 0x00, 0x00 };

	return code->len >= sizeof(nop) && !memcmp(code->bytes, nop, sizeof(nop));
}

int prologue_choose(const struct code *code, unsigned int n_args, bool stack_may_move,
		    struct prologue_point *ret)
{
	__attribute__((cleanup(decoder_release))) struct decoder d;
	struct code before = *code;
	int err = decoder_init(&d, code), n;
	bool found = false, is_code = false;
	uint32_t stack_bytes = 0;

	if (err)
		return err;
	for (n = 0; n < MAX_PROLOGUE_INSNS && decoder_next(&d); n++) {
		is_code = true;
		found = is_emulated(&d);
		if (found || ends_straight_line(&d))
			break;
		if (stack_may_move && moves_stack(&d, &stack_bytes))
			continue;
		if (changes_needed(&d, n_args))
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
	/* A child that is forked dies of what Linux 6.18 makes of it (shim/probes.c). */
	if (!found && code->machine == EM_X86_64 && is_nop_of_five(code))
		return errf(-EOPNOTSUPP, "the function at %#llx begins with a nop of five bytes",
			    (unsigned long long)code->address);
	*ret = (struct prologue_point){
		.offset = found ? before.len : 0,
		.stack_bytes = found ? stack_bytes : 0,
		.is_slow = !found,
	};
	return 0;
}
