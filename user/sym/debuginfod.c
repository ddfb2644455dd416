/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sym/debuginfod.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "user/base/array.h"
#include "user/base/clock.h"
#include "user/base/err.h"

#define LIBRARY	    "libdebuginfod.so.1"
#define ROOTS_CACHE "/var/cache/fathom-debuginfod"
#define URLS	    "DEBUGINFOD_URLS"
#define CACHE_PATH  "DEBUGINFOD_CACHE_PATH"

typedef void client;
typedef int progress_fn(client *c, long a, long b);

struct library {
	client *(*begin)(void);
	void (*end)(client *c);
	int (*find_debuginfo)(client *c, const unsigned char *id, int id_len, char **path);
	void (*set_progressfn)(client *c, progress_fn *fn);
	void (*set_user_data)(client *c, void *data);
	void *(*get_user_data)(client *c);
};

struct debuginfod {
	struct library library;
	client *client;
	bool tried;
	uint64_t left_ns, until_ns;
	struct debuginfod_counts counts;
};

/* Other than 0 ends the transfer. There is one library in a process, so there is one of these. */
static void *(*user_data_of)(client *c);

static int is_late(client *c, long a, long b)
{
	const struct debuginfod *d = user_data_of(c);

	(void)a;
	(void)b;
	return clock_ns(CLOCK_MONOTONIC) >= d->until_ns;
}

int debuginfod_new(uint64_t budget_ns, struct debuginfod **ret)
{
	const char *urls = getenv(URLS);
	struct debuginfod *d = NULL;

	if (urls && urls[strspn(urls, " ")]) {
		d = calloc(1, sizeof(*d));
		if (!d)
			return errf(-ENOMEM, "no memory for debuginfod");
		d->left_ns = budget_ns;
	}
	*ret = d;
	return 0;
}

void debuginfod_free(struct debuginfod *d)
{
	if (!d)
		return;
	if (d->client)
		d->library.end(d->client);
	free(d); /* the library stays: what it has begun (curl) cannot be undone */
}

/* In the home of another user (sudo -E) root would leave files, and follow that user's links. */
static void choose_cache(void)
{
	const char *home = getenv("HOME");
	struct stat st;

	if (!home || stat(home, &st) || st.st_uid != geteuid())
		setenv(CACHE_PATH, ROOTS_CACHE, 0);
}

static int load(struct debuginfod *d)
{
	const struct {
		const char *name;
		void *at;
	} functions[] = {
		{ "debuginfod_begin", &d->library.begin },
		{ "debuginfod_end", &d->library.end },
		{ "debuginfod_find_debuginfo", &d->library.find_debuginfo },
		{ "debuginfod_set_progressfn", &d->library.set_progressfn },
		{ "debuginfod_set_user_data", &d->library.set_user_data },
		{ "debuginfod_get_user_data", &d->library.get_user_data },
	};
	void *library, *function;
	size_t i;

	choose_cache();
	library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!library)
		return errf(-ENOENT, "%s is set, but there is no %s: install elfutils' client",
			    URLS, LIBRARY);
	for (i = 0; i < ARRAY_SIZE(functions); i++) {
		function = dlsym(library, functions[i].name);
		if (!function)
			return errf(-ENOSYS, "%s has no %s", LIBRARY, functions[i].name);
		memcpy(functions[i].at, &function, sizeof(function));
	}
	d->client = d->library.begin();
	if (!d->client)
		return errf(-ENOMEM, "%s cannot be used", LIBRARY);
	user_data_of = d->library.get_user_data;
	d->library.set_user_data(d->client, d);
	d->library.set_progressfn(d->client, is_late);
	return 0;
}

static int fetch(struct debuginfod *d, const uint8_t *id, size_t id_len, char **ret_path)
{
	uint64_t began = clock_ns(CLOCK_MONOTONIC), took;
	int fd;

	d->until_ns = began + d->left_ns;
	fd = d->library.find_debuginfo(d->client, id, (int)id_len, ret_path);
	took = clock_ns(CLOCK_MONOTONIC) - began;
	d->left_ns -= took < d->left_ns ? took : d->left_ns;
	if (fd >= 0)
		return fd;
	/* A transfer that is_late() ended is to the library a file that is not there. */
	if (!d->left_ns)
		return errf(-ETIMEDOUT, "debuginfod: the time for all files is up");
	return fd == -ENOENT ? errf(fd, "no debuginfod server has it")
			     : errf(fd, "debuginfod: %s", strerror(-fd));
}

int debuginfod_fetch(struct debuginfod *d, const uint8_t *id, size_t id_len, char **ret_path)
{
	int fd;

	if (!d->tried && !d->client) {
		load(d);
		d->tried = true;
	}
	if (!d->client)
		fd = -ENOSYS;
	else if (!d->left_ns)
		fd = errf(-ETIMEDOUT, "debuginfod: the time for all files is up");
	else
		fd = fetch(d, id, id_len, ret_path);
	d->counts.found += fd >= 0;
	d->counts.missing += fd == -ENOENT;
	d->counts.failed += fd < 0 && fd != -ENOENT;
	return fd;
}

struct debuginfod_counts debuginfod_counts(const struct debuginfod *d)
{
	return d ? d->counts : (struct debuginfod_counts){ 0 };
}
