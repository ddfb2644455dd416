/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/gate.h"

static void case_release(struct gate_case *c)
{
	size_t i;

	free(c->cell);
	free(c->before_name);
	free(c->after_name);
	free(c->metrics);
	for (i = 0; i < c->n_functions; i++) {
		free(c->functions[i].collector);
		free(c->functions[i].reason);
		functions_comparison_free(c->functions[i].comparison);
	}
	for (i = 0; i < c->n_evidence; i++)
		free(c->evidence[i]);
	for (i = 0; i < c->n_notes; i++)
		free(c->notes[i]);
}

void gate_result_free(struct gate_result *g)
{
	size_t i;

	if (!g)
		return;
	free(g->explanation);
	free(g->next_command);
	free(g->scenario);
	free(g->policy);
	free(g->policy_version);
	free(g->preset);
	free(g->before_path);
	free(g->after_path);
	free(g->baseline_id);
	free(g->before_fingerprint);
	free(g->after_fingerprint);
	free(g->retry_note);
	free(g->slo.explanation);
	free(g->quality.explanation);
	for (i = 0; i < g->n_cases; i++)
		case_release(&g->cases[i]);
	free(g->cases);
	free(g);
}
