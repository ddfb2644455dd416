/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/shim_image.h"

#include <stdint.h>

/* SHIM_LIBRARY: where the Makefile has built it. Aligned for whoever reads its headers in place. */
__asm__(".pushsection .rodata\n"
	".balign 16\n"
	".local shim_image_start, shim_image_len\n"
	"shim_image_start:	.incbin \"" SHIM_LIBRARY "\"\n"
	"990:	.balign 8\n"
	"shim_image_len:	.8byte 990b - shim_image_start\n"
	".popsection");

/*
 * Hidden, so that no address is taken from a table: arm64's linker has one entry there for all
 * local symbols of a section.
 */
#define HIDDEN __attribute__((visibility("hidden")))
extern const char shim_image_start[] HIDDEN;
extern const uint64_t shim_image_len HIDDEN;

const void *shim_image(size_t *ret_len)
{
	*ret_len = shim_image_len;
	return shim_image_start;
}
