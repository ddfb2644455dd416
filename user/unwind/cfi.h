/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cfi: runs the instructions of call frame information (DWARF 5, 6.4.2 and 6.4.3; the GNU and
 * AArch64 ones: LSB 5.0 Core, 10.5; "DWARF for the Arm 64-bit Architecture", 4.4) for the three
 * registers that the walk follows.
 */
#pragma once

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/wire.h"
#include "user/unwind/cursor.h"

/* Register numbers are DWARF's. */
struct cfi_machine {
	uint8_t n_regs; /* general ones: 0 to n_regs - 1 */
	uint8_t sp, fp;
	uint8_t bx;	     /* UINT8_MAX if there is none */
	uint8_t return_link; /* which register the return address is in after a call, or UINT8_MAX
			      */
};

/* NULL for machines that are not ours. */
const struct cfi_machine *cfi_machine_of(uint16_t elf_machine);

enum cfi_column { CFI_RA, CFI_FP, CFI_BX, CFI_COLUMNS };

struct cfi_place {
	uint8_t how; /* FT_SAVED_* */
	int64_t offset;
};

/* What holds at one address. */
struct cfi_state {
	uint8_t cfa; /* FT_CFA_*; FT_CFA_NONE where it was not defined yet */
	uint8_t cfa_reg;
	int64_t cfa_offset;
	int64_t cfa_add;
	struct cfi_place at[CFI_COLUMNS];
};

/* A common information entry. */
struct cfi_cie {
	const struct cfi_machine *machine;
	uint64_t code_align;
	int64_t data_align;
	uint64_t ra;	  /* the column of the return address */
	uint8_t encoding; /* of its FDEs' addresses: DW_EH_PE_* */
	bool has_augmentation_data;
	bool is_signal;
	struct cfi_state initial;
};

/* Where encoded addresses are counted from. */
struct cfi_section {
	const uint8_t *bytes;
	size_t len;
	uint64_t address; /* of bytes[0] */
};

/*
 * An address in one of the encodings of LSB 5.0 Core, 10.5.1, at a place in the section. False if
 * it is not one that can be known from the file. The return address is not checked: 'cursor' is.
 */
bool cfi_read_address(struct cursor *c, const struct cfi_section *section, uint8_t encoding,
		      uint64_t *ret);

/* The state before a function's own instructions: runs those of its CIE. False if they are broken.
 */
bool cfi_run_initial(struct cfi_cie *cie, const struct cfi_section *section, const uint8_t *bytes,
		     size_t len);

/* Called for ascending addresses below 'end'; of equal ones the last counts. */
typedef int cfi_on_row(void *context, uint64_t address, const struct cfi_state *state);

struct cfi_program {
	const struct cfi_cie *cie;
	const struct cfi_section *section;
	const uint8_t *bytes;
	size_t len;
	uint64_t start, end; /* addresses of the function */
};

/*
 * Runs a function's instructions. 0; -EINVAL if they are broken: the rows before hold, *ret_broken
 * is the address from which on nothing is known; or what 'on_row' returned, if not 0.
 */
int cfi_run(const struct cfi_program *program, cfi_on_row *on_row, void *context,
	    uint64_t *ret_broken);

/* The rule that a state is to the walk. */
void cfi_rule(const struct cfi_cie *cie, const struct cfi_state *state, struct ft_unwind_rule *ret);
