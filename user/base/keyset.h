/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keyset: a set of keys of one size that numbers them 0, 1, 2, ... in the order of their arrival,
 * so that what belongs to a key can live in a plain array beside the set. Keys are compared
 * byte by byte: zero the padding.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct keyset_slot {
	uint32_t hash;	 /* low half of the key's; spares most looks at keys that differ */
	uint32_t number; /* of the key, + 1; 0 for an empty slot */
};

struct keyset {
	size_t key_size;
	size_t n; /* keys in the set */
	unsigned char *keys;
	size_t cap;
	struct keyset_slot *slots;
	size_t n_slots; /* a power of two, or 0 */
};

#define KEYSET_NONE UINT32_MAX

void keyset_init(struct keyset *set, size_t key_size);
void keyset_release(struct keyset *set);
void keyset_clear(struct keyset *set);

/*
 * Finds the key or adds it; *ret is its number. Returns 1 if it was added, 0 if it was there,
 * -ENOMEM, or -EOVERFLOW beyond 2^32 - 2 keys.
 */
int keyset_add(struct keyset *set, const void *key, uint32_t *ret);

/* The key's number, or KEYSET_NONE. */
uint32_t keyset_find(const struct keyset *set, const void *key);

/* Key number i; valid until the next keyset_add. */
const void *keyset_key(const struct keyset *set, uint32_t i);
