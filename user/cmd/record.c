/* SPDX-License-Identifier: BSD-2-Clause */
/* fathom record: captures stacks into a run folder. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "user/base/err.h"
#include "user/cmd/cmd.h"
#include "user/cmd/record_options.h"
#include "user/cmd/record_output.h"
#include "user/cmd/run_folder.h"
#include "user/collect/probe.h"
#include "user/collect/session.h"

static void print_progress(void *ctx, const struct session_progress *p)
{
	(void)ctx;
	fprintf(stderr, "\r%.0f s, %" PRIu64 " samples, %" PRIu64 " lost ", p->elapsed_ns / 1e9,
		p->kept, p->lost);
	fflush(stderr);
}

static void print_warning(void *ctx, const char *sentence)
{
	(void)ctx;
	fprintf(stderr, "fathom: %s\n", sentence);
}

/* "cpu-clock at 99 Hz: 12 samples", "block requests: 12". */
static void print_events(const struct run_summary *s, const struct collector_summary *c)
{
	uint64_t kept = c->ledger.kept, lost = ledger_lost(&c->ledger);

	fprintf(stderr, "%.1f s of %s, ", s->span_ns / 1e9, s->target);
	if (c->rate_hz)
		fprintf(stderr, "%s at %u Hz: %" PRIu64 " samples", c->event, c->rate_hz, kept);
	else
		fprintf(stderr, "%s: %" PRIu64, c->event, kept);
	fprintf(stderr, ", %" PRIu64 " lost, %.1f %% of stacks complete\n", lost,
		kept ? 100.0 * c->stacks.complete / kept : 0);
}

/* What is the same for all collectors, and went wrong. */
static void print_trouble(const struct collector_summary *c, bool wants_frame_pointers)
{
	if (c->cpus_failed)
		fprintf(stderr, "a CPU that came online could not be sampled, %" PRIu64 " times\n",
			c->cpus_failed);
	if (c->targets_lost)
		fprintf(stderr, "%" PRIu64 " processes were too many to follow: they are missing\n",
			c->targets_lost);
	if (!c->unwind.is_on && !wants_frame_pointers)
		fprintf(stderr, "this kernel does not take the unwinder: user stacks are by frame "
				"pointers (fathom doctor says more)\n");
	if (c->unwind.tables_full || c->unwind.lists_full)
		fprintf(stderr,
			"%" PRIu64 " unwind tables or lists had no room: give more "
			"--unwind-memory\n",
			c->unwind.tables_full + c->unwind.lists_full);
	if (c->sideband_lost || c->sideband_dropped)
		fprintf(stderr,
			"%" PRIu64 " records of mappings were lost: some code has no name\n",
			c->sideband_lost + c->sideband_dropped);
}

static void print_untimed(const struct collector_summary *c)
{
	if (c->untimed)
		fprintf(stderr,
			"%" PRIu64 " events are kept without their time, as so many others differ: "
			"longer slots (--timeline) or a lower rate keep more of them\n",
			c->untimed);
}

static void print_words(const char *name)
{
	for (; *name; name++)
		fputc(*name == '_' ? ' ' : *name, stderr);
}

/* "page faults not followed: this kernel has no ...", "io also met: requeues 3" */
static void print_notes(const struct collector_summary *c)
{
	unsigned int i, n = 0;

	for (i = 0; i < c->n_notes; i++) {
		const struct collector_note *note = &c->notes[i];

		if (!note->text)
			continue;
		print_words(note->name);
		fprintf(stderr, ": %s\n", note->text);
	}
	for (i = 0; i < c->n_notes; i++) {
		const struct collector_note *note = &c->notes[i];

		if (note->text || !note->n)
			continue;
		if (n++)
			fputs(", ", stderr);
		else
			fprintf(stderr, "%s also met: ", c->name);
		print_words(note->name);
		fprintf(stderr, " %" PRIu64, note->n);
	}
	if (n)
		fputc('\n', stderr);
}

/* What is worth a sentence of what names could not be had. */
static void print_names(const struct name_quality *q)
{
	if (q->over_budget)
		fprintf(stderr,
			"%" PRIu64 " of %" PRIu64 " addresses have no lines and inlined functions: "
			"that would have cost more than --inline-budget\n",
			q->over_budget, q->addresses);
	if (q->debuginfod_failed)
		fprintf(stderr, "%" PRIu64 " debug files could not be fetched (DEBUGINFOD_URLS)\n",
			q->debuginfod_failed);
	if (q->java_failed)
		fprintf(stderr,
			"%" PRIu64 " times a JVM wrote no perf map: its code has no names\n",
			q->java_failed);
}

static int judge_losses(const struct record_options *o, const struct collector_summary *c)
{
	double loss = 100 * ledger_loss_share(&c->ledger);

	if (o->max_loss < 0)
		return EXIT_DONE;
	if (loss > o->max_loss) {
		fprintf(stderr,
			"fathom: %.3g %% of the events of '%s' were lost, more than --max-loss "
			"%g\n",
			loss, c->name, o->max_loss);
		return EXIT_DATA_QUALITY;
	}
	if (c->targets_lost) {
		fputs("fathom: processes that should have been followed are missing\n", stderr);
		return EXIT_DATA_QUALITY;
	}
	return EXIT_DONE;
}

static int verdict(const struct record_options *o, const struct run_summary *s)
{
	unsigned int i;
	int code = EXIT_DONE;

	if (s->exit_status > 0) {
		fprintf(stderr, "fathom: the command ended with status %d\n", s->exit_status);
		return EXIT_MEASURED;
	}
	for (i = 0; i < s->n_collectors && code == EXIT_DONE; i++)
		code = judge_losses(o, &s->collectors[i]);
	return code;
}

static void print_account(const struct record_options *o, const struct run_summary *s)
{
	unsigned int i;

	for (i = 0; i < s->n_collectors; i++) {
		print_events(s, &s->collectors[i]);
		print_notes(&s->collectors[i]);
		print_untimed(&s->collectors[i]);
	}
	print_trouble(&s->collectors[0], o->session.frame_pointers);
	print_names(&s->collectors[0].names);
}

/* Which call was refused says less than why, and what to do: that is what doctor knows. */
static int explain(int err)
{
	char sentence[1024];
	int why;

	if (err != -EPERM && err != -EACCES && err != -ENOTSUP && err != -ENOSYS)
		return err;
	snprintf(sentence, sizeof(sentence), "%s", err_text());
	why = probe_can_record();
	return why ? why : errf(err, "%s", sentence);
}

static int record(struct record_options *o, const char *folder)
{
	_cleanup_(recorded_release) struct recorded recorded = { 0 };
	_cleanup_(run_folder_freep) struct run_folder *rf = NULL;
	_cleanup_(freep) char *json = NULL;
	bool shows_progress = !o->quiet && isatty(STDERR_FILENO);
	int err = run_folder_new(folder, o->force, &rf);

	if (shows_progress)
		o->session.progress = print_progress;
	o->session.warn = print_warning;
	if (!err)
		err = explain(session_record(&o->session, &recorded));
	if (shows_progress)
		fputs("\r\033[K", stderr);
	if (err)
		return cmd_fail(err);
	err = record_output_write(&o->output, &o->session, &recorded, rf, &json);
	if (!err)
		err = run_folder_finish(rf);
	if (err)
		return cmd_fail_environment(); /* what was asked for was recorded */
	if (!o->quiet)
		print_account(o, &recorded.summary);
	if (o->json)
		fputs(json, stdout);
	else
		printf("%s\n", folder);
	return verdict(o, &recorded.summary);
}

int cmd_record(int argc, char **argv)
{
	_cleanup_(freep) char *by_time = NULL;
	struct record_options o;
	bool wants_help = false;
	int code;

	record_options_init(&o, argc, argv);
	code = record_options_parse(&o, argc, argv, &wants_help);
	if (code == EXIT_DONE && !wants_help && !o.folder) {
		by_time = cmd_name_by_time("fathom");
		if (!by_time)
			code = cmd_fail(errf(-ENOMEM, "no memory for the folder's name"));
	}
	if (code == EXIT_DONE && !wants_help)
		code = record(&o, o.folder ? o.folder : by_time);
	record_options_release(&o);
	return code;
}
