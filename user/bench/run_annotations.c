/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/run_files.h"

#include "user/bench/page.h"

/* Up to the message. */
static void open_error(struct page *p, const struct run_result *r, const char *file)
{
	page_put(p, "::error ");
	if (file) {
		page_put(p, "file=");
		page_property(p, file);
		page_put(p, ",");
	}
	page_put(p, "title=");
	page_property(p, r->scenario);
	page_put(p, "::");
}

static void put_broken(struct page *p, const struct run_slo *slo)
{
	page_message(p, slo->case_name);
	page_put(p, *slo->case_name ? ": " : "");
	page_message(p, slo->metric);
	page_limits(p, slo->value, slo->min, slo->max);
	page_put(p, "\n");
}

int run_annotations_write(const struct run_result *r, const struct scenario *s, const char *file,
			  FILE *out)
{
	_cleanup_(page_release) struct page p = { 0 };
	_cleanup_(freep) struct run_slo *slo = NULL;
	const struct run_case *c;
	const struct run_repetition *bad = run_void(r, &c);
	size_t i, n;
	int err = run_judge_slo(r, s, &slo, &n);

	if (err)
		return err;
	if (r->abort) {
		open_error(&p, r, file);
		page_message(&p, r->abort);
		page_put(&p, "\n");
	}
	if (bad) {
		open_error(&p, r, file);
		page_message(&p, c->name);
		page_putf(&p, "%srepetition %u: %s%s", *c->name ? ": " : "", bad->number,
			  repetition_outcome_names[bad->outcome], bad->message ? ": " : "");
		page_message(&p, bad->message);
		page_put(&p, "\n");
	}
	for (i = 0; i < n; i++) {
		if (slo[i].is_kept)
			continue;
		open_error(&p, r, file);
		put_broken(&p, &slo[i]);
	}
	return page_write(&p, "annotations", out);
}
