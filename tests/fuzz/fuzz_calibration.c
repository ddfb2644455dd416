/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_calibration: any text as a calibration. What is read must be written and read as the same
 * again, and limits never get narrower by it.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/json_parts.h"
#include "user/bench/calibrate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *text_of(const struct calibration *c)
{
	json_t *value = calibration_json(c);
	char *text = value ? json_text(value) : NULL;

	json_decref(value);
	if (!text)
		abort();
	return text;
}

static void apply(const struct calibration *c)
{
	size_t i;

	for (i = 0; i < c->n_metrics; i++) {
		struct policy_limits limits = { 0.03, 0.05, 0.10, c->metrics[i].is_points, false };

		calibration_apply(c, c->metrics[i].name, &limits);
		if (!(limits.min_effect >= 0.03 && limits.alert >= limits.min_effect &&
		      limits.limit >= 0.10 && isfinite(limits.limit)))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(calibration_freep) struct calibration *c = NULL, *again = NULL;
	_cleanup_(freep) char *json = strndup((const char *)data, size), *first = NULL,
			      *second = NULL;

	if (!json)
		abort();
	if (calibration_read(json, &c))
		return 0;
	apply(c);
	first = text_of(c);
	if (calibration_read(first, &again))
		abort();
	second = text_of(again);
	if (strcmp(first, second))
		abort();
	return 0;
}
