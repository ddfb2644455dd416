/* SPDX-License-Identifier: BSD-2-Clause */
/* view: how a stack is shown to people: what stands at its root, and how its frames are marked. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "user/base/str.h"
#include "user/model/profile.h"

struct view {
	unsigned int value; /* which value type */
	bool no_comm;	    /* no process or thread name at the root */
	bool per_thread;    /* the thread's comm and TID instead of the process's comm */
	bool with_pid;	    /* and the PID */
	bool with_lines;    /* functions are told apart by the source lines that were running */
};

/*
 * Appends the root's name for a sample with these labels: "comm", "comm-PID", "thread/TID" or
 * "thread-PID/TID". Appends nothing if the view has none or the sample is not labelled with a
 * process (an imported one). The text is clean as for a folded file. 0 or -ENOMEM.
 */
int view_root(const struct profile *p, uint32_t labels, const struct view *view, struct str *out);

/*
 * Appends the frame's function, clean as for a folded file, without the suffix of its kind;
 * "[empty]" if it has none. 0 or -ENOMEM.
 */
int view_frame_name(const struct profile *p, const struct profile_frame *frame, struct str *out);

/* The suffix that marks a frame of that kind in folded output: "_[k]", "_[i]", "_[j]" or "". */
const char *view_suffix(uint32_t kind);

/*
 * Appends v, which is in 'unit' ("nanoseconds", "bytes", "count", ...), as people read it:
 * "1.25 s", "3.00 MiB", "12,345". Amounts below the second unit are whole: "999 ns", "5 bytes".
 * 0 or -ENOMEM.
 */
int view_amount(int64_t v, const char *unit, struct str *out);
