/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target: what a recording is about, made into the configuration of the kernel-side filters
 * (bpf/filter.bpf.h) and the list of processes that bpf/follow.bpf.c keeps.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/types.h>

#include "bpf/wire.h"
#include "user/base/cleanup.h"
#include "user/collect/cgroup.h"
#include "user/model/ledger.h"

/* All that is given must hold; nothing given is the whole machine. Lists are the caller's. */
struct target_options {
	const uint32_t *pids;
	size_t n_pids;
	const uint32_t *tids;
	size_t n_tids;
	const char *const *comms; /* globs over the thread's comm; any may match */
	size_t n_comms;
	const char *cpus;   /* in words, for the text; NULL: all */
	const char *cgroup; /* folder, NULL: any */
	bool no_children;   /* of 'pids' and the command */
	uint32_t command;   /* PID of a command that waits for its exec; 0: none */
};

struct target;

/*
 * Loads the following of processes, if it is needed, and fills its list: from then on it follows.
 * -ESRCH for a PID or TID that is not there, -EINVAL for a pattern; -EPERM and the like if the
 * kernel refuses; with a sentence.
 */
int target_new(const struct target_options *options, const struct cgroups *cgroups,
	       struct target **ret);
void target_free(struct target *t);
DEFINE_FREEP(struct target, target_free)

/* "whole machine", "PID 12, 14 and their children in cgroup ..."; lives with the target. */
const char *target_text(const struct target *t);

/* Whether all processes that were asked for by PID have ended. False if none were. */
bool target_is_gone(const struct target *t);

/* Takes dead processes off the list of those that are followed, when there have been many. */
void target_tidy(struct target *t);

/* What a collector's skeleton is configured with before it is loaded: TARGET_CONFIGURE(). */
struct target_config {
	uint32_t self_tgid;
	uint32_t pidns_inum; /* 0 in the initial PID namespace */
	bool by_target, by_tid, by_cgroup, by_comm;
	struct ft_glob comm;
	int targets_fd; /* map to share; -1: none */
};
const struct target_config *target_config(const struct target *t);

/* For a skeleton whose programs include bpf/filter.bpf.h; 'ret' becomes 0 or -errno. */
#define TARGET_CONFIGURE(skel, config, ret)                                                      \
	do {                                                                                     \
		(skel)->rodata->cfg_self_tgid = (config)->self_tgid;                             \
		(skel)->rodata->cfg_pidns_inum = (config)->pidns_inum;                           \
		(skel)->rodata->cfg_by_target = (config)->by_target;                             \
		(skel)->rodata->cfg_by_tid = (config)->by_tid;                                   \
		(skel)->rodata->cfg_by_cgroup = (config)->by_cgroup;                             \
		(skel)->rodata->cfg_by_comm = (config)->by_comm;                                 \
		memcpy((void *)&(skel)->rodata->cfg_comm, &(config)->comm,                       \
		       sizeof((config)->comm));                                                  \
		(ret) = (config)->targets_fd < 0                                                 \
				? 0                                                              \
				: bpf_map__reuse_fd((skel)->maps.targets, (config)->targets_fd); \
	} while (0)

/* Fills a loaded collector's maps of TIDs and of the cgroup. */
int target_fill(const struct target *t, int tids_fd, int cgroup_fd);

/* What following cost: adds run time and map bytes. 'lost' processes did not fit into the list. */
struct target_cost {
	uint64_t kernel_ns, map_bytes, lost;
};
void target_cost(const struct target *t, struct target_cost *ret);
