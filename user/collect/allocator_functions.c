/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/allocator_functions.h"

#include <string.h>

#include "user/base/array.h"

/*
 * Sources: malloc(3), posix_memalign(3); jemalloc(3) 5.3 (mallocx, rallocx, dallocx, sdallocx);
 * gperftools 2.10 (gperftools/tcmalloc.h); mimalloc 2.0 (mimalloc.h); C23, 7.24.3 (free_sized).
 */
static const struct {
	const char *name;
	enum alloc_function function;
	enum alloc_owner owner;
} functions[] = {
	{ "malloc", ALLOC_MALLOC, ALLOC_OF_ANY },
	{ "valloc", ALLOC_MALLOC, ALLOC_OF_ANY },
	{ "pvalloc", ALLOC_MALLOC, ALLOC_OF_ANY },
	{ "calloc", ALLOC_CALLOC, ALLOC_OF_ANY },
	{ "realloc", ALLOC_REALLOC, ALLOC_OF_ANY },
	{ "reallocarray", ALLOC_REALLOCARRAY, ALLOC_OF_ANY },
	{ "posix_memalign", ALLOC_POSIX_MEMALIGN, ALLOC_OF_ANY },
	{ "aligned_alloc", ALLOC_MEMALIGN, ALLOC_OF_ANY },
	{ "memalign", ALLOC_MEMALIGN, ALLOC_OF_ANY },
	{ "free", ALLOC_FREE, ALLOC_OF_ANY },
	{ "cfree", ALLOC_FREE, ALLOC_OF_ANY },
	{ "free_sized", ALLOC_FREE, ALLOC_OF_ANY },
	{ "free_aligned_sized", ALLOC_FREE, ALLOC_OF_ANY },

	{ "mallocx", ALLOC_MALLOC, ALLOC_OF_JEMALLOC },
	{ "rallocx", ALLOC_REALLOC, ALLOC_OF_JEMALLOC },
	{ "dallocx", ALLOC_FREE, ALLOC_OF_JEMALLOC },
	{ "sdallocx", ALLOC_FREE, ALLOC_OF_JEMALLOC },

	{ "new", ALLOC_MALLOC, ALLOC_OF_TCMALLOC },
	{ "new_nothrow", ALLOC_MALLOC, ALLOC_OF_TCMALLOC },
	{ "newarray", ALLOC_MALLOC, ALLOC_OF_TCMALLOC },
	{ "newarray_nothrow", ALLOC_MALLOC, ALLOC_OF_TCMALLOC },
	{ "delete", ALLOC_FREE, ALLOC_OF_TCMALLOC },
	{ "delete_sized", ALLOC_FREE, ALLOC_OF_TCMALLOC },
	{ "deletearray", ALLOC_FREE, ALLOC_OF_TCMALLOC },
	{ "deletearray_sized", ALLOC_FREE, ALLOC_OF_TCMALLOC },

	{ "zalloc", ALLOC_MALLOC, ALLOC_OF_MIMALLOC },
	{ "malloc_small", ALLOC_MALLOC, ALLOC_OF_MIMALLOC },
	{ "zalloc_small", ALLOC_MALLOC, ALLOC_OF_MIMALLOC },
	{ "malloc_aligned", ALLOC_MALLOC, ALLOC_OF_MIMALLOC },
	{ "zalloc_aligned", ALLOC_MALLOC, ALLOC_OF_MIMALLOC },
	{ "mallocn", ALLOC_CALLOC, ALLOC_OF_MIMALLOC },
	{ "calloc_aligned", ALLOC_CALLOC, ALLOC_OF_MIMALLOC },
	{ "reallocf", ALLOC_REALLOC, ALLOC_OF_MIMALLOC },
	{ "realloc_aligned", ALLOC_REALLOC, ALLOC_OF_MIMALLOC },
	{ "reallocn", ALLOC_REALLOCARRAY, ALLOC_OF_MIMALLOC },
	{ "new", ALLOC_MALLOC, ALLOC_OF_MIMALLOC },
	{ "new_nothrow", ALLOC_MALLOC, ALLOC_OF_MIMALLOC },
	{ "new_aligned", ALLOC_MALLOC, ALLOC_OF_MIMALLOC },
	{ "new_aligned_nothrow", ALLOC_MALLOC, ALLOC_OF_MIMALLOC },
	{ "new_n", ALLOC_CALLOC, ALLOC_OF_MIMALLOC },
	{ "new_realloc", ALLOC_REALLOC, ALLOC_OF_MIMALLOC },
	{ "new_reallocn", ALLOC_REALLOCARRAY, ALLOC_OF_MIMALLOC },
	{ "free_size", ALLOC_FREE, ALLOC_OF_MIMALLOC },
	{ "free_aligned", ALLOC_FREE, ALLOC_OF_MIMALLOC },
	{ "free_size_aligned", ALLOC_FREE, ALLOC_OF_MIMALLOC },
};

/* Operators of C++ (Itanium C++ ABI, 5.1.5); whatever follows the first argument. */
static const char *const news[] = { "_Znwm", "_Znam" }, *const deletes[] = { "_ZdlPv", "_ZdaPv" };
static const char *const more_of_operators[] = { "",
						 "m",
						 "RKSt9nothrow_t",
						 "St11align_val_t",
						 "mSt11align_val_t",
						 "St11align_val_tRKSt9nothrow_t" };

static const struct {
	const char *prefix;
	enum alloc_owner owner;
} prefixes[] = {
	{ "", ALLOC_OF_ANY },
	{ "je_", ALLOC_OF_JEMALLOC },
	{ "_rjem_", ALLOC_OF_JEMALLOC }, /* Rust's */
	{ "tc_", ALLOC_OF_TCMALLOC },
	{ "mi_", ALLOC_OF_MIMALLOC },
};

/* The surest first: mimalloc and musl have some of glibc's names. */
static const struct {
	const char *symbol, *kind;
	enum alloc_owner owner;
	bool is_libc;
} marks[] = {
	{ "mallocx", "jemalloc", ALLOC_OF_JEMALLOC, false },
	{ "je_mallocx", "jemalloc", ALLOC_OF_JEMALLOC, false },
	{ "_rjem_mallocx", "jemalloc", ALLOC_OF_JEMALLOC, false },
	{ "tc_malloc", "tcmalloc", ALLOC_OF_TCMALLOC, false },
	{ "TCMallocInternalMalloc", "tcmalloc", ALLOC_OF_TCMALLOC, false },
	{ "mi_malloc", "mimalloc", ALLOC_OF_MIMALLOC, false },
	{ "__libc_malloc_impl", "musl", ALLOC_OF_ANY, true },
	{ "__dls3", "musl", ALLOC_OF_ANY, true },
	{ "__libc_malloc", "glibc", ALLOC_OF_ANY, true },
};

static bool is_operator(const char *name, const char *const *starts, size_t n)
{
	size_t i, j, len;

	for (i = 0; i < n; i++) {
		len = strlen(starts[i]);
		if (strncmp(name, starts[i], len) != 0)
			continue;
		for (j = 0; j < ARRAY_SIZE(more_of_operators); j++) {
			if (!strcmp(name + len, more_of_operators[j]))
				return true;
		}
	}
	return false;
}

static bool find_plain(const char *name, enum alloc_owner owner, bool is_prefixed,
		       struct alloc_name *ret)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(functions); i++) {
		enum alloc_owner of = functions[i].owner;

		if (strcmp(name, functions[i].name) != 0 || (of != ALLOC_OF_ANY && of != owner))
			continue;
		/* Without its prefix, "new" or "zalloc" is anybody's. jemalloc's may have none. */
		if (of != ALLOC_OF_ANY && of != ALLOC_OF_JEMALLOC && !is_prefixed)
			continue;
		*ret = (struct alloc_name){ functions[i].function, false, is_prefixed };
		return true;
	}
	return false;
}

bool alloc_name_find(const char *name, enum alloc_owner owner, struct alloc_name *ret)
{
	size_t i, len;

	for (i = 0; i < ARRAY_SIZE(prefixes); i++) {
		len = strlen(prefixes[i].prefix);
		if ((prefixes[i].owner == ALLOC_OF_ANY || prefixes[i].owner == owner) &&
		    !strncmp(name, prefixes[i].prefix, len) &&
		    find_plain(name + len, owner, len > 0, ret))
			return true;
	}
	if (owner == ALLOC_OF_ANY)
		return false;
	if (is_operator(name, news, ARRAY_SIZE(news)))
		*ret = (struct alloc_name){ ALLOC_MALLOC, true, false };
	else if (is_operator(name, deletes, ARRAY_SIZE(deletes)))
		*ret = (struct alloc_name){ ALLOC_FREE, true, false };
	else
		return false;
	return true;
}

int alloc_mark_find(const char *symbol)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(marks); i++) {
		if (!strcmp(symbol, marks[i].symbol))
			return i;
	}
	return -1;
}

const char *alloc_mark_kind(int mark, enum alloc_owner *ret_owner, bool *ret_is_libc)
{
	bool is_known = mark >= 0 && (size_t)mark < ARRAY_SIZE(marks);

	*ret_owner = is_known ? marks[mark].owner : ALLOC_OF_ANY;
	*ret_is_libc = is_known && marks[mark].is_libc;
	return is_known ? marks[mark].kind : "malloc";
}

unsigned int alloc_function_args(enum alloc_function function)
{
	static const unsigned int args[] = {
		[ALLOC_MALLOC] = 1,	  [ALLOC_CALLOC] = 2,	      [ALLOC_REALLOC] = 2,
		[ALLOC_REALLOCARRAY] = 3, [ALLOC_POSIX_MEMALIGN] = 3, [ALLOC_MEMALIGN] = 2,
		[ALLOC_FREE] = 1,
	};

	return args[function];
}
