/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * heatmap: draws how many operations took how long, and when, as one self-contained SVG file: time
 * from left to right, latency upwards, mostly on a logarithmic scale, and the number as a colour,
 * on a logarithmic scale as well. The colours are shades of one hue, which are told apart whatever
 * colours somebody sees; in a dark environment the paper is dark.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define HEATMAP_DEFAULT_WIDTH 1200
#define HEATMAP_MIN_WIDTH     400
#define HEATMAP_MAX_WIDTH     10000

/* All belongs to the caller. */
struct heatmap {
	uint64_t start_ns;	 /* column i is from ends_ns[i - 1], the first from here, */
	const uint64_t *ends_ns; /* to ends_ns[i]; they grow */
	size_t n_columns;
	const uint64_t *lowers_ns; /* latencies of row i: from lowers_ns[i] to lowers_ns[i + 1] */
	size_t n_rows;		   /* lowers_ns has one more, and grows */
	bool is_linear;		   /* rows are equally long, and the axis has equal steps */
	const uint32_t *cells;	   /* [column * n_rows + row] */
};

struct heatmap_options {
	const char *title;    /* NULL: "Latency" */
	const char *subtitle; /* NULL: none */
	const char *latency;  /* what the upward axis is of; NULL: "latency" */
	const char *value;    /* what is counted; NULL: "operations" */
	unsigned int width;   /* pixels; 0: the default */
};

/*
 * Writes valid XML whatever the texts hold, without scripts; the same input gives the same bytes.
 * Rows without operations below the first and above the last are left out, and neighbouring cells
 * are merged until all of it is less than 1 MB. 0 or -errno with a sentence.
 */
int heatmap_write(const struct heatmap *map, const struct heatmap_options *options, FILE *out);
