/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run_recorded: what the process that records one repetition leaves for the run: its profiles and
 * its summary, in a private folder.
 */
#pragma once

#include <jansson.h>

#include "user/base/str.h"
#include "user/collect/session.h"
#include "user/model/profile.h"

/* Writes COLLECTOR.pb.gz for each collector, and summary.json. 0 or -errno with a sentence. */
int run_recorded_write(struct recorded *recorded, const char *folder);

/* Reads them again. *ret is the caller's. */
int run_recorded_summary(const char *folder, json_t **ret);
int run_recorded_load(const char *folder, const char *collector, struct profile **ret);

/*
 * Adds what the summary says of a collector to *sum, which is NULL at first: ledger, cost and
 * quality of stacks; of amounts that do not add up, such as memory, it keeps the largest.
 */
int run_recorded_add(json_t **sum, const json_t *one);

/* One line for a picture: rate, repetitions, losses, quality. -ENOMEM. */
int run_recorded_describe(const json_t *sum, unsigned int repetitions, struct str *out);
