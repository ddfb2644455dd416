/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/export/manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "user/base/cleanup.h"
#include "user/base/err.h"
#include "user/base/file.h"
#include "user/base/json_parts.h"
#include "user/export/host_json.h"
#include "user/export/summary_json.h"

static int add_file(int dir_fd, const char *name, json_t *list)
{
	_cleanup_(closep) int fd = -1;
	char digest[65];
	struct stat st;
	json_t *o;
	int err;

	if (!*name || strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, ".."))
		return errf(-EINVAL, "'%s' is not the name of a file in a run folder", name);
	fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return errf(-errno, "cannot open '%s': %m", name);
	if (fstat(fd, &st))
		return errf(-errno, "cannot look at '%s': %m", name);
	if (!S_ISREG(st.st_mode))
		return errf(-EINVAL, "'%s' is not a regular file", name);
	err = file_sha256(fd, name, digest);
	if (err)
		return err;
	o = json_pack("{s:o, s:I, s:s}", "name", json_part_text(name), "size",
		      (json_int_t)st.st_size, "sha256", digest);
	return json_array_append_new(list, o) ? errf(-ENOMEM, "no memory for the manifest") : 0;
}

static int fill(const struct manifest *m, json_t *o)
{
	json_t *versions =
		json_pack("{s:o, s:o, s:s}", "fathom", json_part_text(FATHOM_VERSION), "libbpf",
			  json_part_text(m->libbpf_version), "summary_schema", SUMMARY_SCHEMA);
	int bad = 0;

	bad |= json_object_set_new(o, "schema", json_string(MANIFEST_SCHEMA));
	bad |= json_object_set_new(o, "created", json_part_time(m->created_ns));
	bad |= json_object_set_new(o, "command_line", json_part_words(m->command_line));
	bad |= json_object_set_new(o, "command", json_part_words(m->command));
	bad |= json_object_set_new(o, "exit_status",
				   m->exit_status < 0 ? json_null() : json_integer(m->exit_status));
	bad |= json_object_set_new(o, "host", json_part_host(m->host));
	bad |= json_object_set_new(o, "versions", versions);
	return bad ? errf(-ENOMEM, "no memory for the manifest") : 0;
}

int manifest_json(const struct manifest *m, int dir_fd, const char *const *files, size_t n_files,
		  json_t **ret)
{
	json_t *o = json_object(), *list = json_array();
	size_t i;
	int err = fill(m, o);

	for (i = 0; i < n_files && !err; i++)
		err = add_file(dir_fd, files[i], list);
	if (json_object_set_new(o, "files", list) && !err)
		err = errf(-ENOMEM, "no memory for the manifest");
	if (err) {
		json_decref(o);
		return err;
	}
	*ret = o;
	return 0;
}
