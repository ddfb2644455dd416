/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * folded: one line for each distinct stack, "root;frame;frame COUNT", root first, the lines in
 * bytewise order. Kernel frames end in "_[k]", inlined ones in "_[i]".
 */
#pragma once

#include <stdio.h>

#include "user/model/profile.h"
#include "user/model/view.h"

/*
 * Writes the profile; the same profile and view give the same bytes. ';' and control characters in
 * names are replaced, and so is what would make a line a comment; the text is valid UTF-8. Stacks
 * that read the same are one line, those whose weights sum to 0 are left out, a sample without
 * frames and process is "[no stack]". Flushes 'out'. 0 or -errno with a sentence.
 */
int folded_write(const struct profile *p, const struct view *view, FILE *out);

/* What a folded file had that was not quite right, in lines: mended or left out, and counted. */
struct folded_repairs {
	uint64_t no_count;    /* lines without a count: left out */
	uint64_t bad_count;   /* not a number, negative, or beyond 2^63: left out */
	uint64_t empty_stack; /* left out */
	uint64_t text;	      /* lines with bad UTF-8 or control characters: these were replaced */
	uint64_t too_deep;    /* more than PROFILE_MAX_DEPTH frames: the root's side was cut */
	uint64_t too_long;    /* lines over FOLDED_MAX_LINE: left out */
	uint64_t fractional;  /* counts with a fraction: rounded */
};

#define FOLDED_MAX_LINE (4u << 20)

/*
 * Reads folded stacks from anyone (perf, bcc, async-profiler, py-spy): CRLF, "# comments" (with the
 * space: Ruby has methods of "#<Class:X>"), blank lines and empty frames (left out) are fine. The
 * count is the last field, so names may have spaces. "_[k]", "_[i]" and "_[j]" become frame kinds;
 * kernel frames get the module "[kernel]". One value type, "samples" in "count". A file without a
 * single usable line is -EINVAL, more than FOLDED_MAX_BYTES are -EFBIG. 'name' is for sentences.
 */
#define FOLDED_MAX_BYTES (4ull << 30)

int folded_read(FILE *in, const char *name, struct profile **ret,
		struct folded_repairs *ret_repairs);

/* Total of all counters, and one sentence about them in 'text' ("" if all was well). */
uint64_t folded_repairs_describe(const struct folded_repairs *r, char *text, size_t size);
