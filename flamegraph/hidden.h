/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hidden: what pruned boxes hide, as compact text for the script in the drawing, so that a search
 * finds and sums what is too small to draw.
 *
 * The number of names, a line for each ("function TAB where"), then one line for each pruned box
 * in drawing order: its trees in preorder, a node being the number of its name and, after a point,
 * what it spent itself (both in base 36, the latter left out if 0); its children follow in
 * parentheses. "?" stands for a box that was left out because there are too many nodes.
 */
#pragma once

#include "flamegraph/flamegraph.h"
#include "user/base/str.h"

/* About half a megabyte: what a browser and a mail server still take without a thought. */
#define HIDDEN_MAX_NODES 65536

/*
 * Where a frame comes from, for tooltips: its module and, if it is no plain native code, its kind:
 * "libc.so.6", "[kernel]", "xz (inlined)", "process". May be empty. 0 or -ENOMEM.
 */
int frame_where(const char *module, uint32_t kind, struct str *out);

/* Appends the text for 'layout'; clean UTF-8, not yet XML. 0, -ENOMEM or -EOVERFLOW. */
int hidden_add(const struct flame_layout *layout, struct str *out);
