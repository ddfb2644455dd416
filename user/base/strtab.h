/* SPDX-License-Identifier: BSD-2-Clause */
/* strtab: each distinct string once, known by a number. Number 0 is the empty string. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct strtab {
	char *text; /* all strings, each with its NUL */
	size_t len, cap;
	size_t *starts; /* where string i begins */
	size_t starts_cap;
	uint32_t n;
	uint32_t *slots; /* string number + 1 */
	size_t n_slots;
};

/* 0 or -ENOMEM. */
int strtab_init(struct strtab *tab);
void strtab_release(struct strtab *tab);

/* The string's number in *ret, added if it is new. Strings end at a NUL. -ENOMEM, -EOVERFLOW. */
int strtab_add(struct strtab *tab, const char *text, uint32_t *ret);
int strtab_add_bytes(struct strtab *tab, const char *text, size_t len, uint32_t *ret);

/* The number of a string that is there, or UINT32_MAX. */
uint32_t strtab_find(const struct strtab *tab, const char *text);

/* String number i, "" for a number out of range. Valid until the next strtab_add. */
const char *strtab_get(const struct strtab *tab, uint32_t i);
