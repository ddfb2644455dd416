/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * latency_series: latency over time: columns of time, in each of them what every subject (device or
 * file system) did, and how many operations took how long (a heat map). A column lasts from one
 * tick of the collector to another, by the clock, so that its rates are exact even if ticks were
 * late. Bounded: when there are LATENCY_COLUMNS of them, neighbours become one, and from then on
 * a column has twice as many ticks.
 */
#pragma once

#include <linux/types.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/hist_slot.h"
#include "user/model/histogram.h"

#define LATENCY_COLUMNS	     600 /* even */
#define LATENCY_MAX_SUBJECTS 256 /* that have a series of their own */
#define LATENCY_MAX_HEATS    9	 /* heat maps: one of everything, and one of each operation */

/* Rows of a heat map: each is 8 slots of a histogram, a quarter of an octave. */
#define LATENCY_HEAT_SHIFT 3
#define LATENCY_HEAT_ROWS  (FT_HIST_SLOTS >> LATENCY_HEAT_SHIFT)

/* What a subject did in one column. */
struct latency_point {
	uint64_t operations;
	uint64_t read_bytes, write_bytes;
	uint64_t n_total;      /* operations whose total time is in the next: */
	uint64_t total_sum_ns; /* divided by the column's width: mean queue depth (Little's law) */
	uint64_t in_flight;    /* at its end */
};

struct latency_subject_series {
	uint32_t subject; /* the name, as in struct latency */
	struct latency_point points[LATENCY_COLUMNS];
};

/* Observations: [column * LATENCY_HEAT_ROWS + row]. They saturate. */
struct latency_heat {
	uint32_t operation; /* the name, as in struct latency; 0: of everything */
	uint32_t *cells;
};

struct latency_series {
	/* Borders of columns: column i is from ends_ns[i - 1], the first from start_ns, to
	 * ends_ns[i]. Any one clock. */
	uint64_t start_ns;
	uint64_t ends_ns[LATENCY_COLUMNS];
	size_t n_columns;	   /* with the open one; 0 before the start */
	unsigned int column_ticks; /* ticks that make a column: 1, 2, 4, ... */
	unsigned int ticks;	   /* in the last column so far */
	struct latency_subject_series **subjects;
	size_t n_subjects;
	size_t subjects_cap;
	struct latency_heat heats[LATENCY_MAX_HEATS];
	unsigned int n_heats;
};

void latency_series_release(struct latency_series *s);

/* Time begins. Before it nothing is in a column. */
void latency_series_start(struct latency_series *s, uint64_t start_ns);

/*
 * All that was added since the last tick happened until t_ns. A tick that is not later than the
 * last one is ignored: what was added stays in the open column.
 */
void latency_series_tick(struct latency_series *s, uint64_t t_ns);

/* Columns that last: without the open one if it has just begun. End with a tick. */
size_t latency_series_columns(const struct latency_series *s);

/*
 * The open column's point of a subject. *ret is NULL if there is no room for another subject's
 * series, or if time has not begun. 0 or -ENOMEM.
 */
int latency_series_point(struct latency_series *s, uint32_t subject, struct latency_point **ret);

/*
 * Counts n observations of a slot in the open column's heat maps: that of everything, and the
 * operation's if there is room for one. 0 or -ENOMEM.
 */
int latency_series_heat(struct latency_series *s, uint32_t operation, uint32_t slot, uint64_t n);

/* Where column i begins. */
static inline uint64_t latency_column_start_ns(const struct latency_series *s, size_t i)
{
	return i ? s->ends_ns[i - 1] : s->start_ns;
}

/* The lower bound of a heat map's row; of LATENCY_HEAT_ROWS: where the last one ends. */
static inline uint64_t latency_heat_lower_ns(uint32_t row)
{
	return ft_hist_lower_ns(row << LATENCY_HEAT_SHIFT);
}
