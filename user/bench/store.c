/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/store.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/base/file.h"
#include "user/base/json_parts.h"
#include "user/base/staging.h"
#include "user/base/str.h"
#include "user/bench/run_json.h"
#include "user/bench/store_files.h"
#include "user/bench/store_layout.h"

#define MAX_BASELINES 65536 /* of a whole store */
#define MAX_PINS      65536 /* of one scenario */
#define MAX_OTHERS    10    /* environments that a sentence names */

static void baseline_release(struct baseline *b)
{
	free(b->id);
	free(b->environment);
	free(b->scenario);
	free(b->path);
	free(b->note);
	free(b->by);
	free(b->pins);
}

void baselines_free(struct baselines *b)
{
	size_t i;

	if (!b)
		return;
	for (i = 0; i < b->n; i++)
		baseline_release(&b->list[i]);
	free(b->list);
	free(b);
}

/* What is being listed. */
struct listing {
	const char *store;
	struct baselines *all;
	size_t cap;
};

static int no_memory(const struct listing *l)
{
	return errf(-ENOMEM, "no memory to list the store '%s'", l->store);
}

/* A small JSON file of one schema; NULL if it is none. */
static json_t *read_record(int folder, const char *name, const char *schema)
{
	_cleanup_(closep) int fd = file_open_at(folder, name);
	_cleanup_(freep) char *text = NULL;
	const char *have;
	json_t *o;
	size_t len;

	if (fd < 0 || file_read_fd(fd, name, STORE_MAX_RECORD_BYTES, &text, &len))
		return NULL;
	o = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	have = json_string_value(json_object_get(o, "schema"));
	if (have && !strcmp(have, schema))
		return o;
	json_decref(o);
	return NULL;
}

static bool says(const json_t *o, const char *key, const char *expected)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text && !strcmp(text, expected);
}

/* One that is not as it was written is listed, and not whole. Files are looked at later. */
static int read_baseline(struct listing *l, int scenario, struct baseline *b)
{
	_cleanup_(closep) int folder = store_open_folder(scenario, b->id);
	json_t *o = folder < 0 ? NULL : read_record(folder, ACCEPTED_FILE, BASELINE_SCHEMA);
	const char *digest = json_string_value(json_object_get(o, "manifest_sha256"));
	int err = run_json_text(o, "note", &b->note);

	if (!err)
		err = run_json_text(o, "by", &b->by);
	if (!err && !b->note)
		err = (b->note = strdup("")) ? 0 : -ENOMEM;
	if (!err && !b->by)
		err = (b->by = strdup("")) ? 0 : -ENOMEM;
	b->accepted_ns = json_time_ns(json_object_get(o, "accepted"));
	b->is_whole = says(o, "id", b->id) && says(o, "environment", b->environment) &&
		      says(o, "scenario", b->scenario) && digest && strlen(digest) == 64;
	if (b->is_whole)
		memcpy(b->manifest_sha256, digest, sizeof(b->manifest_sha256));
	json_decref(o);
	return err ? no_memory(l) : 0;
}

static int add_baseline(struct listing *l, int scenario, const char *environment, const char *name,
			const char *id)
{
	struct baselines *all = l->all;
	struct baseline *b;

	if (all->n == MAX_BASELINES)
		return errf(-E2BIG, "more than %d baselines in the store '%s'", MAX_BASELINES,
			    l->store);
	if (array_reserve(all->list, l->cap, all->n + 1))
		return no_memory(l);
	b = &all->list[all->n++];
	*b = (struct baseline){ .id = strdup(id),
				.environment = strdup(environment),
				.scenario = strdup(name),
				.pins = strdup("") };
	if (asprintf(&b->path, "%s/%s/%s/%s", l->store, environment, name, id) < 0)
		b->path = NULL;
	if (!b->id || !b->environment || !b->scenario || !b->pins || !b->path)
		return no_memory(l);
	return read_baseline(l, scenario, b);
}

struct pin {
	unsigned int number;
	char *name, *id;
};

struct pins {
	struct pin *list;
	size_t n, cap;
};

static void pins_release(struct pins *p)
{
	size_t i;

	for (i = 0; i < p->n; i++) {
		free(p->list[i].name);
		free(p->list[i].id);
	}
	free(p->list);
}

static int add_pin(struct listing *l, int scenario, const char *file, struct pins *pins)
{
	json_t *o = read_record(scenario, file, PIN_SCHEMA);
	const char *name = json_string_value(json_object_get(o, "name"));
	const char *id = json_string_value(json_object_get(o, "id"));
	unsigned int number = store_number(file, PIN_PREFIX, JSON_SUFFIX);
	struct pin pin = { .number = number };
	size_t i;

	if (!store_is_name(name) || !id || !store_number(id, "", "")) {
		json_decref(o);
		return 0;
	}
	pin.name = strdup(name);
	pin.id = strdup(id);
	json_decref(o);
	for (i = 0; i < pins->n && pin.name && strcmp(pins->list[i].name, pin.name); i++)
		;
	if (!pin.name || !pin.id || (i == pins->n && array_reserve(pins->list, pins->cap, i + 1))) {
		free(pin.name);
		free(pin.id);
		return no_memory(l);
	}
	/* Folders are in no order: the pin with the larger number is the later one. */
	if (i < pins->n && pins->list[i].number < number) {
		struct pin old = pins->list[i];

		pins->list[i] = pin;
		pin = old;
	} else if (i == pins->n) {
		pins->list[pins->n++] = pin;
		return 0;
	}
	free(pin.name);
	free(pin.id);
	return 0;
}

static int read_pins(struct listing *l, int scenario, struct pins *pins)
{
	DIR *dir = staging_list(scenario, ".");
	const struct dirent *entry;
	size_t n = 0;
	int err = 0;

	if (!dir)
		return errf(-errno, "cannot list a folder of the store '%s': %m", l->store);
	while (!err && (entry = readdir(dir))) {
		if (!store_number(entry->d_name, PIN_PREFIX, JSON_SUFFIX))
			continue;
		err = n++ < MAX_PINS ? add_pin(l, scenario, entry->d_name, pins)
				     : errf(-E2BIG, "more than %d pins in the store '%s'", MAX_PINS,
					    l->store);
	}
	closedir(dir);
	return err;
}

static int by_pin_name(const void *a, const void *b)
{
	return strcmp(((const struct pin *)a)->name, ((const struct pin *)b)->name);
}

static int set_pins(struct listing *l, struct baseline *b, const struct pins *pins)
{
	_cleanup_(str_release) struct str names = { 0 };
	size_t i;
	int err = 0;

	for (i = 0; i < pins->n && !err; i++) {
		if (!strcmp(pins->list[i].id, b->id))
			err = str_addf(&names, "%s%s", names.len ? ", " : "", pins->list[i].name);
	}
	if (err || !names.len)
		return err ? no_memory(l) : 0;
	free(b->pins);
	b->pins = strdup(str_text(&names));
	return b->pins ? 0 : no_memory(l);
}

static int list_scenario(struct listing *l, int parent, const char *environment, const char *name)
{
	_cleanup_(closep) int scenario = store_open_folder(parent, name);
	_cleanup_(pins_release) struct pins pins = { 0 };
	DIR *dir = scenario < 0 ? NULL : staging_list(scenario, ".");
	const struct dirent *entry;
	size_t first = l->all->n, i;
	int err = 0;

	if (!dir)
		return 0; /* no folder, or a link */
	while (!err && (entry = readdir(dir))) {
		_cleanup_(closep) int folder = -1;

		if (!store_number(entry->d_name, "", ""))
			continue;
		folder = store_open_folder(scenario, entry->d_name);
		if (folder >= 0)
			err = add_baseline(l, scenario, environment, name, entry->d_name);
	}
	closedir(dir);
	if (!err)
		err = read_pins(l, scenario, &pins);
	if (pins.n)
		qsort(pins.list, pins.n, sizeof(*pins.list), by_pin_name);
	for (i = first; i < l->all->n && !err; i++)
		err = set_pins(l, &l->all->list[i], &pins);
	return err;
}

static int list_environment(struct listing *l, int store, const char *name, const char *scenario)
{
	_cleanup_(closep) int environment = store_open_folder(store, name);
	DIR *dir = environment < 0 ? NULL : staging_list(environment, ".");
	const struct dirent *entry;
	int err = 0;

	if (!dir)
		return 0;
	while (!err && (entry = readdir(dir))) {
		if (store_is_name(entry->d_name) && (!scenario || !strcmp(entry->d_name, scenario)))
			err = list_scenario(l, environment, name, entry->d_name);
	}
	closedir(dir);
	return err;
}

static int by_place(const void *a, const void *b)
{
	const struct baseline *x = a, *y = b;
	int order = strcmp(x->environment, y->environment);

	if (!order)
		order = strcmp(x->scenario, y->scenario);
	return order ? order : (int)store_number(x->id, "", "") - (int)store_number(y->id, "", "");
}

static int list_all(const char *store, const char *environment, const char *scenario,
		    struct baselines **ret)
{
	_cleanup_(baselines_freep) struct baselines *all = calloc(1, sizeof(*all));
	struct listing l = { .store = store, .all = all };
	_cleanup_(closep) int fd = open(store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir;
	const struct dirent *entry;
	int err = 0;

	if (!all)
		return no_memory(&l);
	if (fd < 0 && errno != ENOENT)
		return errf(-errno, "cannot open the store '%s': %m", store);
	dir = fd < 0 ? NULL : staging_list(fd, ".");
	while (dir && !err && (entry = readdir(dir))) {
		if (store_is_name(entry->d_name) &&
		    (!environment || !strcmp(entry->d_name, environment)))
			err = list_environment(&l, fd, entry->d_name, scenario);
	}
	if (dir)
		closedir(dir);
	if (err)
		return err;
	if (all->n)
		qsort(all->list, all->n, sizeof(*all->list), by_place);
	*ret = take(all);
	return 0;
}

/* Reads all of its files. */
static void verify(const char *store, struct baseline *b)
{
	_cleanup_(closep) int top = open(store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(closep) int environment = store_open_folder(top, b->environment);
	_cleanup_(closep) int scenario = store_open_folder(environment, b->scenario);
	_cleanup_(closep) int folder = store_open_folder(scenario, b->id);

	b->is_whole =
		b->is_whole && folder >= 0 && store_files_are_whole(folder, b->manifest_sha256);
}

int store_list(const char *store, const char *environment, const char *scenario,
	       struct baselines **ret)
{
	struct baselines *all;
	int err = list_all(store, environment, scenario, &all);
	size_t i;

	if (err)
		return err;
	for (i = 0; i < all->n; i++)
		verify(store, &all->list[i]);
	*ret = all;
	return 0;
}

static bool has_pin(const struct baseline *b, const char *name)
{
	size_t n = strlen(name);
	const char *at = b->pins;

	while (*at) {
		size_t len = strcspn(at, ",");

		if (len == n && !strncmp(at, name, n))
			return true;
		at += len;
		at += strspn(at, ", ");
	}
	return false;
}

bool baseline_is_meant(const struct baseline *b, const char *what)
{
	if (!what)
		return true;
	if (what[strspn(what, "0123456789")])
		return has_pin(b, what);
	return *what && strlen(what) <= 6 && strtoul(what, NULL, 10) == store_number(b->id, "", "");
}

/* Who looks in vain is told where there is something. */
static int none_found(const char *store, const char *environment, const char *scenario,
		      const char *what)
{
	_cleanup_(baselines_freep) struct baselines *all = NULL;
	_cleanup_(str_release) struct str others = { 0 };
	const char *last = "";
	size_t i, n = 0;
	int err = list_all(store, NULL, scenario, &all);

	for (i = 0; !err && i < all->n && n <= MAX_OTHERS; i++) {
		const char *name = all->list[i].environment;

		if (!strcmp(name, last) || !strcmp(name, environment))
			continue;
		last = name;
		err = str_addf(&others, "%s%s", n ? ", " : "", n < MAX_OTHERS ? name : "...");
		n++;
	}
	if (err)
		return err;
	return errf(-ENOENT,
		    "no baseline%s%s%s of '%s' in the environment '%s' of the store '%s'%s%s",
		    what ? " '" : "", what ? what : "", what ? "'" : "", scenario, environment,
		    store, n ? "; others have one: " : "", str_text(&others));
}

static void keep_only(struct baselines *all, size_t kept)
{
	struct baseline one = all->list[kept];
	size_t i;

	for (i = 0; i < all->n; i++) {
		if (i != kept)
			baseline_release(&all->list[i]);
	}
	all->list[0] = one;
	all->n = 1;
}

int store_find(const char *store, const char *environment, const char *scenario, const char *what,
	       struct baselines **ret)
{
	_cleanup_(baselines_freep) struct baselines *all = NULL;
	int err = list_all(store, environment, scenario, &all);
	size_t i;

	if (err)
		return err;
	for (i = all->n; i-- && !baseline_is_meant(&all->list[i], what);)
		;
	if (i >= all->n)
		return none_found(store, environment, scenario, what);
	keep_only(all, i);
	verify(store, &all->list[0]);
	*ret = take(all);
	return 0;
}

int store_calibration(const char *store, const char *environment, const char *scenario,
		      char **ret_json)
{
	_cleanup_(closep) int top = open(store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(closep) int parent = -1, folder = -1, fd = -1;
	_cleanup_(freep) char *text = NULL;
	unsigned int last = 0;
	char name[64];
	size_t len;
	json_t *o;
	bool is_one;
	int err;

	if (store_is_name(environment) && store_is_name(scenario)) {
		parent = store_open_folder(top, environment);
		folder = store_open_folder(parent, scenario);
	}
	err = folder < 0 ? 0 : store_last_number(folder, CALIBRATION_PREFIX, JSON_SUFFIX, &last);
	if (err)
		return err;
	if (!last)
		return errf(-ENOENT, "'%s' was not calibrated in the environment '%s'", scenario,
			    environment);
	snprintf(name, sizeof(name), CALIBRATION_PREFIX "%04u" JSON_SUFFIX, last);
	fd = file_open_at(folder, name);
	if (fd < 0)
		return fd;
	err = file_read_fd(fd, name, STORE_MAX_CALIBRATION_BYTES, &text, &len);
	if (err)
		return err;
	o = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	is_one = says(o, "schema", CALIBRATION_SCHEMA);
	json_decref(o);
	if (!is_one)
		return errf(-EINVAL, "'%s' of the store '%s' is not of " CALIBRATION_SCHEMA, name,
			    store);
	*ret_json = take(text);
	return 0;
}
