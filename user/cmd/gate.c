/* SPDX-License-Identifier: BSD-2-Clause */
/* fathom gate: a verdict on a run, and what explains it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/cmd/cmd.h"
#include "user/cmd/folder_manifest.h"
#include "user/cmd/gate_evidence.h"
#include "user/cmd/gate_session.h"

/* "RUN.gate", or "SCENARIO-<date>-<time>"; the caller's. */
static char *default_folder(const struct gate_session *s)
{
	const char *run = s->o->run;
	size_t len;
	char *name;

	if (!run)
		return cmd_name_by_time(s->ab.scenario->name);
	for (len = strlen(run); len > 1 && run[len - 1] == '/';)
		len--;
	return asprintf(&name, "%.*s.gate", (int)len, run) < 0 ? NULL : name;
}

static int write_text(struct run_folder *rf, const char *name, const struct gate_result *g,
		      int (*write)(const struct gate_result *g, FILE *out))
{
	FILE *out;
	int err = run_folder_open(rf, name, &out), close_err;

	if (err)
		return err;
	err = write(g, out);
	close_err = run_folder_close(rf, out);
	return err ? err : close_err;
}

static int write_folder(struct gate_session *s, struct run_folder *rf)
{
	struct manifest m = { .exit_status = -1 };
	const struct gate_options *o = s->o;
	int err = folder_json_write(rf, "gate.json", gate_json(s->result));

	if (!err)
		err = write_text(rf, "gate.md", s->result, gate_report_write);
	if (!err)
		err = write_text(rf, "gate.junit.xml", s->result, gate_junit_write);
	if (!err && o->run)
		err = folder_manifest_write(rf, &m, o->argc, o->argv);
	else if (!err)
		err = scenario_run_manifest(&s->ab, rf, o->argc, o->argv);
	return err ? err : run_folder_finish(rf);
}

static int print_result(const struct gate_session *s)
{
	const struct gate_options *o = s->o;

	if (o->annotates)
		gate_annotations_write(s->result,
				       o->run ? s->after->scenario_path : o->scenario.request.path,
				       o->json ? stderr : stdout);
	if (!o->json)
		return gate_text_write(s->result, cmd_color(stdout, o->no_color), stdout);
	return cmd_print_json(gate_json(s->result));
}

static int judge_into(struct gate_session *s, const char *folder)
{
	_cleanup_(run_folder_freep) struct run_folder *rf = NULL;
	/* What stands beside a run comes from it and can be made again. */
	bool force = s->o->force || (s->o->run && !s->o->folder);
	int err = run_folder_new(folder, force, &rf), code;

	if (err)
		return cmd_fail(err);
	if (!s->o->run) {
		s->input.before.path = s->input.after.path = folder;
		code = gate_session_run(s, rf);
		if (code != EXIT_DONE)
			return code;
	}
	code = gate_session_judge(s);
	if (code != EXIT_DONE)
		return code;
	err = gate_evidence_write(s, folder, rf);
	if (!err)
		err = write_folder(s, rf);
	if (!err)
		err = print_result(s);
	return err ? cmd_fail_environment() : s->result->exit_code;
}

int cmd_gate(int argc, char **argv)
{
	_cleanup_(freep) char *folder = NULL;
	struct gate_session s = { 0 };
	struct gate_options o;
	bool wants_help = false;
	int code = gate_options_parse(&o, argc, argv, &wants_help);

	if (code == EXIT_DONE && !wants_help) {
		code = gate_session_open(&s, &o);
		if (code == EXIT_DONE)
			folder = o.folder ? strdup(o.folder) : default_folder(&s);
		if (code == EXIT_DONE)
			code = folder ? judge_into(&s, folder)
				      : cmd_fail(errf(-ENOMEM, "no memory for the folder's name"));
		gate_session_release(&s);
	}
	gate_options_release(&o);
	return code;
}
