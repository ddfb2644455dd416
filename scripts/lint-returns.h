/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lint-returns: for scripts/lint alone, put before each file. clang's analyzer looks into one file
 * at a time and knows neither that errf returns the error that it is given nor that it is negative,
 * so that after 'return errf(-errno, ...)' it follows a caller who went on as if there had been
 * none.
 */
#include "user/base/err.h"

#define lint_returns(function, err, ...)           \
	({                                         \
		int lint_err = (err);              \
                                                   \
		(function)(lint_err, __VA_ARGS__); \
		if (lint_err >= 0)                 \
			__builtin_unreachable();   \
		lint_err;                          \
	})
#define errf(err, ...)	     lint_returns(errf, err, __VA_ARGS__)
#define err_prefix(err, ...) lint_returns(err_prefix, err, __VA_ARGS__)
