/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/cmd/run_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/base/file.h"
#include "user/base/owner.h"
#include "user/base/staging.h"
#include "user/export/manifest.h"

#define MANIFEST     "manifest.json"
#define MAX_MANIFEST (4 << 20) /* bytes */
#define MAX_FILES    4096

struct run_folder {
	int parent, fd;
	char *path; /* as it was given */
	char *name; /* last component */
	char temporary[STAGING_NAME_SIZE];
	bool force;
	bool is_replacing; /* an old run folder, as of the last look */
	struct owner owner;
	char **names;
	size_t n, names_cap;
};

void run_folder_free(struct run_folder *rf)
{
	size_t i;

	if (!rf)
		return;
	if (rf->temporary[0])
		staging_remove(rf->parent, rf->temporary);
	for (i = 0; i < rf->n; i++)
		free(rf->names[i]);
	free(rf->names);
	if (rf->fd >= 0)
		close(rf->fd);
	if (rf->parent >= 0)
		close(rf->parent);
	free(rf->path);
	free(rf->name);
	free(rf);
}

/* The manifest of a folder, NULL if that is none of ours. */
static json_t *read_manifest(int folder)
{
	_cleanup_(closep) int fd =
		openat(folder, MANIFEST, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	_cleanup_(freep) char *text = NULL;
	struct stat st;
	const char *schema;
	json_t *manifest;
	size_t len;

	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode) ||
	    file_read_fd(fd, MANIFEST, MAX_MANIFEST, &text, &len))
		return NULL;
	manifest = json_loadb(text, len, 0, NULL);
	schema = json_string_value(json_object_get(manifest, "schema"));
	if (schema && !strcmp(schema, MANIFEST_SCHEMA))
		return manifest;
	json_decref(manifest);
	return NULL;
}

static bool is_listed(const json_t *manifest, const char *name)
{
	const json_t *files = json_object_get(manifest, "files");
	size_t i;

	for (i = 0; i < json_array_size(files); i++) {
		const char *listed =
			json_string_value(json_object_get(json_array_get(files, i), "name"));

		if (listed && !strcmp(listed, name))
			return true;
	}
	return !strcmp(name, MANIFEST);
}

/* Whether what stands there is a run folder and holds nothing that its manifest does not list. */
static bool is_run_folder(int parent, const char *name)
{
	DIR *dir = staging_list(parent, name);
	bool has_others = false;
	struct dirent *entry;
	json_t *manifest;
	struct stat st;

	if (!dir)
		return false;
	manifest = read_manifest(dirfd(dir));
	while (manifest && !has_others && (entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		has_others = fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) ||
			     !S_ISREG(st.st_mode) || !is_listed(manifest, entry->d_name);
	}
	closedir(dir);
	if (!manifest)
		return false;
	json_decref(manifest);
	return !has_others;
}

/* Splits the path and opens the folder that the new one goes into. */
static int open_parent(struct run_folder *rf)
{
	_cleanup_(freep) char *copy = strdup(rf->path);
	char *slash;

	if (!copy)
		return errf(-ENOMEM, "no memory for '%s'", rf->path);
	while ((slash = strrchr(copy, '/')) && !slash[1] && slash != copy)
		*slash = '\0';
	rf->name = strdup(slash ? slash + 1 : copy);
	if (!rf->name)
		return errf(-ENOMEM, "no memory for '%s'", rf->path);
	if (!*rf->name || !strcmp(rf->name, ".") || !strcmp(rf->name, "..") ||
	    strlen(rf->name) > 255)
		return errf(-EINVAL, "'%s' is no name for a new folder", rf->path);
	if (slash)
		slash[slash == copy] = '\0';
	rf->parent = open(slash ? copy : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (rf->parent < 0)
		return errf(-errno, "cannot open the folder that '%s' is to go into: %m", rf->path);
	return 0;
}

static int check_place(struct run_folder *rf)
{
	struct stat st;

	rf->is_replacing = false;
	if (fstatat(rf->parent, rf->name, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : errf(-errno, "cannot look at '%s': %m", rf->path);
	if (!rf->force)
		return errf(-EEXIST,
			    "'%s' is there already: choose another name, or --force to replace it",
			    rf->path);
	if (!is_run_folder(rf->parent, rf->name))
		return errf(-EEXIST,
			    "'%s' is there and is not a run folder: it is not replaced, even by "
			    "--force",
			    rf->path);
	rf->is_replacing = true;
	return 0;
}

int run_folder_new(const char *path, bool force, struct run_folder **ret)
{
	_cleanup_(run_folder_freep) struct run_folder *rf = calloc(1, sizeof(*rf));
	int err;

	if (!rf)
		return errf(-ENOMEM, "no memory for '%s'", path);
	rf->parent = rf->fd = -1;
	rf->force = force;
	rf->path = strdup(path);
	if (!rf->path)
		return errf(-ENOMEM, "no memory for '%s'", path);
	owner_find(&rf->owner);
	err = open_parent(rf);
	if (!err)
		err = check_place(rf);
	if (err)
		return err;
	rf->fd = staging_make(rf->parent, path, rf->temporary);
	if (rf->fd < 0)
		return rf->fd;
	err = owner_give(&rf->owner, rf->fd, path);
	if (err)
		return err;
	*ret = take(rf);
	return 0;
}

int run_folder_open(struct run_folder *rf, const char *name, FILE **ret)
{
	_cleanup_(closep) int fd = -1;
	char *copy;
	FILE *f;
	int err;

	/* Parts of names come from other folders' files. */
	if (!*name || *name == '.' || strchr(name, '/'))
		return errf(-EINVAL, "'%s' is not the name of a file in a run folder", name);
	if (rf->n == MAX_FILES)
		return errf(-E2BIG, "more than %d files in '%s'", MAX_FILES, rf->path);
	/* The folder may belong to another user by now: nothing that is there is opened. */
	fd = openat(rf->fd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return errf(-errno, "cannot make '%s' in '%s': %m", name, rf->path);
	err = owner_give(&rf->owner, fd, name);
	if (err)
		return err;
	copy = array_reserve(rf->names, rf->names_cap, rf->n + 1) ? NULL : strdup(name);
	f = copy ? fdopen(fd, "w") : NULL;
	if (!f) {
		free(copy);
		return errf(-ENOMEM, "no memory to write '%s'", name);
	}
	take_fd(fd);
	rf->names[rf->n++] = copy;
	*ret = f;
	return 0;
}

int run_folder_close(struct run_folder *rf, FILE *f)
{
	bool failed = ferror(f);

	if (fclose(f) || failed)
		return errf(errno == ENOSPC ? -ENOSPC : -EIO, "cannot write all of '%s': %m",
			    rf->path);
	return 0;
}

int run_folder_write(struct run_folder *rf, const char *name, const void *data, size_t len)
{
	FILE *f;
	int err = run_folder_open(rf, name, &f);

	if (err)
		return err;
	fwrite(data, 1, len, f); /* run_folder_close() tells */
	return run_folder_close(rf, f);
}

int run_folder_fd(const struct run_folder *rf)
{
	return rf->fd;
}

const char *const *run_folder_names(const struct run_folder *rf, size_t *ret_n)
{
	*ret_n = rf->n;
	return (const char *const *)rf->names;
}

/* The old folder ends up under the temporary name. */
static int exchange(const struct run_folder *rf)
{
	char aside[sizeof(rf->temporary) + 4];

	if (!renameat2(rf->parent, rf->temporary, rf->parent, rf->name, RENAME_EXCHANGE))
		return 0;
	if (errno != EINVAL)
		return -1;
	/* A file system that does not know that (NFS, FUSE). */
	snprintf(aside, sizeof(aside), "%s.old", rf->temporary);
	if (renameat(rf->parent, rf->name, rf->parent, aside))
		return -1;
	if (renameat(rf->parent, rf->temporary, rf->parent, rf->name)) {
		renameat(rf->parent, aside, rf->parent, rf->name);
		return -1;
	}
	return renameat(rf->parent, aside, rf->parent, rf->temporary);
}

/* A recording that cannot be put into its place is not thrown away. */
static int keep_elsewhere(struct run_folder *rf, int err)
{
	char sentence[1024];

	snprintf(sentence, sizeof(sentence), "%s", err_text());
	errf(err, "%s; the recording is kept in '%s' beside it", sentence, rf->temporary);
	rf->temporary[0] = '\0';
	return err;
}

int run_folder_finish(struct run_folder *rf)
{
	/* Much may have happened there since the recording began. */
	int err = check_place(rf);

	if (err)
		return keep_elsewhere(rf, err);
	err = rf->is_replacing ? exchange(rf) : staging_put(rf->parent, rf->temporary, rf->name);
	if (err)
		return keep_elsewhere(rf,
				      errf(-errno, "cannot put '%s' into its place: %m", rf->path));
	if (rf->is_replacing)
		staging_remove(rf->parent, rf->temporary);
	rf->temporary[0] = '\0';
	return 0;
}
