/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/cmd/scenario_options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/cmd/cmd.h"

#define REPEAT_MAX 10000

void scenario_options_init(struct scenario_options *o)
{
	*o = (struct scenario_options){ 0 };
	scenario_request_init(&o->request);
}

void scenario_options_release(struct scenario_options *o)
{
	size_t i;

	for (i = 0; i < o->n_only; i++)
		free(o->only[i].key);
	free(o->only);
}

static int parse_count(const char *text, const char *what, unsigned int min, int *ret)
{
	unsigned int n;
	int err = parse_u32(text, what, min, REPEAT_MAX, &n);

	if (!err)
		*ret = n;
	return err;
}

static int add_parameter(struct scenario_options *o, const char *text)
{
	const char *equals = strchr(text, '=');
	char *key;

	if (!equals || equals == text)
		return errf(-EINVAL, "--matrix wants NAME=VALUE, not '%s'", text);
	key = array_reserve(o->only, o->only_cap, o->n_only + 1) ? NULL : strdup(text);
	if (!key)
		return errf(-ENOMEM, "no memory for --matrix");
	key[equals - text] = '\0';
	o->only[o->n_only++] = (struct scenario_pair){ key, key + (equals - text) + 1 };
	o->request.only = o->only;
	o->request.n_only = o->n_only;
	return 0;
}

static int parse_seed(struct scenario_options *o, const char *text)
{
	char *end;

	errno = 0;
	o->request.seed = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno)
		return errf(-EINVAL, "--seed wants a whole number below 2^64, not '%s'", text);
	o->request.has_seed = true;
	return 0;
}

int scenario_option(struct scenario_options *o, int option, char *text)
{
	struct scenario_request *r = &o->request;

	switch (option) {
	case OPT_PROFILE:
		r->profile = text;
		return 0;
	case OPT_POLICY:
		r->policy = text;
		return 0;
	case OPT_REPEAT:
		return parse_count(text, "--repeat", 1, &r->repeat);
	case OPT_WARMUP:
		return parse_count(text, "--warmup", 0, &r->warmup);
	case OPT_PROFILE_REPEAT:
		return parse_count(text, "--profile-repeat", 1, &r->profile_repeat);
	case OPT_NO_PROFILE:
		r->no_profile = true;
		return 0;
	case OPT_SEED:
		return parse_seed(o, text);
	case OPT_MATRIX:
		return add_parameter(o, text);
	case OPT_VARIANT:
		r->variant = text;
		return 0;
	case OPT_APPROVED_BY:
		r->approved_by = text;
		return 0;
	case OPT_NO_WAIT:
		r->no_wait = true;
		return 0;
	default:
		return 1;
	}
}
