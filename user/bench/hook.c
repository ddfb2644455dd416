/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/hook.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "user/base/cleanup.h"
#include "user/base/err.h"
#include "user/base/str.h"
#include "user/bench/command.h"

static int describe(const struct hook_options *o, const struct command_result *r, const char *err,
		    struct str *s)
{
	int bad;

	if (r->end == COMMAND_TIMED_OUT)
		bad = str_addf(s, "%s took longer than %.3g s", o->name, o->timeout_ns / 1e9);
	else if (r->end == COMMAND_FLOODED)
		bad = str_addf(s, "%s wrote more than %u MiB", o->name, COMMAND_OUTPUT_MAX >> 20);
	else
		bad = str_addf(s, "%s ended with status %d", o->name, r->status);
	return bad ? bad : command_quote(s, err);
}

int hook_run(const struct hook_options *o, enum hook_end *ret, char **ret_message)
{
	_cleanup_(str_release) struct str message = { 0 };
	char out[PATH_MAX], err[PATH_MAX];
	struct command_options c = { .argv = o->words,
				     .workdir = o->workdir,
				     .environment = o->environment,
				     .out = out,
				     .err = err,
				     .timeout_ns = o->timeout_ns,
				     .stop_fd = o->stop_fd };
	struct command_result r = { 0 };
	enum hook_end end;
	int bad = 0;

	*ret = HOOK_DONE;
	*ret_message = NULL;
	if (!o->words)
		return 0;
	snprintf(out, sizeof(out), "%s/hook.stdout", o->folder);
	snprintf(err, sizeof(err), "%s/hook.stderr", o->folder);
	if (command_run(&c, &r)) {
		end = HOOK_FAILED;
		bad = str_addf(&message, "%s: %s", o->name, err_text());
	} else if (r.end == COMMAND_INTERRUPTED) {
		end = HOOK_INTERRUPTED;
		bad = str_addf(&message, "%s was interrupted", o->name);
	} else if (r.end == COMMAND_EXITED && !r.status) {
		end = HOOK_DONE;
	} else {
		end = HOOK_FAILED;
		bad = describe(o, &r, err, &message);
	}
	unlink(out);
	unlink(err);
	if (bad)
		return errf(-ENOMEM, "no memory to run %s", o->name);
	*ret = end;
	*ret_message = take(message.data);
	return 0;
}

/* --- environment ------------------------------------------------------------------------------ */

struct pair {
	const char *key, *value;
};

static bool is_replaced(const char *variable, const struct pair *pairs, size_t n)
{
	size_t len = strcspn(variable, "="), i;

	for (i = 0; i < n; i++) {
		if (strlen(pairs[i].key) == len && !strncmp(pairs[i].key, variable, len))
			return true;
	}
	return false;
}

/* Pointers first, then the text that they point to: one block. */
static char **pack(const struct pair *pairs, size_t n)
{
	size_t bytes = (n + 1) * sizeof(char *), i, kept = 0;
	char **list, *at;

	for (i = 0; environ && environ[i]; i++)
		bytes += sizeof(char *);
	for (i = 0; i < n; i++)
		bytes += strlen(pairs[i].key) + strlen(pairs[i].value) + 2;
	list = malloc(bytes);
	if (!list)
		return NULL;
	for (i = 0; environ && environ[i]; i++) {
		if (!is_replaced(environ[i], pairs, n))
			list[kept++] = environ[i];
	}
	at = (char *)(list + kept + n + 1);
	for (i = 0; i < n; i++) {
		/* Of several with one name the last one holds. */
		if (is_replaced(pairs[i].key, pairs + i + 1, n - i - 1))
			continue;
		list[kept++] = at;
		at += sprintf(at, "%s=%s", pairs[i].key, pairs[i].value) + 1;
	}
	list[kept] = NULL;
	return list;
}

int command_environment(const char *scenario, const struct scenario_case *c, long number,
			char ***ret)
{
	_cleanup_(freep) struct pair *pairs = calloc(c->env.n + 3, sizeof(*pairs));
	char text[32];
	size_t n = 0, i;

	if (!pairs)
		return errf(-ENOMEM, "no memory for an environment");
	for (i = 0; i < c->env.n; i++)
		pairs[n++] = (struct pair){ c->env.list[i].key, c->env.list[i].value };
	pairs[n++] = (struct pair){ "FATHOM_SCENARIO", scenario };
	pairs[n++] = (struct pair){ "FATHOM_CASE", c->name };
	snprintf(text, sizeof(text), "%ld", number);
	if (number >= 0)
		pairs[n++] = (struct pair){ "FATHOM_REPETITION", text };
	*ret = pack(pairs, n);
	return *ret ? 0 : errf(-ENOMEM, "no memory for an environment");
}
