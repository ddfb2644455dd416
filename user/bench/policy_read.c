/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/policy.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "policy.yaml.h"
#include "user/base/err.h"
#include "user/base/file.h"
#include "user/bench/policy_reasons.h"
#include "user/bench/yaml_fields.h"

#define COUNT_MAX  10000
#define SHARE_MAX  10.0
#define DAY_S	   86400.0
#define REASON_MIN 10 /* bytes: it is to be a reason, not "because" */

/* --- numbers and reasons ------------------------------------------------------------------- */

static int read_reason(const struct yaml_tree *t, const struct yaml_item *value,
		       const struct yaml_field *f, void *target)
{
	int err = yaml_read_paragraph(t, value, f, target);

	if (!err && strlen(*(char **)target) < REASON_MIN)
		return yaml_error(t, value, "'%s' is no reason", *(char **)target);
	return err;
}

/* { value: NUMBER, because: REASON }, the number by the reader 'of'. */
static int read_threshold(const struct yaml_tree *t, const struct yaml_item *item,
			  const struct yaml_field *f, void *target)
{
	static const struct yaml_field reason = { .key = "because" };
	_cleanup_(freep) char *because = NULL;
	const struct yaml_item *i;
	int err = yaml_expect(t, item, f->key, YAML_MAP);

	for (i = err ? NULL : item->first; i && !err; i = i->next) {
		if (!strcmp(i->key->text, "value"))
			err = f->of(t, i, f, target);
		else if (!strcmp(i->key->text, "because"))
			err = read_reason(t, i, &reason, &because);
		else
			err = yaml_error(t, i->key, "unknown key '%.64s': %s has value, because",
					 i->key->text, f->key);
	}
	if (!err && !yaml_find(item, "value"))
		return yaml_error(t, item, "'value' is missing: %s needs it", f->key);
	if (!err && !because)
		return yaml_error(t, item, "'because' is missing: %s needs a reason", f->key);
	return err;
}

#define THRESHOLD(name, reader, type, member, ...) \
	YAML_FIELD(name, read_threshold, type, member, .of = reader, ##__VA_ARGS__)
#define SHARE(name, member) \
	THRESHOLD(name, yaml_read_share, policy_profile, member, .max = 1, .is_required = true)

/* --- metrics ------------------------------------------------------------------------------- */

static int read_metric(const struct yaml_tree *t, const struct yaml_item *item,
		       struct policy_metric *m)
{
	static const struct yaml_field fields[] = {
		YAML_FIELD("because", read_reason, policy_metric, rationale, .is_required = true),
		THRESHOLD("min_effect", yaml_read_share, policy_metric, limits.min_effect,
			  .max = SHARE_MAX),
		THRESHOLD("alert", yaml_read_share, policy_metric, limits.alert, .max = SHARE_MAX),
		THRESHOLD("limit", yaml_read_share, policy_metric, limits.limit, .max = SHARE_MAX),
		YAML_FIELD("points", yaml_read_bool, policy_metric, limits.is_points),
		YAML_FIELD("flags_only", yaml_read_bool, policy_metric, limits.flags_only),
		{ 0 },
	};

	m->limits.min_effect = m->limits.alert = m->limits.limit = NAN;
	return yaml_read_map(t, item, "a metric", fields, m);
}

static void metric_release(struct policy_metric *m)
{
	free(m->name);
	free(m->rationale);
	*m = (struct policy_metric){ 0 };
}

/* The place of that metric, emptied, or a new one at the end. */
static struct policy_metric *place_of(struct policy_metric **list, size_t *n, const char *name)
{
	struct policy_metric *more;
	size_t i;

	for (i = 0; i < *n; i++) {
		if (!strcmp((*list)[i].name, name)) {
			metric_release(&(*list)[i]);
			return &(*list)[i];
		}
	}
	more = realloc(*list, (*n + 1) * sizeof(*more));
	if (!more)
		return NULL;
	*list = more;
	more[*n] = (struct policy_metric){ 0 };
	return &more[(*n)++];
}

static int read_metrics(const struct yaml_tree *t, const struct yaml_item *map,
			struct policy_metric **list, size_t *n)
{
	const struct yaml_item *i;
	struct policy_metric *m;
	int err = yaml_expect(t, map, "metrics", YAML_MAP);

	for (i = err ? NULL : map->first; i && !err; i = i->next) {
		char *name = NULL;

		err = yaml_read_identifier(t, i->key, "a metric", &name);
		if (err)
			return err;
		m = place_of(list, n, name);
		if (!m) {
			free(name);
			return errf(-ENOMEM, "no memory to read '%s'", t->name);
		}
		m->name = name;
		err = read_metric(t, i, m);
	}
	return err;
}

static int read_profile_metrics(const struct yaml_tree *t, const struct yaml_item *value,
				const struct yaml_field *f, void *target)
{
	struct policy_profile *p = target;

	(void)f;
	return read_metrics(t, value, &p->metrics, &p->n_metrics);
}

static int read_preset_metrics(const struct yaml_tree *t, const struct yaml_item *value,
			       const struct yaml_field *f, void *target)
{
	struct policy_preset *p = target;

	(void)f;
	return read_metrics(t, value, &p->metrics, &p->n_metrics);
}

static int check_limits(const struct yaml_tree *t, const struct yaml_item *item, const char *name,
			const struct policy_limits *limits)
{
	if (limits->min_effect > limits->limit)
		return yaml_error(t, item, "min_effect of '%s' is above its limit", name);
	return 0;
}

/* --- profiles and presets ------------------------------------------------------------------ */

static const struct yaml_field profile_fields[] = {
	THRESHOLD("warmup", yaml_read_int, policy_profile, warmup, .max = COUNT_MAX,
		  .is_required = true),
	THRESHOLD("repeat", yaml_read_int, policy_profile, repeat, .min = 1, .max = COUNT_MAX,
		  .is_required = true),
	THRESHOLD("profile_repeat", yaml_read_int, policy_profile, profile_repeat, .max = COUNT_MAX,
		  .is_required = true),
	THRESHOLD("budget", yaml_read_seconds, policy_profile, budget_s, .min = 1, .max = DAY_S,
		  .is_required = true),
	THRESHOLD("timeout", yaml_read_seconds, policy_profile, timeout_s, .min = 0.1, .max = DAY_S,
		  .is_required = true),
	THRESHOLD("alpha", yaml_read_share, policy_profile, alpha, .min = 1e-6, .max = 0.5,
		  .is_required = true),
	THRESHOLD("confidence", yaml_read_share, policy_profile, confidence, .min = 0.5,
		  .max = 0.9999, .is_required = true),
	THRESHOLD("power", yaml_read_share, policy_profile, power, .min = 0.5, .max = 0.9999,
		  .is_required = true),
	THRESHOLD("min_effect", yaml_read_share, policy_profile, defaults.min_effect,
		  .max = SHARE_MAX, .is_required = true),
	THRESHOLD("alert", yaml_read_share, policy_profile, defaults.alert, .max = SHARE_MAX,
		  .is_required = true),
	THRESHOLD("limit", yaml_read_share, policy_profile, defaults.limit, .max = SHARE_MAX,
		  .is_required = true),
	{ .key = "metrics", .read = read_profile_metrics, .is_required = true },
	SHARE("function_candidate_share", function_candidate_share),
	SHARE("function_alpha", function_alpha),
	THRESHOLD("function_growth", yaml_read_share, policy_profile, function_growth,
		  .max = SHARE_MAX, .is_required = true),
	SHARE("function_total_share", function_total_share),
	THRESHOLD("overhead", yaml_read_share, policy_profile, overhead_share, .max = SHARE_MAX,
		  .is_required = true),
	SHARE("canary_drift", canary_drift_share),
	SHARE("other_cpu", other_cpu_share),
	SHARE("steal", steal_share),
	SHARE("pressure", pressure_share),
	SHARE("throttled", throttled_share),
	SHARE("loss", loss_share),
	{ 0 },
};

/* What a metric does not say is the profile's. */
static int complete_metrics(const struct yaml_tree *t, const struct yaml_item *item,
			    struct policy_profile *p)
{
	size_t i;
	int err = check_limits(t, item, p->name, &p->defaults);

	for (i = 0; i < p->n_metrics && !err; i++) {
		struct policy_limits *l = &p->metrics[i].limits;

		if (isnan(l->min_effect))
			l->min_effect = p->defaults.min_effect;
		if (isnan(l->alert))
			l->alert = p->defaults.alert;
		if (isnan(l->limit))
			l->limit = p->defaults.limit;
		err = check_limits(t, item, p->metrics[i].name, l);
	}
	return err;
}

static int read_profile(const struct yaml_tree *t, const struct yaml_item *item, void *target)
{
	const struct yaml_item *common = yaml_find(t->root, "common");
	struct policy_profile *p = target;
	const struct yaml_field *f;
	int err = yaml_read_name_of(t, item->key, "a profile", &p->name);

	if (!err && common)
		err = yaml_read_keys(t, common, "a profile", profile_fields, p);
	if (!err)
		err = yaml_read_keys(t, item, "a profile", profile_fields, p);
	for (f = profile_fields; f->key && !err; f++) {
		if (!yaml_find(item, f->key) && (!common || !yaml_find(common, f->key)))
			err = yaml_error(t, item->key,
					 "'%s' is missing: neither this profile nor common has it",
					 f->key);
	}
	if (!err && common)
		err = policy_reasons_add(t, common, &p->reasons);
	if (!err)
		err = policy_reasons_add(t, item, &p->reasons);
	return err ? err : complete_metrics(t, item, p);
}

static int read_preset(const struct yaml_tree *t, const struct yaml_item *item, void *target)
{
	static const struct yaml_field fields[] = {
		YAML_FIELD("because", read_reason, policy_preset, rationale, .is_required = true),
		THRESHOLD("min_effect", yaml_read_share, policy_preset, defaults.min_effect,
			  .max = SHARE_MAX),
		THRESHOLD("alert", yaml_read_share, policy_preset, defaults.alert,
			  .max = SHARE_MAX),
		THRESHOLD("limit", yaml_read_share, policy_preset, defaults.limit,
			  .max = SHARE_MAX),
		{ .key = "metrics", .read = read_preset_metrics },
		{ 0 },
	};
	struct policy_preset *p = target;
	size_t i;
	int err;

	p->defaults.min_effect = p->defaults.alert = p->defaults.limit = NAN;
	err = yaml_read_name_of(t, item->key, "a preset", &p->name);
	if (!err)
		err = yaml_read_map(t, item, "a preset", fields, p);
	if (!err)
		err = policy_reasons_add(t, item, &p->reasons);
	if (!err)
		err = check_limits(t, item, p->name, &p->defaults);
	for (i = 0; i < p->n_metrics && !err; i++)
		err = check_limits(t, item, p->metrics[i].name, &p->metrics[i].limits);
	return err;
}

/* --- the whole ----------------------------------------------------------------------------- */

static int read_profiles(const struct yaml_tree *t, const struct yaml_item *value,
			 const struct yaml_field *f, void *target)
{
	struct policy *p = target;

	return yaml_read_each(t, value, f->key, YAML_MAP, sizeof(*p->profiles), read_profile,
			      &p->profiles, &p->n_profiles);
}

static int read_presets(const struct yaml_tree *t, const struct yaml_item *value,
			const struct yaml_field *f, void *target)
{
	struct policy *p = target;

	return yaml_read_each(t, value, f->key, YAML_MAP, sizeof(*p->presets), read_preset,
			      &p->presets, &p->n_presets);
}

/* Each profile reads it for itself. */
static int read_common(const struct yaml_tree *t, const struct yaml_item *value,
		       const struct yaml_field *f, void *target)
{
	(void)target;
	return yaml_expect(t, value, f->key, YAML_MAP);
}

static int read_tree(const struct yaml_tree *t, struct policy *p)
{
	static const struct yaml_field fields[] = {
		YAML_FIELD("version", yaml_read_name, policy, version, .is_required = true),
		{ .key = "common", .read = read_common },
		{ .key = "profiles", .read = read_profiles, .is_required = true },
		{ .key = "presets", .read = read_presets },
		{ 0 },
	};

	return yaml_read_map(t, t->root, "a policy", fields, p);
}

int policy_read(const char *path, struct policy **ret)
{
	_cleanup_(policy_freep) struct policy *p = calloc(1, sizeof(*p));
	_cleanup_(yaml_tree_freep) struct yaml_tree *tree = NULL;
	_cleanup_(freep) char *text = NULL;
	size_t len = sizeof(policy_yaml) - 1;
	int err;

	if (!p || (path && !(p->path = strdup(path))))
		return errf(-ENOMEM, "no memory for a policy");
	err = path ? file_read(path, YAML_MAX_BYTES, &text, &len) : 0;
	if (!err)
		err = yaml_tree_parse(path ? path : "policy.yaml", text ? text : policy_yaml, len,
				      &tree);
	if (!err)
		err = read_tree(tree, p);
	if (err)
		return err;
	bytes_sha256(text ? text : policy_yaml, len, p->sha256);
	*ret = take(p);
	return 0;
}

static void metrics_free(struct policy_metric *list, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		metric_release(&list[i]);
	free(list);
}

void policy_free(struct policy *p)
{
	size_t i;

	if (!p)
		return;
	for (i = 0; i < p->n_profiles; i++) {
		free(p->profiles[i].name);
		metrics_free(p->profiles[i].metrics, p->profiles[i].n_metrics);
		policy_reasons_release(&p->profiles[i].reasons);
	}
	for (i = 0; i < p->n_presets; i++) {
		free(p->presets[i].name);
		free(p->presets[i].rationale);
		metrics_free(p->presets[i].metrics, p->presets[i].n_metrics);
		policy_reasons_release(&p->presets[i].reasons);
	}
	free(p->profiles);
	free(p->presets);
	free(p->version);
	free(p->path);
	free(p);
}
