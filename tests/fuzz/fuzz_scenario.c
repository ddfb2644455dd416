/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_scenario: any bytes as a scenario's file and as a policy's; what is accepted has cases in
 * which nothing is left to be filled in, and limits that are numbers.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "user/base/cleanup.h"
#include "user/base/file.h"
#include "user/bench/policy.h"
#include "user/bench/scenario.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text)
{
	if (text && strchr(text, '\x01'))
		abort();
}

static void check_words(char **words)
{
	if (words && !*words)
		abort();
	for (; words && *words; words++)
		check_text(*words);
}

static void check_case(struct scenario_case *c)
{
	size_t i;

	if (scenario_case_set_scratch(c, "/scratch"))
		return;
	if (c->workdir[0] != '/' || (c->oracle.file && c->oracle.file[0] != '/'))
		abort();
	check_text(c->workdir);
	check_text(c->oracle.file);
	check_text(c->oracle.expected);
	check_text(c->ready.text);
	check_words(c->subject.command);
	check_words(c->setup);
	check_words(c->teardown);
	check_words(c->before_each);
	check_words(c->verify);
	for (i = 0; i < c->env.n; i++)
		check_text(c->env.list[i].value);
	for (i = 0; i < c->n_metrics; i++) {
		if (c->metrics[i].file && c->metrics[i].file[0] != '/')
			abort();
		check_text(c->metrics[i].file);
		check_text(c->metrics[i].pattern);
	}
}

static void fuzz_scenario(const char *path)
{
	_cleanup_(scenario_cases_freep) struct scenario_cases *cases = NULL;
	_cleanup_(scenario_freep) struct scenario *s = NULL;
	size_t i;

	if (scenario_read(path, &s) || scenario_cases_new(s, NULL, 0, NULL, &cases))
		return;
	if (!cases->n || cases->n > SCENARIO_MAX_CASES)
		abort();
	for (i = 0; i < cases->n; i++)
		check_case(&cases->list[i]);
}

static void fuzz_policy(const char *path)
{
	_cleanup_(policy_freep) struct policy *p = NULL;
	struct policy_limits limits;
	size_t i, k;
	bool gated;

	if (policy_read(path, &p))
		return;
	for (i = 0; i < p->n_profiles; i++) {
		for (k = 0; k <= p->n_presets; k++) {
			policy_limits_of(&p->profiles[i], k ? &p->presets[k - 1] : NULL, NULL, 0,
					 "wall_ns", false, &limits, &gated);
			if (isnan(limits.min_effect) || isnan(limits.alert) || isnan(limits.limit))
				abort();
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(closep) int fd = memfd_create("input", MFD_CLOEXEC);
	char path[64];

	if (fd < 0 || file_write_all(fd, "input", data, size))
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	fuzz_scenario(path);
	fuzz_policy(path);
	return 0;
}
