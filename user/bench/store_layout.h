/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * store_layout: the names in a store, and what both its readers and its writers do:
 *   STORE/.lock
 *   STORE/<environment>/<scenario>/0001/            a run's files and accepted.json
 *   STORE/<environment>/<scenario>/pin-0001.json
 *   STORE/<environment>/<scenario>/calibration-0001.json
 * All below STORE is hostile: no link in it is followed. STORE itself is the caller's word.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "user/bench/store.h"

#define ACCEPTED_FILE	   "accepted.json"
#define BASELINE_SCHEMA	   "fathom.baseline/1"
#define PIN_SCHEMA	   "fathom.pin/1"
#define CALIBRATION_SCHEMA "fathom.calibration/1"

#define PIN_PREFIX	   "pin-"
#define CALIBRATION_PREFIX "calibration-"
#define JSON_SUFFIX	   ".json"

#define STORE_MAX_RECORD_BYTES	    (64u << 10) /* accepted.json, a pin */
#define STORE_MAX_CALIBRATION_BYTES (1u << 20)
#define STORE_MAX_NAME		    200
#define STORE_MAX_NUMBER	    999999

/* [A-Za-z0-9][A-Za-z0-9._-]*, at most STORE_MAX_NAME. */
bool store_is_name(const char *name);

/* The N of PREFIX N SUFFIX, which is written with at least four digits; 0 if it is none. */
unsigned int store_number(const char *name, const char *prefix, const char *suffix);

/* The largest one in a folder, whatever has it; 0: there is none. -errno with a sentence. */
int store_last_number(int folder, const char *prefix, const char *suffix, unsigned int *ret);

/* A folder in another one, -EBADF if that is none; -errno without a sentence. */
int store_open_folder(int parent, const char *name);
