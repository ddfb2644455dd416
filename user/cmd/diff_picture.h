/* SPDX-License-Identifier: BSD-2-Clause */
/* diff_picture: two profiles as one flame graph of what changed. */
#pragma once

#include "user/cmd/diff_options.h"
#include "user/export/difference_report.h"

/*
 * Whether process names are to be left out of the picture: as asked for, or if each side is of one
 * process and their names differ, so that nothing below would be the same.
 */
bool diff_picture_has_no_comm(const struct diff_options *o,
			      const struct difference_input sides[DIFFERENCE_SIDES]);

/*
 * Writes o->output. The report says what is compared and which functions changed. 0 or -errno with
 * a sentence.
 */
int diff_picture_write(const struct diff_options *o, const struct difference_report *r,
		       const struct difference_input sides[DIFFERENCE_SIDES]);
