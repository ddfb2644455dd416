/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/oracle.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "user/base/cleanup.h"
#include "user/base/err.h"
#include "user/base/file.h"

#define OUTPUT_MAX (4ull << 30) /* a sparse file is quickly as large as one likes */

static int digest_of(const char *path, int how, uint64_t since_ns, char ret[65])
{
	_cleanup_(closep) int fd = file_open(path, how);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) || (uint64_t)st.st_size > OUTPUT_MAX)
		return errf(-EFBIG, "'%s' is larger than the limit of %llu bytes", path,
			    OUTPUT_MAX);
	if (since_ns && repetition_is_stale(fd, since_ns))
		return errf(-ESTALE, "'%s' was not written by this repetition", path);
	return file_sha256(fd, path, ret);
}

int oracle_check(const struct scenario_case *c, const struct repetition *r, char **ret_difference)
{
	const struct scenario_oracle *o = &c->oracle;
	char path[PATH_MAX], expected[PATH_MAX], is[65], should[65] = "";
	bool is_file = o->file && c->subject.command;
	int err = 0, n;

	*ret_difference = NULL;
	if (!o->is_given)
		return 0;
	if (o->sha256)
		snprintf(should, sizeof(should), "%s", o->sha256);
	else
		err = repetition_path(c, o->expected ? o->expected : "", expected);
	if (!err && !o->sha256)
		err = digest_of(expected, FILE_TRUSTED, 0, should);
	if (!err && o->file)
		err = repetition_path(c, o->file, path);
	else if (!err)
		snprintf(path, sizeof(path), "%s", r->out);
	if (!err)
		err = digest_of(path, o->file ? FILE_HOSTILE : FILE_TRUSTED,
				is_file ? r->start_ns : 0, is);
	if (err == -ENOMEM)
		return err;
	if (!err && !strcmp(is, should))
		return 0;
	if (err)
		n = asprintf(ret_difference, "the output cannot be checked: %s", err_text());
	else
		n = asprintf(ret_difference,
			     "%s%s%s has the SHA-256 %.12s... where %.12s... is expected",
			     o->file ? "'" : "", o->file ? o->file : "stdout", o->file ? "'" : "",
			     is, should);
	if (n < 0) {
		*ret_difference = NULL;
		return errf(-ENOMEM, "no memory to check the output");
	}
	return 0;
}
