/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report_latency: what a run folder's summary says of latencies, for people: rates, sizes, queue
 * depth and quantiles by device (file system) and operation, the distribution of the longest, and
 * the paths that took the most time.
 */
#pragma once

#include <stdio.h>

#include "user/export/report_text.h"

/*
 * Prints nothing if the recording has no latencies; else ends with an empty line. 0 or -ENOMEM with
 * a sentence.
 */
int report_latency(const struct recording *rec, const struct report_style *style, FILE *out);
