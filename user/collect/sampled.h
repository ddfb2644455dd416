/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sampled: the processes that stand in a session's samples. Each is looked at once in /proc, while
 * it probably lives: mappings that the side band did not tell of (the vDSO), their files, and what
 * its JIT compiler has named.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "user/base/keyset.h"
#include "user/collect/capture.h"
#include "user/collect/cgroup.h"
#include "user/collect/java.h"
#include "user/collect/processes.h"
#include "user/sym/sym.h"

struct sampled {
	/* Borrowed; the caller's to set. */
	struct processes *processes;
	struct symbolizer *symbolizer;
	struct cgroups *cgroups;
	struct java_maps *java;	   /* NULL: JVMs are not asked */
	bool are_vdsos_looked_for; /* although the side band told of the process: nobody else does
				    */
	struct keyset seen;
};

void sampled_init(struct sampled *s);
void sampled_release(struct sampled *s);

/* Looks at the processes of the samples from *from on, and moves that to the end. 0 or -errno with
 * a sentence. */
int sampled_look(struct sampled *s, const struct capture *capture, uint32_t *from);

/* Makes a mapping's file ready for names while it can be opened; 'symbolizer' is one. */
void sampled_prepare_mapping(void *symbolizer, const struct sym_mapping *m);
