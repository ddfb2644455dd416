/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dump: a moment of a running program, taken by perf: registers, its stack from the stack pointer
 * on, and what it had mapped. Both walks start from the same dump.
 */
#pragma once

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/wire.h"
#include "user/base/cleanup.h"

struct mapping {
	uint64_t start, end, pgoff, ino;
	char *path; /* "" for anonymous memory */
};

/* What /proc/PID/maps said of executable mappings; the dumps that it holds for share it. */
struct maps {
	char *text;
	struct mapping *v; /* in the order of addresses */
	size_t n;
	void *own, *libdw; /* of the two walks, see there */
};

struct dump {
	uint32_t pid, tid;
	uint64_t pc, sp;
	uint64_t regs[FT_REGS]; /* by DWARF number */
	uint8_t *stack;
	size_t stack_bytes;
	struct maps *maps;
};

struct dumps {
	struct dump *v;
	size_t n, cap;
	struct maps **maps;
	size_t n_maps, maps_cap;
	size_t gone; /* samples whose process had ended before its mappings could be read */
};

void dumps_release(struct dumps *dumps);

/* Parses the text of a maps file, which becomes the result's. 0 or -ENOMEM. */
int maps_parse(char *text, struct maps **ret);

/* The mapping of an address, or NULL. */
const struct mapping *maps_find(const struct maps *maps, uint64_t address);

/*
 * What to add to the virtual addresses of the file to have those in memory: by the executable
 * segment that the mapping shows the pages of. False if it shows none.
 */
struct elf_image;
bool mapping_bias(const struct mapping *m, const struct elf_image *image, uint64_t *ret);

/* Copies 'size' bytes of the stack: false if it does not have all of them. */
bool dump_read(const struct dump *dump, void *to, size_t size, uint64_t from);

struct dump_options {
	unsigned int rate_hz;
	unsigned int stack_bytes;
	size_t max;	      /* dumps; the command is ended when there are so many */
	unsigned int skip_ms; /* from its start, in which no dumps are kept */
	const char *comm;     /* of which threads, NULL: all */
};

/* Runs a command and takes dumps of it and its children. 0 or -errno with a sentence. */
int dumps_take(const struct dump_options *options, char *const *argv, struct dumps *ret);

/* A stack, innermost pc first, then return addresses. */
struct frames {
	uint64_t pcs[FT_MAX_FRAMES];
	bool interrupted[FT_MAX_FRAMES]; /* by a signal, of fathom's walk */
	uint32_t n;
	uint32_t end; /* FT_END_* of fathom's walk; of libdw's, FT_END_ROOT or FT_END_NONE */
	char why[80]; /* libdw's reason, if it was none of its ends */
};
