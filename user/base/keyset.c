/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/base/keyset.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/hash.h"

void keyset_init(struct keyset *set, size_t key_size)
{
	*set = (struct keyset){ .key_size = key_size };
}

void keyset_release(struct keyset *set)
{
	free(set->keys);
	free(set->slots);
	keyset_init(set, set->key_size);
}

void keyset_clear(struct keyset *set)
{
	set->n = 0;
	if (set->n_slots)
		memset(set->slots, 0, set->n_slots * sizeof(*set->slots));
}

const void *keyset_key(const struct keyset *set, uint32_t i)
{
	return set->keys + i * set->key_size;
}

/* The slot that holds the key, or the empty one where it would go. The table is never full. */
static size_t slot_of(const struct keyset *set, const void *key, uint32_t hash)
{
	size_t mask = set->n_slots - 1, i;

	for (i = hash & mask; set->slots[i].number; i = (i + 1) & mask) {
		const struct keyset_slot *slot = &set->slots[i];

		if (slot->hash == hash &&
		    !memcmp(keyset_key(set, slot->number - 1), key, set->key_size))
			break;
	}
	return i;
}

static int grow(struct keyset *set)
{
	size_t n_slots = set->n_slots ? set->n_slots * 2 : 64, i, to;
	struct keyset_slot *slots = calloc(n_slots, sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	for (i = 0; i < set->n_slots; i++) {
		if (!set->slots[i].number)
			continue;
		to = set->slots[i].hash & (n_slots - 1);
		while (slots[to].number)
			to = (to + 1) & (n_slots - 1);
		slots[to] = set->slots[i];
	}
	free(set->slots);
	set->slots = slots;
	set->n_slots = n_slots;
	return 0;
}

int keyset_add(struct keyset *set, const void *key, uint32_t *ret)
{
	struct keyset_slot *slot;
	uint32_t hash;
	int err;

	if (set->n >= KEYSET_NONE - 1)
		return -EOVERFLOW;
	if (set->n * 3 >= set->n_slots * 2) {
		err = grow(set);
		if (err)
			return err;
	}
	hash = hash_bytes(key, set->key_size);
	slot = &set->slots[slot_of(set, key, hash)];
	if (slot->number) {
		*ret = slot->number - 1;
		return 0;
	}
	if (set->n >= set->cap) {
		void *keys = set->keys;

		err = array_reserve_bytes(&keys, &set->cap, set->n + 1, set->key_size);
		if (err)
			return err;
		set->keys = keys;
	}
	memcpy(set->keys + set->n * set->key_size, key, set->key_size);
	*ret = set->n++;
	*slot = (struct keyset_slot){ .hash = hash, .number = set->n };
	return 1;
}

uint32_t keyset_find(const struct keyset *set, const void *key)
{
	if (!set->n_slots)
		return KEYSET_NONE;
	/* An empty slot's 0 wraps to KEYSET_NONE. */
	return set->slots[slot_of(set, key, hash_bytes(key, set->key_size))].number - 1;
}
