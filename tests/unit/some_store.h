/* SPDX-License-Identifier: BSD-2-Clause */
/* some_store: a run folder and a store beside it, in a folder of a test's own. */
#pragma once

#include "tests/unit/json_at.h"
#include "tests/unit/some_run.h"

#include <sys/stat.h>

#include "user/base/err.h"
#include "user/bench/store.h"
#include "user/export/manifest.h"

#define SOME_ENVIRONMENT "x86_64-6.1.0-8cpu-0123456789abcdef"

struct some_store {
	struct folder top, run; /* 'run' is within 'top' */
	char path[96];		/* of the store, which is not there yet */
};

/* Anew from the files that are in the folder now. */
static inline void some_manifest(const struct folder *run, const char *const *names, size_t n)
{
	char *words[] = { (char *)"fathom", NULL };
	struct host_info host = { 0 };
	struct manifest m = { .created_ns = 1700000000000000000,
			      .command_line = words,
			      .exit_status = -1,
			      .host = &host };
	int dir = open(run->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	json_t *o = NULL;
	char *text;

	assert_int_equal(manifest_json(&m, dir, names, n, &o), 0);
	text = json_text(o);
	folder_write(run, "manifest.json", text, strlen(text));
	free(text);
	json_decref(o);
	close(dir);
}

static const char *const some_names[] = { "summary.json", "samples.jsonl", "report.md" };

static inline void some_store_make(struct some_store *s)
{
	_cleanup_(run_result_freep) struct run_result *r = some_run();

	folder_make(&s->top);
	strcpy(s->run.path, folder_path(&s->top, "run"));
	snprintf(s->path, sizeof(s->path), "%s/store", s->top.path);
	assert_int_equal(mkdir(s->run.path, 0755), 0);
	some_run_write(r, NULL, &s->run);
	folder_write(&s->run, "report.md", "# cpu-bound\n", 12);
	some_manifest(&s->run, some_names, 3);
}

static inline void some_store_remove(struct some_store *s)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", s->top.path);
	assert_int_equal(system(command), 0);
}

/* Path of 'name' in the scenario's folder of the store; valid until the next call. */
static inline const char *in_store(const struct some_store *s, const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/" SOME_ENVIRONMENT "/cpu-bound/%s", s->path, name);
	return path;
}

static inline void accept_run(const struct some_store *s, const char *expected_id)
{
	_cleanup_(freep) char *id = NULL;

	if (store_accept(s->path, s->run.path, "because it is good", "somebody", true, &id))
		fail_msg("%s", err_text());
	assert_string_equal(id, expected_id);
}
