/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * palette: what colour a frame has. The same frame has the same colour in every picture. By default
 * its kind and module give the family, its module the hue within the family, its name a shade:
 *
 *	native user	orange		what is none of the others
 *	inlined		pale orange	inlined into its caller
 *	libc		lavender	the C library, its loader, the vDSO
 *	language runtime  teal		interpreters, virtual machines, runtime libraries, Go's
 *runtime JIT, interpreted  yellow	named by a runtime; Python's and Ruby's own frames kernel
 *blue process		light grey	no code: process and thread names
 *
 * Families are told apart with protanopia, deuteranopia and tritanopia, too, and the text on them
 * is easy to read. flamegraph.pl's schemes keep its ranges of colours (its documentation and what
 * it draws), some of which are darker: text on them has a contrast of 3 : 1 at least.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "flamegraph/palette_map.h"

#define PALETTE_TEXT \
	0x111113U /* on kind, module and hash contrast is at least 7 : 1 (WCAG 2, AAA) */
#define PALETTE_PRUNED 0xdadae0U

enum palette_scheme {
	PALETTE_KIND,	/* the default */
	PALETTE_MODULE, /* a hue for each module */
	PALETTE_HASH,	/* warm colours by name, as flamegraph.pl's --hash has them */
	/* flamegraph.pl's --colors */
	PALETTE_HOT,
	PALETTE_MEM,
	PALETTE_IO,
	PALETTE_WAKEUP,
	PALETTE_CHAIN,
	PALETTE_JAVA,
	PALETTE_JS,
	PALETTE_PERL,
	PALETTE_RED,
	PALETTE_GREEN,
	PALETTE_BLUE,
	PALETTE_AQUA,
	PALETTE_YELLOW,
	PALETTE_PURPLE,
	PALETTE_ORANGE,
};

struct palette {
	enum palette_scheme scheme;
	bool is_random; /* names alike are not of colours alike; stable all the same */
	/* Top and bottom of the paper, 0xffRRGGBB; 0, 0: white, or dark where that is preferred. */
	uint32_t background[2];
	struct palette_map *map; /* names in it keep their colour, others are added; NULL: none */
};

/* The scheme of that name, or -EINVAL with a sentence that lists what there is. */
int palette_scheme_find(const char *name, enum palette_scheme *ret);

/* "yellow", "blue", "green", "grey" (flamegraph.pl's gradients) or "#rrggbb"; or -EINVAL. */
int palette_background_find(const char *text, uint32_t ret[2]);

/*
 * 0xRRGGBB. 'module' may be "". Without the map: what the scheme says; names keep their annotation
 * ("_[j]") for the schemes that ask for it, or 'kind' stands for it.
 */
uint32_t palette_color(const struct palette *palette, uint32_t kind, const char *name,
		       const char *module);

/*
 * The same with the map, if there is one: the colour that it has, or a new one, which is added.
 * 0 or -errno with a sentence.
 */
int palette_color_mapped(const struct palette *palette, uint32_t kind, const char *name,
			 const char *module, uint32_t *ret);

/*
 * What the legend of a scheme says of a frame: a name (it may be 'module', as unclean) and its
 * typical colour; NULL: nothing.
 */
const char *palette_class(const struct palette *palette, uint32_t kind, const char *name,
			  const char *module, uint32_t *ret_color);
