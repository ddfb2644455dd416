/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fde_list: which function's call frame information holds where: in the order of addresses, without
 * overlaps.
 *
 * Of two that begin at the same address the first in the file holds. One that begins inside another
 * cuts that off for good: at every address, what begins last holds, and nothing behind its end.
 * This is what a binary search over .eh_frame_hdr finds. .debug_frame gives only functions that
 * .eh_frame says nothing about.
 */
#pragma once

#include "user/unwind/eh_frame.h"

struct fde_list {
	struct frame_fde *at;
	size_t n;
	size_t n_overlaps; /* functions that were dropped or cut off */
};

/* Sorts the lists of 'eh' and 'debug', too, and may take them. 0 or -ENOMEM. */
int fde_list_make(struct fde_list *list, struct frame_entries *eh, struct frame_entries *debug);
void fde_list_release(struct fde_list *list);
