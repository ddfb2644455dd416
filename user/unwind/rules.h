/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rules: unwinding rules, each kept once for all files of the machine, in memory that the kernel's
 * walk may read at the same time: a rule is written whole before its number is given out, and never
 * changes after that.
 */
#pragma once

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "bpf/wire.h"
#include "user/base/cleanup.h"

struct unwind_rules;

/*
 * 'storage' has room for 'max' rules (at most 65536), is the caller's, and outlives the rules. The
 * two rules that have fixed numbers (FT_RULE_NO_CFI, FT_RULE_ROOT) are put there. 0 or -ENOMEM.
 */
int unwind_rules_new(struct ft_unwind_rule *storage, uint32_t max, struct unwind_rules **ret);
void unwind_rules_free(struct unwind_rules *rules);
DEFINE_FREEP(struct unwind_rules, unwind_rules_free)

/* The rule's number. -ENOSPC if there is no room for another one, or -ENOMEM; no sentence. */
int unwind_rules_add(struct unwind_rules *rules, const struct ft_unwind_rule *rule, uint16_t *ret);

/* The rule's number if it is there already. */
bool unwind_rules_find(const struct unwind_rules *rules, const struct ft_unwind_rule *rule,
		       uint16_t *ret);

/* How many there are. */
uint32_t unwind_rules_count(const struct unwind_rules *rules);
