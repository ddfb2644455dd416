/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/shim_env.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "user/base/err.h"
#include "user/base/str.h"

#define PRELOAD	 "LD_PRELOAD="
#define SETTINGS "FATHOM_ALLOC="
#define ASAN	 "ASAN_OPTIONS="

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

static int make_settings(const struct shim_settings *s, struct str *ret)
{
	int err = str_addf(ret, SETTINGS "interval=%" PRIu64 ",maps=%d,follow=%d",
			   s->interval_bytes, s->maps, s->follow);

	if (!err && s->known)
		err = str_addf(ret, ",known=%s", s->known);
	if (!err && s->has_seed)
		err = str_addf(ret, ",seed=%" PRIu64, s->seed);
	return err;
}

static int make_preload(const char *library, const char *old, struct str *ret)
{
	int err = str_addf(ret, PRELOAD "%s", library);

	return err || !*old ? err : str_addf(ret, ":%s", old);
}

/* gcc's AddressSanitizer ends a program, a child perhaps, that has another library before it. */
static int make_asan(const char *old, struct str *ret)
{
	return str_addf(ret, ASAN "%s%sverify_asan_link_order=0", old, *old ? ":" : "");
}

/* Of two with one name the first counts (getenv(3)). */
static const char *value_of(char *const *environment, const char *name)
{
	for (; *environment; environment++) {
		if (begins(*environment, name))
			return *environment + strlen(name);
	}
	return "";
}

static int copy_rest(char *const *environment, char **to)
{
	for (; *environment; environment++) {
		if (begins(*environment, PRELOAD) || begins(*environment, SETTINGS) ||
		    begins(*environment, ASAN))
			continue;
		*to = strdup(*environment);
		if (!*to++)
			return -ENOMEM;
	}
	return 0;
}

int shim_env_make(const struct shim_settings *settings, const char *library,
		  char *const *environment, char ***ret)
{
	_cleanup_(str_release) struct str own = {}, preload = {}, asan = {};
	_cleanup_(shim_env_freep) char **env = NULL;
	size_t n = 0;
	int err;

	if (!settings->interval_bytes || settings->interval_bytes > SHIM_MAX_INTERVAL_BYTES)
		return errf(-EINVAL, "a mean interval of %" PRIu64 " bytes cannot be drawn",
			    settings->interval_bytes);
	while (environment[n])
		n++;
	env = calloc(n + 4, sizeof(*env));
	err = env ? make_settings(settings, &own) : -ENOMEM;
	if (!err)
		err = make_preload(library, value_of(environment, PRELOAD), &preload);
	if (!err)
		err = make_asan(value_of(environment, ASAN), &asan);
	if (!err)
		err = copy_rest(environment, env);
	if (err)
		return errf(err, "no memory for the environment of a command");
	for (n = 0; env[n];)
		n++;
	env[n] = take(preload.data);
	env[n + 1] = take(own.data);
	env[n + 2] = take(asan.data);
	*ret = take(env);
	return 0;
}

void shim_env_free(char **environment)
{
	char **at;

	for (at = environment; at && *at; at++)
		free(*at);
	free(environment);
}
