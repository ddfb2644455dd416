/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/store_files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>

#include "user/base/err.h"
#include "user/base/file.h"
#include "user/bench/store_layout.h"

#define MANIFEST	"manifest.json"
#define MANIFEST_SCHEMA "fathom.manifest/1"
#define MAX_MANIFEST	(1u << 20)
#define MAX_FILES	4096
#define NAME_BYTES	256	     /* with a NUL */
#define MAX_BYTES	(8ull << 30) /* of all files together */

struct store_file {
	char name[NAME_BYTES];
	uint64_t size;
	char sha256[65];
};

struct store_files {
	char *folder; /* for sentences */
	char *manifest;
	size_t manifest_len;
	struct store_file *list;
	size_t n;
};

void store_files_free(struct store_files *f)
{
	if (!f)
		return;
	free(f->list);
	free(f->manifest);
	free(f->folder);
	free(f);
}

static bool is_digest(const char *text)
{
	return text && strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

static int add_file(struct store_files *f, const json_t *o, uint64_t *bytes)
{
	const char *name = json_string_value(json_object_get(o, "name"));
	const char *digest = json_string_value(json_object_get(o, "sha256"));
	const json_t *size = json_object_get(o, "size");
	struct store_file *file = &f->list[f->n];
	size_t i;

	/* A dot begins the names of what is not finished. */
	if (!name || !*name || *name == '.' || strchr(name, '/') || strlen(name) >= NAME_BYTES ||
	    !strcmp(name, MANIFEST) || !strcmp(name, ACCEPTED_FILE))
		return errf(-EINVAL, "the manifest of '%s' lists what is no file of a run",
			    f->folder);
	for (i = 0; i < f->n; i++) {
		if (!strcmp(f->list[i].name, name))
			return errf(-EINVAL, "the manifest of '%s' lists '%s' twice", f->folder,
				    name);
	}
	if (!is_digest(digest) || !json_is_integer(size) || json_integer_value(size) < 0)
		return errf(-EINVAL, "the manifest of '%s' has no size or digest of '%s'",
			    f->folder, name);
	file->size = json_integer_value(size);
	if (file->size > MAX_BYTES || (*bytes += file->size) > MAX_BYTES)
		return errf(-EFBIG, "the files of '%s' are more than %llu bytes", f->folder,
			    MAX_BYTES);
	memcpy(file->sha256, digest, sizeof(file->sha256));
	memcpy(file->name, name, strlen(name) + 1);
	f->n++;
	return 0;
}

static int parse(struct store_files *f)
{
	json_t *o = json_loadb(f->manifest, f->manifest_len, JSON_REJECT_DUPLICATES, NULL);
	const char *schema = json_string_value(json_object_get(o, "schema"));
	const json_t *files = json_object_get(o, "files");
	size_t i, n = json_array_size(files);
	uint64_t bytes = 0;
	int err = 0;

	if (!schema || strcmp(schema, MANIFEST_SCHEMA) || !json_is_array(files) || n > MAX_FILES)
		err = errf(-EINVAL, "'%s' of '%s' is not of " MANIFEST_SCHEMA, MANIFEST, f->folder);
	f->list = calloc(n + 1, sizeof(*f->list));
	if (!f->list)
		err = errf(-ENOMEM, "no memory for the files of '%s'", f->folder);
	for (i = 0; i < n && !err; i++)
		err = add_file(f, json_array_get(files, i), &bytes);
	json_decref(o);
	return err;
}

int store_files_read(int folder, const char *name, struct store_files **ret)
{
	_cleanup_(store_files_freep) struct store_files *f = calloc(1, sizeof(*f));
	_cleanup_(closep) int fd = -1;
	int err;

	if (!f || !(f->folder = strdup(name)))
		return errf(-ENOMEM, "no memory for the files of '%s'", name);
	fd = file_open_at(folder, MANIFEST);
	if (fd < 0)
		return err_prefix(fd, "'%s'", name);
	err = file_read_fd(fd, MANIFEST, MAX_MANIFEST, &f->manifest, &f->manifest_len);
	if (!err)
		err = parse(f);
	if (err)
		return err;
	*ret = take(f);
	return 0;
}

static int make_file(int folder, const char *name, const struct owner *owner)
{
	_cleanup_(closep) int fd =
		openat(folder, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	int err;

	if (fd < 0)
		return errf(-errno, "cannot make '%s': %m", name);
	err = owner_give(owner, fd, name);
	return err ? err : take_fd(fd);
}

static int sync_file(int fd, const char *name)
{
	return fsync(fd) ? errf(-errno, "cannot write '%s' to the disk: %m", name) : 0;
}

int store_file_write(int folder, const char *name, const void *data, size_t len,
		     const struct owner *owner)
{
	_cleanup_(closep) int fd = make_file(folder, name, owner);
	int err;

	if (fd < 0)
		return fd;
	err = file_write_all(fd, name, data, len);
	return err ? err : sync_file(fd, name);
}

/* As many bytes as the manifest says, and no more, if the file grows meanwhile. */
static int copy_bytes(int from, int to, const struct store_file *file)
{
	uint64_t left = file->size;
	char block[65536];
	ssize_t n;
	int err;

	while (left) {
		n = read(from, block, left < sizeof(block) ? left : sizeof(block));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errf(-errno, "cannot read '%s': %m", file->name);
		if (!n)
			return errf(-EINVAL, "'%s' is shorter than its manifest says", file->name);
		err = file_write_all(to, file->name, block, n);
		if (err)
			return err;
		left -= n;
	}
	return 0;
}

static int copy_file(const struct store_file *file, int folder, int to, const struct owner *owner)
{
	_cleanup_(closep) int in = file_open_at(folder, file->name), out = -1;
	struct stat st;
	char digest[65];
	int err;

	if (in < 0)
		return in;
	if (fstat(in, &st) || (uint64_t)st.st_size != file->size)
		return errf(-EINVAL, "'%s' is not of the size that its manifest says", file->name);
	out = make_file(to, file->name, owner);
	if (out < 0)
		return out;
	err = copy_bytes(in, out, file);
	/* Of the copy: what was read may be another file by now. */
	if (!err)
		err = file_sha256(out, file->name, digest);
	if (!err && strcmp(digest, file->sha256))
		err = errf(-EINVAL, "'%s' has another digest than its manifest says", file->name);
	return err ? err : sync_file(out, file->name);
}

static int digest_of(int folder, const char *name, char ret[65])
{
	_cleanup_(closep) int fd = file_open_at(folder, name);

	return fd < 0 ? fd : file_sha256(fd, name, ret);
}

int store_files_copy(const struct store_files *f, int folder, int to, const struct owner *owner,
		     char ret_sha256[65])
{
	size_t i;
	int err = 0;

	for (i = 0; i < f->n && !err; i++)
		err = copy_file(&f->list[i], folder, to, owner);
	if (err)
		return err_prefix(err, "'%s'", f->folder);
	err = store_file_write(to, MANIFEST, f->manifest, f->manifest_len, owner);
	return err ? err : digest_of(to, MANIFEST, ret_sha256);
}

bool store_files_are_whole(int folder, const char *manifest_sha256)
{
	_cleanup_(store_files_freep) struct store_files *f = NULL;
	char digest[65];
	size_t i;

	if (digest_of(folder, MANIFEST, digest) || strcmp(digest, manifest_sha256) ||
	    store_files_read(folder, "the baseline", &f))
		return false;
	for (i = 0; i < f->n; i++) {
		if (digest_of(folder, f->list[i].name, digest) || strcmp(digest, f->list[i].sha256))
			return false;
	}
	return true;
}
