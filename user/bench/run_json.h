/* SPDX-License-Identifier: BSD-2-Clause */
/* run_json: parts that summary.json and samples.jsonl of a run have alike, and what limits both. */
#pragma once

#include <jansson.h>

#include "user/bench/environment.h"

#define RUN_SUMMARY_FILE "summary.json"
#define RUN_SAMPLES_FILE "samples.jsonl"

#define RUN_MAX_SUMMARY_BYTES (64u << 20)
#define RUN_MAX_SAMPLES_BYTES (256u << 20)
#define RUN_MAX_CASES	      256
#define RUN_MAX_METRICS	      256
#define RUN_MAX_PARAMETERS    64
#define RUN_MAX_CANARIES      100000
#define RUN_MAX_REPETITIONS   100000 /* of all cases together */

/* A new reference, or NULL without memory. */
json_t *run_noise_json(const struct machine_noise *n);
json_t *run_environment_json(const struct environment *e);

/* What is missing or no number is not known. */
void run_noise_read(const json_t *o, struct machine_noise *ret);

/* 0 or -ENOMEM. 'ret' is filled as far as that went, and the caller's to release. */
int run_environment_read(const json_t *o, struct environment *ret);

/* The text of a member, made clean and cut at 4 KiB; NULL if it is no text. 0 or -ENOMEM. */
int run_json_text(const json_t *o, const char *key, char **ret);
uint64_t run_json_count(const json_t *o, const char *key); /* 0 if it is no count */
double run_json_number(const json_t *o, const char *key);  /* NAN if it is no number */
