/* SPDX-License-Identifier: BSD-2-Clause */
/* scenario_parts: what scenarios and their cases consist of, for those who make them. */
#pragma once

#include "user/bench/scenario.h"
#include "user/bench/yaml_tree.h"

/* All accept what is half made; NULL words are none. */
void scenario_words_free(char **words);
void scenario_pairs_release(struct scenario_pairs *pairs);
void scenario_subject_release(struct scenario_subject *s);
void scenario_oracle_release(struct scenario_oracle *o);
void scenario_metrics_free(struct scenario_metric *metrics, size_t n);

/* What the keys of a file cannot say one by one: -EINVAL as scenario_read(). */
int scenario_check(const struct yaml_tree *t, const struct scenario *s);
