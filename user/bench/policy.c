/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/policy.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "user/base/err.h"
#include "user/base/str.h"

int policy_find_profile(const struct policy *p, const char *name, const struct policy_profile **ret)
{
	_cleanup_(str_release) struct str names = { 0 };
	size_t i;

	for (i = 0; i < p->n_profiles; i++) {
		if (!strcmp(p->profiles[i].name, name)) {
			*ret = &p->profiles[i];
			return 0;
		}
		if (str_addf(&names, "%s%s", i ? ", " : "", p->profiles[i].name))
			return errf(-ENOMEM, "no memory to look for '%s'", name);
	}
	return errf(-ENOENT, "the policy has no profile '%s': there are %s", name,
		    str_text(&names));
}

int policy_find_preset(const struct policy *p, const char *name, const struct policy_preset **ret)
{
	_cleanup_(str_release) struct str names = { 0 };
	size_t i;

	for (i = 0; i < p->n_presets; i++) {
		if (!strcmp(p->presets[i].name, name)) {
			*ret = &p->presets[i];
			return 0;
		}
		if (str_addf(&names, "%s%s", i ? ", " : "", p->presets[i].name))
			return errf(-ENOMEM, "no memory to look for '%s'", name);
	}
	return errf(-ENOENT, "the policy has no preset '%s': there are %s", name,
		    p->n_presets ? str_text(&names) : "none");
}

static const struct policy_metric *find_metric(const struct policy_metric *list, size_t n,
					       const char *name)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (!strcmp(list[i].name, name))
			return &list[i];
	}
	return NULL;
}

/* What is said replaces what is in 'limits'; NAN says nothing. */
static void replace(struct policy_limits *limits, double min_effect, double alert, double limit)
{
	if (!isnan(min_effect))
		limits->min_effect = min_effect;
	if (!isnan(alert))
		limits->alert = alert;
	if (!isnan(limit))
		limits->limit = limit;
}

static void apply_preset(const struct policy_preset *preset, const char *metric,
			 struct policy_limits *limits, bool *gated)
{
	const struct policy_metric *m = find_metric(preset->metrics, preset->n_metrics, metric);
	const struct policy_limits *d = &preset->defaults;

	/* A share is no number of points. */
	if (!limits->is_points && !(m && m->limits.is_points))
		replace(limits, d->min_effect, d->alert, d->limit);
	if (!m)
		return;
	replace(limits, m->limits.min_effect, m->limits.alert, m->limits.limit);
	limits->is_points = m->limits.is_points;
	limits->flags_only = m->limits.flags_only;
	*gated = true;
}

void policy_limits_of(const struct policy_profile *profile, const struct policy_preset *preset,
		      const struct scenario_gate *gates, size_t n_gates, const char *metric,
		      bool is_scenario_metric, struct policy_limits *ret, bool *ret_gated)
{
	const struct policy_metric *m = find_metric(profile->metrics, profile->n_metrics, metric);
	struct policy_limits limits = m ? m->limits : profile->defaults;
	bool gated = m || is_scenario_metric;
	size_t i;

	if (preset)
		apply_preset(preset, metric, &limits, &gated);
	for (i = 0; i < n_gates; i++) {
		if (strcmp(gates[i].metric, metric) != 0)
			continue;
		replace(&limits, gates[i].min_effect, gates[i].alert, gates[i].limit);
		gated = !gates[i].is_informative;
	}
	*ret = limits;
	*ret_gated = gated;
}
