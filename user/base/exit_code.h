/* SPDX-License-Identifier: BSD-2-Clause */
/* exit_code: what a program returns to its shell. */
#pragma once

enum exit_code {
	EXIT_DONE = 0,
	EXIT_REGRESSION = 1,  /* or a budget exceeded */
	EXIT_USAGE = 2,	      /* the arguments, or a file they name, are wrong */
	EXIT_ENVIRONMENT = 3, /* the host or its permissions */
	EXIT_INCONCLUSIVE = 4,
	EXIT_MEASURED = 5,     /* the measured command or its check failed */
	EXIT_DATA_QUALITY = 6, /* losses or overhead beyond their limit */
	EXIT_REFUSED = 7,      /* a write outside the allowed folders */
};

/*
 * For an error: EXIT_USAGE for what another argument or input mends (-EINVAL, -ENOENT,
 * -EEXIST, -EISDIR, -ENOTDIR, -EFBIG, -E2BIG, -ERANGE, -ELOOP, -EILSEQ, -ESRCH), EXIT_DATA_QUALITY
 * for -ECANCELED (it would cost more than it may), EXIT_ENVIRONMENT for all else.
 */
enum exit_code exit_code_of(int err);
