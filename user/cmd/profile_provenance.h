/* SPDX-License-Identifier: BSD-2-Clause */
/* profile_provenance: what a profile's comments say of where it comes from. */
#pragma once

#include "flamegraph/provenance.h"
#include "user/base/str.h"
#include "user/model/profile.h"

/*
 * What a recording says of itself in a sentence, which is our profiles' first comment: target,
 * span, event, rate, losses and how many stacks are not whole. Appends it; 0 or -ENOMEM.
 */
int profile_origin(const struct profile *p, struct str *out);

/*
 * Adds the other comments, "KEY: TEXT", as keys and texts: host, ledger, command. 'with_origin'
 * adds that sentence, too, where it is not to be read elsewhere. 0 or -ENOMEM with a sentence.
 */
int profile_provenance(const struct profile *p, bool with_origin, struct provenance *out);

/*
 * Of two profiles in one picture: a side is 'text', and what its profile says of itself ('own') but
 * the other's does not; what both say alike is said once, after the sides. 0 or -ENOMEM with a
 * sentence.
 */
int provenance_add_side(struct provenance *out, const char *key, const char *text,
			const struct provenance *own, const struct provenance *other);
int provenance_add_shared(struct provenance *out, const struct provenance *before,
			  const struct provenance *after);
