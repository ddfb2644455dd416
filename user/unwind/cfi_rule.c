/* SPDX-License-Identifier: BSD-2-Clause */
/* cfi_rule: what a state of call frame information is as a rule for the walk. */
#include "user/unwind/cfi.h"

/*
 * What is far from the CFA may be close to the register that the CFA is counted from: with a frame
 * of more than 32 KiB, arm64's frame record is at the stack pointer.
 */
static uint8_t from_register(const struct cfi_machine *m, const struct cfi_state *state,
			     int64_t offset, int16_t *ret_offset)
{
	int64_t from;

	if (state->cfa != FT_CFA_REG || (state->cfa_reg != m->sp && state->cfa_reg != m->fp) ||
	    __builtin_add_overflow(state->cfa_offset, offset, &from) || from != (int16_t)from)
		return FT_SAVED_UNSUPPORTED;
	*ret_offset = from;
	return state->cfa_reg == m->sp ? FT_SAVED_AT_SP : FT_SAVED_AT_FP;
}

/* How a column is saved, and where, as far as a rule has room for it. */
static uint8_t narrow(const struct cfi_cie *cie, const struct cfi_state *state,
		      const struct cfi_place *place, int16_t *ret_offset)
{
	*ret_offset = 0;
	if (place->how == FT_SAVED_SAME || place->how == FT_SAVED_UNDEFINED ||
	    place->how == FT_SAVED_UNSUPPORTED)
		return place->how;
	if (place->how == FT_SAVED_IN_REG && (uint64_t)place->offset >= cie->machine->n_regs)
		return FT_SAVED_UNSUPPORTED;
	if (place->offset != (int16_t)place->offset)
		return place->how == FT_SAVED_AT_CFA
			       ? from_register(cie->machine, state, place->offset, ret_offset)
			       : FT_SAVED_UNSUPPORTED;
	*ret_offset = place->offset;
	return place->how;
}

/* A return address that is still in its column: in the link register, or another one. */
static void return_in_register(const struct cfi_cie *cie, struct ft_unwind_rule *rule)
{
	if (cie->ra == cie->machine->return_link)
		return;
	if (cie->ra < cie->machine->n_regs) {
		rule->ra = FT_SAVED_IN_REG;
		rule->ra_offset = cie->ra;
	} else {
		rule->ra = FT_SAVED_UNSUPPORTED;
	}
}

/* Only return addresses are followed into other registers. */
static uint8_t narrow_to_memory(const struct cfi_cie *cie, const struct cfi_state *state,
				const struct cfi_place *place, int16_t *ret_offset)
{
	uint8_t how = narrow(cie, state, place, ret_offset);

	if (how != FT_SAVED_IN_REG)
		return how;
	*ret_offset = 0;
	return FT_SAVED_UNSUPPORTED;
}

void cfi_rule(const struct cfi_cie *cie, const struct cfi_state *state, struct ft_unwind_rule *ret)
{
	struct ft_unwind_rule rule = { .cfa = FT_CFA_UNSUPPORTED };
	uint8_t bx;

	if (state->at[CFI_RA].how == FT_SAVED_UNDEFINED) {
		/* That there is no caller is all there is to know. */
		*ret = (struct ft_unwind_rule){ .cfa = FT_CFA_REG, .ra = FT_SAVED_UNDEFINED };
		return;
	}
	rule.cfa_offset = state->cfa_offset;
	rule.cfa_add = state->cfa_add;
	if (state->cfa == FT_CFA_NONE || state->cfa == FT_CFA_UNSUPPORTED ||
	    rule.cfa_offset != state->cfa_offset || rule.cfa_add != state->cfa_add) {
		*ret = (struct ft_unwind_rule){ .cfa = FT_CFA_UNSUPPORTED };
		return;
	}
	rule.cfa = state->cfa | (cie->is_signal ? FT_CFA_SIGNAL : 0);
	rule.cfa_reg = state->cfa_reg;
	rule.ra = narrow(cie, state, &state->at[CFI_RA], &rule.ra_offset);
	if (rule.ra == FT_SAVED_SAME)
		return_in_register(cie, &rule);
	bx = narrow_to_memory(cie, state, &state->at[CFI_BX], &rule.bx_offset);
	rule.fp_bx = narrow_to_memory(cie, state, &state->at[CFI_FP], &rule.fp_offset) | bx << 4;
	*ret = rule;
}
