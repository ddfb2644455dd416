/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * store: accepted runs: STORE/<environment>/<scenario>/<id>/, each a copy of a run folder with
 * accepted.json beside its files. Nothing in it is ever changed or removed: a pin is a new file,
 * too. What is written appears whole or not at all; writers wait for each other, or are refused
 * with -EBUSY if 'wait' is false. What a killed writer leaves has a temporary name (staging.h) and
 * is no baseline. Under sudo all of it belongs to the user who called it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/base/cleanup.h"

struct baseline {
	char *id; /* "0003" */
	char *environment, *scenario;
	char *path;	 /* of its folder */
	char *note, *by; /* who accepted it, and why */
	uint64_t accepted_ns;
	char *pins;		  /* names that point to it, "release-1.2, stable"; "" for none */
	char manifest_sha256[65]; /* as noted; "" if nothing is */
	bool is_whole;		  /* all files are there with the digests that were noted */
};

struct baselines {
	struct baseline *list; /* by environment, scenario, id */
	size_t n;
};
void baselines_free(struct baselines *b);
DEFINE_FREEP(struct baselines, baselines_free)

/*
 * Copies the run folder into the store, which is made if it is not there. 'note' and 'by' are not
 * empty (-EINVAL). -EINVAL for a run that is void or no run of a scenario. *ret_id is the caller's.
 */
int store_accept(const char *store, const char *run, const char *note, const char *by, bool wait,
		 char **ret_id);

/* Lets 'name' ([A-Za-z0-9][A-Za-z0-9._-]*, not only digits) mean that baseline from now on. 'id' is
 * what store_find() takes. */
int store_pin(const char *store, const char *environment, const char *scenario, const char *id,
	      const char *name, const char *by, bool wait);

/* All, or of one environment and scenario (NULL: all). A store that is not there is empty. */
int store_list(const char *store, const char *environment, const char *scenario,
	       struct baselines **ret);

/* Whether 'what' names it: an id, a pin, or NULL for any. */
bool baseline_is_meant(const struct baseline *b, const char *what);

/*
 * One baseline, whole or not: the one that 'what' names: an id, a pin, or NULL for the last
 * accepted one. -ENOENT with a sentence that names other environments that have one.
 */
int store_find(const char *store, const char *environment, const char *scenario, const char *what,
	       struct baselines **ret);

/*
 * What calibration found of a scenario on this machine, kept beside its baselines; the latest
 * counts. Text of JSON (fathom.calibration/1; -EINVAL for what is none). -ENOENT: there is none.
 */
int store_add_calibration(const char *store, const char *environment, const char *scenario,
			  const char *json, bool wait);
int store_calibration(const char *store, const char *environment, const char *scenario,
		      char **ret_json);
