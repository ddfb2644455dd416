/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * settings: what the environment says, in one variable:
 *
 *	FATHOM_ALLOC=interval=524288,seed=1,maps=1,follow=0
 *
 *	interval	mean bytes from one kept block to the next, 1 to 2^40; 1: every block.
 *Needed seed		of the draws; else the kernel's random numbers
 *	maps		1: anonymous mmap as well; 0 is meant
 *	known		path of the recorder's file that says what it knows of (shim/settle.h)
 *	follow		0: programs that this one starts do without; 1 is meant
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define SETTINGS_VARIABLE     "FATHOM_ALLOC"
#define SETTINGS_MAX_INTERVAL (1ull << 40)

struct settings {
	uint64_t interval_bytes;
	uint64_t seed;
	bool has_seed;
	bool maps;
	bool follow;
	char known[128]; /* "": none */
};

/* False if anything of it is not understood; *ret untouched then. */
bool settings_parse(const char *text, struct settings *ret);

/*
 * Takes this library out of LD_PRELOAD, where other entries stay, and FATHOM_ALLOC away, in the
 * environment's own strings.
 */
void settings_forget(char **environment, const char *library);
