/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/unwind/rules.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

struct unwind_rules {
	struct ft_unwind_rule *storage;
	uint32_t n, max;
	uint32_t *slots; /* number + 1; 0 for an empty slot */
	uint32_t n_slots;
};

#define FIRST_SLOTS 4096 /* a power of two; all files of a machine have some 2,000 rules */

static uint32_t hash(const struct ft_unwind_rule *rule)
{
	uint64_t a, b;

	memcpy(&a, rule, sizeof(a));
	memcpy(&b, (const char *)rule + sizeof(a), sizeof(b));
	a = (a ^ b * 0x9e3779b97f4a7c15ull) * 0xd6e8feb86659fd93ull;
	return a >> 32;
}

/* The slot that has the rule, or the empty one where it would go. The table is never full. */
static uint32_t *slot_of(const struct unwind_rules *rules, const struct ft_unwind_rule *rule)
{
	uint32_t mask = rules->n_slots - 1, i;

	for (i = hash(rule) & mask; rules->slots[i]; i = (i + 1) & mask) {
		if (!memcmp(&rules->storage[rules->slots[i] - 1], rule, sizeof(*rule)))
			break;
	}
	return &rules->slots[i];
}

static int grow(struct unwind_rules *rules)
{
	uint32_t n_slots = rules->n_slots ? rules->n_slots * 2 : FIRST_SLOTS, i;
	uint32_t *slots = calloc(n_slots, sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	free(rules->slots);
	rules->slots = slots;
	rules->n_slots = n_slots;
	for (i = 0; i < rules->n; i++)
		*slot_of(rules, &rules->storage[i]) = i + 1;
	return 0;
}

int unwind_rules_new(struct ft_unwind_rule *storage, uint32_t max, struct unwind_rules **ret)
{
	_cleanup_(unwind_rules_freep) struct unwind_rules *rules = calloc(1, sizeof(*rules));
	static const struct ft_unwind_rule no_cfi = { .cfa = FT_CFA_NONE };
	static const struct ft_unwind_rule root = { .cfa = FT_CFA_REG, .ra = FT_SAVED_UNDEFINED };
	uint16_t number;

	if (!rules || grow(rules))
		return -ENOMEM;
	rules->storage = storage;
	rules->max = max;
	if (unwind_rules_add(rules, &no_cfi, &number) || number != FT_RULE_NO_CFI ||
	    unwind_rules_add(rules, &root, &number) || number != FT_RULE_ROOT)
		return -ENOMEM;
	*ret = take(rules);
	return 0;
}

void unwind_rules_free(struct unwind_rules *rules)
{
	if (!rules)
		return;
	free(rules->slots);
	free(rules);
}

bool unwind_rules_find(const struct unwind_rules *rules, const struct ft_unwind_rule *rule,
		       uint16_t *ret)
{
	uint32_t slot = *slot_of(rules, rule);

	if (!slot)
		return false;
	*ret = slot - 1;
	return true;
}

int unwind_rules_add(struct unwind_rules *rules, const struct ft_unwind_rule *rule, uint16_t *ret)
{
	uint32_t *slot = slot_of(rules, rule);

	if (*slot) {
		*ret = *slot - 1;
		return 0;
	}
	if (rules->n >= rules->max)
		return -ENOSPC;
	if (rules->n * 2 >= rules->n_slots) {
		if (grow(rules))
			return -ENOMEM;
		slot = slot_of(rules, rule);
	}
	rules->storage[rules->n] = *rule;
	*ret = rules->n++;
	*slot = rules->n;
	return 0;
}

uint32_t unwind_rules_count(const struct unwind_rules *rules)
{
	return rules->n;
}
