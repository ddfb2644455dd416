/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/scenario.h"

#include <errno.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/base/str.h"
#include "user/bench/pattern.h"
#include "user/bench/scenario_names.h"

static int set_text(char **text, const char *folder)
{
	_cleanup_(str_release) struct str s = { 0 };
	const char *from = *text, *mark;
	bool err = false;

	if (!from || !strstr(from, SCRATCH_MARK))
		return 0;
	for (; !err && (mark = strstr(from, SCRATCH_MARK)); from = mark + 1)
		err = str_add_bytes(&s, from, mark - from) || str_add(&s, folder);
	if (err || str_add(&s, from))
		return errf(-ENOMEM, "no memory for the cases of a scenario");
	free(*text);
	*text = take(s.data);
	return 0;
}

static int set_words(char **words, const char *folder)
{
	int err = 0;

	for (; words && *words && !err; words++)
		err = set_text(words, folder);
	return err;
}

static int set_pairs(struct scenario_pairs *pairs, const char *folder)
{
	size_t i;
	int err = 0;

	for (i = 0; i < pairs->n && !err; i++)
		err = set_text(&pairs->list[i].value, folder);
	return err;
}

static int set_metrics(struct scenario_case *c, const char *folder)
{
	size_t i;
	int err = 0;

	for (i = 0; i < c->n_metrics && !err; i++) {
		struct scenario_metric *m = &c->metrics[i];

		err = set_text(&m->file, folder);
		if (!err)
			err = set_text(&m->pattern, folder);
		if (!err && m->source == METRIC_REGEX)
			err = pattern_check(m->pattern, 1);
	}
	return err;
}

int scenario_case_set_scratch(struct scenario_case *c, const char *folder)
{
	char **texts[] = { &c->subject.cgroup, &c->workdir,	  &c->ready.text,
			   &c->oracle.file,    &c->oracle.sha256, &c->oracle.expected };
	char **words[] = { c->subject.command, c->setup, c->teardown, c->before_each, c->verify };
	size_t i;
	int err = 0;

	for (i = 0; i < ARRAY_SIZE(texts) && !err; i++)
		err = set_text(texts[i], folder);
	for (i = 0; i < ARRAY_SIZE(words) && !err; i++)
		err = set_words(words[i], folder);
	if (!err)
		err = set_pairs(&c->env, folder);
	if (!err)
		err = set_pairs(&c->parameters, folder);
	if (!err)
		err = set_metrics(c, folder);
	if (!err && c->ready.kind == READY_STDOUT)
		err = pattern_check(c->ready.text, 0);
	if (!err)
		c->needs_scratch = false;
	return err;
}
