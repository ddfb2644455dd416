/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * window: what a service that runs anyway uses in a span of time: a process (all of its threads,
 * not its children) by /proc/PID, or a cgroup (v2) by its files.
 */
#pragma once

#include <stdint.h>

#include "user/bench/scenario.h"

enum window_end { WINDOW_OVER, WINDOW_INTERRUPTED, WINDOW_OVER_MEMORY };

struct window {
	const struct scenario_subject *subject; /* pid or cgroup */
	uint64_t duration_ns;
	uint64_t memory_ceiling; /* bytes; 0: none */
	int stop_fd;		 /* -1: none */
	enum window_end end;	 /* how it ended */
};

/*
 * Fills in what can be known of 'values' (those of repetition.h, which are NAN before): memory is
 * the largest of what is seen every 20 ms, CPU time of a process comes in ticks of 10 ms. 0, or
 * -errno with a sentence: -ESRCH if the process is not there, or ended or was replaced meanwhile,
 * -ENOENT if there is no such cgroup.
 */
int window_watch(struct window *w, double *values);
