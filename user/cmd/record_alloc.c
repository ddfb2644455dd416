/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/cmd/record_alloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/err.h"
#include "user/cmd/cmd.h"

#define INTERVAL_DEFAULT (512ull << 10) /* that of tcmalloc and Go's heap profiles */
#define INTERVAL_MAX	 (1ull << 30)
#define SLOWDOWN_DEFAULT 1.5
#define SLOWDOWN_MAX	 1e6
#define MIN_AGE_DEFAULT	 1000000000ull
#define MIN_AGE_MAX	 (10 * 365 * 86400.0)

void record_alloc_init(struct alloc_settings *s)
{
	*s = (struct alloc_settings){
		.interval_bytes = INTERVAL_DEFAULT,
		.max_slowdown = SLOWDOWN_DEFAULT,
		.min_age_ns = MIN_AGE_DEFAULT,
		.weight = MEMORY_ALLOC_SPACE,
	};
}

/* "4096", "512K", "1M". */
static int parse_interval(const char *text, uint64_t *ret)
{
	static const char units[] = "KMG";
	const char *unit = NULL;
	unsigned long long n;
	char *end;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (*end)
		unit = strchr(units, *end);
	if (*text < '0' || *text > '9' || (*end && (!unit || end[1])))
		return errf(-EINVAL,
			    "--alloc-interval wants bytes, such as 4096, 512K or 1M, "
			    "not '%s'",
			    text);
	/* Checked before it is shifted as well: what is larger may wrap around. */
	if (!errno && unit && n <= INTERVAL_MAX)
		n <<= 10 * (unit - units + 1);
	if (errno || !n || n > INTERVAL_MAX)
		return errf(-ERANGE, "--alloc-interval must be from 1 to 1G, not '%s'", text);
	*ret = n;
	return 0;
}

static int parse_slowdown(const char *text, double *ret)
{
	if (!strcmp(text, "none")) {
		*ret = 0;
		return 0;
	}
	return parse_double(text, "--max-slowdown", 1, SLOWDOWN_MAX, ret);
}

static int parse_age(const char *text, uint64_t *ret)
{
	double seconds = 0;
	int err = parse_double(text, "--min-age", 0, MIN_AGE_MAX, &seconds);

	if (!err)
		*ret = seconds * 1e9;
	return err;
}

static int parse_seed(const char *text, struct alloc_settings *s)
{
	unsigned int seed = 0;
	int err = parse_u32(text, "--alloc-seed", 0, UINT32_MAX, &seed);

	s->has_seed = !err;
	s->seed = seed;
	return err;
}

int record_alloc_option(struct alloc_settings *s, int option, const char *text)
{
	switch (option) {
	case OPT_ALLOC_INTERVAL:
		return parse_interval(text, &s->interval_bytes);
	case OPT_ALLOC_SEED:
		return parse_seed(text, s);
	case OPT_MAX_SLOWDOWN:
		return parse_slowdown(text, &s->max_slowdown);
	case OPT_MIN_AGE:
		return parse_age(text, &s->min_age_ns);
	case OPT_ALLOC_MAPS:
		s->follow_maps = true;
		return 0;
	case OPT_NO_FOLLOW:
		s->no_follow = true;
		return 0;
	case OPT_SLOW:
		s->allow_slow = true;
		return 0;
	case OPT_ALLOCATED_ONLY:
		s->allocated_only = true;
		return 0;
	case OPT_LEAKS:
		s->leaks = true;
		return 0;
	default:
		return 1;
	}
}

int record_alloc_check(struct alloc_settings *s, const char *weight)
{
	bool is_leaked = s->weight == MEMORY_LEAKED_SPACE || s->weight == MEMORY_LEAKED_OBJECTS;

	if (s->leaks && weight && !is_leaked)
		return errf(-EINVAL, "--leaks shows leaked-space: it does not go with --weight %s",
			    weight);
	if (s->leaks && s->allocated_only)
		return errf(-EINVAL, "--leaks does not go with --allocated-only, which does not "
				     "follow frees");
	if (s->leaks && !is_leaked)
		s->weight = MEMORY_LEAKED_SPACE;
	if (s->allocated_only && s->weight > MEMORY_ALLOC_SPACE)
		return errf(-EINVAL,
			    "--weight %s does not go with --allocated-only, which does not follow "
			    "frees",
			    weight);
	return 0;
}
