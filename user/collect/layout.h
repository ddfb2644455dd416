/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * layout: what an address space holds at one moment, as disjoint parts in the order of addresses.
 * It is made by adding mappings in the order of time: a later one takes the place of what was
 * there.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct layout_part {
	uint64_t start, end;	 /* end exclusive */
	uint32_t image, mapping; /* the caller's numbers for what is there */
};

struct layout {
	struct layout_part *parts;
	size_t n, cap;
};

/* A layout of zeros is an empty one. */
void layout_release(struct layout *layout);
void layout_clear(struct layout *layout);

/* 0 or -ENOMEM without a sentence; then nothing has changed. An empty range changes nothing. */
int layout_add(struct layout *layout, uint64_t start, uint64_t end, uint32_t image,
	       uint32_t mapping);
