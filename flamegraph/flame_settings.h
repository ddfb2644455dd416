/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flame_settings: the options that every program has that draws flame graphs: those of
 * flamegraph.pl, with the same meaning (its --help and what it does), and ours.
 */
#pragma once

#include <getopt.h>
#include <stdbool.h>

#include "flamegraph/folded_stream.h"
#include "flamegraph/picture.h"

struct flame_settings {
	struct picture_options picture;
	struct folded_stream_options input;
	const char *output; /* NULL: standard output */
	bool uses_map;	    /* colours are kept in palette.map */
	bool has_colors, is_hashed;
	bool is_extract, is_json; /* no picture, but what is in one */
	bool is_quiet;
};

/* What getopt returns for a shared option is at least this; 'o' and 'q' stand for themselves. */
#define FLAME_SETTINGS_CODE 1000
#define FLAME_SETTINGS_MAX                                                     \
	64 /* options of a program, its own and the last one of zeros included \
	    */

void flame_settings_init(struct flame_settings *s);

/* Both, with the zeros that end them; 'own' ends with zeros, too. An own name goes before ours. */
void flame_settings_options(const struct option *own, struct option ret[FLAME_SETTINGS_MAX]);

/* What getopt returned, with its argument: 0, or -EINVAL or -ERANGE with a sentence. */
int flame_settings_take(struct flame_settings *s, int code, const char *argument);

/*
 * After the last option: what they mean together. Reads palette.map if it is asked for and there;
 * its bad lines are counted in *ret_bad. 0 or -errno with a sentence.
 */
int flame_settings_close(struct flame_settings *s, size_t *ret_bad);

/* Writes palette.map back, with the colours that were added, if it is asked for. */
int flame_settings_save_map(const struct flame_settings *s);

void flame_settings_release(struct flame_settings *s);

/* The lines of --help about the shared options. */
extern const char flame_settings_help[];
