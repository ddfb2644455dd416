/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/cmd/run_recorded.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/cleanup.h"
#include "user/base/err.h"
#include "user/base/file.h"
#include "user/base/json_parts.h"
#include "user/export/folded.h"
#include "user/export/load.h"
#include "user/export/pprof.h"
#include "user/export/summary_json.h"

#define SUMMARY		  "summary.json"
#define MAX_SUMMARY_BYTES (64u << 20)

static int write_file(const char *folder, const char *name, const void *data, size_t len)
{
	_cleanup_(str_release) struct str path = { 0 };
	_cleanup_(closep) int fd = -1;

	if (str_addf(&path, "%s/%s", folder, name))
		return errf(-ENOMEM, "no memory for '%s'", name);
	fd = open(str_text(&path), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return errf(-errno, "cannot make '%s': %m", str_text(&path));
	return file_write_all(fd, str_text(&path), data, len);
}

int run_recorded_write(struct recorded *recorded, const char *folder)
{
	_cleanup_(freep) char *text = NULL;
	unsigned int i;
	json_t *json;
	int err;

	for (i = 0; i < recorded->summary.n_collectors; i++) {
		_cleanup_(freep) void *data = NULL;
		char name[64];
		size_t len;

		err = pprof_write(recorded->profiles[i], &data, &len);
		snprintf(name, sizeof(name), "%s.pb.gz", recorded->summary.collectors[i].name);
		if (!err)
			err = write_file(folder, name, data, len);
		if (err)
			return err;
	}
	err = host_info_read(&recorded->summary.host);
	if (err)
		return errf(err, "no memory for the summary");
	json = summary_json(&recorded->summary, (const struct profile *const *)recorded->profiles);
	text = json ? json_text(json) : NULL;
	json_decref(json);
	return text ? write_file(folder, SUMMARY, text, strlen(text))
		    : errf(-ENOMEM, "no memory for the summary");
}

int run_recorded_summary(const char *folder, json_t **ret)
{
	_cleanup_(str_release) struct str path = { 0 };
	_cleanup_(freep) char *text = NULL;
	json_error_t problem;
	size_t len;
	json_t *json;
	int err;

	if (str_addf(&path, "%s/%s", folder, SUMMARY))
		return errf(-ENOMEM, "no memory for '%s'", folder);
	err = file_read(str_text(&path), MAX_SUMMARY_BYTES, &text, &len);
	if (err)
		return err;
	json = json_loadb(text, len, 0, &problem);
	if (!json)
		return errf(-EINVAL, "'%s' is no JSON: %s", str_text(&path), problem.text);
	*ret = json;
	return 0;
}

int run_recorded_load(const char *folder, const char *collector, struct profile **ret)
{
	struct folded_repairs repairs;

	return profile_load(folder, collector, ret, &repairs);
}

/* --- sums ----------------------------------------------------------------------------------- */

static bool is_largest(const char *key)
{
	static const char *const keys[] = { "map_bytes", "loader_rss_bytes", "start_ns" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		if (!strcmp(key, keys[i]))
			return true;
	}
	return false;
}

/* Adds all whole numbers of 'one' to those of 'sum', at whatever depth; null is not known. */
static int add_numbers(json_t *sum, const json_t *one)
{
	const char *key;
	const json_t *more;
	int bad = 0;

	json_object_foreach((json_t *)one, key, more)
	{
		json_t *have = json_object_get(sum, key);
		json_int_t a = json_integer_value(have), b = json_integer_value(more), c;

		if (json_is_object(more)) {
			if (!json_is_object(have))
				bad |= json_object_set_new(sum, key, have = json_object());
			bad |= add_numbers(have, more);
		} else if (json_is_integer(more)) {
			if (is_largest(key))
				c = a > b ? a : b;
			else if (__builtin_add_overflow(a, b, &c))
				c = INT64_MAX;
			bad |= json_object_set_new(sum, key, json_integer(c));
		} else if (!have) {
			bad |= json_object_set_new(sum, key, json_null());
		}
	}
	return bad;
}

static json_int_t number_at(const json_t *o, const char *part, const char *key)
{
	return json_integer_value(json_object_get(json_object_get(o, part), key));
}

/* What is no sum, from what is. */
static int derive(json_t *sum)
{
	json_t *ledger = json_object_get(sum, "ledger"), *cost = json_object_get(sum, "cost");
	double fired = number_at(sum, "ledger", "fired"), kept = number_at(sum, "ledger", "kept");
	double filtered = number_at(sum, "ledger", "filtered"), wanted = fired - filtered;
	double kernel_ns = number_at(sum, "cost", "kernel_ns");
	int bad = json_object_set_new(
		ledger, "loss_share",
		json_part_share(wanted > 0 ? wanted - kept : 0, wanted > 0 ? wanted : 1));

	bad |= json_object_set_new(cost, "kernel_ns_per_event",
				   wanted > 0 && json_is_integer(json_object_get(cost, "kernel_ns"))
					   ? json_real(round(kernel_ns / wanted * 10) / 10)
					   : json_null());
	return bad;
}

int run_recorded_add(json_t **sum, const json_t *one)
{
	static const char *const same[] = { "name", "event", "rate_hz" };
	static const char *const parts[] = { "ledger", "cost", "stacks" };
	size_t i;
	int bad = 0;

	if (!*sum) {
		*sum = json_object();
		for (i = 0; i < ARRAY_SIZE(same); i++)
			bad |= json_object_set(*sum, same[i], json_object_get(one, same[i]));
		for (i = 0; i < ARRAY_SIZE(parts); i++)
			bad |= json_object_set_new(*sum, parts[i], json_object());
	}
	for (i = 0; i < ARRAY_SIZE(parts) && !bad; i++)
		bad |= add_numbers(json_object_get(*sum, parts[i]), json_object_get(one, parts[i]));
	return bad || derive(*sum) ? errf(-ENOMEM, "no memory for the summary") : 0;
}

int run_recorded_describe(const json_t *sum, unsigned int repetitions, struct str *out)
{
	const char *event = json_string_value(json_object_get(sum, "event"));
	double kept = number_at(sum, "ledger", "kept");
	double loss =
		json_number_value(json_object_get(json_object_get(sum, "ledger"), "loss_share"));
	json_int_t rate = json_integer_value(json_object_get(sum, "rate_hz"));
	int err = str_addf(out, "%u repetitions, %s", repetitions, event ? event : "?");

	if (!err && rate)
		err = str_addf(out, " at %" JSON_INTEGER_FORMAT " Hz", rate);
	return err ? err
		   : str_addf(out,
			      ", %.0f kept, %.3g %% lost, %.1f %% of stacks complete, %.1f %% with "
			      "unnamed frames",
			      kept, 100 * loss,
			      kept > 0 ? 100 * number_at(sum, "stacks", "complete") / kept : 0,
			      kept > 0 ? 100 * number_at(sum, "stacks", "unnamed") / kept : 0);
}
