/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/environment.h"

void environment_release(struct environment *e)
{
	free(e->kernel);
	free(e->architecture);
	free(e->cpu_model);
	free(e->governor);
	free(e->virtualization);
	free(e->hostname);
	free(e->transparent_hugepages);
	free(e->name);
	*e = (struct environment){ 0 };
}
