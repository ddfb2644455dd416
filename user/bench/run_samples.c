/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/run_files.h"

#include <errno.h>

#include "user/base/err.h"
#include "user/base/json_parts.h"
#include "user/bench/run_json.h"

static json_t *values_json(const struct run_case *c, const struct run_repetition *r)
{
	json_t *o = json_object();
	size_t i;

	for (i = 0; i < c->n_metrics; i++) {
		if (!json_object_set_new(o, c->metrics[i].name, json_part_number(r->values[i])))
			continue;
		json_decref(o);
		return NULL;
	}
	return o;
}

static json_t *repetition_json(const struct run_case *c, const struct run_repetition *r)
{
	json_t *o = json_object();
	int bad = 0;

	bad |= json_object_set_new(o, "schema", json_string(SAMPLES_SCHEMA));
	bad |= json_object_set_new(o, "case", json_part_text(c->name));
	bad |= json_object_set_new(o, "number", json_part_count(r->number));
	bad |= json_object_set_new(o, "order", json_part_count(r->order));
	bad |= json_object_set_new(o, "start", json_part_time(r->start_ns));
	bad |= json_object_set_new(o, "is_warmup", json_boolean(r->is_warmup));
	bad |= json_object_set_new(o, "is_profile", json_boolean(r->is_profile));
	bad |= json_object_set_new(o, "outcome", json_string(repetition_outcome_names[r->outcome]));
	bad |= json_object_set_new(o, "exit_status", json_integer(r->exit_status));
	bad |= json_object_set_new(o, "message", json_part_text(r->message));
	bad |= json_object_set_new(o, "iterations", json_part_number(r->iterations));
	bad |= json_object_set_new(o, "noise", run_noise_json(&r->noise));
	bad |= json_object_set_new(o, "values", values_json(c, r));
	if (!bad)
		return o;
	json_decref(o);
	return NULL;
}

static int write_repetition(const struct run_case *c, const struct run_repetition *r, FILE *out)
{
	json_t *o = repetition_json(c, r);
	int err = 0;

	if (!o)
		return errf(-ENOMEM, "no memory for '%s'", RUN_SAMPLES_FILE);
	/* 17 digits say exactly which double it was. */
	if (json_dumpf(o, out, JSON_COMPACT | JSON_REAL_PRECISION(17)) || putc('\n', out) == EOF)
		err = errf(-EIO, "cannot write all of '%s': %m", RUN_SAMPLES_FILE);
	json_decref(o);
	return err;
}

int run_samples_write(const struct run_result *r, FILE *out)
{
	size_t i, k;
	int err;

	for (i = 0; i < r->n_cases; i++) {
		const struct run_case *c = &r->cases[i];

		for (k = 0; k < c->n_repetitions; k++) {
			err = write_repetition(c, &c->repetitions[k], out);
			if (err)
				return err;
		}
	}
	return 0;
}
