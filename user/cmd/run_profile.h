/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run_profile: the profile pass of a scenario: each repetition is recorded by a process of its own,
 * and all of a case become one profile for each collector, whose samples say of which repetition
 * they are (LABEL_REPETITION).
 */
#pragma once

#include <jansson.h>
#include <stddef.h>

#include "user/base/cleanup.h"
#include "user/base/str.h"
#include "user/bench/measure.h"
#include "user/cmd/run_folder.h"
#include "user/model/profile.h"

#define RUN_PROFILE_RATE_HZ 999

struct run_profiles;

/* Both must outlive it. 0, or -EINVAL with a sentence for a collector that there is not. */
int run_profiles_new(const struct scenario *s, const struct scenario_cases *cases,
		     struct run_profiles **ret);
void run_profiles_free(struct run_profiles *r);
DEFINE_FREEP(struct run_profiles, run_profiles_free)

/* profile_fn and profiled_fn of measure.h; 'ctx' is the struct run_profiles. */
int run_profiles_record(void *ctx, const struct scenario_case *c, unsigned int number,
			const char *folder, struct profile_usage *usage);
int run_profiles_take(void *ctx, unsigned int case_number, unsigned int number, const char *folder);

/*
 * Writes "CASE.COLLECTOR.folded", ".pb.gz" and ".svg" ("COLLECTOR.folded" ... if there is but one
 * case without a name), and gives the summaries of the collectors to the result's cases.
 */
int run_profiles_write(struct run_profiles *r, struct run_result *result, struct run_folder *rf);

/* Appends "CASE.COLLECTOR" as above. 0 or -ENOMEM. */
int run_profile_name(const char *case_name, const char *collector, struct str *out);

/* Appends "FOLDER/CASE.COLLECTOR.pb.gz". 0 or -ENOMEM. */
int run_profile_path(const char *folder, const char *case_name, const char *collector,
		     struct str *out);
