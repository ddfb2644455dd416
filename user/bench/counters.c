/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/counters.h"

#include <linux/perf_event.h>
#include <math.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

void counters_open(struct counters *c, pid_t pid)
{
	static const uint64_t events[COUNTERS] = {
		[COUNTER_INSTRUCTIONS] = PERF_COUNT_HW_INSTRUCTIONS,
		[COUNTER_CYCLES] = PERF_COUNT_HW_CPU_CYCLES,
		[COUNTER_CACHE_MISSES] = PERF_COUNT_HW_CACHE_MISSES,
		[COUNTER_BRANCH_MISSES] = PERF_COUNT_HW_BRANCH_MISSES,
	};
	int i;

	for (i = 0; i < COUNTERS; i++) {
		struct perf_event_attr attr = {
			.type = PERF_TYPE_HARDWARE,
			.size = sizeof(attr),
			.config = events[i],
			.read_format =
				PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING,
			.disabled = 1,
			.inherit = 1,
			.enable_on_exec = 1,
		};

		c->fds[i] = syscall(SYS_perf_event_open, &attr, pid, -1, -1, PERF_FLAG_FD_CLOEXEC);
	}
}

void counters_read(struct counters *c, double ret[COUNTERS])
{
	struct {
		uint64_t value, enabled_ns, running_ns;
	} r;
	int i;

	for (i = 0; i < COUNTERS; i++) {
		ret[i] = NAN;
		if (c->fds[i] < 0)
			continue;
		if (read(c->fds[i], &r, sizeof(r)) == sizeof(r) && r.running_ns)
			ret[i] = r.value * ((double)r.enabled_ns / r.running_ns);
		close(c->fds[i]);
		c->fds[i] = -1;
	}
}
