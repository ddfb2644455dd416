/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/cmd/scenario_run.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "user/base/array.h"
#include "user/base/cleanup.h"
#include "user/base/clock.h"
#include "user/base/err.h"
#include "user/bench/gate_pairs.h"
#include "user/bench/run_files.h"
#include "user/bench/scratch.h"
#include "user/cmd/cmd.h"
#include "user/cmd/folder_manifest.h"
#include "user/collect/probe.h"

void scenario_request_init(struct scenario_request *r)
{
	*r = (struct scenario_request){
		.profile = "nightly",
		.warmup = -1,
		.repeat = -1,
		.profile_repeat = -1,
	};
}

/* --- preparing ------------------------------------------------------------------------------- */

/*
 * With more metrics and cases in a family each of them needs more pairs before it can alert at all;
 * a scenario that asks for fewer repetitions gets what it asks for.
 */
static int repetitions(const struct scenario_run *run)
{
	const struct scenario *s = run->scenario;
	size_t gated = run->profile->n_metrics, cells = 0, i;
	unsigned int needed;

	if (run->request->repeat >= 0 || s->repeat >= 0)
		return run->request->repeat;
	for (i = 0; i < s->n_metrics; i++)
		gated += !s->metrics[i].is_informative;
	for (i = 0; i < s->n_gates; i++)
		gated += !s->gates[i].is_informative;
	for (i = 0; i < run->cases->n; i++)
		cells += i == 0 ||
			 strcmp(run->cases->list[i].cell, run->cases->list[i - 1].cell) != 0;
	needed = gate_pairs_needed(gated * cells, run->profile->alpha);
	return needed > run->profile->repeat ? (int)needed : -1;
}

static int check_approval(const struct scenario_run *run)
{
	const char *by = run->request->approved_by;

	if (!run->scenario->is_production || (by && *by))
		return EXIT_DONE;
	/* Another argument mends it. */
	fprintf(stderr,
		"fathom: '%s' runs against production: it is run only with --approved-by "
		"NAME, of the one who answers for it\n",
		run->request->path);
	return EXIT_USAGE;
}

int scenario_run_prepare(struct scenario_run *run, const struct scenario_request *request)
{
	int err;

	*run = (struct scenario_run){ .request = request };
	err = scenario_read(request->path, &run->scenario);
	if (!err)
		err = policy_read(request->policy, &run->policy);
	if (!err)
		err = policy_find_profile(run->policy, request->profile, &run->profile);
	if (!err)
		err = scenario_cases_new(run->scenario, request->only, request->n_only,
					 request->variant, &run->cases);
	if (!err)
		err = run_profiles_new(run->scenario, run->cases, &run->profiles);
	return err ? cmd_fail(err) : check_approval(run);
}

/* --- running --------------------------------------------------------------------------------- */

static void show_progress(void *ctx, const struct measure_progress *p)
{
	const struct scenario_run *run = ctx;

	if (!run->shows_progress)
		return;
	fprintf(stderr, "\r\033[K%s%s %s%u of %u, %.0f of at most %.0f s",
		p->is_profile ? "profiling " : "measuring ", p->case_name,
		p->is_warmup ? "(warm-up) " : "", p->done, p->all, p->elapsed_ns / 1e9,
		p->budget_ns / 1e9);
	fflush(stderr);
}

static int record(void *ctx, const struct scenario_case *c, unsigned int number, const char *folder,
		  struct profile_usage *usage)
{
	const struct scenario_run *run = ctx;

	return run_profiles_record(run->profiles, c, number, folder, usage);
}

static int take_recorded(void *ctx, unsigned int case_number, unsigned int number,
			 const char *folder)
{
	const struct scenario_run *run = ctx;

	return run_profiles_take(run->profiles, case_number, number, folder);
}

static uint64_t random_seed(void)
{
	uint64_t seed;

	return getrandom(&seed, sizeof(seed), 0) == sizeof(seed) ? seed >> 11
								 : clock_ns(CLOCK_REALTIME);
}

static int copy_text(char **to, const char *from)
{
	free(*to);
	*to = from ? strdup(from) : NULL;
	return from && !*to ? errf(-ENOMEM, "no memory for the run") : 0;
}

static int measure(struct scenario_run *run)
{
	const struct scenario_request *q = run->request;
	_cleanup_(freep) char *folder = NULL; /* of mode 0700, under a name nobody can know */
	struct measure_options o = {
		.scenario = run->scenario,
		.cases = run->cases,
		.policy = run->profile,
		.warmup = q->warmup,
		.repeat = repetitions(run),
		.profile_repeat = q->profile_repeat,
		.seed = q->has_seed ? q->seed : random_seed(),
		.profile = q->no_profile ? NULL : record,
		.profiled = take_recorded,
		.progress = show_progress,
		.ctx = run,
	};
	const char *parent = getenv("TMPDIR");
	int err = scratch_make(parent && *parent == '/' ? parent : "/tmp", "fathom-run", &folder);

	if (err)
		return err;
	o.output = folder;
	run->shows_progress = !q->quiet && isatty(STDERR_FILENO);
	err = measure_run(&o, &run->result);
	if (run->shows_progress)
		fputs("\r\033[K", stderr);
	rmdir(folder);
	if (!err && run->result->leftover)
		fprintf(stderr, "fathom: %s\n", run->result->leftover);
	if (!err)
		err = copy_text(&run->result->policy, run->profile->name);
	if (!err)
		err = copy_text(&run->result->policy_version, run->policy->version);
	return err ? err : copy_text(&run->result->approved_by, q->approved_by);
}

/* Two that measure at once would measure each other. */
static int take_turn(const struct scenario_request *q)
{
	int lock = measure_lock(false);

	if (lock != -EBUSY || q->no_wait)
		return lock;
	if (!q->quiet)
		fputs("fathom: another run measures on this machine: waiting for it\n", stderr);
	return measure_lock(true);
}

/* To hear of it after half an hour of measuring would be late. Root's rights are not asked for. */
static int check_rights(const struct scenario_run *run)
{
	_cleanup_(freep) char *why = NULL;
	int err = run->request->no_profile || !geteuid() ? 0 : probe_can_record();

	if (!err)
		return 0;
	why = strdup(err_text());
	return errf(err, "%s; --no-profile measures only", why ? why : "cannot record");
}

int scenario_run_go(struct scenario_run *run)
{
	int err = check_rights(run);
	_cleanup_(closep) int lock = err ? err : take_turn(run->request);

	if (lock < 0)
		return cmd_fail(lock);
	err = measure(run);
	return err ? cmd_fail(err) : EXIT_DONE;
}

/* --- writing --------------------------------------------------------------------------------- */

enum run_text { SAMPLES, REPORT, JUNIT, OPENMETRICS };

static int write_text(struct scenario_run *run, struct run_folder *rf, enum run_text which)
{
	static const char *const names[] = { "samples.jsonl", "report.md", "junit.xml",
					     "metrics.txt" };
	FILE *out;
	int err = run_folder_open(rf, names[which], &out), close_err;

	if (err)
		return err;
	switch (which) {
	case SAMPLES:
		err = run_samples_write(run->result, out);
		break;
	case REPORT:
		err = run_report_write(run->result, run->scenario, out);
		break;
	case JUNIT:
		err = run_junit_write(run->result, run->scenario, out);
		break;
	case OPENMETRICS:
		err = run_openmetrics_write(run->result, out);
		break;
	}
	close_err = run_folder_close(rf, out);
	return err ? err : close_err;
}

int scenario_run_write(struct scenario_run *run, struct run_folder *rf)
{
	enum run_text which;
	int err = run_profiles_write(run->profiles, run->result, rf);

	if (!err)
		err = folder_json_write(rf, "summary.json",
					run_summary_json(run->result, run->scenario));
	for (which = SAMPLES; which <= OPENMETRICS && !err; which++)
		err = write_text(run, rf, which);
	return err ? err
		   : run_folder_write(rf, "scenario.yaml", run->scenario->text,
				      run->scenario->text_len);
}

int scenario_run_manifest(const struct scenario_run *run, struct run_folder *rf, int argc,
			  char **argv)
{
	struct manifest m = {
		.created_ns = run->result->start_ns + run->result->span_ns,
		.command = run->scenario->subject.command,
		.exit_status = -1,
	};

	return folder_manifest_write(rf, &m, argc, argv);
}

/* --- what the run itself says ---------------------------------------------------------------- */

static int tell_void(const struct run_result *r)
{
	const struct run_case *c = NULL;
	const struct run_repetition *one = run_void(r, &c);

	if (r->abort)
		fprintf(stderr, "fathom: the run was given up: %s\n", r->abort);
	else if (one)
		fprintf(stderr, "fathom: the run is void: %s%srepetition %u %s: %s\n", c->name,
			*c->name ? ", " : "", one->number, repetition_outcome_names[one->outcome],
			one->message ? one->message : "no more is known");
	return r->abort || one ? EXIT_MEASURED : EXIT_DONE;
}

static int tell_slo(const struct scenario_run *run)
{
	_cleanup_(freep) struct run_slo *slo = NULL;
	int code = EXIT_DONE;
	size_t n = 0, i;

	if (run_judge_slo(run->result, run->scenario, &slo, &n))
		return cmd_fail(errf(-ENOMEM, "no memory for the limits"));
	for (i = 0; i < n; i++) {
		if (slo[i].is_kept)
			continue;
		fprintf(stderr, "fathom: %s%s%s is ", slo[i].case_name,
			*slo[i].case_name ? ": " : "", slo[i].metric);
		if (isnan(slo[i].value))
			fputs("not known, and may be ", stderr);
		else
			fprintf(stderr, "%.6g, and may be ", slo[i].value);
		if (!isnan(slo[i].max))
			fprintf(stderr, "at most %.6g\n", slo[i].max);
		else
			fprintf(stderr, "at least %.6g\n", slo[i].min);
		code = EXIT_REGRESSION;
	}
	return code;
}

/* The only case of a scenario has no name of its own. */
static const char *name_of(const struct scenario_run *run, const struct run_case *c)
{
	return *c->name ? c->name : run->scenario->name;
}

static int tell_quality(const struct scenario_run *run)
{
	size_t i;

	if (run->result->profile_failure) {
		fprintf(stderr, "fathom: the profile pass ended early: %s\n",
			run->result->profile_failure);
		return EXIT_DATA_QUALITY;
	}
	for (i = 0; i < run->result->n_cases; i++) {
		const struct run_case *c = &run->result->cases[i];
		const char *name = "";
		double loss = run_case_loss(c, &name);

		if (loss > run->profile->loss_share) {
			fprintf(stderr,
				"fathom: '%s' lost %.3g %% of the events of '%s', more than %.3g "
				"%%\n",
				name_of(run, c), 100 * loss, name, 100 * run->profile->loss_share);
			return EXIT_DATA_QUALITY;
		}
		if (run_case_overhead_exceeds(c, run->profile->overhead_share)) {
			fprintf(stderr,
				"fathom: %s: profiling cost %.1f %% more CPU time, more than %.1f "
				"%%\n",
				name_of(run, c), 100 * run_case_overhead(c),
				100 * run->profile->overhead_share);
			return EXIT_DATA_QUALITY;
		}
	}
	return EXIT_DONE;
}

int scenario_run_verdict(const struct scenario_run *run)
{
	int code = tell_void(run->result);

	if (code == EXIT_DONE)
		code = tell_slo(run);
	return code == EXIT_DONE ? tell_quality(run) : code;
}

void scenario_run_release(struct scenario_run *run)
{
	run_result_free(run->result);
	run_profiles_free(run->profiles);
	scenario_cases_free(run->cases);
	policy_free(run->policy);
	scenario_free(run->scenario);
}
