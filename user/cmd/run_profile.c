/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/cmd/run_profile.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/err.h"
#include "user/bench/functions.h"
#include "user/cmd/profile_comments.h"
#include "user/cmd/profile_files.h"
#include "user/cmd/record_options.h"
#include "user/cmd/run_recorded.h"
#include "user/export/profile_json.h"

#define DEFAULT_COLLECTOR "cpu"

/* One collector's profile of one case. */
struct part {
	char *collector;
	struct profile *p; /* NULL before the first repetition */
	json_t *summary;
};

struct case_parts {
	struct part list[SUMMARY_MAX_COLLECTORS];
	unsigned int n;
	unsigned int n_repetitions;
};

struct run_profiles {
	const struct scenario *scenario;
	const struct scenario_cases *cases;
	struct str collectors; /* "cpu,alloc" */
	struct case_parts *parts;
};

/* --- recording, in a child of the run ------------------------------------------------------- */

/* The command line of 'fathom record' for one repetition: what both do is the same. */
static int parse(struct record_options *o, const struct run_profiles *r,
		 const struct scenario_case *c, char **argv, char *numbers[3])
{
	char *const *word = c->subject.command;
	bool wants_help = false;
	int n = 0;

	argv[n++] = (char *)"record";
	argv[n++] = (char *)"-c";
	argv[n++] = r->collectors.data;
	argv[n++] = (char *)"-F";
	argv[n++] = numbers[0];
	/* Lines have a budget: what is inlined would be told in some repetitions and not in others.
	 */
	argv[n++] = (char *)"--no-inline";
	if (r->scenario->duration_ns) {
		argv[n++] = (char *)"-d";
		argv[n++] = numbers[1];
	}
	if (c->subject.pid) {
		argv[n++] = (char *)"-p";
		argv[n++] = numbers[2];
	} else if (c->subject.cgroup) {
		argv[n++] = (char *)"--cgroup";
		argv[n++] = c->subject.cgroup;
	} else {
		argv[n++] = (char *)"--";
		while (word && *word)
			argv[n++] = *word++;
	}
	argv[n] = NULL;
	optind = 0; /* getopt(3) begins anew: this process has had another command line */
	record_options_init(o, n, argv);
	return record_options_parse(o, n, argv, &wants_help) ? -EINVAL : 0;
}

static size_t count_words(char *const *words)
{
	size_t n = 0;

	while (words && words[n])
		n++;
	return n;
}

static int record(const struct run_profiles *r, const struct scenario_case *c,
		  struct recorded *recorded)
{
	_cleanup_(freep) char **argv = calloc(count_words(c->subject.command) + 16, sizeof(*argv));
	char rate[16], seconds[32], pid[32];
	char *numbers[] = { rate, seconds, pid };
	struct record_options o;
	int err;

	if (!argv)
		return errf(-ENOMEM, "no memory to record");
	snprintf(rate, sizeof(rate), "%d", RUN_PROFILE_RATE_HZ);
	snprintf(seconds, sizeof(seconds), "%.9f", r->scenario->duration_ns / 1e9);
	snprintf(pid, sizeof(pid), "%" PRIu64, c->subject.pid);
	err = parse(&o, r, c, argv, numbers);
	if (!err)
		err = session_record(&o.session, recorded);
	record_options_release(&o);
	return err;
}

int run_profiles_record(void *ctx, const struct scenario_case *c, unsigned int number,
			const char *folder, struct profile_usage *usage)
{
	_cleanup_(recorded_release) struct recorded recorded = { 0 };
	const struct run_profiles *r = ctx;
	const struct command_usage *u = &recorded.summary.usage;
	int err = record(r, c, &recorded);

	(void)number;
	if (!err)
		err = run_recorded_write(&recorded, folder);
	if (err) {
		snprintf(usage->failure, sizeof(usage->failure), "%s", err_text());
		return err;
	}
	usage->wall_ns = u->wall_ns;
	usage->user_ns = u->user_ns;
	usage->system_ns = u->system_ns;
	usage->max_rss_bytes = u->max_rss_bytes;
	return recorded.summary.exit_status < 0 ? 0 : recorded.summary.exit_status;
}

/* --- adding up, in the run ------------------------------------------------------------------ */

static struct part *part_of(struct case_parts *parts, const char *collector)
{
	struct part *part;
	unsigned int i;

	for (i = 0; i < parts->n; i++) {
		if (!strcmp(parts->list[i].collector, collector))
			return &parts->list[i];
	}
	if (parts->n == SUMMARY_MAX_COLLECTORS)
		return NULL;
	part = &parts->list[parts->n];
	part->collector = strdup(collector);
	if (!part->collector)
		return NULL;
	parts->n++;
	return part;
}

/* An empty profile of the same values. */
static struct profile *new_like(const struct profile *p)
{
	_cleanup_(profile_freep) struct profile *new = profile_new();
	unsigned int i;

	for (i = 0; new &&i < p->n_values; i++) {
		if (profile_add_value_type(new, profile_string(p, p->value_types[i].type),
					   profile_string(p, p->value_types[i].unit)))
			return NULL;
	}
	if (!new)
		return NULL;
	new->default_value = p->default_value;
	new->start_ns = p->start_ns;
	new->period_ns = p->period_ns;
	return take(new);
}

static int add_part(struct case_parts *parts, const char *folder, json_t *summary)
{
	const char *name = json_string_value(json_object_get(summary, "name"));
	struct part *part = name ? part_of(parts, name) : NULL;
	_cleanup_(profile_freep) struct profile *p = NULL;
	int err;

	if (!part)
		return errf(-ENOMEM, "no memory for the profiles of '%s'", folder);
	err = run_recorded_load(folder, name, &p);
	if (err)
		return err;
	if (!part->p)
		part->p = new_like(p);
	if (!part->p)
		return errf(-ENOMEM, "no memory for the profiles of '%s'", folder);
	err = profile_merge_numbered(part->p, p, LABEL_REPETITION, parts->n_repetitions);
	return err ? err : run_recorded_add(&part->summary, summary);
}

int run_profiles_take(void *ctx, unsigned int case_number, unsigned int number, const char *folder)
{
	struct run_profiles *r = ctx;
	struct case_parts *parts = &r->parts[case_number];
	json_t *summary = NULL, *one;
	size_t i;
	int err;

	(void)number; /* warm-ups are numbered, too */
	err = run_recorded_summary(folder, &summary);
	if (err)
		return err;
	json_array_foreach(json_object_get(summary, "collectors"), i, one)
	{
		err = add_part(parts, folder, one);
		if (err)
			break;
	}
	json_decref(summary);
	parts->n_repetitions++;
	return err;
}

/* --- what is left --------------------------------------------------------------------------- */

int run_profile_name(const char *case_name, const char *collector, struct str *out)
{
	return str_addf(out, "%s%s%s", case_name, *case_name ? "." : "", collector);
}

int run_profile_path(const char *folder, const char *case_name, const char *collector,
		     struct str *out)
{
	int err = str_addf(out, "%s/", folder);

	if (!err)
		err = run_profile_name(case_name, collector, out);
	return err ? err : str_add(out, ".pb.gz");
}

static int add_comments(struct profile *p, const char *description, char *const *command)
{
	struct run_summary here = { 0 };
	int err = host_info_read(&here.host);

	if (!err)
		err = profile_add_comment(p, description);
	if (!err)
		err = profile_comment_host(p, &here.host);
	if (!err)
		err = profile_comment_command(p, command);
	run_summary_release(&here);
	return err;
}

static int write_part(const struct run_profiles *r, const struct scenario_case *c,
		      const struct case_parts *parts, const struct part *part,
		      struct run_folder *rf)
{
	_cleanup_(str_release) struct str name = { 0 }, title = { 0 }, subtitle = { 0 };
	struct profile_files files = {
		.view = { .value = part->p->default_value },
		.p = part->p,
		.rf = rf,
	};
	int err = run_profile_name(c->name, part->collector, &name);

	if (!err)
		err = str_addf(&title, "%s%s%s: %s", r->scenario->name, *c->name ? " " : "",
			       c->name, part->collector);
	if (!err)
		err = run_recorded_describe(part->summary, parts->n_repetitions, &subtitle);
	if (!err)
		err = add_comments(part->p, str_text(&subtitle), c->subject.command);
	if (err)
		return errf(err, "no memory for the profile of '%s'", c->name);
	files.name = str_text(&name);
	files.title = str_text(&title);
	files.subtitle = str_text(&subtitle);
	err = profile_files_write(&files);
	return err ? err : profile_json(part->p, part->summary);
}

int run_profiles_write(struct run_profiles *r, struct run_result *result, struct run_folder *rf)
{
	unsigned int i, k;
	int err;

	for (i = 0; i < r->cases->n && i < result->n_cases; i++) {
		struct case_parts *parts = &r->parts[i];
		json_t *list = parts->n ? json_array() : NULL;

		result->cases[i].n_profiles = parts->n_repetitions;
		result->cases[i].collectors = list;
		for (k = 0; k < parts->n; k++) {
			err = write_part(r, &r->cases->list[i], parts, &parts->list[k], rf);
			if (!err && json_array_append(list, parts->list[k].summary))
				err = errf(-ENOMEM, "no memory for the summary");
			if (err)
				return err;
		}
	}
	return 0;
}

int run_profiles_new(const struct scenario *s, const struct scenario_cases *cases,
		     struct run_profiles **ret)
{
	_cleanup_(run_profiles_freep) struct run_profiles *r = calloc(1, sizeof(*r));
	size_t i;
	int err = 0;

	if (!r)
		return errf(-ENOMEM, "no memory for the profile pass");
	r->scenario = s;
	r->cases = cases;
	r->parts = calloc(cases->n + 1, sizeof(*r->parts));
	for (i = 0; s->collectors && s->collectors[i] && !err; i++)
		err = str_addf(&r->collectors, "%s%s", i ? "," : "", s->collectors[i]);
	if (!err && !r->collectors.len)
		err = str_add(&r->collectors, DEFAULT_COLLECTOR);
	if (err || !r->parts)
		return errf(-ENOMEM, "no memory for the profile pass");
	*ret = take(r);
	return 0;
}

static void parts_release(struct case_parts *parts)
{
	unsigned int i;

	for (i = 0; i < parts->n; i++) {
		free(parts->list[i].collector);
		profile_free(parts->list[i].p);
		json_decref(parts->list[i].summary);
	}
}

void run_profiles_free(struct run_profiles *r)
{
	size_t i;

	if (!r)
		return;
	for (i = 0; r->parts && i < r->cases->n; i++)
		parts_release(&r->parts[i]);
	free(r->parts);
	str_release(&r->collectors);
	free(r);
}
