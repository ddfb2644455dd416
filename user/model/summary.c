/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/model/summary.h"

#include <stdlib.h>

const char *const stack_end_names[STACK_ENDS] = {
	[STACK_END_NONE] = "no_user_stack",
	[STACK_END_ROOT] = "root_reached",
	[STACK_END_DEPTH] = "depth_limit",
	[STACK_END_NO_TABLE] = "no_table",
	[STACK_END_UNKNOWN_MAPPING] = "unknown_mapping",
	[STACK_END_READ_FAILED] = "read_failed",
	[STACK_END_RULE_UNSUPPORTED] = "rule_unsupported",
	[STACK_END_NO_CFI] = "no_cfi",
	[STACK_END_FRAME_POINTER] = "frame_pointer_broken",
};

void summary_add_note(struct collector_summary *c, const char *name, uint64_t n, const char *text)
{
	if (c->n_notes < SUMMARY_MAX_NOTES)
		c->notes[c->n_notes++] = (struct collector_note){ name, n, text };
}

void run_summary_release(struct run_summary *s)
{
	unsigned int i;

	free(s->host.kernel);
	free(s->host.architecture);
	free(s->host.cpu_model);
	free(s->host.governor);
	free(s->host.virtualization);
	free(s->host.fathom_version);
	for (i = 0; s->command && s->command[i]; i++)
		free(s->command[i]);
	free(s->command);
	free(s->target);
	for (i = 0; i < s->n_collectors; i++) {
		free(s->collectors[i].event);
		latency_free(s->collectors[i].latency);
		memory_free(s->collectors[i].memory);
	}
	*s = (struct run_summary){ 0 };
}
