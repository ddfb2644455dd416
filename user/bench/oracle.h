/* SPDX-License-Identifier: BSD-2-Clause */
/* oracle: whether a repetition's output is what it has to be. */
#pragma once

#include "user/bench/repetition.h"

/* *ret_difference is the caller's: a sentence, NULL if it is right. 0 or -ENOMEM. */
int oracle_check(const struct scenario_case *c, const struct repetition *r, char **ret_difference);
