/* SPDX-License-Identifier: BSD-2-Clause */
#include "flamegraph/frame_where.h"

#include <string.h>

#include "user/model/profile.h"

int frame_where(const char *module, uint32_t kind, struct str *out)
{
	const char *mark = NULL;
	int err;

	switch (kind) {
	case FRAME_KERNEL:
		module = *module ? module : "[kernel]";
		break;
	case FRAME_INLINED:
		mark = "inlined";
		break;
	case FRAME_INTERPRETED:
		mark = "runtime";
		break;
	case FRAME_SYNTHETIC:
		mark = "process";
		break;
	}
	err = str_add_clean(out, module, strlen(module), 0);
	if (err || !mark)
		return err;
	return *module ? str_addf(out, " (%s)", mark) : str_add(out, mark);
}
