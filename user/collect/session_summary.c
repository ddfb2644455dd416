/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/base/str.h"
#include "user/collect/session_state.h"
#include "user/collect/symbolize.h"
#include "user/model/view.h"

/* The stack that ends in a node, as in a folded file: root first. NULL if there is no memory. */
static char *stack_text(const struct profile *p, uint32_t node)
{
	_cleanup_(str_release) struct str text = { 0 };
	uint32_t path[PROFILE_MAX_DEPTH], n = 0;
	int err = 0;

	for (; node != PROFILE_NONE && n < PROFILE_MAX_DEPTH;
	     node = profile_node_at(p, node)->parent)
		path[n++] = profile_node_at(p, node)->frame;
	while (n-- && !err) {
		const struct profile_frame *frame = profile_frame_at(p, path[n]);

		err = view_frame_name(p, frame, &text);
		if (!err)
			err = str_addf(&text, "%s%s", view_suffix(frame->kind), n ? ";" : "");
	}
	return err ? NULL : strdup(str_text(&text));
}

/* Their tags are numbers of samples, + 1. */
static int name_outliers(struct latency *l, const struct profile *p, const uint32_t *nodes,
			 size_t n_nodes)
{
	size_t i;

	for (i = 0; i < l->outliers.n; i++) {
		struct latency_outlier *one = &l->outliers.list[i];

		if (!one->tag || one->tag > n_nodes)
			continue;
		one->stack = stack_text(p, nodes[one->tag - 1]);
		if (!one->stack)
			return errf(-ENOMEM, "no memory for the stacks of slow operations");
	}
	return 0;
}

static int make_profile(struct session *s, const struct run_summary *summary,
			const struct collector *c, struct collector_summary *of,
			struct profile **ret)
{
	size_t n = c->capture.samples.n;
	_cleanup_(freep) uint32_t *nodes = array_of_none(n), *samples = array_of_none(n);
	const struct symbolize_options options = {
		.processes = s->processes,
		.symbolizer = s->symbolizer,
		.cgroups = s->cgroups,
		.collector = c,
		.nodes = nodes,
		.samples = samples,
	};
	_cleanup_(profile_freep) struct profile *p = profile_new();
	int err;

	if (!nodes || !samples || !p || c->ops->add_value_types(c, p))
		return errf(-ENOMEM, "no memory for the profile");
	p->start_ns = summary->start_ns;
	p->duration_ns = summary->span_ns;
	err = symbolize(&options, p, &of->stacks);
	if (!err && of->latency)
		err = name_outliers(of->latency, p, nodes, n);
	if (!err && of->memory)
		err = memory_renumber(of->memory, samples, n, p->samples.n);
	if (!err)
		*ret = take(p);
	return err;
}

static void add_costs(const struct session *s, struct collector_summary *c)
{
	struct target_cost following;

	struct bpf_cost keeping = { 0 };

	target_cost(s->target, &following);
	if (s->unwinder) {
		unwinder_cost(s->unwinder, &keeping);
		unwinder_summarize(s->unwinder, &c->unwind);
		c->unwind.is_on = true;
	}
	c->targets_lost = following.lost;
	c->cost.following_ns = s->stats < 0 ? -1 : (int64_t)(following.kernel_ns + keeping.run_ns);
	c->cost.map_bytes += following.map_bytes;
	if (s->stats < 0)
		c->cost.kernel_ns = -1;
	c->cost.start_ns = s->started_ns - s->o->began_ns;
}

static void add_names(const struct session *s, struct name_quality *names)
{
	struct symbolizer_counts counts = symbolizer_counts(s->symbolizer);

	*names = (struct name_quality){
		.addresses = counts.addresses,
		.with_lines = counts.with_lines,
		.with_inlined = counts.with_inlined,
		.over_budget = counts.over_budget,
		.debuginfod_found = counts.debuginfod_found,
		.debuginfod_missing = counts.debuginfod_missing,
		.debuginfod_failed = counts.debuginfod_failed,
		.worker_cpu_ns = counts.worker_cpu_ns,
		.java_maps = s->java.written,
		.java_failed = s->java.failed,
	};
}

static int summarize_part(struct session *s, struct collector *c, struct run_summary *summary,
			  struct profile **ret)
{
	struct collector_summary *of = &summary->collectors[summary->n_collectors++];
	struct sideband_counts side;
	int err;

	of->name = c->ops->name;
	of->title = c->ops->title;
	of->slot_ns = c->capture.slot_ns;
	of->untimed = c->capture.untimed;
	err = c->ops->summarize(c, s->sideband, of);
	if (!err)
		err = make_profile(s, summary, c, of, ret);
	sideband_counts(s->sideband, &side);
	of->sideband_records = side.records;
	of->sideband_lost = side.lost + side.malformed;
	of->sideband_dropped = processes_dropped(s->processes);
	of->files_failed = symbolizer_files_failed(s->symbolizer);
	of->cpus_failed = s->cpus_failed;
	add_names(s, &of->names);
	add_costs(s, of);
	return err;
}

int session_summarize(struct session *s, struct recorded *ret)
{
	unsigned int i;
	int err = 0;

	ret->summary.target = strdup(target_text(s->target));
	if (!ret->summary.target)
		return errf(-ENOMEM, "no memory for the summary");
	for (i = 0; i < s->n_parts && !err; i++)
		err = summarize_part(s, s->parts[i].c, &ret->summary, &ret->profiles[i]);
	return err;
}
