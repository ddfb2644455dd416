/* SPDX-License-Identifier: BSD-2-Clause */
/* gate: the verdict on a run, against another run or of two variants, and why. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "user/bench/compare.h"
#include "user/bench/functions.h"
#include "user/bench/policy.h"
#include "user/bench/run_result.h"
#include "user/bench/scenario.h"

#define GATE_SCHEMA "fathom.gate/1"

#define GATE_MAX_COLLECTORS 8

/* Functions by one collector's stacks. */
struct gate_functions {
	char *collector;
	struct functions_comparison *comparison; /* NULL: could not be compared, */
	char *reason;				 /* and why */
};

struct gate_case {
	char *cell, *before_name, *after_name;
	struct metric_comparison *metrics; /* the array is owned, names and units are the runs' */
	size_t n_metrics;
	enum verdict verdict;
	struct gate_functions functions[GATE_MAX_COLLECTORS];
	size_t n_functions;
	char *evidence[GATE_MAX_COLLECTORS * 2]; /* paths of files; NULL at the end */
	size_t n_evidence;
	char *notes[8]; /* sentences: "unattributed: ..." */
	size_t n_notes;
};

/* What a run breaks by itself, whatever it is compared with. */
struct gate_breach {
	const char *reason; /* code, a literal; NULL: nothing is broken */
	char *explanation;  /* one sentence */
};

struct gate_result {
	enum verdict verdict;
	int exit_code;	    /* 0 to 6, as of a command */
	const char *reason; /* code of the whole, a literal */
	char *explanation;  /* one sentence */
	char *next_command; /* what to run next; NULL: nothing */
	char *scenario, *policy, *policy_version, *preset;
	char *before_path, *after_path, *baseline_id;
	char *before_fingerprint, *after_fingerprint;
	struct gate_breach slo, quality;
	bool was_retried, is_confirmed;
	char *retry_note; /* why there was no retry, or what it said */
	struct gate_case *cases;
	size_t n_cases;
};

/* Strings are owned but for 'reason'. The runs that were compared must outlive it. */
void gate_result_free(struct gate_result *g);
DEFINE_FREEP(struct gate_result, gate_result_free)

/* A new reference, or NULL without memory. */
json_t *gate_json(const struct gate_result *g);

/* For people on a terminal, for report.md, for CI. -ENOMEM or -EIO. */
int gate_text_write(const struct gate_result *g, bool color, FILE *out);
int gate_report_write(const struct gate_result *g, FILE *out);
int gate_junit_write(const struct gate_result *g, FILE *out);

/* GitHub's workflow commands ("::error title=...::..."), with its escapes. */
int gate_annotations_write(const struct gate_result *g, const char *file, FILE *out);
