/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/scenario.h"

#include <stdlib.h>
#include <string.h>

#include "user/bench/scenario_parts.h"

void scenario_words_free(char **words)
{
	char **w;

	for (w = words; w && *w; w++)
		free(*w);
	free(words);
}

void scenario_pairs_release(struct scenario_pairs *pairs)
{
	size_t i;

	for (i = 0; i < pairs->n; i++) {
		free(pairs->list[i].key);
		free(pairs->list[i].value);
	}
	free(pairs->list);
	*pairs = (struct scenario_pairs){ 0 };
}

void scenario_subject_release(struct scenario_subject *s)
{
	scenario_words_free(s->command);
	free(s->cgroup);
}

void scenario_oracle_release(struct scenario_oracle *o)
{
	free(o->file);
	free(o->sha256);
	free(o->expected);
}

void scenario_metrics_free(struct scenario_metric *metrics, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		free(metrics[i].name);
		free(metrics[i].unit);
		free(metrics[i].from);
		free(metrics[i].file);
		free(metrics[i].pattern);
	}
	free(metrics);
}

static void free_lists(struct scenario *s)
{
	size_t i;

	for (i = 0; i < s->n_matrix; i++) {
		free(s->matrix[i].name);
		scenario_words_free(s->matrix[i].values);
	}
	free(s->matrix);
	for (i = 0; i < s->n_variants; i++) {
		free(s->variants[i].name);
		scenario_pairs_release(&s->variants[i].parameters);
		scenario_pairs_release(&s->variants[i].env);
		scenario_words_free(s->variants[i].command);
		free(s->variants[i].workdir);
	}
	free(s->variants);
	for (i = 0; i < s->n_components; i++) {
		free(s->components[i].name);
		free(s->components[i].symbol);
	}
	free(s->components);
	for (i = 0; i < s->n_slo; i++)
		free(s->slo[i].metric);
	free(s->slo);
	for (i = 0; i < s->n_gates; i++)
		free(s->gates[i].metric);
	free(s->gates);
}

void scenario_free(struct scenario *s)
{
	if (!s)
		return;
	free_lists(s);
	free(s->path);
	free(s->text);
	free(s->folder);
	free(s->name);
	free(s->description);
	scenario_words_free(s->tags);
	scenario_subject_release(&s->subject);
	free(s->workdir);
	scenario_pairs_release(&s->env);
	scenario_words_free(s->setup);
	scenario_words_free(s->teardown);
	scenario_words_free(s->before_each);
	free(s->ready.text);
	scenario_words_free(s->verify);
	scenario_oracle_release(&s->oracle);
	scenario_words_free(s->collectors);
	free(s->iterations);
	scenario_metrics_free(s->metrics, s->n_metrics);
	free(s);
}

bool scenario_gates_metric(const struct scenario *s, const char *name)
{
	size_t i;

	for (i = 0; i < s->n_metrics; i++) {
		if (!strcmp(s->metrics[i].name, name))
			return !s->metrics[i].is_informative;
	}
	return false;
}
