/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * folded: one line for each distinct stack, "root;frame;frame COUNT", root first, the lines in
 * bytewise order. Kernel frames end in "_[k]", inlined ones in "_[i]", those of a JIT
 * compiler in "_[j]".
 */
#pragma once

#include <stdio.h>

#include "user/model/folded_line.h"
#include "user/model/profile.h"
#include "user/model/view.h"

/*
 * Writes the profile; the same profile and view give the same bytes. ';' and control characters in
 * names are replaced, and so is what would make a line a comment; the text is valid UTF-8. Stacks
 * that read the same are one line, those whose weights sum to 0 are left out, a sample without
 * frames and process is "[no stack]". Flushes 'out'. 0 or -errno with a sentence.
 */
int folded_write(const struct profile *p, const struct view *view, FILE *out);

/*
 * Reads folded stacks from anyone (perf, bcc, async-profiler, py-spy), lines as folded_line has
 * them; empty frames are left out. "_[k]", "_[i]" and "_[j]" become frame kinds; kernel frames get
 * the module "[kernel]". One value type, "samples" in "count". A file without a single usable line
 * is -EINVAL, more than FOLDED_MAX_BYTES are -EFBIG. 'name' is for sentences.
 */
#define FOLDED_MAX_BYTES (4ull << 30)

int folded_read(FILE *in, const char *name, struct profile **ret,
		struct folded_repairs *ret_repairs);
