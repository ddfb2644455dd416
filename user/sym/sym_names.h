/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sym_names: names as they are given out, each made once: demangled ones, stand-ins for code that
 * has none, and copies of texts that do not move.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "user/base/keyset.h"
#include "user/base/strtab.h"
#include "user/sym/name_arena.h"
#include "user/sym/sym.h"

#define SYM_NAMES_BASE_MAX 1024 /* bytes of a file's name in "[name+0x1234]" */
#define SYM_NO_MEMORY	   "[no memory for this name]"

struct sym_names {
	enum demangle demangle;
	struct keyset keys;
	const char **names; /* by number in 'keys' */
	size_t names_cap;
	struct strtab texts; /* numbers for texts; 'stable' has them where they do not move */
	const char **stable;
	size_t stable_cap;
	struct name_arena arena;
};

/* 0 or -ENOMEM; to be released in both cases, or if it is all zeros. */
int sym_names_init(struct sym_names *s, enum demangle demangle);
void sym_names_release(struct sym_names *s);

/*
 * The demangled form of 'raw', which must live as long as this, or 'raw' if it has none. 'id' is
 * its number among those of 'owner'.
 */
const char *sym_names_pretty(struct sym_names *s, uint32_t owner, uint64_t id, const char *raw);

/* What stands for a name: "[base+0x1234]". Owners are numbered by the caller. */
const char *sym_names_offset(struct sym_names *s, uint32_t owner, const char *base,
			     uint64_t offset);

/* A copy of the text that stays, the same for the same text, and its number; NULL: no memory. */
const char *sym_names_intern(struct sym_names *s, const char *text, size_t len, uint32_t *ret);
