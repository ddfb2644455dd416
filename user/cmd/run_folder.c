/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/cmd/run_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/base/file.h"
#include "user/export/manifest.h"

#define MANIFEST     "manifest.json"
#define MAX_MANIFEST (4 << 20) /* bytes */
#define MAX_FILES    4096
#define MAX_TRIES    16 /* for a name that nobody has */

struct run_folder {
	int parent, fd;
	char *path; /* as it was given */
	char *name; /* last component */
	char temporary[64];
	bool force;
	bool is_replacing; /* an old run folder, as of the last look */
	uid_t uid;	   /* -1: as we are */
	gid_t gid;
	char **names;
	size_t n, names_cap;
};

/* A folder to be listed, NULL with errno; a link in its place is not followed. */
static DIR *open_folder(int parent, const char *name)
{
	_cleanup_(closep) int fd =
		openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (dir)
		take_fd(fd);
	return dir;
}

/* Removes a folder of plain files. Best effort: what is not ours to remove stays. */
static void remove_folder(int parent, const char *name)
{
	DIR *dir = open_folder(parent, name);
	struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir)))
		unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
	unlinkat(parent, name, AT_REMOVEDIR);
}

void run_folder_free(struct run_folder *rf)
{
	size_t i;

	if (!rf)
		return;
	if (rf->temporary[0])
		remove_folder(rf->parent, rf->temporary);
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
	DIR *dir = open_folder(parent, name);
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

/* A recording under sudo is the user's who called it. */
static void find_owner(struct run_folder *rf)
{
	const char *uid = getenv("SUDO_UID"), *gid = getenv("SUDO_GID");
	char *end;

	rf->uid = -1;
	rf->gid = -1;
	if (geteuid() || !uid || !gid)
		return;
	rf->uid = strtoul(uid, &end, 10);
	if (*end || end == uid)
		rf->uid = -1;
	rf->gid = strtoul(gid, &end, 10);
	if (*end || end == gid)
		rf->gid = -1;
}

static int give_to_owner(const struct run_folder *rf, int fd, const char *name)
{
	if (rf->uid != (uid_t)-1 && fchown(fd, rf->uid, rf->gid))
		return errf(-errno, "cannot give '%s' to UID %d: %m", name, (int)rf->uid);
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

/* A PID would not do for a name: each PID namespace has its own. */
static int make_folder(const struct run_folder *rf, char *name, size_t size)
{
	unsigned int tries = 0;
	uint64_t random;

	do {
		if (getrandom(&random, sizeof(random), 0) != sizeof(random))
			return errf(-EIO, "cannot make up a name for '%s': %m", rf->path);
		snprintf(name, size, ".fathom-%016" PRIx64 ".tmp", random);
		if (!mkdirat(rf->parent, name, 0755))
			return 0;
	} while (errno == EEXIST && ++tries < MAX_TRIES);
	return errf(-errno, "cannot make a folder for '%s': %m", rf->path);
}

static bool is_empty(int folder)
{
	DIR *dir = open_folder(folder, ".");
	const struct dirent *entry;
	bool has_any = false;

	if (!dir)
		return false;
	while (!has_any && (entry = readdir(dir)))
		has_any = strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
	closedir(dir);
	return !has_any;
}

static int make_temporary(struct run_folder *rf)
{
	char name[sizeof(rf->temporary)];
	struct stat st;
	int err = make_folder(rf, name, sizeof(name));

	if (err)
		return err;
	rf->fd = openat(rf->parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (rf->fd < 0) {
		err = errf(-errno, "cannot open the new folder for '%s': %m", rf->path);
		unlinkat(rf->parent, name, AT_REMOVEDIR);
		return err;
	}
	/* Whoever may write to the parent may have put another one there, for us to give away. */
	if (fstat(rf->fd, &st) || st.st_uid != geteuid() || !is_empty(rf->fd))
		return errf(-EPERM, "the new folder for '%s' was exchanged or filled by another",
			    rf->path);
	memcpy(rf->temporary, name, sizeof(name)); /* ours to remove from here on */
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
	find_owner(rf);
	err = open_parent(rf);
	if (!err)
		err = check_place(rf);
	if (err)
		return err;
	err = make_temporary(rf);
	if (!err)
		err = give_to_owner(rf, rf->fd, path);
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

	if (rf->n == MAX_FILES)
		return errf(-E2BIG, "more than %d files in '%s'", MAX_FILES, rf->path);
	/* The folder may belong to another user by now: nothing that is there is opened. */
	fd = openat(rf->fd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return errf(-errno, "cannot make '%s' in '%s': %m", name, rf->path);
	err = give_to_owner(rf, fd, name);
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

/*
 * Without renameat2(2)'s flags, which some file systems (NFS, FUSE) do not know. The old folder
 * ends up under the temporary name here as well.
 */
static int put_in_steps(const struct run_folder *rf)
{
	char aside[sizeof(rf->temporary) + 4];
	struct stat st;

	if (!rf->is_replacing) {
		if (!fstatat(rf->parent, rf->name, &st, AT_SYMLINK_NOFOLLOW)) {
			errno = EEXIST;
			return -1;
		}
		return renameat(rf->parent, rf->temporary, rf->parent, rf->name);
	}
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
	err = renameat2(rf->parent, rf->temporary, rf->parent, rf->name,
			rf->is_replacing ? RENAME_EXCHANGE : RENAME_NOREPLACE);
	if (err && errno == EINVAL)
		err = put_in_steps(rf);
	if (err)
		return keep_elsewhere(rf,
				      errf(-errno, "cannot put '%s' into its place: %m", rf->path));
	if (rf->is_replacing)
		remove_folder(rf->parent, rf->temporary);
	rf->temporary[0] = '\0';
	return 0;
}
