/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * eh_frame: the entries of .eh_frame and .debug_frame: which functions there are and where their
 * instructions are. Sources: LSB 5.0 Core, 10.6; DWARF 5, 6.4.1.
 */
#pragma once

#include "user/unwind/frame_section.h"

/* A frame description entry: one range of addresses, from the start of the table's range on. */
struct frame_fde {
	uint32_t start, end;
	uint32_t bytes, len; /* its instructions in the section */
	uint32_t cie;
	bool is_eh;
};

struct frame_cie {
	uint64_t at; /* place in the section */
	bool usable;
	struct cfi_cie cie;
};

struct frame_entries {
	struct frame_section from;
	struct frame_cie *cies; /* in the order of the section */
	size_t n_cies, cap_cies;
	struct frame_fde *fdes; /* in the order of the section */
	size_t n_fdes, cap_fdes;
	size_t n_seen;	  /* FDEs that were met by the last round, whatever they are */
	size_t n_broken;  /* entries left out: malformed, or of an augmentation that is not known */
	size_t n_outside; /* functions left out: they do not begin in the range */
};

/*
 * Reads all entries of a section, which it takes over (from then on 'entries' releases it, also
 * after an error). Wanted are functions that begin in start..end, less than 4 GiB. Broken ones are
 * counted and left out. -ENOMEM, or -EFBIG for more than 4 Mi FDEs or 256 Ki CIEs; no sentence.
 */
int frame_entries_read(struct frame_entries *entries, const struct frame_section *from,
		       const struct cfi_machine *machine, uint64_t start, uint64_t end);
void frame_entries_release(struct frame_entries *entries);
