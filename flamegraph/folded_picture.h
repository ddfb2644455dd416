/* SPDX-License-Identifier: BSD-2-Clause */
/* folded_picture: folded stacks as a picture, and what is known of where they come from. */
#pragma once

#include "flamegraph/flame_settings.h"
#include "flamegraph/provenance.h"

struct folded_picture {
	struct flame_tree *tree; /* of a root alone if there is no stack */
	struct folded_repairs repairs;
	uint64_t n_stacks; /* lines that are in the tree */
	struct provenance provenance;
	bool is_empty; /* nothing was measured */
};

/* Reads and adds up the files as folded_stream_read() does, but an empty one is no error. */
int folded_picture_read(char *const *paths, size_t n, const struct flame_settings *settings,
			struct folded_picture *ret);
void folded_picture_release(struct folded_picture *p);

/* Draws it. 0 or -errno with a sentence. */
int folded_picture_write(const struct folded_picture *p, const struct flame_settings *settings,
			 FILE *out);
