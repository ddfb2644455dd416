/* SPDX-License-Identifier: BSD-2-Clause */
/* some_run: a run of a scenario as tests need one: two variants of one cell, ten repetitions. */
#pragma once

#include "tests/unit/folder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/array.h"
#include "user/bench/run_files.h"

static inline void some_metric(struct run_metric *m, const char *name, const char *unit,
			       enum metric_better better, bool is_scenario)
{
	*m = (struct run_metric){ strdup(name), strdup(unit), better, is_scenario };
}

static inline struct run_repetition *some_repetition(struct run_case *c)
{
	struct run_repetition *r;

	assert_int_equal(array_reserve(c->repetitions, c->repetitions_cap, c->n_repetitions + 1),
			 0);
	r = &c->repetitions[c->n_repetitions];
	*r = (struct run_repetition){ .number = c->n_repetitions,
				      .order = c->n_repetitions,
				      .start_ns = 1700000000000000001 + c->n_repetitions,
				      .iterations = 4,
				      .noise = {
					      .other_cpu = 0.1, .steal = NAN, .load1_after = 1 } };
	r->values = calloc(c->n_metrics, sizeof(*r->values));
	assert_non_null(r->values);
	c->n_repetitions++;
	return r;
}

/* Two warm-ups, ten measured repetitions of 'wall_ns' and a bit, two profiled ones. */
static inline void some_case(struct run_case *c, const char *variant, double wall_ns)
{
	size_t i;

	*c = (struct run_case){ .n_profiles = 2 };
	assert_true(asprintf(&c->name, "small.%s", variant) > 0);
	c->cell = strdup("small");
	c->variant = strdup(variant);
	c->parameters.list = calloc(1, sizeof(*c->parameters.list));
	c->parameters.list[0] = (struct scenario_pair){ strdup("size"), strdup("small") };
	c->parameters.n = 1;
	c->metrics = calloc(4, sizeof(*c->metrics));
	some_metric(&c->metrics[c->n_metrics++], "wall_ns", "ns", BETTER_LOWER, false);
	some_metric(&c->metrics[c->n_metrics++], "cpu_ns", "ns", BETTER_LOWER, false);
	some_metric(&c->metrics[c->n_metrics++], "max_rss_bytes", "bytes", BETTER_LOWER, false);
	some_metric(&c->metrics[c->n_metrics++], "score", "points", BETTER_HIGHER, true);
	for (i = 0; i < 14; i++) {
		struct run_repetition *r = some_repetition(c);

		r->is_warmup = i < 2;
		r->is_profile = i >= 12;
		r->values[0] = wall_ns + 1000 * i;
		r->values[1] = (r->is_profile ? 1.25 : 1) * wall_ns / 2;
		r->values[2] = 1 << 20;
		r->values[3] = i % 2 ? NAN : 0.1 * i;
	}
	c->latency.n = c->latency.cap = 1000;
	c->latency.ns = calloc(c->latency.n, sizeof(*c->latency.ns));
	for (i = 0; i < c->latency.n; i++)
		c->latency.ns[i] = 1e6 * (i + 1);
	c->collectors =
		json_pack("[{s:s, s:[{s:s, s:s, s:i}], s:[{s:s, s:s, s:f}]}]", "name", "alloc",
			  "values", "type", "alloc_space", "unit", "bytes", "total", 8192, "top",
			  "function", "main", "module", "app", "self_share", 0.5);
	assert_non_null(c->collectors);
}

static inline struct run_result *some_run(void)
{
	struct run_result *r = calloc(1, sizeof(*r));
	struct environment *e = &r->environment;

	r->scenario = strdup("cpu-bound");
	r->description = strdup("Multiplies <matrices> & more.");
	r->scenario_path = strdup("/scenarios/cpu-bound.yaml");
	memset(r->scenario_sha256, 'a', 64);
	r->policy = strdup("nightly");
	r->policy_version = strdup("1");
	r->fathom_version = strdup("0.1.0");
	r->seed = UINT64_MAX;
	r->start_ns = 1700000000123456789;
	r->span_ns = 60000000000;
	*e = (struct environment){ .kernel = strdup("6.1.0"),
				   .architecture = strdup("x86_64"),
				   .cpu_model = strdup("A CPU"),
				   .hostname = strdup("host"),
				   .cpus_online = 8,
				   .memory_bytes = 1ull << 34,
				   .turbo = 1,
				   .smt = -1,
				   .aslr = 2,
				   .cgroup_cpus = 1.5,
				   .fingerprint = "0123456789abcdef",
				   .name = strdup("x86_64-6.1.0-8cpu-0123456789abcdef") };
	r->canaries_cap = r->n_canaries = 2;
	r->canaries = calloc(2, sizeof(*r->canaries));
	r->canaries[0] = (struct run_canary){ 0, 1000000 };
	r->canaries[1] = (struct run_canary){ 20, 1020000 };
	r->noise = (struct machine_noise){ .other_cpu = 0.01, .steal = 0, .psi_cpu = NAN };
	r->cases = calloc(2, sizeof(*r->cases));
	r->n_cases = 2;
	some_case(&r->cases[0], "off", 1e8);
	some_case(&r->cases[1], "on", 1.1e8);
	return r;
}

/* Its two files, in a folder. */
static inline void some_run_write(const struct run_result *r, const struct scenario *s,
				  const struct folder *f)
{
	json_t *o = run_summary_json(r, s);
	char *text = json_dumps(o, JSON_INDENT(2) | JSON_REAL_PRECISION(10));
	FILE *out;

	assert_non_null(text);
	folder_write(f, "summary.json", text, strlen(text));
	free(text);
	json_decref(o);
	out = fopen(folder_path(f, "samples.jsonl"), "we");
	assert_non_null(out);
	assert_int_equal(run_samples_write(r, out), 0);
	assert_int_equal(fclose(out), 0);
}
