/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/store.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "user/base/err.h"
#include "user/base/file.h"
#include "user/base/json_parts.h"
#include "user/base/owner.h"
#include "user/base/staging.h"
#include "user/bench/run_files.h"
#include "user/bench/store_files.h"
#include "user/bench/store_layout.h"

#define LOCK_FILE ".lock"

/* Who writes into the store, alone, while it holds the lock. */
struct writer {
	const char *path; /* of the store, for sentences */
	struct owner owner;
	int store, lock, environment, scenario;
};

static void writer_end(struct writer *w)
{
	closep(&w->scenario);
	closep(&w->environment);
	closep(&w->lock);
	closep(&w->store);
}

/* Makes what is not there yet. Only a folder of ours is given away: somebody may have put another
 * one into its place. */
static int enter(struct writer *w, int parent, const char *name)
{
	bool is_new = !mkdirat(parent, name, 0755);
	_cleanup_(closep) int fd = -1;
	struct stat st;
	int err = 0;

	if (!is_new && errno != EEXIST)
		return errf(-errno, "cannot make '%s' in the store '%s': %m", name, w->path);
	fd = store_open_folder(parent, name);
	if (fd < 0) {
		errno = -fd;
		return errf(fd, "cannot open '%s' in the store '%s': %m", name, w->path);
	}
	if (is_new && (fstat(fd, &st) || st.st_uid != geteuid()))
		return errf(-EPERM, "'%s' in the store '%s' was exchanged by another", name,
			    w->path);
	if (is_new)
		err = owner_give(&w->owner, fd, name);
	if (is_new && !err && fsync(parent))
		err = errf(-errno, "cannot write the store '%s' to the disk: %m", w->path);
	return err ? err : take_fd(fd);
}

static int open_store(struct writer *w)
{
	bool is_new = !mkdir(w->path, 0755);
	int err;

	if (!is_new && errno != EEXIST)
		return errf(-errno, "cannot make the store '%s': %m", w->path);
	w->store = open(w->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (w->store < 0)
		return errf(-errno, "cannot open the store '%s': %m", w->path);
	if (!is_new)
		return 0;
	err = owner_give(&w->owner, w->store, w->path);
	/* The folder that the new one is in is on the same file system. */
	if (!err && syncfs(w->store))
		err = errf(-errno, "cannot write the store '%s' to the disk: %m", w->path);
	return err;
}

static int open_lock(struct writer *w)
{
	int flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
	struct stat st;

	w->lock = openat(w->store, LOCK_FILE, flags | O_CREAT | O_EXCL, 0644);
	if (w->lock >= 0)
		return owner_give(&w->owner, w->lock, LOCK_FILE);
	if (errno == EEXIST)
		w->lock = openat(w->store, LOCK_FILE, flags);
	if (w->lock < 0)
		return errf(-errno, "cannot open the lock of the store '%s': %m", w->path);
	if (fstat(w->lock, &st) || !S_ISREG(st.st_mode))
		return errf(-EINVAL, "the lock of the store '%s' is not a regular file", w->path);
	return 0;
}

/* Opens all of the way to one scenario, and keeps others out. */
static int writer_begin(struct writer *w, const char *store, const char *environment,
			const char *scenario, bool wait)
{
	int err;

	*w = (struct writer){ store, { -1, -1 }, -1, -1, -1, -1 };
	owner_find(&w->owner);
	if (!store_is_name(environment) || !store_is_name(scenario))
		return errf(-EINVAL, "'%s/%s' can be no folder of a store",
			    environment ? environment : "", scenario ? scenario : "");
	err = open_store(w);
	if (!err)
		err = open_lock(w);
	if (err)
		return err;
	while (flock(w->lock, LOCK_EX | (wait ? 0 : LOCK_NB))) {
		if (errno == EWOULDBLOCK)
			return errf(-EBUSY,
				    "another fathom is writing to the store '%s': try again when "
				    "it is done",
				    store);
		return errf(-errno, "cannot lock the store '%s': %m", store);
	}
	w->environment = enter(w, w->store, environment);
	if (w->environment < 0)
		return w->environment;
	w->scenario = enter(w, w->environment, scenario);
	return w->scenario < 0 ? w->scenario : 0;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int next_number(struct writer *w, const char *prefix, const char *suffix, unsigned int *ret)
{
	int err = store_last_number(w->scenario, prefix, suffix, ret);

	if (!err && ++*ret > STORE_MAX_NUMBER)
		err = errf(-E2BIG, "the store '%s' is full", w->path);
	return err;
}

/* In the folder of the scenario. */
static int put_in_place(struct writer *w, const char *temporary, const char *name)
{
	if (staging_put(w->scenario, temporary, name))
		return errf(-errno, "cannot put '%s' into the store '%s': %m", name, w->path);
	if (fsync(w->scenario))
		return errf(-errno, "cannot write '%s' of the store '%s' to the disk: %m", name,
			    w->path);
	return 0;
}

/* A new file with the next number. */
static int add_file(struct writer *w, const char *prefix, const char *text)
{
	char temporary[STAGING_NAME_SIZE] = "", name[64];
	_cleanup_(closep) int fd = -1;
	unsigned int number;
	int err = next_number(w, prefix, JSON_SUFFIX, &number);

	if (err)
		return err;
	snprintf(name, sizeof(name), "%s%04u" JSON_SUFFIX, prefix, number);
	fd = staging_make_file(w->scenario, name, temporary);
	if (fd < 0)
		return fd;
	err = file_write_all(fd, name, text, strlen(text));
	if (!err)
		err = owner_give(&w->owner, fd, name);
	if (!err && fsync(fd))
		err = errf(-errno, "cannot write '%s' to the disk: %m", name);
	if (!err)
		err = put_in_place(w, temporary, name);
	if (err)
		unlinkat(w->scenario, temporary, 0);
	return err;
}

static bool is_said(const char *text)
{
	return text && text[strspn(text, " \t\r\n")];
}

/* Whether the run may be what others are judged by. */
static int check_run(const struct run_result *r, const char *path)
{
	const struct run_case *c;
	const struct run_repetition *bad = run_void(r, &c);
	size_t i, n = 0;

	if (r->abort)
		return errf(-EINVAL, "'%s' was given up: %s", path, r->abort);
	if (bad)
		return errf(-EINVAL, "'%s' is void: repetition %u of '%s' is %s", path, bad->number,
			    *c->name ? c->name : r->scenario,
			    repetition_outcome_names[bad->outcome]);
	for (i = 0; i < r->n_cases; i++)
		n += r->cases[i].n_repetitions;
	if (!n)
		return errf(-EINVAL, "'%s' has no repetitions", path);
	if (!store_is_name(r->environment.name) || !store_is_name(r->scenario))
		return errf(-EINVAL, "'%s' does not say of which scenario and environment it is",
			    path);
	return 0;
}

static int read_run(const char *path, struct run_result **ret)
{
	_cleanup_(run_result_freep) struct run_result *r = NULL;
	int err = run_result_read(path, &r);

	if (err == -ENOENT)
		err = -EINVAL;
	if (!err)
		err = check_run(r, path);
	if (!err)
		*ret = take(r);
	return err;
}

static int write_accepted(struct writer *w, int folder, const struct run_result *r, const char *id,
			  const char *note, const char *by, const char *manifest_sha256)
{
	json_t *o = json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:s}", "schema", BASELINE_SCHEMA,
			      "id", id, "environment", json_part_text(r->environment.name),
			      "scenario", json_part_text(r->scenario), "note", json_part_text(note),
			      "by", json_part_text(by), "accepted", json_part_time(now_ns()),
			      "manifest_sha256", manifest_sha256);
	_cleanup_(freep) char *text = o ? json_text(o) : NULL;

	json_decref(o);
	if (!text)
		return errf(-ENOMEM, "no memory for '%s'", ACCEPTED_FILE);
	if (strlen(text) > STORE_MAX_RECORD_BYTES)
		return errf(-E2BIG, "the note is too long");
	return store_file_write(folder, ACCEPTED_FILE, text, strlen(text), &w->owner);
}

/* What was copied may have been exchanged since it was looked at. */
static int check_copy(int folder, const char *path, const struct run_result *expected)
{
	_cleanup_(run_result_freep) struct run_result *r = NULL;
	char copy[64];
	int err;

	snprintf(copy, sizeof(copy), "/proc/self/fd/%d", folder);
	err = read_run(copy, &r);
	if (!err && (strcmp(r->scenario, expected->scenario) ||
		     strcmp(r->environment.name, expected->environment.name)))
		err = errf(-EINVAL, "it became another one");
	return err ? err_prefix(err, "'%s' changed while it was copied", path) : 0;
}

static int fill(struct writer *w, int run, int folder, const char *path, const struct run_result *r,
		const char *id, const char *note, const char *by)
{
	_cleanup_(store_files_freep) struct store_files *files = NULL;
	char manifest_sha256[65];
	int err = store_files_read(run, path, &files);

	if (!err)
		err = store_files_copy(files, run, folder, &w->owner, manifest_sha256);
	if (!err)
		err = check_copy(folder, path, r);
	if (!err)
		err = write_accepted(w, folder, r, id, note, by, manifest_sha256);
	if (!err)
		err = owner_give(&w->owner, folder, id);
	if (!err && fsync(folder))
		err = errf(-errno, "cannot write the copy of '%s' to the disk: %m", path);
	return err == -ENOENT ? -EINVAL : err;
}

static int add_run(struct writer *w, const char *path, const struct run_result *r, const char *note,
		   const char *by, char **ret_id)
{
	_cleanup_(closep) int run = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(freep) char *id = NULL;
	_cleanup_(closep) int folder = -1;
	char temporary[STAGING_NAME_SIZE] = "";
	unsigned int number;
	int err;

	if (run < 0)
		return errf(-errno, "cannot open '%s': %m", path);
	err = next_number(w, "", "", &number);
	if (err)
		return err;
	if (asprintf(&id, "%04u", number) < 0) {
		id = NULL;
		return errf(-ENOMEM, "no memory for '%s'", path);
	}
	folder = staging_make(w->scenario, w->path, temporary);
	if (folder < 0)
		return folder;
	err = fill(w, run, folder, path, r, id, note, by);
	if (!err)
		err = put_in_place(w, temporary, id);
	if (err) {
		staging_remove(w->scenario, temporary);
		return err;
	}
	*ret_id = take(id);
	return 0;
}

int store_accept(const char *store, const char *run, const char *note, const char *by, bool wait,
		 char **ret_id)
{
	_cleanup_(run_result_freep) struct run_result *r = NULL;
	_cleanup_(writer_end) struct writer w = {
		.store = -1, .lock = -1, .environment = -1, .scenario = -1
	};
	int err;

	if (!is_said(note))
		return errf(-EINVAL, "a baseline needs a note: why it is accepted");
	if (!is_said(by))
		return errf(-EINVAL, "a baseline needs the name of who accepts it");
	err = read_run(run, &r);
	if (!err)
		err = writer_begin(&w, store, r->environment.name, r->scenario, wait);
	return err ? err : add_run(&w, run, r, note, by, ret_id);
}

static int add_pin(struct writer *w, const char *id, const char *name, const char *by)
{
	json_t *o = json_pack("{s:s, s:s, s:s, s:o, s:o}", "schema", PIN_SCHEMA, "name", name, "id",
			      id, "by", json_part_text(by), "pinned", json_part_time(now_ns()));
	_cleanup_(freep) char *text = o ? json_text(o) : NULL;

	json_decref(o);
	if (!text)
		return errf(-ENOMEM, "no memory for a pin");
	if (strlen(text) > STORE_MAX_RECORD_BYTES)
		return errf(-E2BIG, "a name is too long");
	return add_file(w, PIN_PREFIX, text);
}

int store_pin(const char *store, const char *environment, const char *scenario, const char *id,
	      const char *name, const char *by, bool wait)
{
	_cleanup_(writer_end) struct writer w = {
		.store = -1, .lock = -1, .environment = -1, .scenario = -1
	};
	_cleanup_(baselines_freep) struct baselines *found = NULL;
	int err;

	if (!store_is_name(name) || !name[strspn(name, "0123456789")])
		return errf(-EINVAL,
			    "'%s' is no name for a pin: letters, digits, '.', '_' and '-', not "
			    "only digits",
			    name);
	if (!is_said(by))
		return errf(-EINVAL, "a pin needs the name of who sets it");
	/* Nothing is made for a baseline that is not there, and those that are there stay. */
	err = store_find(store, environment, scenario, id, &found);
	if (!err && !found->list[0].is_whole)
		err = errf(-EINVAL, "'%s' is damaged", found->list[0].path);
	if (!err)
		err = writer_begin(&w, store, environment, scenario, wait);
	return err ? err : add_pin(&w, found->list[0].id, name, by);
}

int store_add_calibration(const char *store, const char *environment, const char *scenario,
			  const char *json, bool wait)
{
	_cleanup_(writer_end) struct writer w = {
		.store = -1, .lock = -1, .environment = -1, .scenario = -1
	};
	json_t *o = json_loads(json, JSON_REJECT_DUPLICATES, NULL);
	const char *schema = json_string_value(json_object_get(o, "schema"));
	bool is_one = schema && !strcmp(schema, CALIBRATION_SCHEMA);
	int err;

	json_decref(o);
	if (!is_one || strlen(json) > STORE_MAX_CALIBRATION_BYTES)
		return errf(-EINVAL,
			    "what is to be kept is not of " CALIBRATION_SCHEMA ", or too long");
	err = writer_begin(&w, store, environment, scenario, wait);
	return err ? err : add_file(&w, CALIBRATION_PREFIX, json);
}
