/* SPDX-License-Identifier: BSD-2-Clause */
/* aggregate: what many values of one repetition become. */
#pragma once

#include <stddef.h>

#include "user/bench/scenario.h"

/* 'values', of which there is at least one and each is finite, are sorted by that. */
double aggregate(double *values, size_t n, enum metric_aggregate how);
