/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/cmd/gate_session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/base/err.h"
#include "user/base/owner.h"
#include "user/bench/run_files.h"
#include "user/bench/store.h"
#include "user/cmd/cmd.h"
#include "user/export/load.h"

/* --- profiles -------------------------------------------------------------------------------- */

static int load_profile(void *ctx, const struct gate_side *side, const struct run_case *c,
			const char *collector, struct profile **ret)
{
	_cleanup_(str_release) struct str path = { 0 };
	const struct gate_session *s = ctx;
	struct folded_repairs repairs;

	if (run_profile_path(s->o->run ? side->path : s->ab_folder, c->name, collector, &path))
		return errf(-ENOMEM, "no memory to read a profile");
	return profile_load(str_text(&path), NULL, ret, &repairs);
}

/* --- a run and its baseline ------------------------------------------------------------------ */

/* The policy and its profile: what the command line says, else what the run was made with. */
static int open_policy(struct gate_session *s)
{
	const struct scenario_request *q = &s->o->scenario.request;
	const char *profile = s->o->has_profile ? q->profile : s->after->policy;
	int err = policy_read(q->policy, &s->policy);

	if (!err)
		err = policy_find_profile(s->policy, profile, &s->input.profile);
	return err;
}

static bool is_folder(const char *path)
{
	struct stat st;

	return path && !stat(path, &st) && S_ISDIR(st.st_mode);
}

/* The newest of another machine, if such are to be compared. */
static int find_across(const struct gate_session *s, struct baselines **ret)
{
	_cleanup_(baselines_freep) struct baselines *all = NULL;
	const char *what = s->o->baseline;
	const struct baseline *newest = NULL;
	size_t i;
	int err = store_list(s->o->store, NULL, s->after->scenario, &all);

	for (i = 0; !err && i < all->n; i++) {
		const struct baseline *b = &all->list[i];

		if (baseline_is_meant(b, what) && (!newest || b->accepted_ns > newest->accepted_ns))
			newest = b;
	}
	if (err)
		return err;
	if (!newest)
		return errf(-ENOENT, "no environment has a baseline%s%s of '%s' in '%s'",
			    what ? " " : "", what ? what : "", s->after->scenario, s->o->store);
	return store_find(s->o->store, newest->environment, newest->scenario, newest->id, ret);
}

static int find_baseline(struct gate_session *s)
{
	_cleanup_(baselines_freep) struct baselines *found = NULL;
	int err;

	if (is_folder(s->o->baseline)) {
		s->before_path = strdup(s->o->baseline);
		return s->before_path ? 0 : errf(-ENOMEM, "no memory for the baseline");
	}
	err = store_find(s->o->store, s->after->environment.name, s->after->scenario,
			 s->o->baseline, &found);
	if (err == -ENOENT && s->o->across)
		err = find_across(s, &found);
	if (err)
		return err;
	if (!found->list[0].is_whole)
		return errf(-EINVAL, "baseline %s is damaged: '%s' is not what was accepted",
			    found->list[0].id, found->list[0].path);
	s->before_path = take(found->list[0].path);
	s->baseline_id = take(found->list[0].id);
	return 0;
}

/* What this machine's noise allows to be told; there need not be one. */
static int find_calibration(struct gate_session *s, const struct run_result *r)
{
	_cleanup_(freep) char *json = NULL;
	int err = store_calibration(s->o->store, r->environment.name, r->scenario, &json);

	if (err == -ENOENT)
		return 0;
	return err ? err : calibration_read(json, &s->calibration);
}

static int open_run(struct gate_session *s)
{
	_cleanup_(str_release) struct str path = { 0 };
	int err = run_result_read(s->o->run, &s->after);

	if (!err && str_addf(&path, "%s/scenario.yaml", s->o->run))
		err = errf(-ENOMEM, "no memory to read '%s'", s->o->run);
	if (!err)
		err = scenario_read(str_text(&path), &s->scenario);
	if (!err)
		err = open_policy(s);
	if (!err)
		err = find_baseline(s);
	if (!err)
		err = run_result_read(s->before_path, &s->before);
	if (!err)
		err = find_calibration(s, s->after);
	if (err)
		return cmd_fail(err);
	s->input.before = (struct gate_side){ .run = s->before, .path = s->before_path };
	s->input.after = (struct gate_side){ .run = s->after, .path = s->o->run };
	s->input.scenario = s->scenario;
	s->input.policy = s->policy;
	return EXIT_DONE;
}

/* --- two variants ---------------------------------------------------------------------------- */

static bool has_variant(const struct scenario *s, const char *name)
{
	size_t i;

	for (i = 0; i < s->n_variants; i++) {
		if (!strcmp(s->variants[i].name, name))
			return true;
	}
	return false;
}

static int choose_variants(struct gate_session *s)
{
	const struct scenario *of = s->ab.scenario;
	const struct gate_options *o = s->o;

	if (o->before) {
		if (!has_variant(of, o->before) || !has_variant(of, o->after))
			return errf(-ENOENT, "'%s' has no variant '%s'", of->path,
				    has_variant(of, o->before) ? o->after : o->before);
		s->input.before.variant = o->before;
		s->input.after.variant = o->after;
		return 0;
	}
	if (of->n_variants != 2)
		return errf(-EINVAL,
			    "'%s' has %zu variants: --ab compares two, which --before and --after "
			    "name",
			    of->path, of->n_variants);
	s->input.before.variant = of->variants[0].name;
	s->input.after.variant = of->variants[1].name;
	return 0;
}

static bool is_compared(void *ctx, const struct scenario_case *c)
{
	const struct gate_session *s = ctx;

	return !strcmp(c->variant, s->input.before.variant) ||
	       !strcmp(c->variant, s->input.after.variant);
}

static int open_ab(struct gate_session *s)
{
	int code = scenario_run_prepare(&s->ab, &s->o->scenario.request);
	int err;

	if (code != EXIT_DONE)
		return code;
	err = choose_variants(s);
	if (err)
		return cmd_fail(err);
	scenario_cases_keep(s->ab.cases, is_compared, s);
	s->input.scenario = s->ab.scenario;
	s->input.policy = s->ab.policy;
	s->input.profile = s->ab.profile;
	return EXIT_DONE;
}

int gate_session_run(struct gate_session *s, struct run_folder *rf)
{
	int code = scenario_run_go(&s->ab), err;

	if (code != EXIT_DONE)
		return code;
	err = scenario_run_write(&s->ab, rf);
	if (!err)
		err = find_calibration(s, s->ab.result);
	if (err)
		return cmd_fail_environment();
	s->input.before.run = s->input.after.run = s->ab.result;
	snprintf(s->ab_folder, sizeof(s->ab_folder), "/proc/self/fd/%d", run_folder_fd(rf));
	return EXIT_DONE;
}

int gate_session_open(struct gate_session *s, const struct gate_options *o)
{
	int code, err;

	*s = (struct gate_session){ .o = o };
	s->input.across = o->across;
	s->input.load = load_profile;
	s->input.ctx = s;
	code = o->run ? open_run(s) : open_ab(s);
	if (code != EXIT_DONE || !o->preset)
		return code;
	err = policy_find_preset(s->input.policy, o->preset, &s->input.preset);
	return err ? cmd_fail(err) : EXIT_DONE;
}

/* --- once more ------------------------------------------------------------------------------- */

static int note_retry(struct gate_session *s, const char *text)
{
	free(s->result->retry_note);
	s->result->retry_note = strdup(text);
	return s->result->retry_note ? 0 : errf(-ENOMEM, "no memory for the verdict");
}

static bool alerts(void *ctx, const struct scenario_case *c)
{
	const struct gate_session *s = ctx;
	size_t i;

	if (s->o->run ? false : !is_compared(ctx, c))
		return false;
	for (i = 0; i < s->result->n_cases; i++) {
		const struct gate_case *one = &s->result->cases[i];

		if (gate_case_alerts(one) &&
		    !strcmp(s->o->run ? one->after_name : one->cell, s->o->run ? c->name : c->cell))
			return true;
	}
	return false;
}

static int count_measured(const struct run_result *r)
{
	const struct run_case *c = &r->cases[0];
	size_t i;
	int n = 0;

	for (i = 0; r->n_cases && i < c->n_repetitions; i++)
		n += !c->repetitions[i].is_warmup && !c->repetitions[i].is_profile;
	return n;
}

/* What a folder of somebody else's names is not executed. */
static bool is_trusted(const char *path)
{
	struct stat st;

	return !stat(path, &st) && owner_is_trusted(&st);
}

/* Why a run of elsewhere cannot be run again here; NULL if it can. */
static const char *why_not_again(const struct gate_session *s)
{
	_cleanup_(scenario_freep) struct scenario *now = NULL;
	struct environment here;
	bool is_here;

	if (environment_read(&here))
		return "there is no memory";
	is_here = !strcmp(here.fingerprint, s->after->environment.fingerprint);
	environment_release(&here);
	if (!is_here)
		return "the run is of another machine";
	if (!is_trusted(s->o->run))
		return "its folder belongs to another user, or all may write to it";
	if (!s->after->scenario_path || scenario_read(s->after->scenario_path, &now))
		return "its scenario is not there any more";
	if (!is_trusted(s->after->scenario_path))
		return "its scenario belongs to another user, or all may write to it";
	if (strcmp(now->sha256, s->after->scenario_sha256))
		return "its scenario has changed since";
	if (now->is_production)
		return "a scenario of production is not run again without being asked for";
	return NULL;
}

static int run_again(struct gate_session *s)
{
	const struct run_result *of = s->o->run ? s->after : s->ab.result;
	int code;

	s->again_request = s->o->scenario.request;
	if (s->o->run)
		s->again_request.path = s->after->scenario_path;
	s->again_request.profile = s->input.profile->name;
	s->again_request.repeat = 2 * count_measured(of);
	s->again_request.no_profile = true;
	s->again_request.has_seed = false;
	code = scenario_run_prepare(&s->again, &s->again_request);
	if (code != EXIT_DONE)
		return code;
	/* Whoever may write there could have exchanged it since it was looked at. */
	if (s->o->run && strcmp(s->again.scenario->sha256, s->after->scenario_sha256)) {
		fputs("fathom: its scenario has just changed\n", stderr);
		return EXIT_ENVIRONMENT;
	}
	scenario_cases_keep(s->again.cases, alerts, s);
	return scenario_run_go(&s->again);
}

static int confirm(struct gate_session *s)
{
	_cleanup_(gate_result_freep) struct gate_result *second = NULL;
	struct gate_input input = s->input;
	int err;

	input.load = NULL;
	input.after.run = s->again.result;
	if (!s->o->run)
		input.before.run = s->again.result;
	err = gate_judge(&input, &second);
	return err ? err : gate_confirm(s->result, second);
}

static int retry(struct gate_session *s)
{
	const char *why_not = s->o->no_retry ? "--no-retry" : s->o->run ? why_not_again(s) : NULL;
	char text[256];
	int code, err;

	if (why_not) {
		snprintf(text, sizeof(text), "not run again: %s", why_not);
		err = note_retry(s, text);
		return err ? cmd_fail_environment() : EXIT_DONE;
	}
	if (!s->o->quiet && isatty(STDERR_FILENO))
		fprintf(stderr, "fathom: it alerts: running again what does, with twice the "
				"repetitions\n");
	code = run_again(s);
	/* What has been measured is not lost by that; run_again() has said why. */
	if (code != EXIT_DONE) {
		err = note_retry(s, "not run again: it could not be");
		return err ? cmd_fail_environment() : EXIT_DONE;
	}
	err = confirm(s);
	if (!err)
		err = note_retry(s,
				 s->result->is_confirmed
					 ? "run again in fresh processes: it alerted again"
					 : "run again in fresh processes: it did not alert again");
	return err ? cmd_fail_environment() : EXIT_DONE;
}

static int set_baseline(struct gate_session *s)
{
	if (!s->baseline_id)
		return 0;
	s->result->baseline_id = strdup(s->baseline_id);
	return s->result->baseline_id ? 0 : errf(-ENOMEM, "no memory for the verdict");
}

/* Only what was compared can be compared again. */
static bool has_alert(const struct gate_result *g)
{
	size_t i;

	for (i = 0; i < g->n_cases; i++) {
		if (gate_case_alerts(&g->cases[i]))
			return true;
	}
	return false;
}

int gate_session_judge(struct gate_session *s)
{
	int err;

	s->input.calibration = s->calibration;
	err = gate_judge(&s->input, &s->result);
	if (!err)
		err = set_baseline(s);
	if (err)
		return cmd_fail_environment();
	return s->result->verdict == VERDICT_REGRESSED && has_alert(s->result) ? retry(s)
									       : EXIT_DONE;
}

void gate_session_release(struct gate_session *s)
{
	gate_result_free(s->result);
	scenario_run_release(&s->again);
	scenario_run_release(&s->ab);
	calibration_free(s->calibration);
	run_result_free(s->before);
	run_result_free(s->after);
	policy_free(s->policy);
	scenario_free(s->scenario);
	free(s->before_path);
	free(s->baseline_id);
}
