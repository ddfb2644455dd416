/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gate_evidence: what a verdict rests on and what to do next: differential flame graphs, in which
 * functions whose change is noise are grey, paths, and a command.
 */
#pragma once

#include "user/cmd/gate_session.h"

/*
 * Writes "CASE.COLLECTOR.diff.svg" for each comparison of functions into 'rf', which is to be
 * 'folder', and fills in the result's evidence and next command. 0 or -errno with a sentence.
 */
int gate_evidence_write(struct gate_session *s, const char *folder, struct run_folder *rf);
