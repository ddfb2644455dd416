/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/measure.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "user/base/clock.h"
#include "user/base/err.h"
#include "user/base/str.h"
#include "user/bench/hook.h"
#include "user/bench/order.h"
#include "user/bench/repetition.h"
#include "user/bench/run_build.h"
#include "user/bench/run_signals.h"
#include "user/bench/scratch.h"

#define SECOND		 1000000000ull
#define CANARY_ROUNDS	 10 /* about as many milliseconds */
#define CANARY_EVERY_NS	 SECOND
#define CANARIES_AT_ENDS 5
#define MEASURE_SHARE	 (2.0 / 3)	/* of the budget, if there is a profile pass, too */
#define SETUP_MIN_NS	 (300 * SECOND) /* fixtures may have to be built */

/* One pass over the cases. */
struct pass {
	bool is_profile;
	struct order_step *steps;
	size_t n_steps, done;
	uint64_t deadline_ns;		    /* CLOCK_MONOTONIC */
	uint64_t canary_ns;		    /* when the last one was */
	uint64_t round_start_ns, *round_ns; /* by cell: how long its last round took */
	struct latency_mark *marks;	    /* by case: before its round */
};

struct run {
	const struct measure_options *o;
	struct run_result *r;
	struct run_signals signals;
	char *scratch, *folder;
	char **case_folders; /* by case; NULL: it needs none */
	size_t n_set_up;
	uint64_t start_ns, budget_ns;
	uint64_t other_ns; /* CPU time of services that we have watched */
	bool is_ended;	   /* what is left is teardown */
};

static uint64_t now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

/* --- limits ----------------------------------------------------------------------------------- */

static unsigned int chosen(int option, int scenario, unsigned int policy)
{
	if (option >= 0)
		return option;
	return scenario >= 0 ? (unsigned int)scenario : policy;
}

static unsigned int profile_repeat(const struct measure_options *o)
{
	return o->profile ? chosen(o->profile_repeat, -1, o->policy->profile_repeat) : 0;
}

static uint64_t timeout_ns(const struct measure_options *o)
{
	uint64_t ns = o->scenario->timeout_ns;

	return ns ? ns : o->policy->timeout_s * SECOND;
}

/* --- setup and teardown ----------------------------------------------------------------------- */

static int give_up(struct run *run, const char *case_name, const char *why)
{
	_cleanup_(str_release) struct str text = { 0 };

	run->is_ended = true;
	if (run->r->abort)
		return 0; /* the first reason is the one */
	if ((*case_name && (str_add(&text, case_name) || str_add(&text, ": "))) ||
	    str_add_clean(&text, why, strlen(why), 0))
		return errf(-ENOMEM, "no memory to say why the run ends");
	run->r->abort = take(text.data);
	return 0;
}

static int run_hook(struct run *run, const struct scenario_case *c, const char *name,
		    char *const *words)
{
	_cleanup_(freep) char **environment = NULL;
	_cleanup_(freep) char *message = NULL;
	uint64_t timeout = timeout_ns(run->o);
	struct hook_options h = { .name = name,
				  .words = words,
				  .workdir = c->workdir,
				  .folder = run->folder,
				  .timeout_ns = timeout > SETUP_MIN_NS ? timeout : SETUP_MIN_NS,
				  .stop_fd = run->signals.fd };
	enum hook_end end;
	int err = command_environment(run->o->scenario->name, c, -1, &environment);

	if (err)
		return err;
	h.environment = environment;
	err = hook_run(&h, &end, &message);
	if (err || end == HOOK_DONE)
		return err;
	return give_up(run, c->name, message);
}

static int set_up(struct run *run)
{
	struct scenario_cases *cases = run->o->cases;
	int err = 0;

	while (run->n_set_up < cases->n && !run->is_ended) {
		size_t i = run->n_set_up++;
		struct scenario_case *c = &cases->list[i];

		if (c->needs_scratch) {
			err = scratch_make(run->scratch, "case", &run->case_folders[i]);
			if (!err)
				err = scenario_case_set_scratch(c, run->case_folders[i]);
		}
		if (err) {
			run->n_set_up--; /* its words are not complete */
			return err;
		}
		err = run_hook(run, c, "setup", c->setup);
		if (err)
			return err;
	}
	return 0;
}

/* In the reverse order, whatever happened. */
static int tear_down(struct run *run)
{
	int first = 0, err;

	/* What has ended the run is not to end this. */
	if (run_signals_take(&run->signals))
		first = give_up(run, "", "the run was interrupted");
	while (run->n_set_up) {
		const struct scenario_case *c = &run->o->cases->list[--run->n_set_up];

		err = run_hook(run, c, "teardown", c->teardown);
		first = first ? first : err;
	}
	return first;
}

/* --- one repetition --------------------------------------------------------------------------- */

static void tell(const struct run *run, const struct pass *p, const struct order_step *step)
{
	struct measure_progress progress = {
		.case_name = run->o->cases->list[step->case_number].name,
		.is_profile = p->is_profile,
		.is_warmup = step->is_warmup,
		.done = p->done,
		.all = p->n_steps,
		.elapsed_ns = now_ns() - run->start_ns,
		.budget_ns = run->budget_ns,
	};

	if (run->o->progress)
		run->o->progress(run->o->ctx, &progress);
}

static bool has_run_out(const struct pass *p)
{
	return now_ns() >= p->deadline_ns;
}

/* Runs it within what time is left; *ret_late: that was not enough. */
static int run_once(struct run *run, const struct pass *p, const struct order_step *step,
		    const char *profile_folder, struct repetition *rep, struct machine_noise *noise,
		    bool *ret_late)
{
	uint64_t now = now_ns(), left = p->deadline_ns > now ? p->deadline_ns - now : 1;
	uint64_t timeout = timeout_ns(run->o);
	struct repetition_options o = {
		.scenario = run->o->scenario,
		.c = &run->o->cases->list[step->case_number],
		.number = step->number,
		.folder = run->folder,
		.timeout_ns = p->is_profile ? 3 * timeout + 30 * SECOND : timeout,
		.hook_timeout_ns = timeout,
		.stop_fd = run->signals.fd,
		.profile = p->is_profile ? run->o->profile : NULL,
		.profile_ctx = run->o->ctx,
		.profile_folder = profile_folder,
	};
	struct machine_state before, after;
	bool is_short = false;
	int err;

	if (o.timeout_ns > left) {
		o.timeout_ns = left;
		is_short = true;
	}
	machine_state_read(&before);
	err = repetition_run(&o, rep);
	if (err)
		return err;
	machine_state_read(&after);
	after.own_ns += rep->other_ns;
	run->other_ns += rep->other_ns;
	machine_noise_between(&before, &after, noise);
	*ret_late = (is_short && rep->outcome == REPETITION_TIMED_OUT) ||
		    (rep->outcome == REPETITION_OK && !step->ends_round && has_run_out(p));
	return 0;
}

/* A share of errors that is beyond what the scenario bears. */
static int check_errors(struct run *run, const struct run_case *c, const struct run_repetition *r)
{
	double ceiling = run->o->scenario->ceilings.error_rate;
	int at = run_case_metric(c, "error_rate");
	char why[128];

	if (isnan(ceiling) || ceiling <= 0 || at < 0 || !(r->values[at] > ceiling))
		return 0;
	snprintf(why, sizeof(why), "error_rate is %.6g, above the ceiling of %.6g", r->values[at],
		 ceiling);
	return give_up(run, c->name, why);
}

static int check_outcome(struct run *run, const struct run_case *c, const struct run_repetition *r)
{
	switch (r->outcome) {
	case REPETITION_OK:
		return check_errors(run, c, r);
	case REPETITION_OVER_MEMORY:
	case REPETITION_OVER_TIME:
	case REPETITION_INTERRUPTED:
		return give_up(run, c->name, r->message ? r->message : "it was stopped");
	default:
		run->is_ended = true;
		return 0;
	}
}

static int take_recording(struct run *run, const struct order_step *step,
			  const struct run_repetition *r, const char *folder)
{
	struct run_case *c = &run->r->cases[step->case_number];
	int err = 0;

	if (r->outcome != REPETITION_OK)
		return 0;
	if (run->o->profiled)
		err = run->o->profiled(run->o->ctx, step->case_number, step->number, folder);
	c->n_profiles += !err;
	return err;
}

/* What was measured decides, and stays: it is only not explained. */
static int end_profiling(struct run *run, struct repetition *rep)
{
	run->is_ended = true;
	run->r->profile_failure = take(rep->message);
	return run->r->profile_failure ? 0 : errf(-ENOMEM, "no memory to say why profiling ends");
}

/* *ret_late: time was up before it was through, and it is not kept. */
static int take_step(struct run *run, struct pass *p, const struct order_step *step, bool *ret_late)
{
	struct run_build_place place = { .number = step->number,
					 .order = p->done,
					 .is_warmup = step->is_warmup,
					 .is_profile = p->is_profile };
	_cleanup_(freep) char *folder = NULL;
	struct repetition rep = { 0 };
	struct run_repetition *r;
	int err = 0, removed = 0;

	*ret_late = false;
	if (p->is_profile)
		err = scratch_make(run->scratch, "profile", &folder);
	if (!err)
		err = run_once(run, p, step, folder, &rep, &place.noise, ret_late);
	if (!err && rep.recording_failed)
		err = end_profiling(run, &rep);
	else if (!err && !*ret_late) {
		err = run_build_add(run->o->scenario, &run->o->cases->list[step->case_number],
				    &run->r->cases[step->case_number], &rep, &place, &r);
		if (!err)
			err = check_outcome(run, &run->r->cases[step->case_number], r);
		if (!err && p->is_profile)
			err = take_recording(run, step, r, folder);
	}
	free(rep.message);
	if (folder)
		removed = scratch_remove(folder);
	return err ? err : removed;
}

/* --- a pass ----------------------------------------------------------------------------------- */

/* One between repetitions, now and then; several, to be sure, before and after all of them. */
static int sing(struct run *run, struct pass *p, unsigned int times)
{
	int err = 0;

	if (p->is_profile || (times == 1 && now_ns() - p->canary_ns < CANARY_EVERY_NS))
		return 0;
	while (times-- && !err)
		err = run_build_canary(run->r, p->done, canary_ns(CANARY_ROUNDS));
	p->canary_ns = now_ns();
	return err;
}

/* Takes back what of a round has run: variants are compared pair by pair. */
static void drop_round(struct run *run, struct pass *p)
{
	while (p->done && !p->steps[p->done].starts_round) {
		unsigned int c = p->steps[--p->done].case_number;

		run_build_remove_last(&run->r->cases[c], &p->marks[c]);
	}
	run->r->was_cut = true;
}

/* Whether the round that begins would probably be through in time. */
static bool fits(struct pass *p, const struct order_step *step)
{
	return now_ns() + p->round_ns[step->cell] <= p->deadline_ns;
}

static int take_steps(struct run *run, struct pass *p)
{
	bool is_late = false;
	int err = 0;

	for (; p->done < p->n_steps && !run->is_ended && !err; p->done++) {
		const struct order_step *step = &p->steps[p->done];

		if (step->starts_round) {
			err = sing(run, p, 1);
			p->round_start_ns = now_ns();
		}
		p->marks[step->case_number] = run_build_mark(&run->r->cases[step->case_number]);
		if (!err && step->starts_round && !fits(p, step)) {
			run->r->was_cut = true;
			return 0;
		}
		tell(run, p, step);
		if (!err)
			err = take_step(run, p, step, &is_late);
		if (!err && is_late) {
			drop_round(run, p);
			return 0;
		}
		if (step->ends_round)
			p->round_ns[step->cell] = now_ns() - p->round_start_ns;
	}
	return err;
}

static void pass_release(struct pass *p)
{
	free(p->steps);
	free(p->round_ns);
	free(p->marks);
}

static int run_pass(struct run *run, bool is_profile, uint64_t deadline_ns)
{
	_cleanup_(pass_release) struct pass p = { .is_profile = is_profile,
						  .deadline_ns = deadline_ns };
	const struct measure_options *o = run->o;
	unsigned int warmup = chosen(o->warmup, o->scenario->warmup, o->policy->warmup);
	unsigned int repeat = chosen(o->repeat, o->scenario->repeat, o->policy->repeat);
	struct machine_state before, after;
	int err;

	/* Another seed: the two passes are not to have the same order. */
	err = order_new(o->cases, is_profile ? 0 : warmup, is_profile ? profile_repeat(o) : repeat,
			o->seed + is_profile, &p.steps, &p.n_steps);
	p.round_ns = calloc(o->cases->n + 1, sizeof(*p.round_ns));
	p.marks = calloc(o->cases->n + 1, sizeof(*p.marks));
	if (err || !p.round_ns || !p.marks)
		return err ? err : errf(-ENOMEM, "no memory to measure '%s'", o->scenario->name);
	err = sing(run, &p, CANARIES_AT_ENDS);
	machine_state_read(&before);
	run->other_ns = 0;
	if (!err)
		err = take_steps(run, &p);
	if (err)
		return err;
	machine_state_read(&after);
	after.own_ns += run->other_ns;
	if (!is_profile)
		machine_noise_between(&before, &after, &run->r->noise);
	return sing(run, &p, CANARIES_AT_ENDS);
}

/* --- the run ---------------------------------------------------------------------------------- */

static int run_passes(struct run *run)
{
	bool has_profile = profile_repeat(run->o) > 0;
	uint64_t measure_ns = has_profile ? run->budget_ns * MEASURE_SHARE : run->budget_ns;
	int err;

	run->start_ns = now_ns(); /* whoever waits for the run waits for its setup, too */
	err = set_up(run);
	if (!err && !run->is_ended)
		err = run_pass(run, false, run->start_ns + measure_ns);
	if (!err && !run->is_ended && has_profile)
		err = run_pass(run, true, run->start_ns + run->budget_ns);
	return err;
}

static int make_folders(struct run *run)
{
	int err = scratch_make(run->o->output, "scratch", &run->scratch);

	if (!err)
		err = scratch_make(run->scratch, "repetition", &run->folder);
	run->case_folders = calloc(run->o->cases->n + 1, sizeof(*run->case_folders));
	if (!err && !run->case_folders)
		err = errf(-ENOMEM, "no memory to measure '%s'", run->o->scenario->name);
	return err;
}

static int remove_folders(struct run *run)
{
	int err = run->scratch ? scratch_remove(run->scratch) : 0;
	size_t i;

	for (i = 0; run->case_folders && i < run->o->cases->n; i++)
		free(run->case_folders[i]);
	free(run->case_folders);
	free(run->scratch);
	free(run->folder);
	return err;
}

int measure_run(const struct measure_options *o, struct run_result **ret)
{
	_cleanup_(run_result_freep) struct run_result *r = NULL;
	struct run run = { .o = o, .budget_ns = o->policy->budget_s * SECOND };
	uint64_t start = now_ns();
	char why[1024] = "";
	int err, last;

	err = run_build_new(o, &r);
	if (err)
		return err;
	run.r = r;
	err = run_signals_init(&run.signals);
	if (err)
		return err;
	err = make_folders(&run);
	if (!err)
		err = run_passes(&run);
	if (err)
		snprintf(why, sizeof(why), "%s", err_text());
	last = tear_down(&run);
	run_signals_release(&run.signals);
	/* What was measured is worth more than a clean folder for temporary files. */
	if (remove_folders(&run) && !err && !last) {
		r->leftover = strdup(err_text());
		if (!r->leftover)
			last = errf(-ENOMEM, "no memory to measure '%s'", o->scenario->name);
	}
	if (err)
		return errf(err, "%s", why); /* what came first */
	if (last)
		return last;
	r->span_ns = now_ns() - start;
	*ret = take(r);
	return 0;
}
