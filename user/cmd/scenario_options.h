/* SPDX-License-Identifier: BSD-2-Clause */
/* scenario_options: what run, gate and calibrate all understand on their command lines. */
#pragma once

#include <getopt.h>

#include "user/cmd/scenario_run.h"

enum scenario_option {
	OPT_PROFILE = 768,
	OPT_POLICY,
	OPT_REPEAT,
	OPT_WARMUP,
	OPT_PROFILE_REPEAT,
	OPT_NO_PROFILE,
	OPT_SEED,
	OPT_MATRIX,
	OPT_VARIANT,
	OPT_APPROVED_BY,
	OPT_NO_WAIT,
	SCENARIO_OPTION_LAST, /* where the options of a command begin */
};

/* Elements of a table for getopt_long(3). */
#define SCENARIO_LONG_OPTIONS                                                      \
	{ "profile", required_argument, NULL, OPT_PROFILE },                       \
		{ "policy", required_argument, NULL, OPT_POLICY },                 \
		{ "repeat", required_argument, NULL, OPT_REPEAT },                 \
		{ "warmup", required_argument, NULL, OPT_WARMUP },                 \
		{ "profile-repeat", required_argument, NULL, OPT_PROFILE_REPEAT }, \
		{ "no-profile", no_argument, NULL, OPT_NO_PROFILE },               \
		{ "seed", required_argument, NULL, OPT_SEED },                     \
		{ "matrix", required_argument, NULL, OPT_MATRIX },                 \
		{ "variant", required_argument, NULL, OPT_VARIANT },               \
		{ "approved-by", required_argument, NULL, OPT_APPROVED_BY },       \
	{                                                                          \
		"no-wait", no_argument, NULL, OPT_NO_WAIT                          \
	}

/* Their lines of a command's help. */
#define SCENARIO_OPTIONS_HELP                                                                     \
	"      --profile NAME         smoke, nightly (default) or release: how often, how sure\n" \
	"      --policy FILE          another policy than the one that is built in\n"             \
	"      --repeat N             repetitions of each case that are measured\n"               \
	"      --warmup N             and such before them that do not count\n"                   \
	"      --profile-repeat N     repetitions that are profiled\n"                            \
	"      --no-profile           measure only\n"                                             \
	"      --seed N               of the order of variants (default: another each time)\n"    \
	"      --matrix NAME=VALUE    only cases with this parameter; may be repeated\n"          \
	"      --variant NAME         only this variant\n"                                        \
	"      --approved-by NAME     who answers for a run against production\n"                 \
	"      --no-wait              fail if another run measures on this machine\n"

/* A request, and the room that its list needs. */
struct scenario_options {
	struct scenario_request request;
	struct scenario_pair *only;
	size_t n_only, only_cap;
};

void scenario_options_init(struct scenario_options *o);
void scenario_options_release(struct scenario_options *o);

/* 0, 1 if 'option' is none of these, or -EINVAL, -ERANGE or -ENOMEM with a sentence. */
int scenario_option(struct scenario_options *o, int option, char *text);
