/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/export/summary_json.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/base/json_parts.h"
#include "user/export/host_json.h"
#include "user/export/latency_json.h"
#include "user/export/memory_json.h"
#include "user/export/profile_json.h"

static json_t *ledger_json(const struct ledger *ledger)
{
	json_t *o = json_object(), *lost = json_object();
	int bad = 0;
	size_t i;

	for (i = 0; i < ledger->n_causes; i++)
		bad |= json_object_set_new(lost, ledger->causes[i].name,
					   json_part_count(ledger->causes[i].n));
	bad |= json_object_set_new(o, "fired", json_part_count(ledger->fired));
	bad |= json_object_set_new(o, "kept", json_part_count(ledger->kept));
	bad |= json_object_set_new(o, "lost", lost);
	bad |= json_object_set_new(o, "filtered", json_part_count(ledger_filtered(ledger)));
	bad |= json_object_set_new(o, "loss_share", json_part_share(ledger_loss_share(ledger), 1));
	if (bad) {
		json_decref(o);
		return NULL;
	}
	return o;
}

/* An event may run several programs, and one that nobody asked for costs, too. */
static json_t *cost_json(const struct cost *cost, const struct ledger *ledger)
{
	bool known = cost->kernel_ns >= 0;
	uint64_t wanted = ledger->fired - ledger_filtered(ledger);
	json_t *o = json_object();
	int bad = 0;

	bad |= json_object_set_new(o, "kernel_ns",
				   known ? json_part_count(cost->kernel_ns) : json_null());
	bad |= json_object_set_new(o, "kernel_runs",
				   known ? json_part_count(cost->kernel_runs) : json_null());
	bad |= json_object_set_new(
		o, "kernel_ns_per_event",
		known && wanted ? json_real(round((double)cost->kernel_ns / wanted * 10) / 10)
				: json_null());
	bad |= json_object_set_new(o, "following_ns",
				   cost->following_ns >= 0 ? json_part_count(cost->following_ns)
							   : json_null());
	bad |= json_object_set_new(o, "map_bytes", json_part_known(cost->map_bytes));
	bad |= json_object_set_new(o, "loader_cpu_ns", json_part_known(cost->loader_cpu_ns));
	bad |= json_object_set_new(o, "loader_rss_bytes", json_part_known(cost->loader_rss_bytes));
	bad |= json_object_set_new(o, "start_ns", json_part_known(cost->start_ns));
	if (bad) {
		json_decref(o);
		return NULL;
	}
	return o;
}

static json_t *stacks_json(const struct stack_quality *q)
{
	json_t *o = json_object(), *ended = json_object();
	double all = (double)q->complete + q->truncated;
	int bad = 0, i;

	for (i = 0; i < STACK_ENDS; i++)
		bad |= json_object_set_new(ended, stack_end_names[i], json_part_count(q->ended[i]));
	bad |= json_object_set_new(o, "complete", json_part_count(q->complete));
	bad |= json_object_set_new(o, "truncated", json_part_count(q->truncated));
	bad |= json_object_set_new(o, "unnamed", json_part_count(q->unnamed));
	bad |= json_object_set_new(o, "complete_share", json_part_share(q->complete, all));
	bad |= json_object_set_new(o, "unnamed_share", json_part_share(q->unnamed, all));
	bad |= json_object_set_new(o, "ended", ended);
	if (bad) {
		json_decref(o);
		return NULL;
	}
	return o;
}

/* null: user stacks were walked by frame pointers. */
static json_t *unwind_json(const struct unwind_summary *u)
{
	const struct {
		const char *key;
		uint64_t value;
	} counts[] = {
		{ "memory_bytes", u->memory_bytes },	 { "tables", u->tables },
		{ "table_bytes", u->table_bytes },	 { "table_ns", u->table_ns },
		{ "loader_ns", u->loader_ns },		 { "deferred", u->deferred },
		{ "files_without", u->files_without },	 { "files_failed", u->files_failed },
		{ "entries_broken", u->entries_broken }, { "tables_full", u->tables_full },
		{ "lists_full", u->lists_full },	 { "tables_evicted", u->tables_evicted },
	};
	json_t *o;
	size_t i;

	if (!u->is_on)
		return json_null();
	o = json_object();
	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		if (json_object_set_new(o, counts[i].key, json_part_count(counts[i].value))) {
			json_decref(o);
			return NULL;
		}
	}
	return o;
}

static json_t *sideband_json(const struct collector_summary *c)
{
	return json_pack("{s:o, s:o, s:o}", "records", json_part_count(c->sideband_records), "lost",
			 json_part_count(c->sideband_lost), "dropped",
			 json_part_count(c->sideband_dropped));
}

static json_t *names_json(const struct name_quality *q)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:{s:o, s:o, s:o}, s:{s:o, s:o}}", "addresses",
			 json_part_count(q->addresses), "with_lines",
			 json_part_count(q->with_lines), "with_inlined",
			 json_part_count(q->with_inlined), "over_budget",
			 json_part_count(q->over_budget), "debuginfod", "found",
			 json_part_count(q->debuginfod_found), "missing",
			 json_part_count(q->debuginfod_missing), "failed",
			 json_part_count(q->debuginfod_failed), "java", "maps",
			 json_part_count(q->java_maps), "failed", json_part_count(q->java_failed));
}

static json_t *notes_json(const struct collector_summary *c)
{
	json_t *o = json_object();
	unsigned int i;

	for (i = 0; i < c->n_notes; i++) {
		const struct collector_note *note = &c->notes[i];

		if (json_object_set_new(o, note->name,
					note->text ? json_part_text(note->text)
						   : json_part_count(note->n))) {
			json_decref(o);
			return NULL;
		}
	}
	return o;
}

static int fill_collector(const struct collector_summary *c, const struct profile *p,
			  uint64_t span_ns, json_t *o)
{
	int bad = 0;

	bad |= json_object_set_new(o, "name", json_part_text(c->name));
	bad |= json_object_set_new(o, "event", json_part_text(c->event));
	bad |= json_object_set_new(o, "rate_hz", json_part_known(c->rate_hz));
	bad |= json_object_set_new(o, "ledger", ledger_json(&c->ledger));
	bad |= json_object_set_new(o, "cost", cost_json(&c->cost, &c->ledger));
	bad |= json_object_set_new(o, "stacks", stacks_json(&c->stacks));
	bad |= json_object_set_new(o, "unwind", unwind_json(&c->unwind));
	bad |= json_object_set_new(o, "sideband", sideband_json(c));
	bad |= json_object_set_new(o, "cpus_sampled", json_part_count(c->cpus_sampled));
	bad |= json_object_set_new(o, "cpus_failed", json_part_count(c->cpus_failed));
	bad |= json_object_set_new(o, "targets_lost", json_part_count(c->targets_lost));
	bad |= json_object_set_new(o, "ticks_missed", json_part_count(c->ticks_missed));
	bad |= json_object_set_new(o, "files_failed", json_part_count(c->files_failed));
	bad |= json_object_set_new(o, "names", names_json(&c->names));
	if (c->slot_ns)
		bad |= json_object_set_new(o, "timeline",
					   json_pack("{s:o, s:o}", "slot_ns",
						     json_part_count(c->slot_ns), "untimed",
						     json_part_count(c->untimed)));
	if (c->n_notes)
		bad |= json_object_set_new(o, "notes", notes_json(c));
	if (c->latency)
		bad |= json_object_set_new(o, "latency", latency_json(c->latency, span_ns));
	if (c->memory && p)
		bad |= json_object_set_new(o, "memory", memory_json(c->memory, p));
	if (bad)
		return errf(-ENOMEM, "no memory for the summary");
	return p ? profile_json(p, o) : 0;
}

static int fill_collectors(const struct run_summary *s, const struct profile *const *profiles,
			   json_t *list)
{
	unsigned int i;
	int err;

	for (i = 0; i < s->n_collectors; i++) {
		json_t *o = json_object();

		if (json_array_append_new(list, o))
			return errf(-ENOMEM, "no memory for the summary");
		err = fill_collector(&s->collectors[i], profiles[i], s->span_ns, o);
		if (err)
			return err;
	}
	return 0;
}

static json_t *usage_json(const struct command_usage *u)
{
	return !u->wall_ns
		       ? json_null()
		       : json_pack("{s:o, s:o, s:o, s:o}", "wall_ns", json_part_count(u->wall_ns),
				   "user_ns", json_part_count(u->user_ns), "system_ns",
				   json_part_count(u->system_ns), "max_rss_bytes",
				   json_part_count(u->max_rss_bytes));
}

json_t *summary_json(const struct run_summary *s, const struct profile *const *profiles)
{
	json_t *o = json_object(), *list = json_array();
	int bad = 0;

	bad |= json_object_set_new(o, "schema", json_string(SUMMARY_SCHEMA));
	bad |= json_object_set_new(o, "host", json_part_host(&s->host));
	bad |= json_object_set_new(o, "target", json_part_text(s->target));
	bad |= json_object_set_new(o, "command", json_part_words(s->command));
	bad |= json_object_set_new(o, "start", json_part_time(s->start_ns));
	bad |= json_object_set_new(o, "span_ns", json_part_count(s->span_ns));
	bad |= json_object_set_new(o, "exit_status",
				   s->exit_status < 0 ? json_null() : json_integer(s->exit_status));
	bad |= json_object_set_new(o, "usage", usage_json(&s->usage));
	bad |= json_object_set_new(o, "collectors", list);
	if (bad)
		errf(-ENOMEM, "no memory for the summary");
	if (bad || fill_collectors(s, profiles, list)) {
		json_decref(o);
		return NULL;
	}
	return o;
}
