/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/run_files.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/base/file.h"
#include "user/base/json_parts.h"
#include "user/bench/run_json.h"
#include "user/bench/store_layout.h"

#define SCHEMA_FAMILY "fathom.scenario/"

/* What is being read: 'folder' is for sentences. */
struct reading {
	const char *folder;
	struct run_result *r;
	size_t n_repetitions;
	unsigned int line;
};

static int no_memory(const struct reading *in)
{
	return errf(-ENOMEM, "no memory to read '%s'", in->folder);
}

static int damaged(const struct reading *in, const char *file, const char *what)
{
	return errf(-EINVAL, "'%s' of '%s' is damaged: %s", file, in->folder, what);
}

static int read_in_folder(const char *folder, const char *name, size_t max, char **ret,
			  size_t *ret_len)
{
	_cleanup_(closep) int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(closep) int fd = -1;

	if (dir < 0)
		return errf(-errno, "cannot open the folder '%s': %m", folder);
	fd = file_open_at(dir, name);
	if (fd == -ENOENT)
		return errf(-ENOENT, "'%s' is no run of a scenario: there is no '%s' in it", folder,
			    name);
	if (fd < 0)
		return err_prefix(fd, "'%s'", folder);
	return file_read_fd(fd, name, max, ret, ret_len);
}

/* The names of metrics become those of other formats, too. */
static bool is_metric_name(const char *name)
{
	return name && *name >= 'a' && *name <= 'z' && strlen(name) <= 128 &&
	       !name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")];
}

static int read_metrics(struct reading *in, const json_t *list, struct run_case *c)
{
	size_t i, n = json_array_size(list);

	if (n > RUN_MAX_METRICS)
		return damaged(in, RUN_SUMMARY_FILE, "too many metrics");
	c->metrics = calloc(n + 1, sizeof(*c->metrics));
	if (!c->metrics)
		return no_memory(in);
	for (i = 0; i < n; i++) {
		const json_t *o = json_array_get(list, i);
		const char *better = json_string_value(json_object_get(o, "better"));
		struct run_metric *m = &c->metrics[i];

		if (run_json_text(o, "name", &m->name) || run_json_text(o, "unit", &m->unit))
			return no_memory(in);
		if (!is_metric_name(m->name) || run_case_metric(c, m->name) >= 0) {
			free(m->name);
			free(m->unit);
			return damaged(in, RUN_SUMMARY_FILE,
				       "a metric has no name, or that of another one");
		}
		m->better = better && !strcmp(better, "higher") ? BETTER_HIGHER : BETTER_LOWER;
		m->is_scenario = json_is_true(json_object_get(o, "is_scenario"));
		c->n_metrics++;
	}
	return 0;
}

static int read_parameters(struct reading *in, json_t *o, struct scenario_pairs *ret)
{
	size_t n = json_object_size(o);
	const char *key;
	json_t *value;

	if (n > RUN_MAX_PARAMETERS)
		return damaged(in, RUN_SUMMARY_FILE, "too many parameters");
	ret->list = calloc(n + 1, sizeof(*ret->list));
	if (!ret->list)
		return no_memory(in);
	json_object_foreach(o, key, value)
	{
		json_t *clean = json_part_text(key);
		struct scenario_pair *p = &ret->list[ret->n++];
		int err = run_json_text(o, key, &p->value);

		p->key = clean ? strdup(json_string_value(clean)) : NULL;
		json_decref(clean);
		if (err || !p->key)
			return no_memory(in);
		if (!p->value)
			return damaged(in, RUN_SUMMARY_FILE, "a parameter is no text");
	}
	return 0;
}

/* They become parts of the names of files. */
static int check_collectors(const struct reading *in, const json_t *list)
{
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		const json_t *one = json_array_get(list, i);

		if (!store_is_name(json_string_value(json_object_get(one, "name"))))
			return damaged(in, RUN_SUMMARY_FILE, "a collector has no name");
	}
	return 0;
}

static int read_case(struct reading *in, const json_t *o, struct run_case *c)
{
	const json_t *latency = json_object_get(o, "latency"), *collectors;
	uint64_t profiles = run_json_count(o, "profiles");
	size_t i;
	int err = 0;

	err = err ?: run_json_text(o, "name", &c->name);
	err = err ?: run_json_text(o, "cell", &c->cell);
	err = err ?: run_json_text(o, "variant", &c->variant);
	if (err)
		return no_memory(in);
	if (!c->name || !c->cell)
		return damaged(in, RUN_SUMMARY_FILE, "a case has no name or no cell");
	if (*c->name && !store_is_name(c->name))
		return damaged(in, RUN_SUMMARY_FILE, "a case has a name that no file can have");
	for (i = 0; &in->r->cases[i] != c; i++) {
		if (!strcmp(in->r->cases[i].name, c->name))
			return damaged(in, RUN_SUMMARY_FILE, "two cases have one name");
	}
	c->n_profiles = profiles < UINT32_MAX ? profiles : UINT32_MAX;
	c->latency.n_read = run_json_count(latency, "observations");
	c->latency.dropped = run_json_count(latency, "dropped");
	for (i = 0; i < RUN_QUANTILES; i++)
		c->latency.read_ms[i] = run_json_number(o, run_stable_keys[i]);
	collectors = json_object_get(o, "collectors");
	err = check_collectors(in, collectors);
	if (err)
		return err;
	if (json_array_size(collectors)) {
		c->collectors = json_deep_copy(collectors);
		if (!c->collectors)
			return no_memory(in);
	}
	err = read_parameters(in, json_object_get(o, "parameters"), &c->parameters);
	return err ? err : read_metrics(in, json_object_get(o, "metrics"), c);
}

static int read_cases(struct reading *in, const json_t *list)
{
	struct run_result *r = in->r;
	size_t i, n = json_array_size(list);
	int err = 0;

	if (!json_is_array(list) || n > RUN_MAX_CASES)
		return damaged(in, RUN_SUMMARY_FILE, "no cases, or too many");
	r->cases = calloc(n + 1, sizeof(*r->cases));
	if (!r->cases)
		return no_memory(in);
	for (i = 0; i < n && !err; i++) {
		r->n_cases++;
		err = read_case(in, json_array_get(list, i), &r->cases[i]);
	}
	return err;
}

static int read_canaries(struct reading *in, const json_t *list)
{
	struct run_result *r = in->r;
	size_t i, n = json_array_size(list);

	if (n > RUN_MAX_CANARIES)
		return damaged(in, RUN_SUMMARY_FILE, "too many canaries");
	if (array_reserve(r->canaries, r->canaries_cap, n))
		return no_memory(in);
	for (i = 0; i < n; i++) {
		const json_t *o = json_array_get(list, i);

		r->canaries[r->n_canaries++] = (struct run_canary){
			.order = run_json_count(o, "order"),
			.ns = run_json_count(o, "ns"),
		};
	}
	return 0;
}

static uint64_t read_seed(const json_t *o)
{
	const char *text = json_string_value(json_object_get(o, "seed"));

	if (!text || !*text || strlen(text) > 20 || text[strspn(text, "0123456789")])
		return 0;
	return strtoull(text, NULL, 10);
}

static int read_run(struct reading *in, const json_t *o)
{
	const json_t *policy = json_object_get(o, "policy");
	const char *digest = json_string_value(json_object_get(o, "scenario_sha256"));
	struct run_result *r = in->r;
	int err = 0;

	err = err ?: run_json_text(o, "scenario", &r->scenario);
	err = err ?: run_json_text(o, "description", &r->description);
	err = err ?: run_json_text(o, "scenario_path", &r->scenario_path);
	err = err ?: run_json_text(policy, "profile", &r->policy);
	err = err ?: run_json_text(policy, "version", &r->policy_version);
	err = err ?: run_json_text(o, "approved_by", &r->approved_by);
	err = err ?: run_json_text(o, "fathom_version", &r->fathom_version);
	err = err ?: run_json_text(o, "abort", &r->abort);
	err = err ?: run_json_text(o, "profile_failure", &r->profile_failure);
	err = err ?: run_environment_read(json_object_get(o, "environment"), &r->environment);
	if (err)
		return no_memory(in);
	if (!r->scenario || !*r->scenario)
		return damaged(in, RUN_SUMMARY_FILE, "the scenario has no name");
	if (digest && strlen(digest) == 64 && strspn(digest, "0123456789abcdef") == 64)
		memcpy(r->scenario_sha256, digest, sizeof(r->scenario_sha256));
	r->seed = read_seed(o);
	r->start_ns = json_time_ns(json_object_get(o, "start"));
	r->span_ns = run_json_count(o, "span_ns");
	r->was_cut = json_is_true(json_object_get(o, "was_cut"));
	run_noise_read(json_object_get(o, "noise"), &r->noise);
	err = read_canaries(in, json_object_get(o, "canaries"));
	return err ? err : read_cases(in, json_object_get(o, "cases"));
}

static int read_summary(struct reading *in)
{
	_cleanup_(freep) char *text = NULL;
	_cleanup_(json_decrefp) json_t *o = NULL;
	const char *schema;
	size_t len;
	int err = read_in_folder(in->folder, RUN_SUMMARY_FILE, RUN_MAX_SUMMARY_BYTES, &text, &len);

	if (err)
		return err;
	o = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	schema = json_string_value(json_object_get(o, "schema"));
	if (!o)
		return damaged(in, RUN_SUMMARY_FILE, "it is no JSON");
	if (!schema || strncmp(schema, SCHEMA_FAMILY, strlen(SCHEMA_FAMILY)))
		return errf(-ENOENT, "'%s' is no run of a scenario", in->folder);
	if (strcmp(schema, SCENARIO_SUMMARY_SCHEMA))
		return damaged(in, RUN_SUMMARY_FILE,
			       "it is of another version than " SCENARIO_SUMMARY_SCHEMA);
	return read_run(in, o);
}

static int read_outcome(const json_t *o, enum repetition_outcome *ret)
{
	const char *name = json_string_value(json_object_get(o, "outcome"));
	int i;

	for (i = 0; name && i < REPETITION_OUTCOMES; i++) {
		if (strcmp(name, repetition_outcome_names[i]))
			continue;
		*ret = i;
		return 0;
	}
	return -EINVAL;
}

static struct run_case *find_case(struct run_result *r, const json_t *o)
{
	const char *name = json_string_value(json_object_get(o, "case"));
	size_t i;

	for (i = 0; name && i < r->n_cases; i++) {
		const char *have = r->cases[i].name;

		if (have && !strcmp(have, name))
			return &r->cases[i];
	}
	return NULL;
}

static unsigned int read_unsigned(const json_t *o, const char *key)
{
	uint64_t n = run_json_count(o, key);

	return n < UINT32_MAX ? n : UINT32_MAX;
}

static int damaged_line(const struct reading *in, const char *what)
{
	return errf(-EINVAL, "line %u of '%s' of '%s' is damaged: %s", in->line, RUN_SAMPLES_FILE,
		    in->folder, what);
}

static int read_repetition(struct reading *in, const json_t *o)
{
	const json_t *values = json_object_get(o, "values"), *status;
	const char *schema = json_string_value(json_object_get(o, "schema"));
	struct run_case *c = find_case(in->r, o);
	struct run_repetition *r;
	size_t i;

	if (!schema || strcmp(schema, SAMPLES_SCHEMA))
		return damaged_line(in, "it is not of " SAMPLES_SCHEMA);
	if (!c)
		return damaged_line(in, "the summary has no such case");
	if (in->n_repetitions++ == RUN_MAX_REPETITIONS)
		return damaged_line(in, "there are too many");
	if (array_reserve(c->repetitions, c->repetitions_cap, c->n_repetitions + 1))
		return no_memory(in);
	r = &c->repetitions[c->n_repetitions];
	memset(r, 0, sizeof(*r));
	if (read_outcome(o, &r->outcome))
		return damaged_line(in, "its outcome is none");
	r->values = malloc((c->n_metrics + 1) * sizeof(*r->values));
	if (!r->values)
		return no_memory(in);
	c->n_repetitions++;
	for (i = 0; i < c->n_metrics; i++)
		r->values[i] = run_json_number(values, c->metrics[i].name);
	r->number = read_unsigned(o, "number");
	r->order = read_unsigned(o, "order");
	r->start_ns = json_time_ns(json_object_get(o, "start"));
	r->is_warmup = json_is_true(json_object_get(o, "is_warmup"));
	r->is_profile = json_is_true(json_object_get(o, "is_profile"));
	status = json_object_get(o, "exit_status");
	if (json_integer_value(status) >= INT32_MIN && json_integer_value(status) <= INT32_MAX)
		r->exit_status = json_integer_value(status);
	r->iterations = run_json_number(o, "iterations");
	run_noise_read(json_object_get(o, "noise"), &r->noise);
	return run_json_text(o, "message", &r->message) ? no_memory(in) : 0;
}

static int read_samples(struct reading *in)
{
	_cleanup_(freep) char *text = NULL;
	size_t len, at, end;
	int err = read_in_folder(in->folder, RUN_SAMPLES_FILE, RUN_MAX_SAMPLES_BYTES, &text, &len);

	for (at = 0; !err && at < len; at = end + 1) {
		const char *newline = memchr(text + at, '\n', len - at);
		_cleanup_(json_decrefp) json_t *o = NULL;

		in->line++;
		if (!newline)
			return damaged_line(in, "it does not end");
		end = newline - text;
		o = json_loadb(text + at, end - at, JSON_REJECT_DUPLICATES, NULL);
		err = o ? read_repetition(in, o) : damaged_line(in, "it is no JSON");
	}
	return err;
}

int run_result_read(const char *folder, struct run_result **ret)
{
	_cleanup_(run_result_freep) struct run_result *r = calloc(1, sizeof(*r));
	struct reading in = { .folder = folder, .r = r };
	int err;

	if (!r)
		return no_memory(&in);
	err = read_summary(&in);
	if (!err)
		err = read_samples(&in);
	if (err)
		return err;
	*ret = take(r);
	return 0;
}
