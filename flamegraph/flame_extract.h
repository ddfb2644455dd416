/* SPDX-License-Identifier: BSD-2-Clause */
/* flame_extract: the stacks inside a picture as text for other programs. */
#pragma once

#include <stdio.h>

#include "flamegraph/flame_data.h"

/*
 * Folded stacks, one line for each node that spent something itself, "frame;frame COUNT" (of two
 * profiles "BEFORE AFTER", as difffolded.pl has them), with the suffix of a frame's kind. A rest is
 * a frame "[N frames]". ';' in a name becomes ':'. 0 or -errno with a sentence; -EFBIG if a stack
 * is longer than FLAME_EXTRACT_MAX_LINE.
 */
#define FLAME_EXTRACT_MAX_LINE (64u << 20)
int flame_extract_folded(const struct flame_data *data, FILE *out);

/*
 * JSON: { "header": the header of flame_data, "nodes": [{ "parent": number in this list (null for
 * the root), "name": T, "module": T, "kind": T, "self": N, "total": N, of two profiles
 * "self_before": N, "total_before": N, of rests "rest": nodes that it stands for }, ...] }, a node
 * a line, parents before their children.
 */
int flame_extract_json(const struct flame_data *data, FILE *out);

/*
 * The data of a picture, "-" is standard input. A file without any is -EINVAL, with a sentence that
 * says what may be the reason. Errors else as flame_data_read() has them.
 */
int flame_extract_read(const char *path, struct flame_data **ret);

/*
 * All of it: the one picture of 'paths' (none: standard input; more are -EINVAL) as either text
 * into the file 'output' (NULL: standard output), and the note below. 0 or -errno with a sentence.
 */
int flame_extract(char *const *paths, size_t n, bool as_json, const char *output, char *note,
		  size_t note_size);

/* A note for people on what is not there one by one; "" if all is. */
void flame_extract_note(const struct flame_data *data, char *text, size_t size);
