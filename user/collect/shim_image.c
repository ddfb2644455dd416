/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/shim_image.h"

/* SHIM_LIBRARY: where the Makefile has built it. Aligned for whoever reads its headers in place. */
__asm__(".pushsection .rodata\n"
	".balign 16\n"
	".local shim_image_start, shim_image_end\n"
	"shim_image_start:	.incbin \"" SHIM_LIBRARY "\"\n"
	"shim_image_end:\n"
	".popsection");

extern const char shim_image_start[], shim_image_end[];

const void *shim_image(size_t *ret_len)
{
	*ret_len = (size_t)(shim_image_end - shim_image_start);
	return shim_image_start;
}
