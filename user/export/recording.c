/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/export/recording.h"

#include <errno.h>
#include <string.h>

#include <jansson.h>

#include "user/base/err.h"
#include "user/base/file.h"
#include "user/base/str.h"
#include "user/export/latency_read.h"
#include "user/export/memory_read.h"

#define SUMMARY_MAX_BYTES (64u << 20)

void recording_free(struct recording *r)
{
	size_t i;

	if (!r)
		return;
	free(r->collector);
	free(r->kernel);
	free(r->architecture);
	free(r->cpu_model);
	free(r->target);
	free(r->event);
	json_decref(r->latency);
	json_decref(r->memory);
	json_decref(r->stacks);
	for (i = 0; i < r->n_causes; i++)
		free(r->causes[i].name);
	free(r);
}

double recording_loss_share(const struct recording *r)
{
	double wanted = (double)r->fired - (double)r->filtered;

	return wanted > 0 ? (double)r->lost / wanted : 0;
}

/* A member that is no whole number, or a negative one, is not known: 0. */
static uint64_t number(const json_t *object, const char *key)
{
	json_int_t v = json_integer_value(json_object_get(object, key));

	return v > 0 ? (uint64_t)v : 0;
}

/* *ret stays NULL if there is no such text. */
static int text(const json_t *object, const char *key, char **ret)
{
	const json_t *value = json_object_get(object, key);
	struct str s = { 0 };
	int err;

	if (!json_is_string(value))
		return 0;
	err = str_add_clean(&s, json_string_value(value), json_string_length(value), 0);
	if (err || !s.data) {
		str_release(&s);
		return err;
	}
	*ret = s.data;
	return 0;
}

static int read_causes(struct recording *r, const json_t *causes)
{
	struct str name = { 0 };
	const char *key;
	json_t *value;
	int err;

	json_object_foreach((json_t *)causes, key, value)
	{
		uint64_t n = number(causes, key);

		if (!n || !strncmp(key, "filtered", strlen("filtered")))
			continue;
		if (__builtin_add_overflow(r->lost, n, &r->lost))
			r->lost = UINT64_MAX;
		if (r->n_causes == LEDGER_MAX_CAUSES)
			continue;
		err = str_add_clean(&name, key, strlen(key), 0);
		if (err) {
			str_release(&name);
			return err;
		}
		r->causes[r->n_causes].n = n;
		r->causes[r->n_causes++].name = name.data;
		name = (struct str){ 0 };
	}
	return 0;
}

/* The ledger is closed, so that what was filtered is the rest of it. */
static int read_ledger(struct recording *r, const json_t *ledger)
{
	int err = read_causes(r, json_object_get(ledger, "lost"));

	r->fired = number(ledger, "fired");
	r->kept = number(ledger, "kept");
	if (r->fired >= r->kept && r->fired - r->kept >= r->lost)
		r->filtered = r->fired - r->kept - r->lost;
	return err;
}

static int read_collector(struct recording *r, const json_t *root, const json_t *collector)
{
	const json_t *host = json_object_get(root, "host");
	const json_t *stacks = json_object_get(collector, "stacks");
	const json_t *names = json_object_get(collector, "names");

	r->cpus_online = number(host, "cpus_online");
	r->span_ns = number(root, "span_ns");
	r->rate_hz = number(collector, "rate_hz");
	r->complete = number(stacks, "complete");
	r->truncated = number(stacks, "truncated");
	r->unnamed = number(stacks, "unnamed");
	r->addresses = number(names, "addresses");
	r->over_budget = number(names, "over_budget");
	r->latency = latency_read(json_object_get(collector, "latency"));
	r->memory = memory_read(json_object_get(collector, "memory"));
	if (!r->latency || !r->memory || text(collector, "name", &r->collector) ||
	    text(host, "kernel", &r->kernel) || text(host, "architecture", &r->architecture) ||
	    text(host, "cpu_model", &r->cpu_model) || text(root, "target", &r->target) ||
	    text(collector, "event", &r->event))
		return -ENOMEM;
	return read_ledger(r, json_object_get(collector, "ledger"));
}

static int read_root(const char *path, const json_t *root, const char *wanted,
		     struct recording **ret)
{
	_cleanup_(recording_freep) struct recording *r = NULL;
	const json_t *collectors = json_object_get(root, "collectors"), *one;
	const char *schema = json_string_value(json_object_get(root, "schema"));
	size_t i;

	if (schema && !strcmp(schema, "fathom.scenario/1"))
		return errf(-ENOMSG, "'%s' is of a scenario's run, not of a recording", path);
	if (!schema || strcmp(schema, "fathom.summary/1"))
		return errf(-EINVAL, "'%s' is not of schema fathom.summary/1", path);
	for (i = 0; i < json_array_size(collectors); i++) {
		const char *name;

		one = json_array_get(collectors, i);
		name = json_string_value(json_object_get(one, "name"));
		if (!name || strcmp(name, wanted))
			continue;
		r = calloc(1, sizeof(*r));
		if (!r || read_collector(r, root, one))
			return errf(-ENOMEM, "cannot read '%s': no memory", path);
		*ret = take(r);
		return 0;
	}
	return errf(-ENOENT, "'%s' says nothing of collector '%s'", path, wanted);
}

int recording_read(const char *folder, const char *collector, struct recording **ret)
{
	_cleanup_(freep) char *data = NULL;
	_cleanup_(str_release) struct str path = { 0 };
	json_error_t where;
	json_t *root;
	size_t len;
	int err;

	if (str_addf(&path, "%s/summary.json", folder))
		return errf(-ENOMEM, "cannot read the summary in '%s': no memory", folder);
	err = file_read(str_text(&path), SUMMARY_MAX_BYTES, &data, &len);
	if (err)
		return err;
	root = json_loadb(data, len, 0, &where);
	if (!root)
		return errf(-EINVAL, "'%s' is damaged: %s in line %d", str_text(&path), where.text,
			    where.line);
	err = read_root(str_text(&path), root, collector, ret);
	json_decref(root);
	return err;
}
