/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * palette_classic: the colour schemes of flamegraph.pl (--colors): the same ranges of colours and
 * the same rules for names, from its documentation and what it draws. Colours are made of the name
 * alone, so that they are the same in each run.
 */
#pragma once

#include "flamegraph/palette.h"

/*
 * Any scheme but PALETTE_KIND and PALETTE_MODULE. Names that begin alike have colours that are
 * alike, unless 'is_random'.
 */
uint32_t palette_classic_color(enum palette_scheme scheme, bool is_random, uint32_t kind,
			       const char *name);

/* As palette_class(): only of the schemes that mix several colours. */
const char *palette_classic_class(enum palette_scheme scheme, uint32_t kind, const char *name,
				  uint32_t *ret_color);
