/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/base/exit_code.h"

#include <errno.h>

enum exit_code exit_code_of(int err)
{
	switch (-err) {
	case EINVAL:
	case ENOENT:
	case EEXIST:
	case EISDIR:
	case ENOTDIR:
	case EFBIG:
	case E2BIG:
	case ERANGE:
	case ELOOP:
	case EILSEQ:
	case ESRCH:
		return EXIT_USAGE;
	case ECANCELED:
		return EXIT_DATA_QUALITY;
	default:
		return EXIT_ENVIRONMENT;
	}
}
