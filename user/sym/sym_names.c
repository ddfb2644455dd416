/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sym/sym_names.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/sym/demangle.h"

/* A name that had to be made: 'at' is a function's number, or the address that has none. */
struct name_key {
	uint64_t at;
	uint32_t owner;
	uint32_t is_address;
};

int sym_names_init(struct sym_names *s, enum demangle demangle)
{
	*s = (struct sym_names){ .demangle = demangle };
	keyset_init(&s->keys, sizeof(struct name_key));
	return strtab_init(&s->texts);
}

void sym_names_release(struct sym_names *s)
{
	keyset_release(&s->keys);
	strtab_release(&s->texts);
	name_arena_release(&s->arena);
	free(s->names);
	free(s->stable);
}

/* The name with that key, or NULL. */
static const char *name_find(const struct sym_names *s, const struct name_key *key)
{
	uint32_t i = keyset_find(&s->keys, key);

	return i == KEYSET_NONE ? NULL : s->names[i];
}

static const char *name_keep(struct sym_names *s, const struct name_key *key, const char *name)
{
	uint32_t i;

	if (!name || array_reserve(s->names, s->names_cap, s->keys.n + 1) ||
	    keyset_add(&s->keys, key, &i) < 0)
		return SYM_NO_MEMORY;
	s->names[i] = name;
	return name;
}

const char *sym_names_pretty(struct sym_names *s, uint32_t owner, uint64_t id, const char *raw)
{
	struct name_key key = { .owner = owner, .at = id };
	char text[NAME_MAX_BYTES + 1];
	const char *name;
	size_t len;

	if (s->demangle == DEMANGLE_NONE || !demangle_is_mangled(raw))
		return raw;
	name = name_find(s, &key);
	if (name)
		return name;
	len = demangle_name(raw, s->demangle, text, sizeof(text));
	return name_keep(s, &key, len ? name_arena_add(&s->arena, text, len) : raw);
}

const char *sym_names_offset(struct sym_names *s, uint32_t owner, const char *base, uint64_t offset)
{
	struct name_key key = { .owner = owner, .at = offset, .is_address = 1 };
	char text[SYM_NAMES_BASE_MAX + 64];
	const char *name = name_find(s, &key);
	int len;

	if (name)
		return name;
	len = snprintf(text, sizeof(text), "[%.*s+0x%" PRIx64 "]", SYM_NAMES_BASE_MAX, base,
		       offset);
	return name_keep(s, &key, len < 0 ? NULL : name_arena_add(&s->arena, text, len));
}

const char *sym_names_intern(struct sym_names *s, const char *text, size_t len, uint32_t *ret)
{
	uint32_t n = s->texts.n, i;

	if (array_reserve(s->stable, s->stable_cap, (size_t)n + 1) ||
	    strtab_add_bytes(&s->texts, text, len, &i))
		return NULL;
	if (i == 0)
		s->stable[0] = "";
	else if (i == n)
		s->stable[i] = name_arena_add(&s->arena, text, len);
	*ret = i;
	return s->stable[i];
}
