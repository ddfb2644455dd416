/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/run_json.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "user/base/json_parts.h"
#include "user/base/str.h"

#define TEXT_MAX_BYTES 4096

int run_json_text(const json_t *o, const char *key, char **ret)
{
	_cleanup_(str_release) struct str clean = { 0 };
	const json_t *value = json_object_get(o, key);
	size_t len = json_string_length(value);

	if (!json_is_string(value))
		return 0;
	if (len > TEXT_MAX_BYTES)
		len = TEXT_MAX_BYTES;
	if (str_add_clean(&clean, json_string_value(value), len, 0))
		return -ENOMEM;
	*ret = strdup(str_text(&clean));
	return *ret ? 0 : -ENOMEM;
}

uint64_t run_json_count(const json_t *o, const char *key)
{
	json_int_t n = json_integer_value(json_object_get(o, key));

	return n > 0 ? n : 0;
}

double run_json_number(const json_t *o, const char *key)
{
	const json_t *value = json_object_get(o, key);

	return json_is_number(value) ? json_number_value(value) : NAN;
}

json_t *run_noise_json(const struct machine_noise *n)
{
	json_t *o = json_object();
	int bad = 0;

	bad |= json_object_set_new(o, "other_cpu", json_part_number(n->other_cpu));
	bad |= json_object_set_new(o, "steal", json_part_number(n->steal));
	bad |= json_object_set_new(o, "psi_cpu", json_part_number(n->psi_cpu));
	bad |= json_object_set_new(o, "psi_io", json_part_number(n->psi_io));
	bad |= json_object_set_new(o, "psi_memory", json_part_number(n->psi_memory));
	bad |= json_object_set_new(o, "throttled", json_part_number(n->throttled));
	bad |= json_object_set_new(o, "thermal_throttles", json_part_count(n->thermal_throttles));
	bad |= json_object_set_new(o, "load1_before", json_part_number(n->load1_before));
	bad |= json_object_set_new(o, "load1_after", json_part_number(n->load1_after));
	if (!bad)
		return o;
	json_decref(o);
	return NULL;
}

void run_noise_read(const json_t *o, struct machine_noise *ret)
{
	*ret = (struct machine_noise){
		.other_cpu = run_json_number(o, "other_cpu"),
		.steal = run_json_number(o, "steal"),
		.psi_cpu = run_json_number(o, "psi_cpu"),
		.psi_io = run_json_number(o, "psi_io"),
		.psi_memory = run_json_number(o, "psi_memory"),
		.throttled = run_json_number(o, "throttled"),
		.thermal_throttles = run_json_count(o, "thermal_throttles"),
		.load1_before = run_json_number(o, "load1_before"),
		.load1_after = run_json_number(o, "load1_after"),
	};
}

static json_t *maybe_truth(int value)
{
	return value < 0 ? json_null() : json_boolean(value);
}

json_t *run_environment_json(const struct environment *e)
{
	json_t *o = json_object();
	int bad = 0;

	bad |= json_object_set_new(o, "fingerprint", json_part_text(e->fingerprint));
	bad |= json_object_set_new(o, "name", json_part_text(e->name));
	bad |= json_object_set_new(o, "hostname", json_part_text(e->hostname));
	bad |= json_object_set_new(o, "kernel", json_part_text(e->kernel));
	bad |= json_object_set_new(o, "architecture", json_part_text(e->architecture));
	bad |= json_object_set_new(o, "cpu_model", json_part_text(e->cpu_model));
	bad |= json_object_set_new(o, "cpus_online", json_part_known(e->cpus_online));
	bad |= json_object_set_new(o, "cpus_allowed", json_part_known(e->cpus_allowed));
	bad |= json_object_set_new(o, "memory_bytes", json_part_known(e->memory_bytes));
	bad |= json_object_set_new(o, "governor", json_part_text(e->governor));
	bad |= json_object_set_new(o, "turbo", maybe_truth(e->turbo));
	bad |= json_object_set_new(o, "smt", maybe_truth(e->smt));
	bad |= json_object_set_new(o, "aslr", e->aslr < 0 ? json_null() : json_integer(e->aslr));
	bad |= json_object_set_new(o, "transparent_hugepages",
				   json_part_text(e->transparent_hugepages));
	bad |= json_object_set_new(o, "virtualization", json_part_text(e->virtualization));
	bad |= json_object_set_new(o, "cgroup_cpus",
				   json_part_number(e->cgroup_cpus > 0 ? e->cgroup_cpus : NAN));
	bad |= json_object_set_new(o, "cgroup_memory_bytes",
				   json_part_known(e->cgroup_memory_bytes));
	if (!bad)
		return o;
	json_decref(o);
	return NULL;
}

static int read_truth(const json_t *o, const char *key)
{
	const json_t *value = json_object_get(o, key);

	return json_is_boolean(value) ? json_is_true(value) : -1;
}

static unsigned int read_cpus(const json_t *o, const char *key)
{
	uint64_t n = run_json_count(o, key);

	return n > UINT32_MAX ? 0 : n;
}

int run_environment_read(const json_t *o, struct environment *ret)
{
	const json_t *aslr = json_object_get(o, "aslr");
	const char *fingerprint = json_string_value(json_object_get(o, "fingerprint"));
	double cpus = run_json_number(o, "cgroup_cpus");
	int err = 0;

	if (fingerprint && strlen(fingerprint) == 16 &&
	    strspn(fingerprint, "0123456789abcdef") == 16)
		memcpy(ret->fingerprint, fingerprint, sizeof(ret->fingerprint));
	ret->cpus_online = read_cpus(o, "cpus_online");
	ret->cpus_allowed = read_cpus(o, "cpus_allowed");
	ret->memory_bytes = run_json_count(o, "memory_bytes");
	ret->turbo = read_truth(o, "turbo");
	ret->smt = read_truth(o, "smt");
	ret->aslr = json_is_integer(aslr) && json_integer_value(aslr) >= 0 &&
				    json_integer_value(aslr) <= 2
			    ? (int)json_integer_value(aslr)
			    : -1;
	ret->cgroup_cpus = cpus > 0 ? cpus : 0;
	ret->cgroup_memory_bytes = run_json_count(o, "cgroup_memory_bytes");
	err = err ?: run_json_text(o, "name", &ret->name);
	err = err ?: run_json_text(o, "hostname", &ret->hostname);
	err = err ?: run_json_text(o, "kernel", &ret->kernel);
	err = err ?: run_json_text(o, "architecture", &ret->architecture);
	err = err ?: run_json_text(o, "cpu_model", &ret->cpu_model);
	err = err ?: run_json_text(o, "governor", &ret->governor);
	err = err ?: run_json_text(o, "virtualization", &ret->virtualization);
	err = err ?: run_json_text(o, "transparent_hugepages", &ret->transparent_hugepages);
	return err;
}
