/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/cmd/record_output.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "flamegraph/latency_heatmap.h"
#include "user/base/err.h"
#include "user/base/json_parts.h"
#include "user/base/str.h"
#include "user/cmd/folder_manifest.h"
#include "user/cmd/profile_comments.h"
#include "user/cmd/profile_files.h"
#include "user/export/latency_json.h"
#include "user/export/manifest.h"
#include "user/export/stacks_json.h"
#include "user/export/summary_json.h"

/* The command's words, as the summary owns them. */
static int copy_command(char *const *words, char ***ret)
{
	size_t n = 0, i;
	char **copy;

	while (words[n])
		n++;
	copy = calloc(n + 1, sizeof(*copy));
	for (i = 0; copy && i < n; i++) {
		copy[i] = strdup(words[i]);
		if (!copy[i]) {
			while (i)
				free(copy[--i]);
			free(copy);
			copy = NULL;
		}
	}
	if (!copy)
		return errf(-ENOMEM, "no memory for the command");
	*ret = copy;
	return 0;
}

/* Rate, span and losses: what a reader must know before believing a picture. */
static int describe(const struct run_summary *s, const struct collector_summary *c, struct str *out)
{
	uint64_t kept = c->ledger.kept;
	int err = str_addf(out, "%s, %.1f s, %s", s->target, s->span_ns / 1e9, c->event);

	if (!err && c->rate_hz)
		err = str_addf(out, " at %u Hz on %u CPUs", c->rate_hz, c->cpus_sampled);
	return err ? err
		   : str_addf(out,
			      ", %" PRIu64 " %s, %" PRIu64 " lost (%.3g %%), %.1f %% of stacks "
			      "complete, %.1f %% with unnamed frames",
			      kept, c->rate_hz ? "samples" : "kept", ledger_lost(&c->ledger),
			      100 * ledger_loss_share(&c->ledger),
			      kept ? 100.0 * c->stacks.complete / kept : 0,
			      kept ? 100.0 * c->stacks.unnamed / kept : 0);
}

static int add_comments(const struct run_summary *s, const struct ledger *l,
			const char *description, struct profile *p)
{
	int err = profile_add_comment(p, description);

	if (!err)
		err = profile_comment_ledger(p, l);
	if (!err)
		err = profile_comment_host(p, &s->host);
	if (!err)
		err = profile_comment_command(p, s->command);
	return err ? errf(err, "no memory for the profile's comments") : 0;
}

/* What is left of one collector; its files are named after it. */
struct part {
	struct profile_files files;
	const struct collector_summary *c;
};

static int write_json(const struct part *part, const char *suffix, json_t *json)
{
	char name[64];

	snprintf(name, sizeof(name), "%s%s", part->c->name, suffix);
	return folder_json_write(part->files.rf, name, json);
}

static int write_heatmap(const struct part *part)
{
	struct heatmap_options options = {
		.title = part->files.title,
		.subtitle = part->files.subtitle,
	};
	FILE *f;
	int err = profile_files_open(&part->files, ".heat.svg", &f), close_err;

	if (err)
		return err;
	err = latency_heatmap_write(part->c->latency, 0, &options, f);
	close_err = run_folder_close(part->files.rf, f);
	return err ? err : close_err;
}

/* What a collector of latencies leaves beside. */
static int write_latency(const struct part *part)
{
	const struct latency *l = part->c->latency;
	int err = write_heatmap(part);

	if (err || !l->description.outlier_threshold_ns)
		return err;
	return write_json(part, ".slow.json", latency_slow_json(l, part->c->name));
}

/* What a collector of memory leaves beside. */
static int write_memory(const struct part *part)
{
	return write_json(
		part, ".stacks.json",
		stacks_json(part->c->memory, part->files.p, &part->files.view, part->c->name));
}

static int write_part(const struct record_output *o, const struct run_summary *s, unsigned int i,
		      struct profile *p, struct run_folder *rf)
{
	_cleanup_(str_release) struct str description = { 0 };
	struct part part = {
		.files = { .view = o->view,
			   .name = s->collectors[i].name,
			   .title = s->collectors[i].title,
			   .p = p,
			   .rf = rf },
		.c = &s->collectors[i],
	};
	int err = describe(s, part.c, &description);

	if (err)
		return errf(err, "no memory for the summary");
	part.files.subtitle = str_text(&description);
	part.files.view.value = p->default_value;
	err = add_comments(s, &part.c->ledger, part.files.subtitle, p);
	if (!err)
		err = profile_files_write(&part.files);
	if (!err && part.c->latency)
		err = write_latency(&part);
	if (!err && part.c->memory)
		err = write_memory(&part);
	return err;
}

/* As late as it can be told: all but the summary, its checksums and the manifest is done. */
static void measure_loader(struct collector_summary *c)
{
	struct cost *cost = &c->cost;
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	cost->loader_cpu_ns = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000ull +
			      (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000ull +
			      c->names.worker_cpu_ns;
	cost->loader_rss_bytes = usage.ru_maxrss * 1024ull;
}

static int write_summary(const struct recorded *r, struct run_folder *rf, char **ret)
{
	_cleanup_(freep) char *text = NULL;
	json_t *json = summary_json(&r->summary, (const struct profile *const *)r->profiles);
	int err;

	if (!json)
		return -ENOMEM; /* its sentence stands */
	text = json_text(json);
	json_decref(json);
	if (!text)
		return errf(-ENOMEM, "no memory for the summary");
	err = run_folder_write(rf, "summary.json", text, strlen(text));
	if (!err)
		*ret = take(text);
	return err;
}

static int write_manifest(const struct record_output *o, const struct run_summary *s,
			  struct run_folder *rf)
{
	struct manifest m = {
		.created_ns = s->start_ns + s->span_ns,
		.command = s->command,
		.exit_status = s->exit_status,
		.host = &s->host,
	};

	return folder_manifest_write(rf, &m, o->argc, o->argv);
}

int record_output_write(const struct record_output *o, const struct session_options *session,
			struct recorded *recorded, struct run_folder *rf, char **ret_json)
{
	struct run_summary *summary = &recorded->summary;
	unsigned int i;
	int err = host_info_read(&summary->host);

	if (!err && session->command)
		err = copy_command(session->command, &summary->command);
	if (err)
		return errf(err, "no memory for the summary");
	for (i = 0; i < summary->n_collectors && !err; i++)
		err = write_part(o, summary, i, recorded->profiles[i], rf);
	for (i = 0; i < summary->n_collectors; i++)
		measure_loader(&summary->collectors[i]);
	if (!err)
		err = write_summary(recorded, rf, ret_json);
	if (!err)
		err = write_manifest(o, summary, rf);
	return err;
}
