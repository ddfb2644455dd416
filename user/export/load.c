/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/export/load.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/base/array.h"
#include "user/base/cleanup.h"
#include "user/base/err.h"
#include "user/base/file.h"
#include "user/base/str.h"
#include "user/export/gzip.h"
#include "user/export/pprof.h"

static const char *const collectors[] = { "cpu",  "offcpu",    "alloc", "io",
					  "file", "pagefault", "kmem" };

/*
 * An uncompressed pprof file begins with a value type: tag 0x0a, its length, and in it the tag of
 * one of its two numbers. Folded stacks that begin with an empty line cannot look like this.
 */
static bool is_pprof(const unsigned char *data, size_t len)
{
	return gzip_is(data, len) || (len >= 3 && data[0] == 0x0a && data[1] < 0x20 &&
				      (data[2] == 0x08 || data[2] == 0x10));
}

static int load_folded(FILE *in, const char *name, struct profile **ret,
		       struct folded_repairs *ret_repairs)
{
	if (!in)
		return errf(-errno, "cannot read '%s': %m", name);
	return folded_read(in, name, ret, ret_repairs);
}

/* A pipe cannot be read twice: all of it is in memory before its format is known. */
static int load_stream(int fd, const char *name, struct profile **ret,
		       struct folded_repairs *ret_repairs)
{
	_cleanup_(freep) char *data = NULL;
	_cleanup_(fclosep) FILE *in = NULL;
	size_t len;
	int err;

	err = file_read_fd(fd, name, PPROF_MAX_BYTES, &data, &len);
	if (err)
		return err;
	if (!len)
		return errf(-EINVAL, "%s is empty", name);
	if (is_pprof((unsigned char *)data, len))
		return pprof_read(data, len, name, ret);
	in = fmemopen(data, len, "r");
	return load_folded(in, name, ret, ret_repairs);
}

static int load_pprof(int fd, const char *path, struct profile **ret)
{
	_cleanup_(freep) char *data = NULL;
	size_t len;
	int err = file_read_fd(fd, path, PPROF_MAX_BYTES, &data, &len);

	return err ? err : pprof_read(data, len, path, ret);
}

static int load_file(const char *path, struct profile **ret, struct folded_repairs *ret_repairs)
{
	_cleanup_(closep) int fd = file_open(path, FILE_TRUSTED);
	_cleanup_(fclosep) FILE *in = NULL;
	unsigned char head[4];
	ssize_t n;

	if (fd < 0)
		return fd;
	n = pread(fd, head, sizeof(head), 0);
	if (n < 0)
		return errf(-errno, "cannot read '%s': %m", path);
	if (!n)
		return errf(-EINVAL, "'%s' is empty", path);
	if (is_pprof(head, n))
		return load_pprof(fd, path, ret);
	in = fdopen(fd, "r");
	if (in)
		take_fd(fd);
	return load_folded(in, path, ret, ret_repairs);
}

static int recording_path(const char *folder, const char *collector, struct str *path)
{
	str_clear(path);
	if (str_addf(path, "%s/%s.pb.gz", folder, collector))
		return errf(-ENOMEM, "no memory to read '%s'", folder);
	return 0;
}

/* A folder of several cases: the name of one of its files, or NULL. */
static char *recording_of_a_case(const char *folder)
{
	_cleanup_(freep) char *least = NULL;
	DIR *dir = opendir(folder);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		size_t len = strlen(entry->d_name), i;

		for (i = 0; i < ARRAY_SIZE(collectors); i++) {
			char end[32];
			size_t n = snprintf(end, sizeof(end), ".%s.pb.gz", collectors[i]);

			if (len <= n || strcmp(entry->d_name + len - n, end) ||
			    (least && strcmp(least, entry->d_name) < 0))
				continue;
			free(least);
			least = strdup(entry->d_name);
		}
	}
	if (dir)
		closedir(dir);
	return take(least);
}

/* Finds the recording to take; what there is is for the sentence if it is not the one wanted. */
static int choose_recording(const char *folder, const char *wanted, struct str *path)
{
	_cleanup_(freep) char *of_a_case = NULL;
	char have[128] = "";
	size_t i, len = 0;
	int err;

	for (i = 0; i < ARRAY_SIZE(collectors); i++) {
		err = recording_path(folder, collectors[i], path);
		if (err)
			return err;
		if (access(path->data, F_OK))
			continue;
		if (!wanted)
			return 0;
		len += snprintf(have + len, sizeof(have) - len, "%s%s", len ? ", " : "",
				collectors[i]);
	}
	if (*have)
		return errf(-ENOENT, "'%s' has no recording of '%s'; it has: %s", folder, wanted,
			    have);
	of_a_case = recording_of_a_case(folder);
	if (of_a_case)
		return errf(-ENOENT, "'%s' has a recording of each case; name one, such as '%s/%s'",
			    folder, folder, of_a_case);
	return errf(-ENOENT,
		    "'%s' is not a run folder: it has no cpu.pb.gz or other recording; make one "
		    "with 'fathom record -o DIR'",
		    folder);
}

const char *profile_default_collector(const char *folder)
{
	_cleanup_(str_release) struct str path = { 0 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(collectors); i++) {
		if (!recording_path(folder, collectors[i], &path) && !access(path.data, F_OK))
			return collectors[i];
	}
	return NULL;
}

void profile_other_collectors(const char *folder, const char *but, char *ret, size_t size)
{
	_cleanup_(str_release) struct str path = { 0 };
	size_t i, len = 0;

	*ret = '\0';
	for (i = 0; i < ARRAY_SIZE(collectors) && len < size; i++) {
		if (strcmp(collectors[i], but) && !recording_path(folder, collectors[i], &path) &&
		    !access(path.data, F_OK))
			len += snprintf(ret + len, size - len, "%s%s", len ? ", " : "",
					collectors[i]);
	}
}

static int load_folder(const char *folder, const char *collector, struct profile **ret,
		       struct folded_repairs *ret_repairs)
{
	_cleanup_(str_release) struct str path = { 0 };
	int err;

	if (collector) {
		if (!*collector ||
		    collector[strspn(collector, "abcdefghijklmnopqrstuvwxyz0123456789-_")])
			return errf(-EINVAL, "'%s' is not the name of a collector", collector);
		err = recording_path(folder, collector, &path);
		if (err)
			return err;
	}
	if (!collector || access(path.data, F_OK)) {
		err = choose_recording(folder, collector, &path);
		if (err)
			return err;
	}
	return load_file(path.data, ret, ret_repairs);
}

/* A shell's <(...) and the like. A person has named it, so waiting for it is right. */
static int load_pipe(const char *path, struct profile **ret, struct folded_repairs *ret_repairs)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? errf(-errno, "cannot open '%s': %m", path)
		      : load_stream(fd, path, ret, ret_repairs);
}

int profile_load(const char *path, const char *collector, struct profile **ret,
		 struct folded_repairs *ret_repairs)
{
	struct folded_repairs repairs = { 0 };
	struct profile *p = NULL;
	struct stat st;
	int err;

	if (!strcmp(path, "-"))
		err = load_stream(STDIN_FILENO, "standard input", &p, &repairs);
	else if (stat(path, &st))
		err = errf(-errno, "cannot open '%s': %m", path);
	else if (S_ISDIR(st.st_mode))
		err = load_folder(path, collector, &p, &repairs);
	else if (S_ISFIFO(st.st_mode))
		err = load_pipe(path, &p, &repairs);
	else
		err = load_file(path, &p, &repairs);
	if (err)
		return err;
	*ret = p;
	*ret_repairs = repairs;
	return 0;
}

/* Pipes give their bytes once; a copy of the first is had by tee(2). */
static ssize_t peek_pipe(int fd, void *head, size_t size)
{
	int copy[2];
	ssize_t n;

	if (pipe2(copy, O_CLOEXEC))
		return -1;
	n = tee(fd, copy[1], size, 0);
	if (n > 0)
		n = read(copy[0], head, size);
	close(copy[0]);
	close(copy[1]);
	return n;
}

bool profile_is_folded(const char *path)
{
	bool is_stdin = !strcmp(path, "-");
	_cleanup_(closep) int own = is_stdin ? -1 : open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	int fd = is_stdin ? STDIN_FILENO : own;
	unsigned char head[4];
	ssize_t n = -1;
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return false;
	if (S_ISREG(st.st_mode))
		n = pread(fd, head, sizeof(head), is_stdin ? lseek(fd, 0, SEEK_CUR) : 0);
	/* Who opens a named pipe anew may find its writer gone. */
	else if (S_ISFIFO(st.st_mode) && is_stdin)
		n = peek_pipe(fd, head, sizeof(head));
	return n == sizeof(head) && !is_pprof(head, n);
}
