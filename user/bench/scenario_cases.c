/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/scenario.h"

#include <errno.h>
#include <string.h>

#include "user/base/err.h"
#include "user/base/str.h"
#include "user/bench/pattern.h"
#include "user/bench/scenario_names.h"
#include "user/bench/scenario_parts.h"

/* What one case is made from. */
struct making {
	const struct scenario *s;
	const struct scenario_variant *variant; /* NULL: none */
	const struct scenario_pairs *parameters;
	bool uses_scratch;
};

static int no_memory(void)
{
	return errf(-ENOMEM, "no memory for the cases of a scenario");
}

static const char *look_up(void *ctx, const char *name, size_t len)
{
	struct making *m = ctx;
	const struct scenario_pair *pair = scenario_pairs_find(m->parameters, name, len);

	if (pair)
		return pair->value;
	if (len == strlen("variant") && !strncmp(name, "variant", len))
		return m->variant ? m->variant->name : NULL;
	if (len == strlen("scenario_dir") && !strncmp(name, "scenario_dir", len))
		return m->s->folder;
	if (len == strlen("scratch") && !strncmp(name, "scratch", len)) {
		m->uses_scratch = true;
		return SCRATCH_MARK;
	}
	return NULL;
}

/* NULL stays NULL. */
static int fill_text(struct making *m, const char *text, char **ret)
{
	_cleanup_(str_release) struct str s = { 0 };
	int err;

	if (!text)
		return 0;
	err = scenario_substitute(text, look_up, m, &s);
	if (err)
		return err;
	*ret = strdup(str_text(&s));
	return *ret ? 0 : no_memory();
}

/* Path below 'folder' unless it is absolute. */
static int fill_path(struct making *m, const char *text, const char *folder, char **ret)
{
	_cleanup_(freep) char *path = NULL;
	int err = fill_text(m, text, &path);

	if (err || !path)
		return err;
	if (!*path)
		return errf(-EINVAL, "'%.64s' makes an empty path", text);
	if (*path == '/' || *path == SCRATCH_MARK[0])
		*ret = take(path);
	else if (asprintf(ret, "%s/%s", folder, path) < 0)
		return (*ret = NULL), no_memory();
	return 0;
}

static int fill_words(struct making *m, char *const *words, char ***ret)
{
	size_t i, n = 0;
	int err = 0;

	if (!words)
		return 0;
	while (words[n])
		n++;
	*ret = calloc(n + 1, sizeof(**ret));
	if (!*ret)
		return no_memory();
	for (i = 0; i < n && !err; i++)
		err = fill_text(m, words[i], &(*ret)[i]);
	if (!err && n && !*(*ret)[0])
		return errf(-EINVAL, "'%.64s' makes an empty command", words[0]);
	return err;
}

/* Adds a pair, or gives the one with that key another value, which is taken in any case. */
static int set_pair(struct scenario_pairs *pairs, size_t room, const char *key, char *value)
{
	const struct scenario_pair *same = scenario_pairs_find(pairs, key, strlen(key));
	struct scenario_pair *pair;
	char *copy;

	if (same) {
		pair = &pairs->list[same - pairs->list];
		free(pair->value);
		pair->value = value;
		return 0;
	}
	copy = pairs->n < room ? strdup(key) : NULL;
	if (!copy || !value) {
		free(copy);
		free(value);
		return no_memory();
	}
	pairs->list[pairs->n++] = (struct scenario_pair){ .key = copy, .value = value };
	return 0;
}

static int fill_pairs(struct making *m, const struct scenario_pairs *from, size_t room,
		      struct scenario_pairs *ret)
{
	size_t i;
	int err = 0;

	for (i = 0; i < from->n && !err; i++) {
		char *value = NULL;

		err = fill_text(m, from->list[i].value, &value);
		if (!err)
			err = set_pair(ret, room, from->list[i].key, value);
	}
	return err;
}

static int fill_env(struct making *m, struct scenario_case *c)
{
	size_t room = m->s->env.n + (m->variant ? m->variant->env.n : 0);
	int err;

	if (!room)
		return 0;
	c->env.list = calloc(room, sizeof(*c->env.list));
	if (!c->env.list)
		return no_memory();
	err = fill_pairs(m, &m->s->env, room, &c->env);
	if (!err && m->variant)
		err = fill_pairs(m, &m->variant->env, room, &c->env);
	return err;
}

/* --- names --------------------------------------------------------------------------------- */

/* Values of the matrix: cell number 'cell' counts the last axis fastest. */
static int fill_parameters(struct making *m, size_t cell, struct scenario_case *c)
{
	size_t room = m->s->n_matrix + (m->variant ? m->variant->parameters.n : 0), i, step = 1;
	struct scenario_pairs *p = &c->parameters;
	int err = 0;

	if (!room)
		return 0;
	p->list = calloc(room, sizeof(*p->list));
	if (!p->list)
		return no_memory();
	for (i = 0; i < m->s->n_matrix; i++)
		step *= m->s->matrix[i].n_values;
	for (i = 0; i < m->s->n_matrix && !err; i++) {
		const struct scenario_axis *axis = &m->s->matrix[i];

		step /= axis->n_values;
		err = set_pair(p, room, axis->name,
			       strdup(axis->values[cell / step % axis->n_values]));
	}
	return !err && m->variant ? fill_pairs(m, &m->variant->parameters, room, p) : err;
}

static int fill_names(const struct making *m, struct scenario_case *c)
{
	_cleanup_(str_release) struct str name = { 0 };
	size_t i;

	for (i = 0; i < m->s->n_matrix && i < c->parameters.n; i++) {
		if (str_addf(&name, "%s%s", i ? "." : "", c->parameters.list[i].value))
			return no_memory();
	}
	c->cell = strdup(str_text(&name));
	if (m->variant) {
		c->variant = strdup(m->variant->name);
		if (!c->variant || str_addf(&name, "%s%s", name.len ? "." : "", c->variant))
			return no_memory();
	}
	c->name = strdup(str_text(&name));
	if (!c->cell || !c->name)
		return no_memory();
	/* It names files; 255 is the most that file systems take. */
	if (name.len > 200)
		return errf(-EINVAL, "the case '%.80s...' has a name of more than 200 bytes",
			    c->name);
	return 0;
}

/* --- what a case consists of --------------------------------------------------------------- */

static int check_pattern(const char *pattern, size_t groups)
{
	return strstr(pattern, SCRATCH_MARK) ? 0 : pattern_check(pattern, groups);
}

static int fill_metrics(struct making *m, struct scenario_case *c)
{
	size_t i;
	int err = 0;

	if (!m->s->n_metrics)
		return 0;
	c->metrics = calloc(m->s->n_metrics, sizeof(*c->metrics));
	if (!c->metrics)
		return no_memory();
	c->n_metrics = m->s->n_metrics;
	for (i = 0; i < c->n_metrics && !err; i++) {
		const struct scenario_metric *from = &m->s->metrics[i];
		struct scenario_metric *to = &c->metrics[i];

		to->better = from->better;
		to->source = from->source;
		to->aggregate = from->aggregate;
		to->is_informative = from->is_informative;
		to->name = strdup(from->name);
		to->unit = strdup(from->unit);
		if (!to->name || !to->unit || (from->from && !(to->from = strdup(from->from))))
			return no_memory();
		err = fill_path(m, from->file, c->workdir, &to->file);
		if (!err)
			err = fill_text(m, from->pattern, &to->pattern);
		if (!err && to->source == METRIC_REGEX && to->pattern)
			err = check_pattern(to->pattern, 1);
	}
	return err;
}

static int fill_subject(struct making *m, struct scenario_case *c)
{
	char *const *command =
		m->variant && m->variant->command ? m->variant->command : m->s->subject.command;
	int err = fill_words(m, command, &c->subject.command);

	c->subject.pid = m->s->subject.pid;
	return err ? err : fill_text(m, m->s->subject.cgroup, &c->subject.cgroup);
}

static int fill_ready(struct making *m, struct scenario_case *c)
{
	const struct scenario_ready *from = &m->s->ready;
	int err;

	c->ready.kind = from->kind;
	c->ready.port = from->port;
	c->ready.stop = from->stop;
	if (from->kind == READY_FILE)
		return fill_path(m, from->text, c->workdir, &c->ready.text);
	err = fill_text(m, from->text, &c->ready.text);
	return !err && c->ready.text ? check_pattern(c->ready.text, 0) : err;
}

static int fill_oracle(struct making *m, struct scenario_case *c)
{
	const struct scenario_oracle *from = &m->s->oracle;
	int err = fill_path(m, from->file, c->workdir, &c->oracle.file);

	c->oracle.is_given = from->is_given;
	if (!err)
		err = fill_text(m, from->sha256, &c->oracle.sha256);
	return err ? err : fill_path(m, from->expected, m->s->folder, &c->oracle.expected);
}

static int fill_workdir(struct making *m, struct scenario_case *c)
{
	const char *workdir =
		m->variant && m->variant->workdir ? m->variant->workdir : m->s->workdir;

	return fill_path(m, workdir ? workdir : "${scenario_dir}", m->s->folder, &c->workdir);
}

static int make_case(const struct scenario *s, size_t cell, const struct scenario_variant *variant,
		     struct scenario_case *c)
{
	struct making m = { .s = s, .variant = variant, .parameters = &c->parameters };
	int err = fill_parameters(&m, cell, c);

	if (!err)
		err = fill_names(&m, c);
	if (!err)
		err = fill_workdir(&m, c);
	if (!err)
		err = fill_subject(&m, c);
	if (!err)
		err = fill_env(&m, c);
	if (!err)
		err = fill_words(&m, s->setup, &c->setup);
	if (!err)
		err = fill_words(&m, s->teardown, &c->teardown);
	if (!err)
		err = fill_words(&m, s->before_each, &c->before_each);
	if (!err)
		err = fill_words(&m, s->verify, &c->verify);
	if (!err)
		err = fill_ready(&m, c);
	if (!err)
		err = fill_oracle(&m, c);
	if (!err)
		err = fill_metrics(&m, c);
	c->needs_scratch = m.uses_scratch;
	return err;
}

static void case_release(struct scenario_case *c)
{
	free(c->name);
	free(c->cell);
	free(c->variant);
	scenario_pairs_release(&c->parameters);
	scenario_subject_release(&c->subject);
	free(c->workdir);
	scenario_pairs_release(&c->env);
	scenario_words_free(c->setup);
	scenario_words_free(c->teardown);
	scenario_words_free(c->before_each);
	scenario_words_free(c->verify);
	free(c->ready.text);
	scenario_oracle_release(&c->oracle);
	scenario_metrics_free(c->metrics, c->n_metrics);
}

void scenario_cases_keep(struct scenario_cases *c,
			 bool (*keep)(void *ctx, const struct scenario_case *c), void *ctx)
{
	size_t i, kept = 0;

	for (i = 0; i < c->n; i++) {
		if (keep(ctx, &c->list[i]))
			c->list[kept++] = c->list[i];
		else
			case_release(&c->list[i]);
	}
	c->n = kept;
}

void scenario_cases_free(struct scenario_cases *c)
{
	size_t i;

	if (!c)
		return;
	for (i = 0; i < c->n; i++)
		case_release(&c->list[i]);
	free(c->list);
	free(c);
}

/* --- which cases --------------------------------------------------------------------------- */

/* Number of the axis, or -EINVAL; of the value in it to *ret. */
static int find_value(const struct scenario *s, const struct scenario_pair *p, size_t *ret)
{
	size_t i, k;

	for (i = 0; i < s->n_matrix; i++) {
		if (strcmp(s->matrix[i].name, p->key))
			continue;
		for (k = 0; k < s->matrix[i].n_values; k++) {
			if (!strcmp(s->matrix[i].values[k], p->value)) {
				*ret = k;
				return (int)i;
			}
		}
		return errf(-EINVAL, "the parameter '%s' of '%s' has no value '%s'", p->key,
			    s->name, p->value);
	}
	return errf(-EINVAL, "the matrix of '%s' has no parameter '%s'", s->name, p->key);
}

static bool is_wanted(const struct scenario *s, size_t cell, const size_t *only)
{
	size_t i;

	for (i = s->n_matrix; i-- > 0; cell /= s->matrix[i].n_values) {
		if (only[i] != SIZE_MAX && only[i] != cell % s->matrix[i].n_values)
			return false;
	}
	return true;
}

static int find_variant(const struct scenario *s, const char *name)
{
	size_t i;

	for (i = 0; i < s->n_variants; i++) {
		if (!strcmp(s->variants[i].name, name))
			return (int)i;
	}
	return errf(-EINVAL, "'%s' has no variant '%s'", s->name, name);
}

static int check_distinct(const struct scenario_cases *c)
{
	size_t i, k;

	for (i = 1; i < c->n; i++) {
		for (k = 0; k < i; k++) {
			if (!strcmp(c->list[i].name, c->list[k].name))
				return errf(-EINVAL, "two cases have the same name, '%s'",
					    c->list[i].name);
		}
	}
	return 0;
}

static int make_cases(const struct scenario *s, size_t n_cells, const size_t *only, int variant,
		      struct scenario_cases *c)
{
	size_t n_variants = s->n_variants ? s->n_variants : 1, cell, v;
	int err;

	for (cell = 0; cell < n_cells; cell++) {
		for (v = 0; is_wanted(s, cell, only) && v < n_variants; v++) {
			if (variant >= 0 && v != (size_t)variant)
				continue;
			err = make_case(s, cell, s->n_variants ? &s->variants[v] : NULL,
					&c->list[c->n++]);
			if (err)
				return err;
		}
	}
	return check_distinct(c);
}

int scenario_cases_new(const struct scenario *s, const struct scenario_pair *only, size_t n_only,
		       const char *variant, struct scenario_cases **ret)
{
	_cleanup_(scenario_cases_freep) struct scenario_cases *c = calloc(1, sizeof(*c));
	_cleanup_(freep) size_t *wanted = calloc(s->n_matrix + 1, sizeof(*wanted));
	size_t n = s->n_variants ? s->n_variants : 1, i, value = 0;
	int axis, chosen = -1, err;

	if (!c || !wanted)
		return no_memory();
	for (i = 0; i < s->n_matrix; i++) {
		wanted[i] = SIZE_MAX;
		if (__builtin_mul_overflow(n, s->matrix[i].n_values, &n) || n > SCENARIO_MAX_CASES)
			return errf(-EINVAL, "'%s' has more than %d cases", s->name,
				    SCENARIO_MAX_CASES);
	}
	for (i = 0; i < n_only; i++) {
		axis = find_value(s, &only[i], &value);
		if (axis < 0)
			return axis;
		if (wanted[axis] != SIZE_MAX && wanted[axis] != value)
			return errf(-EINVAL, "the parameter '%s' cannot have two values at once",
				    only[i].key);
		wanted[axis] = value;
	}
	if (variant && (chosen = find_variant(s, variant)) < 0)
		return chosen;
	c->list = calloc(n, sizeof(*c->list));
	if (!c->list)
		return no_memory();
	err = make_cases(s, n / (s->n_variants ? s->n_variants : 1), wanted, chosen, c);
	if (err)
		return err;
	*ret = take(c);
	return 0;
}
