/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/cmd/folder_manifest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/err.h"
#include "user/base/json_parts.h"
#include "user/collect/session.h"

int folder_json_write(struct run_folder *rf, const char *name, json_t *json)
{
	_cleanup_(freep) char *text = json ? json_text(json) : NULL;

	json_decref(json);
	if (!text)
		return errf(-ENOMEM, "no memory for '%s'", name);
	return run_folder_write(rf, name, text, strlen(text));
}

int folder_manifest_write(struct run_folder *rf, struct manifest *m, int argc, char **argv)
{
	_cleanup_(freep) char **command_line = calloc(argc + 2, sizeof(*command_line));
	_cleanup_(run_summary_release) struct run_summary here = { 0 };
	char program[] = "fathom";
	const char *const *names;
	json_t *json = NULL;
	size_t n;
	int err;

	if (!command_line || (!m->host && host_info_read(&here.host)))
		return errf(-ENOMEM, "no memory for the manifest");
	if (!m->host)
		m->host = &here.host;
	command_line[0] = program;
	memcpy(command_line + 1, argv, argc * sizeof(*argv));
	m->command_line = command_line;
	m->libbpf_version = session_libbpf_version();
	names = run_folder_names(rf, &n);
	err = manifest_json(m, run_folder_fd(rf), names, n, &json);
	return err ? err : folder_json_write(rf, "manifest.json", json);
}
