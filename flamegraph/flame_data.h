/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flame_data: the call tree inside a picture, for its script and for machines ("fathom.flame/1").
 *
 * It is text in an element with the ID "flame-data": one line for each section, its name, a space,
 * and the base64 (RFC 4648) of its bytes in zlib format (RFC 1950). Numbers in sections are
 * unsigned LEB128 ("varint": seven bits a byte, the lowest first, the top bit says that more
 * follow). Nodes are in preorder, node 0 is the root. Sections, in this order:
 *
 * header: JSON, below.
 *
 * names: a line (LF at its end) for each frame. Frame 0 is the root's, and stands for a rest
 *   elsewhere; the others are numbered as they are met, then those that are in rests
 *   only.
 *
 * modules: a line for each distinct module; number 0 is "".
 *
 * frames: for each frame: varint module, byte kind (enum frame_kind), three bytes of colour (RGB).
 *
 * shape: for each node: varint 2 * children + (1 if it has a value of its own, now or before).
 *
 * edges: for each node but the root, varint: k > 0 is the k-th distinct frame met below any node of
 *   its parent's frame; 0 is one that was not met there yet, and its number follows.
 *
 * self: for each node that has a value of its own: varint, what it spent itself.
 *
 * before: of two profiles: for each of the same nodes: varint, what it spent itself before.
 *
 * leads: of a flame chart, for each node but the root and rests: varint, what its parent spent
 *   itself before it and after the sibling before it.
 *
 * rests: for each rest in preorder: varint, how many nodes of the tree it stands for.
 *
 * rest_frames: for each frame that is in a rest: varint its number less the one before (or 0),
 *   varint inside, varint self; of two profiles the same two of before. 'inside': the weight of all
 *   stacks that have the frame in a rest and not above that rest: so the total of a function, and a
 *   search for it alone, are exact. 'self': what it spent itself in rests.
 *
 * time: samples in the order of time: varint slots since the one before, varint node (a rest, if
 * its node is in one), varint value.
 *
 * Sections without anything in them are left out. A rest is a childless node of frame 0, the last
 * of its siblings, which stands for those that were too narrow to be kept, with all below them: its
 * own value is all of theirs.
 *
 * Header: { "schema": "fathom.flame/1", "title": T, "subtitle": T, "value": T, "unit": T,
 *   "count_name": T, "name_type": T (texts; null if not set), "nodes": N (with the rests),
 *   "frames": N, "all_nodes": N (of the whole tree, so without rests), "total": N (what is 100 %),
 *   "chart": bool, "icicle": bool, "negate": bool, "provenance": [[KEY, TEXT], ...] }
 *   and where there is such a thing
 *   "unlisted": { "frames": N, "inside": N }: frames in rests that are too many to be listed in
 *     rest_frames, and 'inside' of the one of them that has the most;
 *   "scales": [BEFORE, AFTER], "delta_by": "value"|"percent": of two profiles;
 *   "verdicts": [[FRAME, P or null, 0|1 (significant)], ...] of frames of which something is known;
 *   "time": { "slot_ns": N, "slots": N, "start_ns": N (wall clock, 0: unknown) }.
 */
#pragma once

#include "flamegraph/flame_tree.h"
#include "user/base/str.h"

/* Text of this size leaves a picture below 3 MB. */
#define FLAME_DATA_BUDGET (1600u << 10)

/* A sample in time, for the "time" section. */
struct flame_moment {
	uint64_t slot;
	uint32_t node; /* of the tree */
	int64_t value;
};

struct flame_time {
	uint64_t slot_ns, start_ns;
	const struct flame_moment *moments; /* in the order of time */
	size_t n;
};

struct flame_data_options {
	const char *title, *subtitle, *value, *unit, *count_name, *name_type;
	const char *const (*provenance)[2]; /* key and text */
	size_t n_provenance;
	const uint32_t *colors; /* of each frame of the tree, 0xRRGGBB */
	int64_t total;		/* what is 100 %, if that is more than there is */
	bool is_icicle, is_negated;
	const char *delta_by;	       /* NULL: "value" */
	const struct flame_time *time; /* NULL: none */
	size_t budget; /* bytes of text but for "time"; 0: all nodes, however much it is */
};

/*
 * Appends the lines. Nodes below as small a share as fits the budget are rests; the same tree and
 * options give the same bytes, whatever the order of the tree's frames. 0 or -errno with a
 * sentence.
 */
int flame_data_add(const struct flame_tree *tree, const struct flame_data_options *options,
		   struct str *out);

/* What was read back; all of it belongs to it. */
struct flame_data {
	struct flame_tree *tree; /* a rest is a node of frame 'rest' named "[N frames]" */
	char *header;		 /* JSON, a line */
	uint32_t *rests;	 /* of each node: how many it stands for, 0 if it is none */
	uint64_t n_rests, rest_value;
};

/*
 * Finds the element in a picture (SVG or HTML) and reads it back. The file is hostile: -EINVAL with
 * a sentence for what is not well-formed, -ENOENT if it has none, -EFBIG if it is larger than
 * FLAME_FILE_MAX or unpacks to more than FLAME_DATA_MAX.
 */
#define FLAME_FILE_MAX (1ull << 30)
#define FLAME_DATA_MAX (1ull << 28) /* of which a node takes two bytes at least */
int flame_data_read(FILE *in, const char *name, struct flame_data **ret);
void flame_data_free(struct flame_data *data);
DEFINE_FREEP(struct flame_data, flame_data_free)
