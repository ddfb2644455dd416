/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/unwind/cfi.h"

#include <dwarf.h>
#include <elf.h>
#include <errno.h>

#include "user/unwind/expression.h"

#define MAX_REMEMBERED 64 /* compilers nest one or two */

/* Not in elfutils 0.188's dwarf.h; source: GCC, include/dwarf2.def; Arm's document. */
#define CFA_MIPS_ADVANCE_LOC8		    0x1d
#define CFA_AARCH64_NEGATE_RA_STATE_WITH_PC 0x2c
#define CFA_AARCH64_NEGATE_RA_STATE	    0x2d /* elsewhere GNU_window_save */

static const struct cfi_machine x86_64 = {
	.n_regs = 16, .sp = FT_X86_RSP, .fp = FT_X86_RBP, .bx = FT_X86_RBX, .return_link = UINT8_MAX
};
static const struct cfi_machine arm64 = { .n_regs = 32,
					  .sp = FT_ARM64_SP,
					  .fp = FT_ARM64_FP,
					  .bx = UINT8_MAX,
					  .return_link = FT_ARM64_LR };

const struct cfi_machine *cfi_machine_of(uint16_t elf_machine)
{
	return elf_machine == EM_X86_64 ? &x86_64 : elf_machine == EM_AARCH64 ? &arm64 : NULL;
}

struct run {
	const struct cfi_cie *cie;
	const struct cfi_section *section;
	struct cursor c;
	struct cfi_state state;
	uint64_t address, end;
	bool is_initial;	      /* these are a CIE's instructions: they have no address */
	struct cfi_state *remembered; /* of MAX_REMEMBERED, not initialized: it is large */
	unsigned int n_remembered;
	cfi_on_row *on_row;
	void *context;
	int err;
};

bool cfi_read_address(struct cursor *c, const struct cfi_section *section, uint8_t encoding,
		      uint64_t *ret)
{
	uint64_t here = section->address + (c->at - section->bytes), x;

	if (encoding == DW_EH_PE_aligned) {
		cursor_skip(c, -here & 7);
		*ret = cursor_u64(c);
		return !c->bad;
	}
	switch (encoding & 0x0f) {
	case DW_EH_PE_absptr:
	case DW_EH_PE_udata8:
	case DW_EH_PE_sdata8:
	case DW_EH_PE_signed:
		x = cursor_u64(c);
		break;
	case DW_EH_PE_uleb128:
		x = cursor_uleb(c);
		break;
	case DW_EH_PE_sleb128:
		x = cursor_sleb(c);
		break;
	case DW_EH_PE_udata2:
		x = cursor_u16(c);
		break;
	case DW_EH_PE_sdata2:
		x = (int16_t)cursor_u16(c);
		break;
	case DW_EH_PE_udata4:
		x = cursor_u32(c);
		break;
	case DW_EH_PE_sdata4:
		x = (int32_t)cursor_u32(c);
		break;
	default:
		return false;
	}
	switch (encoding & 0x70) {
	case DW_EH_PE_absptr:
	/* On both machines, these count from 0 (GCC, libgcc/unwind-dw2-fde-dip.c). */
	case DW_EH_PE_textrel:
	case DW_EH_PE_datarel:
		break;
	case DW_EH_PE_pcrel:
		x += here;
		break;
	default:
		return false;
	}
	*ret = x;
	return !c->bad && !(encoding & DW_EH_PE_indirect);
}

/* Where the walk looks for a column's value, or NULL if it does not follow that register. */
static struct cfi_place *place_of(struct run *r, uint64_t reg)
{
	const struct cfi_cie *cie = r->cie;

	if (reg == cie->ra)
		return &r->state.at[CFI_RA];
	if (reg == cie->machine->fp)
		return &r->state.at[CFI_FP];
	if (reg == cie->machine->bx && reg < cie->machine->n_regs)
		return &r->state.at[CFI_BX];
	return NULL;
}

static void save(struct run *r, uint64_t reg, uint8_t how, int64_t offset)
{
	struct cfi_place *place = place_of(r, reg);

	if (place)
		*place = (struct cfi_place){ .how = how, .offset = offset };
}

static void restore(struct run *r, uint64_t reg)
{
	struct cfi_place *place = place_of(r, reg);

	if (place)
		*place = r->cie->initial.at[place - r->state.at];
}

static int64_t times(uint64_t x, int64_t factor)
{
	return x * (uint64_t)factor;
}

static void define_cfa(struct run *r, uint64_t reg, int64_t offset)
{
	r->state.cfa = reg < r->cie->machine->n_regs ? FT_CFA_REG : FT_CFA_UNSUPPORTED;
	r->state.cfa_reg = reg;
	r->state.cfa_offset = offset;
	r->state.cfa_add = 0;
}

/* Only of what is a register and an offset already. */
static void offset_cfa(struct run *r, int64_t offset)
{
	r->state.cfa_offset = offset;
	if (r->state.cfa != FT_CFA_REG)
		r->state.cfa = FT_CFA_UNSUPPORTED;
}

static void define_cfa_by_expression(struct run *r)
{
	uint64_t len = cursor_uleb(&r->c);
	const uint8_t *bytes = cursor_skip(&r->c, len);
	struct expression e;

	if (!bytes)
		return;
	e = expression_read(bytes, len, false);
	define_cfa(r, e.reg, e.offset);
	r->state.cfa_add = e.add;
	switch (e.shape) {
	case EXPRESSION_REGISTER:
		define_cfa(r, e.reg, e.add);
		break;
	case EXPRESSION_MEMORY:
		if (r->state.cfa == FT_CFA_REG)
			r->state.cfa = FT_CFA_DEREF;
		break;
	case EXPRESSION_PLT:
		r->state.cfa = r->cie->machine == &x86_64 && e.reg == x86_64.sp
				       ? FT_CFA_PLT
				       : FT_CFA_UNSUPPORTED;
		break;
	default:
		r->state.cfa = FT_CFA_UNSUPPORTED;
	}
}

static void save_by_expression(struct run *r, bool is_value)
{
	uint64_t reg = cursor_uleb(&r->c), len = cursor_uleb(&r->c);
	const uint8_t *bytes = cursor_skip(&r->c, len);
	const struct cfi_machine *m = r->cie->machine;
	struct expression e;

	if (!bytes || !place_of(r, reg))
		return;
	e = expression_read(bytes, len, true);
	if (e.shape == EXPRESSION_CFA)
		save(r, reg, is_value ? FT_SAVED_CFA_PLUS : FT_SAVED_AT_CFA, e.add);
	else if (!is_value && e.shape == EXPRESSION_REGISTER && e.reg == m->sp)
		save(r, reg, FT_SAVED_AT_SP, e.add);
	else if (!is_value && e.shape == EXPRESSION_REGISTER && e.reg == m->fp)
		save(r, reg, FT_SAVED_AT_FP, e.add);
	else
		save(r, reg, FT_SAVED_UNSUPPORTED, 0);
}

static void move_to(struct run *r, uint64_t address)
{
	if (r->is_initial || address == r->address)
		return;
	if (address < r->address) {
		r->c.bad = true;
		return;
	}
	r->err = r->on_row(r->context, r->address, &r->state);
	r->address = address;
}

static void advance(struct run *r, uint64_t units)
{
	uint64_t by, to;

	if (__builtin_mul_overflow(units, r->cie->code_align, &by) ||
	    __builtin_add_overflow(r->address, by, &to))
		to = UINT64_MAX;
	move_to(r, to);
}

static void set_address(struct run *r)
{
	uint64_t address;

	if (cfi_read_address(&r->c, r->section, r->cie->encoding, &address))
		move_to(r, address);
	else
		r->c.bad = true;
}

static void remember(struct run *r)
{
	if (r->n_remembered == MAX_REMEMBERED)
		r->c.bad = true;
	else
		r->remembered[r->n_remembered++] = r->state;
}

static void recall(struct run *r)
{
	if (!r->n_remembered)
		r->c.bad = true;
	else
		r->state = r->remembered[--r->n_remembered];
}

/* Each of these three does an instruction of its kind, or returns false. */
static bool do_location(struct run *r, uint8_t op)
{
	switch (op) {
	case DW_CFA_nop:
		return true;
	case DW_CFA_set_loc:
		set_address(r);
		return true;
	case DW_CFA_advance_loc1:
		advance(r, cursor_u8(&r->c));
		return true;
	case DW_CFA_advance_loc2:
		advance(r, cursor_u16(&r->c));
		return true;
	case DW_CFA_advance_loc4:
		advance(r, cursor_u32(&r->c));
		return true;
	case CFA_MIPS_ADVANCE_LOC8:
		advance(r, cursor_u64(&r->c));
		return true;
	case DW_CFA_remember_state:
		remember(r);
		return true;
	case DW_CFA_restore_state:
		recall(r);
		return true;
	}
	return false;
}

static bool do_cfa(struct run *r, uint8_t op)
{
	const struct cfi_cie *cie = r->cie;
	uint64_t reg;

	switch (op) {
	case DW_CFA_def_cfa:
		reg = cursor_uleb(&r->c);
		define_cfa(r, reg, cursor_uleb(&r->c));
		return true;
	case DW_CFA_def_cfa_sf:
		reg = cursor_uleb(&r->c);
		define_cfa(r, reg, times(cursor_sleb(&r->c), cie->data_align));
		return true;
	case DW_CFA_def_cfa_register:
		define_cfa(r, cursor_uleb(&r->c), r->state.cfa_offset);
		return true;
	case DW_CFA_def_cfa_offset:
		offset_cfa(r, cursor_uleb(&r->c));
		return true;
	case DW_CFA_def_cfa_offset_sf:
		offset_cfa(r, times(cursor_sleb(&r->c), cie->data_align));
		return true;
	case DW_CFA_def_cfa_expression:
		define_cfa_by_expression(r);
		return true;
	case DW_CFA_GNU_args_size:
		cursor_uleb(&r->c);
		return true;
	case CFA_AARCH64_NEGATE_RA_STATE:
	case CFA_AARCH64_NEGATE_RA_STATE_WITH_PC:
		/* The walk takes the signature off every return address. */
		return true;
	}
	return false;
}

static bool do_register(struct run *r, uint8_t op)
{
	int64_t align = r->cie->data_align;
	uint64_t reg;

	if (op == DW_CFA_expression || op == DW_CFA_val_expression) {
		save_by_expression(r, op == DW_CFA_val_expression);
		return true;
	}
	reg = cursor_uleb(&r->c);
	switch (op) {
	case DW_CFA_offset_extended:
		save(r, reg, FT_SAVED_AT_CFA, times(cursor_uleb(&r->c), align));
		return true;
	case DW_CFA_offset_extended_sf:
		save(r, reg, FT_SAVED_AT_CFA, times(cursor_sleb(&r->c), align));
		return true;
	case DW_CFA_GNU_negative_offset_extended:
		save(r, reg, FT_SAVED_AT_CFA, times(-cursor_uleb(&r->c), align));
		return true;
	case DW_CFA_val_offset:
		save(r, reg, FT_SAVED_CFA_PLUS, times(cursor_uleb(&r->c), align));
		return true;
	case DW_CFA_val_offset_sf:
		save(r, reg, FT_SAVED_CFA_PLUS, times(cursor_sleb(&r->c), align));
		return true;
	case DW_CFA_restore_extended:
		restore(r, reg);
		return true;
	case DW_CFA_undefined:
		save(r, reg, FT_SAVED_UNDEFINED, 0);
		return true;
	case DW_CFA_same_value:
		save(r, reg, FT_SAVED_SAME, 0);
		return true;
	case DW_CFA_register:
		save(r, reg, FT_SAVED_IN_REG, cursor_uleb(&r->c));
		return true;
	}
	return false;
}

static void step(struct run *r)
{
	uint8_t op = cursor_u8(&r->c), low = op & 0x3f;

	switch (op & 0xc0) {
	case DW_CFA_advance_loc:
		advance(r, low);
		break;
	case DW_CFA_offset:
		save(r, low, FT_SAVED_AT_CFA, times(cursor_uleb(&r->c), r->cie->data_align));
		break;
	case DW_CFA_restore:
		restore(r, low);
		break;
	default:
		if (!do_location(r, op) && !do_cfa(r, op) && !do_register(r, op))
			r->c.bad = true;
	}
}

static void run(struct run *r)
{
	while (r->c.at < r->c.end && !r->c.bad && !r->err && (r->is_initial || r->address < r->end))
		step(r);
}

bool cfi_run_initial(struct cfi_cie *cie, const struct cfi_section *section, const uint8_t *bytes,
		     size_t len)
{
	struct cfi_state remembered[MAX_REMEMBERED];
	struct run r = { .cie = cie,
			 .section = section,
			 .c = { .at = bytes, .end = bytes + len },
			 .is_initial = true,
			 .remembered = remembered };

	cie->initial = r.state;
	run(&r);
	cie->initial = r.state;
	return !r.c.bad;
}

int cfi_run(const struct cfi_program *program, cfi_on_row *on_row, void *context,
	    uint64_t *ret_broken)
{
	struct cfi_state remembered[MAX_REMEMBERED];
	struct run r = { .cie = program->cie,
			 .section = program->section,
			 .c = { .at = program->bytes, .end = program->bytes + program->len },
			 .state = program->cie->initial,
			 .address = program->start,
			 .end = program->end,
			 .remembered = remembered,
			 .on_row = on_row,
			 .context = context };

	run(&r);
	if (r.err)
		return r.err;
	if (r.c.bad) {
		*ret_broken = r.address;
		return -EINVAL;
	}
	return r.address < r.end ? on_row(context, r.address, &r.state) : 0;
}
