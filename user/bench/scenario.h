/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scenario: what is measured, how often, and what counts as right: a YAML file (docs/scenarios.md,
 * docs/schemas/scenario.schema.json). All strings are owned by the scenario, NULL if not given.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/base/cleanup.h"

/* A name and its value: a variable of the environment, or a parameter of the matrix. */
struct scenario_pair {
	char *key, *value;
};

struct scenario_pairs {
	struct scenario_pair *list;
	size_t n;
};

enum scenario_kind { SCENARIO_MICRO, SCENARIO_REAL };

/* What runs: one of these. Words are NULL-terminated. */
struct scenario_subject {
	char **command;
	uint64_t pid; /* of a running service; 0: none */
	char *cgroup; /* folder of one */
};

enum ready_kind { READY_NONE, READY_STDOUT, READY_FILE, READY_TCP };

/* When the command has started up: the time to it is the metric "ready_ns". */
struct scenario_ready {
	enum ready_kind kind;
	char *text;	   /* regex (POSIX extended) over lines of stdout; or the file's path */
	unsigned int port; /* on 127.0.0.1 */
	bool stop;	   /* the repetition is over then: the command is ended by SIGTERM */
};

/* What the output of each repetition has to be. Either digest or expected file. */
struct scenario_oracle {
	bool is_given;
	char *file;	/* what is looked at; NULL: stdout */
	char *sha256;	/* 64 lower-case hexadecimal digits */
	char *expected; /* path of a file with the same bytes */
};

enum metric_better { BETTER_LOWER, BETTER_HIGHER };

enum metric_source {
	METRIC_LINES,  /* lines "NAME VALUE [UNIT]" of stdout or 'file' */
	METRIC_REGEX,  /* first group of 'pattern' in lines of stdout or 'file' */
	METRIC_POINTER /* JSON pointer (RFC 6901) 'pattern' into 'file' */
};

/* What many values of one repetition become. */
enum metric_aggregate {
	AGGREGATE_MEDIAN,
	AGGREGATE_MEAN,
	AGGREGATE_SUM,
	AGGREGATE_MIN,
	AGGREGATE_MAX,
	AGGREGATE_P95,
	AGGREGATE_P99,
	AGGREGATE_LAST,
};

struct scenario_metric {
	char *name; /* [a-z][a-z0-9_]* */
	char *unit;
	enum metric_better better;
	enum metric_source source;
	char *from; /* name in lines, if another than 'name' */
	char *file; /* relative to workdir; NULL: stdout */
	char *pattern;
	enum metric_aggregate aggregate;
	bool is_informative; /* not gated */
};

struct scenario_component {
	char *name;
	char *symbol; /* POSIX extended regex over function names */
};

/* An absolute limit on a key of the summary ("p95_latency_ms") or a metric's median. */
struct scenario_slo {
	char *metric;
	double min, max; /* NAN: none */
};

/* What the scenario says instead of the policy; NAN: nothing. Shares, or points as in policy.h. */
struct scenario_gate {
	char *metric;
	double min_effect, alert, limit;
	bool is_informative;
};

/* Beyond these the whole run is given up. 0, or NAN: none. */
struct scenario_ceilings {
	uint64_t memory_bytes; /* resident, of the command and its children */
	uint64_t time_ns;      /* of one repetition */
	double error_rate;     /* share of repetitions that failed, or the metric of that name */
};

/* One with and one without: what differs from the scenario itself. */
struct scenario_variant {
	char *name;
	struct scenario_pairs parameters, env;
	char **command; /* NULL: the scenario's */
	char *workdir;
};

struct scenario_axis {
	char *name;
	char **values;
	size_t n_values;
};

struct scenario {
	char *path; /* as opened */
	char *text; /* the file itself, 'text_len' bytes and a NUL */
	size_t text_len;
	char sha256[65]; /* of it */
	char *folder;	 /* absolute, where the file lies: relative paths are below it */
	char *name;	 /* [A-Za-z0-9][A-Za-z0-9._-]*, at most 64 */
	char *description;
	enum scenario_kind kind;
	char **tags; /* NULL-terminated, or NULL */
	struct scenario_subject subject;
	char *workdir;
	struct scenario_pairs env;
	struct scenario_axis *matrix;
	size_t n_matrix;
	struct scenario_variant *variants;
	size_t n_variants;
	char **setup, **teardown, **before_each; /* commands */
	struct scenario_ready ready;
	bool drop_caches;
	int warmup, repeat;   /* -1: the policy's */
	uint64_t duration_ns; /* of one repetition; 0: until the command ends */
	uint64_t timeout_ns;  /* of one repetition; 0: the policy's */
	char **verify;	      /* command, after each repetition */
	struct scenario_oracle oracle;
	char **collectors; /* of the profile pass, NULL-terminated; NULL: cpu */
	char *iterations;  /* metric that counts the work of a repetition, or a number; NULL: 1 */
	struct scenario_metric *metrics;
	size_t n_metrics;
	struct scenario_component *components;
	size_t n_components;
	struct scenario_slo *slo;
	size_t n_slo;
	struct scenario_gate *gates;
	size_t n_gates;
	struct scenario_ceilings ceilings;
	bool is_production; /* runs only if somebody has approved it */
};

/*
 * Reads and checks a file, which is hostile (at most 1 MiB; no aliases that multiply it). -EINVAL
 * with "FILE:LINE:COLUMN: what is wrong", -errno with a sentence if it cannot be read.
 */
int scenario_read(const char *path, struct scenario **ret);
void scenario_free(struct scenario *s);
DEFINE_FREEP(struct scenario, scenario_free)

/* Whether it defines a metric of that name that is to be gated. */
bool scenario_gates_metric(const struct scenario *s, const char *name);

#define SCENARIO_MAX_CASES 256

/*
 * One cell of the matrix with one variant. In all words, paths and values "${NAME}" is replaced by
 * the parameter NAME, "${variant}" by the variant's name, "${scenario_dir}" by the scenario's
 * folder, "${scratch}" by scenario_case_set_scratch(), "$$" by "$"; any other "$" stands for
 * itself. Relative paths are made absolute: workdir and oracle.expected below the scenario's
 * folder, what the command writes (metrics, oracle.file, ready) below workdir.
 */
struct scenario_case {
	char *name;    /* "small", "small.on": values of the matrix and the variant; "" if none */
	char *cell;    /* the same without the variant: cases of one cell are compared */
	char *variant; /* NULL: the scenario has none */
	struct scenario_pairs parameters;
	struct scenario_subject subject;
	char *workdir; /* absolute */
	struct scenario_pairs env;
	char **setup, **teardown, **before_each, **verify;
	struct scenario_ready ready;
	struct scenario_oracle oracle;
	struct scenario_metric
		*metrics; /* as the scenario's, with 'file' and 'pattern' filled in */
	size_t n_metrics;
	bool needs_scratch; /* until scenario_case_set_scratch() nothing of this may be used */
};

struct scenario_cases {
	struct scenario_case *list; /* cell by cell, variants in the order of the file */
	size_t n;
};

/*
 * All cases, or those whose parameters are as in 'only' (n_only, "size" "small") and whose variant
 * is 'variant' (NULL: any). -EINVAL with a sentence if 'only' or 'variant' name what is not there,
 * for "${...}" of an unknown name, or for more than 256 cases.
 */
int scenario_cases_new(const struct scenario *s, const struct scenario_pair *only, size_t n_only,
		       const char *variant, struct scenario_cases **ret);

/*
 * Gives a case the private, empty folder (absolute) that whoever runs it has made, 0700 and below
 * one that others cannot write to, before 'setup'; it is removed after 'teardown'. Once only. 0,
 * -ENOMEM, or -EINVAL with a sentence if a path or a pattern is none with it.
 */
int scenario_case_set_scratch(struct scenario_case *c, const char *folder);

/* Frees all cases that 'keep' says no to. */
void scenario_cases_keep(struct scenario_cases *c,
			 bool (*keep)(void *ctx, const struct scenario_case *c), void *ctx);
void scenario_cases_free(struct scenario_cases *c);
DEFINE_FREEP(struct scenario_cases, scenario_cases_free)
