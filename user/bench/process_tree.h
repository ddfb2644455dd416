/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * process_tree: all that a command has started. What leaves its parents falls to this process,
 * which has to be a subreaper (prctl(2), PR_SET_CHILD_SUBREAPER), so that nothing gets away by
 * becoming a daemon. Nothing else of this process may fork meanwhile: it would be of the tree.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

struct process_tree {
	pid_t *others; /* children that we had before: not of the tree */
	size_t n_others;
};

/* Notes what children there are, before the command is forked. 0 or -errno with a sentence. */
int process_tree_init(struct process_tree *t);
void process_tree_release(struct process_tree *t);

/*
 * Resident bytes of all of it but 'except' (0: of all). Pages that several processes share count
 * once for each of them, unless the sum is above 'limit': then they are divided up, which takes
 * longer.
 */
uint64_t process_tree_bytes(const struct process_tree *t, pid_t except, uint64_t limit);

/*
 * Kills all of it and waits until nothing is left; what it used is added to 'usage' as far as
 * nobody else has waited for it. -EBUSY with a sentence if something is still there after five
 * seconds (in an uninterruptible sleep).
 */
int process_tree_end(const struct process_tree *t, struct rusage *usage);
