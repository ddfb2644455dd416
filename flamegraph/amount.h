/* SPDX-License-Identifier: BSD-2-Clause */
/* amount: values and shares as the texts of a flame graph tell them. */
#pragma once

#include <stdint.h>

#include "user/base/str.h"

/*
 * Append; 0 or -ENOMEM. 'unit' ("nanoseconds", "bytes"; NULL: "count") decides how it is written,
 * 'value' ("samples") is what is counted: "1.25 s", "3 samples", "1 sample". May be NULL.
 */
int amount_add(struct str *out, const char *unit, const char *value, int64_t v);

/* Small amounts, as there are per iteration, with three digits: "0.125 samples". */
int amount_add_real(struct str *out, const char *unit, const char *value, double v);

/* "12.34%", "< 0.01%". */
int amount_add_share(struct str *out, int64_t part, int64_t whole);
