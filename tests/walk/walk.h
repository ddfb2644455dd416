/* SPDX-License-Identifier: BSD-2-Clause */
/* walk: from a dump to its frames, by two walks that have nothing in common but the dump. */
#pragma once

#include "tests/walk/dump.h"

/* By elfutils' libdwfl. 0 or -ENOMEM; a walk that fails has the frames that it came to. */
int libdw_walk(const struct dump *dump, struct frames *ret);
void libdw_release(struct maps *maps);

/* By bpf/unwind_step.h and the tables of user/unwind/. 0 or -ENOMEM. */
struct own_tables;
int own_tables_new(struct own_tables **ret);
void own_tables_free(struct own_tables *tables);
DEFINE_FREEP(struct own_tables, own_tables_free)

/* Told what a walk looks at, in the order in which it does. Either may be NULL. */
struct own_watcher {
	void *ctx;
	void (*on_read)(void *ctx, uint64_t from, uint32_t size, bool is_code, const void *data);
	/* 'pc' is what the rule is looked up by. */
	void (*on_step)(void *ctx, uint64_t pc);
};
int own_walk(struct own_tables *tables, const struct dump *dump, const struct own_watcher *watcher,
	     struct frames *ret);
void own_release(struct maps *maps);

/* Where the rule of an address comes from. */
struct own_place {
	const struct ft_unwind_mapping *at; /* NULL: there is no such mapping */
	const struct mapping *file;
	uint64_t address;		   /* virtual, in the file */
	const struct ft_unwind_page *page; /* NULL without a table; so are the others */
	const uint32_t *rows;		   /* of the page: page->n + 1 */
	const struct ft_unwind_rule *rule;
};
void own_find(struct own_tables *tables, const struct dump *dump, uint64_t pc,
	      struct own_place *ret);
/* All rules. */
const struct ft_unwind_rule *own_rules(const struct own_tables *tables);
/* The process's executable mappings; 'dump' has been walked. */
const struct ft_unwind_mapping *own_mappings(const struct dump *dump, size_t *ret_n);
