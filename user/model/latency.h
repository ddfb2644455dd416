/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * latency: what a collector of latencies has found beside its stacks: operations by device or file
 * system, kind, flags and size, with a histogram for each stage they went through; over time; by
 * path; the slowest ones; and what the devices are. A collector fills it while it records:
 *
 *	latency_new(&description, &l)
 *	latency_start(l, now)
 *	about every 100 ms, and in the end, with what happened since the last time:
 *		latency_row(l, list, &key, &row), then latency_add_counts(), latency_add_slot() for
 *		each stage and slot, latency_add_sum() for each stage
 *		latency_in_flight(l, subject, n)
 *		latency_tick(l, now)
 *	in the end: devices, routes, in_flight_end, stacks of outliers, latency_outliers_sort()
 *
 * A row's numbers are what was added in all; those of LATENCY_BY_SUBJECT are in the series over
 * time as well, in the column that is open. Strings are copied; they may hold any bytes, and are
 *cleaned by those who write them. Functions return 0 or -ENOMEM unless they say more.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/base/cleanup.h"
#include "user/base/keyset.h"
#include "user/base/strtab.h"
#include "user/model/histogram.h"
#include "user/model/latency_outliers.h"
#include "user/model/latency_series.h"

#define LATENCY_MAX_ROWS    4096
#define LATENCY_MAX_PATHS   2048
#define LATENCY_MAX_DEVICES 1024
#define LATENCY_MAX_ROUTES  1024

/* What does not change. Literals; the last stage is the total. */
struct latency_description {
	const char *subject; /* what subjects are, a word: "device", "filesystem" */
	const char *stages[LATENCY_MAX_STAGES];
	unsigned int n_stages;	       /* 1 .. LATENCY_MAX_STAGES */
	bool with_touched;	       /* latency_counts.touched means something here, */
	bool with_inferred;	       /* and inferred_bytes */
	uint64_t outlier_threshold_ns; /* 0: no outliers */
	size_t max_outliers;	       /* 0: LATENCY_OUTLIERS_DEFAULT */
};

enum latency_list { LATENCY_BY_SUBJECT, LATENCY_BY_PATH };

enum latency_direction { LATENCY_NEITHER, LATENCY_READ, LATENCY_WRITE };

/* What a row is of. NULL is "". */
struct latency_key {
	const char *subject;	/* "vda", "ext4"; in LATENCY_BY_PATH: the path */
	const char *operation;	/* "read" */
	const char *flags;	/* "sync meta" */
	const char *size_class; /* "4K" */
	enum latency_direction
		direction; /* what its bytes are; no part of what tells rows apart, */
	bool is_apart; /* nor is this: beside the point, such as a pipe among files. In no heat map
			*/
};

struct latency_counts {
	uint64_t operations; /* that ended */
	uint64_t bytes;
	uint64_t errors;	 /* operations that failed */
	uint64_t touched;	 /* operations that reached a device */
	uint64_t inferred_bytes; /* bytes whose process is inferred */
};

void latency_counts_add(struct latency_counts *counts, const struct latency_counts *more);

struct latency_row {
	uint32_t subject, operation, flags, size_class; /* strings of latency.strings */
	enum latency_direction direction;
	bool is_apart;
	struct latency_counts counts;
	struct histogram stages[LATENCY_MAX_STAGES];
};

struct latency_rows {
	struct keyset keys;
	struct latency_row *rows;
	size_t n, cap, max;
	struct latency_row other; /* all that had no row of its own */
};

/* A row's number for what found no room: its numbers are in 'other'. */
#define LATENCY_OTHER UINT32_MAX

/* A block device or what else subjects are made of, and what it stands on. */
struct latency_device {
	char *name;   /* "dm-0" */
	char *number; /* "253:0", NULL: not known */
	char *kind;   /* "disk", "partition", "dm", "md", "loop", ... */
	char *text;   /* name of the mapping, backing file, ...; NULL: none */
	char **lower; /* names of the devices below it */
	size_t n_lower;
};

/* Requests that one device served, and that were made for another. */
struct latency_route {
	uint32_t subject, origin; /* strings: vda <- dm-0 */
	uint64_t requests, bytes;
};

struct latency {
	struct latency_description description;
	struct strtab strings;
	struct latency_rows by_subject, by_path;
	struct latency_series series;
	struct latency_outliers outliers;
	struct latency_device *devices;
	size_t n_devices, devices_cap;
	uint64_t devices_left_out;
	struct keyset route_keys;
	struct latency_route *routes;
	size_t n_routes, routes_cap;
	struct latency_counts routes_other; /* operations and bytes of routes without room */
	uint64_t in_flight_start; /* operations that ended but began before the recording */
	uint64_t in_flight_end;	  /* that had not ended when it did */
};

int latency_new(const struct latency_description *description, struct latency **ret);
void latency_free(struct latency *l);
DEFINE_FREEP(struct latency, latency_free)

/* Time begins, by any one clock that latency_tick() uses as well. */
void latency_start(struct latency *l, uint64_t t_ns);

/* All that was added since the last tick happened until t_ns. */
void latency_tick(struct latency *l, uint64_t t_ns);

/* Finds or adds the row; *ret is its number, the same as long as the latency lives, or
 * LATENCY_OTHER. */
int latency_row(struct latency *l, enum latency_list list, const struct latency_key *key,
		uint32_t *ret);

/* Add to a row; 'row' may be LATENCY_OTHER. */
int latency_add_counts(struct latency *l, enum latency_list list, uint32_t row,
		       const struct latency_counts *more);
/* n operations that took a time of that slot (bpf/hist_slot.h) in a stage. */
int latency_add_slot(struct latency *l, enum latency_list list, uint32_t row, unsigned int stage,
		     uint32_t slot, uint64_t n);
/* The exact sum of these operations' times in a stage, and the longest so far. */
int latency_add_sum(struct latency *l, enum latency_list list, uint32_t row, unsigned int stage,
		    uint64_t sum_ns, uint64_t max_ns);
/* One operation's time in a stage: slot, sum and maximum. */
int latency_add_ns(struct latency *l, enum latency_list list, uint32_t row, unsigned int stage,
		   uint64_t ns);

/* How many operations of a subject are on their way now. */
int latency_in_flight(struct latency *l, const char *subject, uint64_t n);

/*
 * Adds a device with what is below it (names, copied). Beyond LATENCY_MAX_DEVICES it is counted
 * only.
 */
int latency_add_device(struct latency *l, const struct latency_device *device);

/* Adds to the requests that 'subject' served and that came through 'origin'. */
int latency_add_route(struct latency *l, const char *subject, const char *origin, uint64_t requests,
		      uint64_t bytes);

/* Text of a row, a route or a series. */
static inline const char *latency_string(const struct latency *l, uint32_t string)
{
	return strtab_get(&l->strings, string);
}
