/* SPDX-License-Identifier: BSD-2-Clause */
/* fathom calibrate: what this machine's noise lets a scenario tell. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/base/json_parts.h"
#include "user/bench/calibrate.h"
#include "user/bench/disturbance.h"
#include "user/bench/gate_pairs.h"
#include "user/bench/run_files.h"
#include "user/bench/store.h"
#include "user/cmd/cmd.h"
#include "user/cmd/scenario_options.h"

enum calibrate_option { OPT_STORE = SCENARIO_OPTION_LAST, OPT_JSON };

static const struct option long_options[] = {
	SCENARIO_LONG_OPTIONS,
	{ "store", required_argument, NULL, OPT_STORE },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "quiet", no_argument, NULL, 'q' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

struct calibrate_options {
	struct scenario_options scenario;
	const char *store;
	bool json;
};

static int print_help(void)
{
	fputs("Usage: fathom calibrate [OPTION]... SCENARIO.yaml\n\n"
	      "Compares the scenario with itself, and keeps what that says: the noise of each "
	      "metric on\n"
	      "this machine, the smallest change that can be told, and how many pairs it takes.\n\n"
	      "      --store DIR            where that is kept (default: baselines)\n"
	      "      --json                 print it for programs\n"
	      "  -q, --quiet                no progress\n\n" SCENARIO_OPTIONS_HELP "\nExample:\n"
	      "  fathom calibrate scenarios/cpu-bound.yaml --matrix size=small --repeat 40\n",
	      stdout);
	return EXIT_DONE;
}

static int parse(struct calibrate_options *o, int argc, char **argv, bool *ret_help)
{
	int c, err;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":qh", long_options, NULL)) != -1) {
		if (c == 'h') {
			*ret_help = true;
			return print_help();
		}
		err = scenario_option(&o->scenario, c, optarg);
		if (err < 0)
			return cmd_usage("calibrate", "%s", err_text());
		if (!err)
			continue;
		if (c == OPT_STORE)
			o->store = optarg;
		else if (c == OPT_JSON)
			o->json = true;
		else if (c == 'q')
			o->scenario.request.quiet = true;
		else
			return cmd_bad_option("calibrate", argc, argv, c);
	}
	if (optind + 1 != argc)
		return cmd_usage("calibrate", "give one scenario");
	o->scenario.request.path = argv[optind];
	o->scenario.request.no_profile = true;
	return EXIT_DONE;
}

/* --- a program against itself ---------------------------------------------------------------- */

/* Values of one metric of all cases, in pairs of neighbours whose order alternates (ABBA). */
struct halves {
	double *before, *after;
	size_t n, before_cap, after_cap;
};

static int add_halves(struct halves *h, const struct run_case *c, const char *metric)
{
	_cleanup_(freep) double *v = NULL;
	size_t n = 0, i;

	if (run_case_values(c, metric, &v, &n))
		return -ENOMEM;
	for (i = 0; i + 1 < n; i += 2) {
		size_t first = i / 2 % 2 ? i + 1 : i;

		if (array_reserve(h->before, h->before_cap, h->n + 1) ||
		    array_reserve(h->after, h->after_cap, h->n + 1))
			return -ENOMEM;
		h->before[h->n] = v[first];
		h->after[h->n++] = v[first ^ 1];
	}
	return 0;
}

struct family {
	struct metric_pairs *list;
	size_t n;
};

static void family_release(struct family *f)
{
	size_t i;

	for (i = 0; i < f->n; i++) {
		free((void *)f->list[i].before);
		free((void *)f->list[i].after);
	}
	free(f->list);
}

static int add_metric(struct family *f, const struct scenario_run *run,
		      const struct run_metric *metric)
{
	const struct run_result *r = run->result;
	const struct scenario *s = run->scenario;
	struct halves h = { 0 };
	struct metric_pairs m = {
		.name = metric->name,
		.unit = metric->unit,
		.better = metric->better,
	};
	size_t i;
	int err = 0;

	for (i = 0; i < r->n_cases && !err; i++)
		err = add_halves(&h, &r->cases[i], metric->name);
	policy_limits_of(run->profile, NULL, s->gates, s->n_gates, metric->name,
			 scenario_gates_metric(s, metric->name), &m.limits, &m.is_gated);
	m.before = h.before;
	m.after = h.after;
	m.n = h.n;
	f->list[f->n++] = m; /* owns what there is in either case */
	return err;
}

static int derive(const struct scenario_run *run, struct calibration **ret)
{
	_cleanup_(family_release) struct family f = { 0 };
	const struct run_case *c = &run->result->cases[0]; /* all have the same metrics */
	size_t i;
	int err = 0;

	f.list = calloc(c->n_metrics + 1, sizeof(*f.list));
	for (i = 0; f.list && i < c->n_metrics && !err; i++)
		err = add_metric(&f, run, &c->metrics[i]);
	if (err || !f.list)
		return errf(-ENOMEM, "no memory to calibrate");
	return calibrate(f.list, f.n, run->profile, run->result->seed, ret);
}

static int keep(const struct calibrate_options *o, const struct scenario_run *run,
		struct calibration *c, char **ret)
{
	const struct run_result *r = run->result;
	_cleanup_(freep) char *text = NULL;
	json_t *json;
	int err;

	c->scenario = strdup(r->scenario);
	c->environment = strdup(r->environment.name);
	json = c->scenario && c->environment ? calibration_json(c) : NULL;
	text = json ? json_text(json) : NULL;
	json_decref(json);
	if (!text)
		return errf(-ENOMEM, "no memory to calibrate");
	err = store_add_calibration(o->store, r->environment.name, r->scenario, text,
				    !o->scenario.request.no_wait);
	if (!err)
		*ret = take(text);
	return err;
}

static void print_pairs(unsigned int n)
{
	if (n)
		printf("%8u", n);
	else
		printf("%8s", "never");
}

static void print_table(const struct calibration *c)
{
	size_t i;

	printf("%-22s %5s %8s %8s %8s %8s %8s %8s\n", "METRIC", "PAIRS", "NOISE", "EFFECT", "LIMIT",
	       "ALARMS", "FOR 5 %", "FOR 8 %");
	for (i = 0; i < c->n_metrics; i++) {
		const struct calibration_metric *m = &c->metrics[i];

		if (!m->is_gated)
			continue;
		printf("%-22s %5zu %6.2f %% %6.2f %% %6.2f %% %6.2f %% ", m->name, m->n,
		       100 * m->noise, 100 * m->min_effect, 100 * m->limit, 100 * m->false_alarms);
		print_pairs(m->pairs_for_small);
		putchar(' ');
		print_pairs(m->pairs_for_large);
		putchar('\n');
	}
}

static int calibrate_and_keep(const struct calibrate_options *o, const struct scenario_run *run)
{
	_cleanup_(calibration_freep) struct calibration *c = NULL;
	_cleanup_(freep) char *text = NULL;
	struct disturbance d;
	int code = scenario_run_verdict(run), err;

	if (code == EXIT_MEASURED)
		return code;
	/* The gate would not judge by such a run; limits that it widens would stay. */
	if (disturbance_find(run->result, run->profile, &d)) {
		fprintf(stderr,
			"fathom: the machine was disturbed: %s (%.1f %%, at most %.1f %% are "
			"allowed): it is not calibrated by this\n",
			d.what, 100 * d.share, 100 * d.allowed);
		return EXIT_INCONCLUSIVE;
	}
	err = derive(run, &c);
	if (!err)
		err = keep(o, run, c, &text);
	if (err)
		return cmd_fail(err);
	if (o->json)
		fputs(text, stdout);
	else
		print_table(c);
	return EXIT_DONE;
}

/* Two repetitions are a pair, so it takes twice as many as a comparison has. */
static void choose_repeat(struct scenario_request *r, const struct scenario_run *run)
{
	if (r->repeat < 0)
		r->repeat = 4 * (run->scenario->repeat > 0 ? run->scenario->repeat
							   : (int)run->profile->repeat);
	else
		r->repeat *= 2;
}

int cmd_calibrate(int argc, char **argv)
{
	struct calibrate_options o = { .store = "baselines" };
	struct scenario_run run = { 0 };
	bool wants_help = false;
	int code;

	scenario_options_init(&o.scenario);
	code = parse(&o, argc, argv, &wants_help);
	if (code == EXIT_DONE && !wants_help)
		code = scenario_run_prepare(&run, &o.scenario.request);
	if (code == EXIT_DONE && !wants_help) {
		choose_repeat(&o.scenario.request, &run);
		code = scenario_run_go(&run);
		if (code == EXIT_DONE)
			code = calibrate_and_keep(&o, &run);
	}
	scenario_run_release(&run);
	scenario_options_release(&o.scenario);
	return code;
}
