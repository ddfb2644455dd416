/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * yaml_fields: makes a map of a YAML file into a struct by a table of its keys. A key that is not
 * in the table, a required one that is missing, a value of another kind or out of its bounds:
 * -EINVAL with "FILE:LINE:COLUMN: what is wrong". What was read before an error stays in the
 * target, whose owner frees it.
 */
#pragma once

#include <stdint.h>

#include "user/bench/yaml_tree.h"

struct yaml_field;

/* Reads 'value' into *target, whose type the reader says. */
typedef int yaml_reader(const struct yaml_tree *t, const struct yaml_item *value,
			const struct yaml_field *f, void *target);

struct yaml_field {
	const char *key; /* NULL: end of the table */
	yaml_reader *read;
	size_t offset; /* of the target in the struct */
	bool is_required;
	double min, max;	    /* of a number in the target's unit */
	const char *const *choices; /* names of an enum's values from 0, NULL at the end */
	yaml_reader *of;	    /* for readers of what has this in it */
};

/* A field of 'struct type'; what else there is to say of it follows by name. */
#define YAML_FIELD(name, reader, type, member, ...)                                   \
	{                                                                             \
		.key = name, .read = reader, .offset = offsetof(struct type, member), \
		##__VA_ARGS__                                                         \
	}

int yaml_read_map(const struct yaml_tree *t, const struct yaml_item *map, const char *what,
		  const struct yaml_field *fields, void *target);

/* The same without a look at what is missing. */
int yaml_read_keys(const struct yaml_tree *t, const struct yaml_item *map, const char *what,
		   const struct yaml_field *fields, void *target);

/*
 * Each item of a list, or each value of a map, into a zeroed struct of 'size' bytes of the array
 * *ret, which together with *ret_n is set at once: their owner frees what was read. 'read' makes
 * one item.
 */
typedef int yaml_item_reader(const struct yaml_tree *t, const struct yaml_item *item, void *target);
int yaml_read_each(const struct yaml_tree *t, const struct yaml_item *value, const char *what,
		   enum yaml_kind kind, size_t size, yaml_item_reader *read, void *ret,
		   size_t *ret_n);

/* -EINVAL unless the value is of that kind and holds something. */
int yaml_expect(const struct yaml_tree *t, const struct yaml_item *value, const char *what,
		enum yaml_kind kind);

/* A key, or a text: -EINVAL unless it is [A-Za-z_][A-Za-z0-9_]*, at most 64. */
int yaml_read_identifier(const struct yaml_tree *t, const struct yaml_item *item, const char *what,
			 char **ret);
/* The same for the names that yaml_read_name() takes. */
int yaml_read_name_of(const struct yaml_tree *t, const struct yaml_item *item, const char *what,
		      char **ret);

/* Into char *, owned by the target, which is NULL or owned before. */
yaml_reader yaml_read_text;	 /* on one line, not empty */
yaml_reader yaml_read_paragraph; /* on many lines that become one */
yaml_reader yaml_read_name;	 /* [A-Za-z0-9][A-Za-z0-9._-]*, at most 64 */
yaml_reader yaml_read_word;	 /* anything, "" too */

yaml_reader yaml_read_words;	/* char **: list of words with an end; the first is not empty */
yaml_reader yaml_read_names;	/* the same of names, none twice */
yaml_reader yaml_read_bool;	/* bool: true or false */
yaml_reader yaml_read_int;	/* int */
yaml_reader yaml_read_uint64;	/* uint64_t */
yaml_reader yaml_read_number;	/* double */
yaml_reader yaml_read_share;	/* double: 0.03 or "3%" */
yaml_reader yaml_read_duration; /* uint64_t, ns: "30s"; us, ms, s, m, h */
yaml_reader yaml_read_seconds;	/* double, s: the same */
yaml_reader yaml_read_bytes;  /* uint64_t: 1024, "512MiB", "2G": K, M, G, T and KiB.. are powers of
				 1024, kB, MB, GB, TB of 1000 */
yaml_reader yaml_read_choice; /* unsigned int, or an enum: place in 'choices' */
