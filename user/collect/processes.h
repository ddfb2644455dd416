/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * processes: which process had what mapped where, and when. It is told by the side band (and by
 * /proc for what was there before) and asked with an address and a time. A process that execs has
 * another image from then on; a PID that is used again is another process. Times are
 * CLOCK_MONOTONIC in ns. Processes that have exited are kept.
 */
#pragma once

#include <stdint.h>

#include "user/base/cleanup.h"
#include "user/collect/layout.h"
#include "user/sym/sym.h"

struct processes;

/* Images in all; what comes beyond is counted by processes_dropped() and has no names. */
#define PROCESSES_MAX_IMAGES (1u << 20)
/* Mappings of one image. */
#define PROCESSES_MAX_MAPPINGS (1u << 16)

int processes_new(struct processes **ret);
void processes_free(struct processes *ps);
DEFINE_FREEP(struct processes, processes_free)

/* Each returns 0 or -ENOMEM. The mapping's strings are copied. */
int processes_mmap(struct processes *ps, const struct sym_mapping *m, uint64_t time_ns);
int processes_fork(struct processes *ps, uint32_t pid, uint32_t parent, uint64_t time_ns);
int processes_exec(struct processes *ps, uint32_t pid, uint64_t time_ns);

/*
 * Reads what /proc/PID/maps shows now of executable mappings (vDSO included). It waits until
 * processes_settle() is past this moment: only then it is known which image has been seen. That one
 * gets it as if it had been there from the image's start. A process that is gone is no error.
 */
int processes_scan(struct processes *ps, uint32_t pid);

/*
 * The same for every process that /proc shows, going on from where the last call stopped, for
 * 'max_ns' or one process. 1: there are more; 0: that was all, now or before; or -errno.
 */
int processes_scan_some(struct processes *ps, uint64_t max_ns);

/* All that happened up to then has been told: what was scanned by then takes effect. 0 or -ENOMEM.
 */
int processes_settle(struct processes *ps, uint64_t until_ns);

/*
 * The process had this mapped at that time, and nobody had said so: taken as if it had been there
 * from its image's start, unless something is known there. 0 or -ENOMEM with a sentence.
 */
int processes_add_missing(struct processes *ps, const struct sym_mapping *m, uint64_t time_ns);

/*
 * The PID whose mappings only /proc can tell, if those of 'pid' come from there: itself or who it
 * was forked from, as it began before the recording. 0: the side band has told all.
 */
uint32_t processes_before(const struct processes *ps, uint32_t pid);

/* When the newest image of the process that is known began; 0 if before the recording. */
uint64_t processes_since(const struct processes *ps, uint32_t pid);

/* Hands each mapping of the process's newest image, and of its last scan that waits, to 'fn'. */
typedef void (*processes_fn)(void *ctx, const struct sym_mapping *m);
void processes_for_each(struct processes *ps, uint32_t pid, processes_fn fn, void *ctx);

#define PROCESSES_NO_IMAGE UINT32_MAX

/* The image that the process had at that time, or PROCESSES_NO_IMAGE. */
uint32_t processes_image(const struct processes *ps, uint32_t pid, uint64_t time_ns);

/*
 * What the image had mapped at the address at that time, or, if that is nothing, the image that it
 * was forked or exec'ed from; or NULL. Valid until the next change.
 */
const struct sym_mapping *processes_find(struct processes *ps, uint32_t image, uint64_t time_ns,
					 uint64_t address);

/*
 * Fills *ret, which is initialized, with what the image has mapped at that time: parts of its own
 * mappings and of those that it has from its parent, the newest where they overlap. 0 or -ENOMEM.
 */
int processes_layout(struct processes *ps, uint32_t image, uint64_t time_ns, struct layout *ret);
/* A part of that, made at once, as a mapping of its own. Its path is valid until the next change.
 */
void processes_part(const struct processes *ps, const struct layout_part *part,
		    struct sym_mapping *ret);
/* How many mappings the image has got so far: it has changed if that has. */
size_t processes_n_mappings(const struct processes *ps, uint32_t image);

/* Images and mappings that were left out because of the limits above. */
uint64_t processes_dropped(const struct processes *ps);
