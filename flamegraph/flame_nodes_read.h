/* SPDX-License-Identifier: BSD-2-Clause */
/* flame_nodes_read: the sections of a file made nodes again. All of it is hostile. */
#pragma once

#include "flamegraph/flame_tree.h"
#include "user/base/str.h"

/* What is left of a section. */
struct flame_bytes {
	const unsigned char *at, *end;
};

static inline struct flame_bytes flame_bytes_of(const struct str *s)
{
	const unsigned char *at = (const unsigned char *)str_text(s);

	return (struct flame_bytes){ at, at + s->len };
}

/* The next number; false at the end, or if it is more than 64 bits. */
static inline bool flame_take_varint(struct flame_bytes *bytes, uint64_t *ret)
{
	uint64_t v = 0;
	unsigned int shift;

	for (shift = 0; shift < 64 && bytes->at < bytes->end; shift += 7) {
		unsigned char byte = *bytes->at++;

		if (shift == 63 && byte > 1)
			return false;
		v |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			*ret = v;
			return true;
		}
	}
	return false;
}

struct flame_node_sections {
	struct flame_bytes shape, edges, self, before, leads, rests;
	bool has_before, has_leads;
	const uint32_t *frames; /* of each number: the frame of the tree; 0 is the root's */
	size_t n_frames;
};

/*
 * Adds the nodes to a tree that has its root and the frames; rests get frames of their own. Before
 * the tree is finished, so values are what each spent itself. ret_rests[i] says how many nodes node
 * i stands for; it is the caller's. -EINVAL (what does not fit together), -ENOMEM or -EOVERFLOW,
 * with a sentence.
 */
int flame_nodes_read(struct flame_node_sections *sections, struct flame_tree *tree,
		     uint32_t **ret_rests);
