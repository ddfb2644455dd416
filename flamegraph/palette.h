/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * palette: what colour a frame has. Its kind gives the family (kernel blue, native user code warm,
 * code of a runtime green, names that are no code grey), its file the hue within the family, its
 * name a shade. The same frame has the same colour in every picture.
 */
#pragma once

#include <stdint.h>

#include "user/model/profile.h"

#define PALETTE_TEXT                                                                \
	0x111113U /* drawn on all of them: contrast is at least 7 : 1 (WCAG 2, AAA) \
		   */
#define PALETTE_PRUNED 0xd9d9deU

/* 0xRRGGBB. 'module' may be "". */
uint32_t palette_color(uint32_t kind, const char *name, const char *module);

/* A typical colour of the kind, and its name for a legend. */
uint32_t palette_sample(uint32_t kind);
const char *palette_kind_name(uint32_t kind);
