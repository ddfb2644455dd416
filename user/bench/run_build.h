/* SPDX-License-Identifier: BSD-2-Clause */
/* run_build: a run_result as it grows. */
#pragma once

#include "user/bench/measure.h"
#include "user/bench/repetition.h"
#include "user/bench/run_result.h"

/* What is known before anything has run. 0 or -errno with a sentence. */
int run_build_new(const struct measure_options *o, struct run_result **ret);

/*
 * Reads the scenario's metrics and iterations of a repetition that is OK, which may make it
 * REPETITION_BAD_METRIC with a message. Adds it to the case, whose it is then ('rep' loses its
 * message), and its observations of latency unless it is a warm-up or recorded. 'ret' may be used
 * until the next one is added. 0 or -ENOMEM.
 */
struct run_build_place {
	unsigned int number, order;
	bool is_warmup, is_profile;
	struct machine_noise noise;
};
int run_build_add(const struct scenario *s, const struct scenario_case *from, struct run_case *c,
		  struct repetition *rep, const struct run_build_place *place,
		  struct run_repetition **ret);

/* How many observations there were at a moment. */
struct latency_mark {
	size_t n;
	uint64_t dropped;
};
struct latency_mark run_build_mark(const struct run_case *c);

/* Takes the last repetition back, and the observations since then. */
void run_build_remove_last(struct run_case *c, const struct latency_mark *mark);

/* 0 or -ENOMEM. */
int run_build_canary(struct run_result *r, uint64_t order, uint64_t ns);
