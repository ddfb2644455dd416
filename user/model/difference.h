/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * difference: two profiles side by side, function by function.
 *
 * Functions are the same by name and module. A module that only one side has may be the other's
 * under another name ("build-a" and "build-b", "libx.so.1.2" and "libx.so.1.3", or not known at
 * all): then functions are the same by name alone, where each side has only one of that name in
 * such modules. Samples without a value above 0 are left out.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/base/cleanup.h"
#include "user/base/keyset.h"
#include "user/base/strtab.h"
#include "user/model/profile.h"

enum difference_side { DIFFERENCE_BEFORE, DIFFERENCE_AFTER, DIFFERENCE_SIDES };

/* What values of two profiles are multiplied by to be compared. */
enum difference_scale {
	DIFFERENCE_SHARE,    /* 1 / all of its side: shares, from 0 to 1 */
	DIFFERENCE_SECOND,   /* 1 / seconds that were recorded */
	DIFFERENCE_ABSOLUTE, /* 1 */
};

/* Arrays are by enum difference_side; numbers are in the profile's unit, before any scale. */
struct difference_row {
	const char *function, *module; /* clean; the module after, if it is there; "" if unknown */
	const char *module_before;     /* NULL if it is not there before */
	uint32_t kind;		       /* enum frame_kind, of one of its frames */
	int64_t self[DIFFERENCE_SIDES];
	int64_t total[DIFFERENCE_SIDES];   /* with all it calls; recursion counted once */
	int64_t samples[DIFFERENCE_SIDES]; /* that ended in it; 0 where they are not counted */
	bool is_there[DIFFERENCE_SIDES];   /* else all of that side's numbers are 0 */
	double p;			   /* of the change of 'self'; NAN: unknown */
	bool is_significant;		   /* only if the difference 'is_judged' */
};

struct difference {
	struct strtab names;
	struct difference_row *rows; /* functions before, then those that only the other side has */
	size_t n;
	const struct difference_row **order; /* of all rows, as they were sorted */
	struct keyset functions;	     /* for difference_find(): of numbers in 'names', and */
	uint32_t *row_of;		     /* the row of each */
	int64_t all[DIFFERENCE_SIDES];
	int64_t stackless[DIFFERENCE_SIDES];   /* of it, in samples without any function */
	int64_t all_samples[DIFFERENCE_SIDES]; /* 0 where they are not counted */
	uint64_t duration_ns[DIFFERENCE_SIDES];
	uint64_t negative[DIFFERENCE_SIDES]; /* samples whose value is below 0 */
	double scale[DIFFERENCE_SIDES];	     /* > 0 */
	bool is_judged;
};

#define DIFFERENCE_NO_VALUE UINT32_MAX

struct difference_input {
	const struct profile *profile;
	unsigned int value;   /* which value type */
	unsigned int samples; /* the value type that counts samples, or DIFFERENCE_NO_VALUE */
};

/*
 * Compares, with scales of 1, and sorts by self. Sums saturate. The profiles may go. 0, -ENOMEM or
 * -EOVERFLOW with a sentence.
 */
int difference_new(const struct difference_input *before, const struct difference_input *after,
		   struct difference **ret);
void difference_free(struct difference *d);
DEFINE_FREEP(struct difference, difference_free)

/*
 * A side without anything has the scale 1. -ENODATA with a sentence for DIFFERENCE_SECOND if a
 * side's span is not known.
 */
int difference_set_scale(struct difference *d, enum difference_scale scale);

/* Largest change first, whichever way; equal ones by the other of self and total, then by name. */
void difference_sort(struct difference *d, bool by_total);

/* On the scale. */
static inline double difference_amount(const struct difference *d,
				       const int64_t values[DIFFERENCE_SIDES],
				       enum difference_side side)
{
	return (double)values[side] * d->scale[side];
}

/* 0 for what differs only by how a scale is rounded. */
double difference_delta(const struct difference *d, const int64_t values[DIFFERENCE_SIDES]);

/* Of what it was before: 0.5 is half as much again; NAN if it was nothing. */
double difference_growth(const struct difference *d, const int64_t values[DIFFERENCE_SIDES]);

/* The row of that function in that module, as either side has it; NULL if there is none. */
struct difference_row *difference_find(const struct difference *d, const char *function,
				       const char *module);

/* What the function itself grew by, as a part of all that there was before; NAN if that is 0. */
double difference_weight(const struct difference *d, const struct difference_row *row);
