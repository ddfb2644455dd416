/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/base/strtab.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/hash.h"

int strtab_init(struct strtab *tab)
{
	uint32_t empty;

	*tab = (struct strtab){ 0 };
	return strtab_add_bytes(tab, "", 0, &empty);
}

void strtab_release(struct strtab *tab)
{
	free(tab->text);
	free(tab->starts);
	free(tab->slots);
	*tab = (struct strtab){ 0 };
}

const char *strtab_get(const struct strtab *tab, uint32_t i)
{
	return i < tab->n ? tab->text + tab->starts[i] : "";
}

static size_t slot_of(const struct strtab *tab, const char *text, size_t len)
{
	size_t i = hash_bytes(text, len) & (tab->n_slots - 1);

	for (; tab->slots[i]; i = (i + 1) & (tab->n_slots - 1)) {
		const char *have = strtab_get(tab, tab->slots[i] - 1);

		if (!strncmp(have, text, len) && !have[len])
			break;
	}
	return i;
}

static int grow(struct strtab *tab)
{
	size_t n_slots = tab->n_slots ? tab->n_slots * 2 : 64;
	uint32_t *slots = calloc(n_slots, sizeof(*slots)), i;

	if (!slots)
		return -ENOMEM;
	free(tab->slots);
	tab->slots = slots;
	tab->n_slots = n_slots;
	for (i = 0; i < tab->n; i++) {
		const char *text = strtab_get(tab, i);

		slots[slot_of(tab, text, strlen(text))] = i + 1;
	}
	return 0;
}

int strtab_add_bytes(struct strtab *tab, const char *text, size_t len, uint32_t *ret)
{
	size_t slot;

	len = strnlen(text, len);
	if (tab->n >= UINT32_MAX - 1)
		return -EOVERFLOW;
	if ((size_t)tab->n * 3 >= tab->n_slots * 2 && grow(tab))
		return -ENOMEM;
	slot = slot_of(tab, text, len);
	if (tab->slots[slot]) {
		*ret = tab->slots[slot] - 1;
		return 0;
	}
	if (array_reserve(tab->text, tab->cap, tab->len + len + 1) ||
	    array_reserve(tab->starts, tab->starts_cap, (size_t)tab->n + 1))
		return -ENOMEM;
	memcpy(tab->text + tab->len, text, len);
	tab->text[tab->len + len] = '\0';
	tab->starts[tab->n] = tab->len;
	tab->len += len + 1;
	*ret = tab->n++;
	tab->slots[slot] = tab->n;
	return 0;
}

int strtab_add(struct strtab *tab, const char *text, uint32_t *ret)
{
	return strtab_add_bytes(tab, text, strlen(text), ret);
}

uint32_t strtab_find(const struct strtab *tab, const char *text)
{
	return tab->n_slots ? tab->slots[slot_of(tab, text, strlen(text))] - 1 : UINT32_MAX;
}
