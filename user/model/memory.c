/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/model/memory.h"

#include <stdlib.h>

void memory_free(struct memory *m)
{
	if (!m)
		return;
	histogram_release(&m->sizes);
	histogram_release(&m->lifetimes);
	free(m->samples);
	free(m);
}
