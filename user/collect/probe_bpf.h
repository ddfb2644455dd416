/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * probe_bpf: tiny programs in raw instructions, and what probe_rows runs with them. Each function
 * closes all that it opened.
 */
#pragma once

#include <linux/bpf.h>

#include "user/collect/probe_facts.h"

/* Attach a program of that kind and let it go again. arg is not used. */
void probe_perf_event(int arg, struct probe_try *ret); /* and waits for a sample of it */
void probe_tp_btf(int arg, struct probe_try *ret);

/* Loads a perf_event program that calls helper number 'arg' as a collector would. */
void probe_helper(int arg, struct probe_try *ret);

/* Creates a map of type 'arg'. */
void probe_map(int arg, struct probe_try *ret);

/* Reads and deletes a map's keys at once; switches statistics on for a moment. arg is not used. */
void probe_batch(int arg, struct probe_try *ret);
void probe_run_time(int arg, struct probe_try *ret);

/* Opens the event on one CPU: SAMPLE_CYCLES or SAMPLE_CPU_CLOCK of perf.h. */
void probe_event(int arg, struct probe_try *ret);
