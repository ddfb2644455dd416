/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/probe.h"

#include <errno.h>
#include <stdlib.h>

#include "user/base/err.h"
#include "user/collect/probe_facts.h"

const char *probe_state_name(enum probe_state state)
{
	static const char *const names[] = { "ok", "degraded", "missing" };

	return names[state];
}

const char *probe_need_name(enum probe_need need)
{
	static const char *const names[] = { "required", "wanted", "information" };

	return names[need];
}

int probe_report_new(struct probe_report **ret)
{
	_cleanup_(freep) struct probe_facts *facts = calloc(1, sizeof(*facts));

	if (!facts)
		return errf(-ENOMEM, "no memory to probe this host");
	probe_facts_read("", facts);
	probe_facts_try(facts);
	return probe_judge(facts, ret);
}

void probe_report_free(struct probe_report *report)
{
	size_t i;

	if (!report)
		return;
	for (i = 0; i < report->n; i++) {
		free(report->checks[i].found);
		free(report->checks[i].meaning);
		free(report->checks[i].mend);
	}
	free(report->checks);
	free(report->cause);
	free(report->mend);
	free(report);
}

unsigned int probe_report_count(const struct probe_report *report, enum probe_state state)
{
	unsigned int n = 0;
	size_t i;

	for (i = 0; i < report->n; i++)
		n += report->checks[i].state == state;
	return n;
}

int probe_can_record(void)
{
	_cleanup_(probe_report_freep) struct probe_report *report = NULL;
	int err = probe_report_new(&report);

	if (err)
		return err;
	if (!report->can_record)
		return 0;
	return errf(report->can_record, "cannot record: %s: %s", report->cause, report->mend);
}
