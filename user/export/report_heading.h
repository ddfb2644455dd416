/* SPDX-License-Identifier: BSD-2-Clause */
/* report_heading: the lines above a report: what it is of, how much, and how good the data is. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "user/export/report.h"

/*
 * Source, total and samples; for a run folder also target, span, host, losses by cause and the
 * quality of the stacks; then an empty line. 0 or -ENOMEM with a sentence.
 */
int report_heading(const struct report *r, bool color, FILE *out);
