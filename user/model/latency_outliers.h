/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * latency_outliers: single operations that took longer than a threshold. Bounded: the slowest are
 * kept, of equally slow ones the first; the others are counted.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LATENCY_MAX_STAGES	 3
#define LATENCY_OUTLIERS_DEFAULT 1000

/* Strings are owned by the list once it is added; NULL: not known. */
struct latency_outlier {
	uint64_t time_ns; /* wall clock, since 1970, of its end */
	uint64_t stage_ns[LATENCY_MAX_STAGES];
	uint64_t bytes;
	int64_t pid, tid; /* -1: not known */
	int error;	  /* errno, 0: it succeeded */
	uint64_t tag;	  /* the collector's, to fill in the stack once it has names */
	uint64_t order;	  /* the list's: the number of its arrival */
	char *subject, *operation, *flags;
	char *comm;   /* of the process */
	char *cgroup; /* path below the cgroup2 mount */
	char *path;   /* of the file */
	char *stack;  /* folded: root first, frames with ';' between them, no weight */
};

struct latency_outliers {
	uint64_t threshold_ns; /* 0: nobody asked for outliers */
	size_t max;
	unsigned int total_stage;     /* which of stage_ns ranks them */
	struct latency_outlier *list; /* a heap, the fastest first, until they are sorted */
	size_t n, cap;
	uint64_t n_added;
	uint64_t n_faster; /* not kept, since as many slower ones were */
	uint64_t n_lost;   /* that the kernel side could not pass on */
};

void latency_outliers_init(struct latency_outliers *o, uint64_t threshold_ns, size_t max,
			   unsigned int total_stage);
void latency_outliers_release(struct latency_outliers *o);

/*
 * Whether one that took so long would be kept now, for those to whom making strings is dear. If
 * not, it must still be added or be counted in n_faster.
 */
bool latency_outliers_wants(const struct latency_outliers *o, uint64_t total_ns);

/* What took no longer than that would not be kept now; 0: there is room for any. */
uint64_t latency_outliers_floor_ns(const struct latency_outliers *o);

/* Copies it with its strings, or counts it. 0 or -ENOMEM. */
int latency_outliers_add(struct latency_outliers *o, const struct latency_outlier *one);

/* Sorts them by time, for those who show them; nothing is added after that. */
void latency_outliers_sort(struct latency_outliers *o);
