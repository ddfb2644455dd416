/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * uprobes: BPF programs on places in files, in one process or in all, by the best way that the
 * kernel has:
 *
 * - one link for many places, called again at the return of those calls whose first run returned 0
 *   (BPF_TRACE_UPROBE_SESSION, 6.13);
 * - one link for many places (BPF_TRACE_UPROBE_MULTI, 6.6);
 * - a perf event for each place.
 *
 * What the kernel has is found out by trying. Files are given as descriptors: the kernel is told
 * of them by /proc/self/fd, so that it takes the very file that was looked at.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "user/base/cleanup.h"

struct bpf_program;

/* Each of them can do what the ones before it can. */
enum uprobes_way { UPROBES_PERF, UPROBES_MULTI, UPROBES_SESSION };

/* "perf", "multi", "session". */
const char *uprobes_way_name(enum uprobes_way way);

/* Tries them on a function of this program. */
enum uprobes_way uprobes_best_way(void);

enum uprobes_when { UPROBES_AT_ENTRY, UPROBES_AT_RETURN, UPROBES_AT_BOTH };

/* Prepares a program, before it is loaded. AT_BOTH needs UPROBES_SESSION. 0 or -errno. */
int uprobes_prepare(struct bpf_program *program, enum uprobes_way way, enum uprobes_when when);
/* The same for who loads it by hand: bpf_prog_load_opts.expected_attach_type. */
uint32_t uprobes_attach_type(enum uprobes_way way, enum uprobes_when when);

struct uprobe_place {
	uint64_t offset; /* in the file */
	uint64_t cookie; /* for bpf_get_attach_cookie(); none before 5.15 */
};

struct uprobes {
	int *fds;
	size_t n, cap;
};

/*
 * Attaches a program that was prepared and loaded to 'n' places in a file, in the process 'pid' or
 * (0) in all. It is detached when the list is released, or its process ends. A link counts one file
 * descriptor; perf events, two for each place. 0, -ESRCH if the process is gone, -EMFILE, or
 * another -errno, with a sentence; nothing is attached then.
 */
int uprobes_attach(struct uprobes *list, int program, enum uprobes_way way, enum uprobes_when when,
		   int file, pid_t pid, const struct uprobe_place *places, size_t n);
/* Detaches all, several at a time, since each takes a while. */
void uprobes_release(struct uprobes *list);
/* Adds another list's probes to a list, which leaves that one empty. 0 or -ENOMEM. */
int uprobes_move(struct uprobes *to, struct uprobes *from);

/* Where the code at an address of this program is in its file, which is opened. 0 or -errno. */
int uprobes_find_self(const void *code, int *ret_fd, uint64_t *ret_offset);
