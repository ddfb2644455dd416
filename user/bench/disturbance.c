/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/disturbance.h"

#include <math.h>
#include <stdlib.h>

#include "user/base/array.h"
#include "user/base/cleanup.h"
#include "user/bench/statistics.h"

bool disturbance_find(const struct run_result *r, const struct policy_profile *p,
		      struct disturbance *ret)
{
	const struct machine_noise *n = &r->noise;
	/* Pressure may be the command's own; it tells of others only where nothing else does. */
	double pressure = isnan(n->other_cpu) ? n->psi_cpu : NAN;
	const struct disturbance all[] = {
		{ "host_drifted", "its speed changed", run_canary_drift(r), p->canary_drift_share },
		{ "host_busy", "other programs took CPU time", n->other_cpu, p->other_cpu_share },
		{ "host_stolen", "the hypervisor took CPU time", n->steal, p->steal_share },
		{ "host_pressed", "programs waited for a CPU", pressure, p->pressure_share },
		{ "host_throttled", "a cgroup's limit held it up", n->throttled,
		  p->throttled_share },
		{ "host_throttled", "CPUs were too hot", n->thermal_throttles ? 1 : 0, 0 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		if (all[i].share > all[i].allowed) {
			*ret = all[i];
			return true;
		}
	}
	return false;
}

static double canary_median(const struct run_result *r)
{
	_cleanup_(freep) double *v = calloc(r->n_canaries + 1, sizeof(*v));
	size_t i;

	for (i = 0; v && i < r->n_canaries; i++)
		v[i] = r->canaries[i].ns;
	return v ? median_of(v, r->n_canaries) : NAN;
}

double disturbance_between(const struct run_result *a, const struct run_result *b)
{
	double before = canary_median(a), after = canary_median(b);

	return before > 0 && after > 0 ? fabs(after / before - 1) : NAN;
}
