/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ksyms: the kernel's functions by address, modules and BPF programs among them, from
 * /proc/kallsyms ("ffffffffc0a1b2c0 t nft_do_chain\t[nf_tables]"; kernel/kallsyms.c, s_show).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/base/cleanup.h"

struct ksyms;

/*
 * Reads all of 'path'. Lines that are not understood and a last line without newline are left
 * out. -EACCES if all addresses are hidden (kernel.kptr_restrict), -ENODATA if there is no
 * function in it, -EFBIG, -ENOMEM, or what open and read say.
 */
int ksyms_load(const char *path, struct ksyms **ret);
/* The same from a descriptor; 'name' is for the sentence. */
int ksyms_load_fd(int fd, const char *name, struct ksyms **ret);
void ksyms_free(struct ksyms *syms);
DEFINE_FREEP(struct ksyms, ksyms_free)

struct ksym {
	uint32_t id;	    /* the same for every address in the function */
	const char *name;   /* as the kernel has it; lives with the ksyms */
	const char *module; /* "[kernel]", "[nf_tables]", "[bpf]" */
	uint64_t offset;    /* bytes from the function's start */
};

/* False if the address is in no function that is known. */
bool ksyms_find(const struct ksyms *syms, uint64_t address, struct ksym *ret);

/* Number of functions. */
size_t ksyms_count(const struct ksyms *syms);
