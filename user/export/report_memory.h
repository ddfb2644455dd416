/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report_memory: what a run folder says of memory, for people: totals and how sure they are, sizes,
 * lifetimes, and the stacks with the most of the value that is shown.
 */
#pragma once

#include <stdio.h>

#include "user/export/report_text.h"

/*
 * Prints nothing if the recording is none of memory; else ends with an empty line. 0 or -ENOMEM
 * with a sentence.
 */
int report_memory(const struct report *r, const struct report_style *style, FILE *out);
