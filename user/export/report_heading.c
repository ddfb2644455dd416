/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/export/report_heading.h"

#include <inttypes.h>
#include <string.h>

#include "user/base/err.h"
#include "user/base/str.h"

static int add_losses(const struct recording *rec, struct str *s)
{
	size_t i;
	int err;

	err = str_addf(s, "lost %" PRIu64 " of %" PRIu64 " events (%.2f%%", rec->lost,
		       rec->fired - rec->filtered, 100 * recording_loss_share(rec));
	for (i = 0; i < rec->n_causes && !err; i++)
		err = str_addf(s, "%s%s %" PRIu64, i ? ", " : ": ", rec->causes[i].name,
			       rec->causes[i].n);
	return err ? err : str_add(s, ")");
}

static int add_quality(const struct recording *rec, struct str *s)
{
	double stacks = (double)rec->complete + (double)rec->truncated;

	if (stacks <= 0)
		return 0;
	return str_addf(s, "; stacks: %.1f%% complete, %.1f%% with a nameless frame",
			100 * (double)rec->complete / stacks, 100 * (double)rec->unnamed / stacks);
}

/* Only where there is something to know. */
static int add_lines(const struct recording *rec, struct str *s)
{
	if (!rec->over_budget)
		return 0;
	return str_addf(s,
			"\n%" PRIu64 " of %" PRIu64
			" addresses without lines and inlined functions, to bound the cost "
			"(record --inline-budget)",
			rec->over_budget, rec->addresses);
}

static int add_host(const struct recording *rec, struct str *s)
{
	_cleanup_(str_release) struct str span = { 0 };
	int err = view_amount((int64_t)rec->span_ns, "nanoseconds", &span);

	if (!err)
		err = str_addf(s, "%s%s%s for %s", rec->collector ? rec->collector : "",
			       rec->target ? " of " : "", rec->target ? rec->target : "",
			       str_text(&span));
	if (!err && rec->event && rec->rate_hz)
		err = str_addf(s, ", %s at %" PRIu64 " Hz", rec->event, rec->rate_hz);
	if (!err && rec->kernel)
		err = str_addf(s, ", Linux %s %s", rec->kernel,
			       rec->architecture ? rec->architecture : "");
	if (!err && rec->cpus_online)
		err = str_addf(s, ", %" PRIu64 " CPU%s", rec->cpus_online,
			       rec->cpus_online == 1 ? "" : "s");
	return err;
}

/* "1,234 samples in 56 stacks"; the number of samples only where it is known. */
static int add_samples(const struct report *r, struct str *s)
{
	int err = str_add(s, ", ");
	unsigned int i;

	for (i = 0; i < r->profile->n_values && !err; i++) {
		const struct profile_value_type *t = &r->profile->value_types[i];

		if (strcmp(profile_string(r->profile, t->type), "samples") || i == r->view->value)
			continue;
		err = view_amount(profile_total(r->profile, i), "count", s);
		if (!err)
			err = str_add(s, " samples, ");
		break;
	}
	if (!err)
		err = view_amount((int64_t)r->profile->samples.n, "count", s);
	return err ? err : str_add(s, r->profile->samples.n == 1 ? " stack" : " stacks");
}

/* The total with its name, "4.95 s of cpu"; a unit that view_amount does not show stands behind. */
static int add_total(const struct report *r, struct str *s)
{
	const char *unit = report_unit(r), *type = report_type(r);
	int err = view_amount(r->tree->nodes[0].total, unit, s);

	if (!err && *unit && strcmp(unit, "count") && strcmp(unit, "nanoseconds") &&
	    strcmp(unit, "bytes")) {
		err = str_add(s, " ");
		if (!err)
			err = str_add_clean(s, unit, strlen(unit), 0);
	}
	if (!err)
		err = str_add(s, strcmp(unit, "count") ? " of " : " ");
	return err ? err : str_add_clean(s, type, strlen(type), 0);
}

/* ", from 2.00 s to 5.00 s" */
static int add_range(const struct time_range *range, struct str *s)
{
	int err = str_add(s, ", from ");

	if (!err)
		err = view_amount((int64_t)range->from_ns, "nanoseconds", s);
	if (!err)
		err = str_add(s, range->to_ns == UINT64_MAX ? " on" : " to ");
	if (!err && range->to_ns != UINT64_MAX)
		err = view_amount((int64_t)range->to_ns, "nanoseconds", s);
	return err;
}

static int add_recording(const struct recording *rec, struct str *s)
{
	int err = add_host(rec, s);

	if (!err)
		err = str_add(s, "\n");
	if (!err)
		err = add_losses(rec, s);
	if (!err)
		err = add_quality(rec, s);
	if (!err)
		err = add_lines(rec, s);
	return err ? err : str_add(s, "\n");
}

static int build(const struct report *r, bool color, struct str *s)
{
	int err = str_add(s, color ? "\033[1m" : "");

	if (!err)
		err = str_add_clean(s, r->source, strlen(r->source), 0);
	if (!err)
		err = str_add(s, color ? "\033[0m: " : ": ");
	if (!err)
		err = add_total(r, s);
	if (!err)
		err = add_samples(r, s);
	if (!err && r->range)
		err = add_range(r->range, s);
	if (!err)
		err = str_add(s, "\n");
	if (!err && r->recording)
		err = add_recording(r->recording, s);
	return err;
}

int report_heading(const struct report *r, bool color, FILE *out)
{
	_cleanup_(str_release) struct str s = { 0 };
	int err = build(r, color, &s);

	if (err)
		return errf(err, "cannot write the report: %s", strerror(-err));
	fprintf(out, "%s\n", str_text(&s));
	return 0;
}
