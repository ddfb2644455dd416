/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * io_latency: the latencies of block I/O as bpf/io.bpf.c keeps them in its histograms, gauges and
 * list of outliers, carried over into a struct latency while the recording goes on.
 */
#pragma once

#include <linux/types.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/io_wire.h"
#include "user/base/keyset.h"
#include "user/collect/capture.h"
#include "user/collect/cgroup.h"
#include "user/collect/devices.h"
#include "user/collect/io_tags.h"
#include "user/collect/sample_tables.h"
#include "user/collect/stack_book.h"
#include "user/model/latency.h"

struct bpf_map;
struct ring_buffer;

struct io_latency_options {
	/* Borrowed, as is all here. */
	const struct bpf_map *histograms, *histograms_of_rest, *disks, *outliers;
	const struct ft_io_notes *notes;
	struct devices *devices;
	struct cgroups *cgroups; /* NULL: outliers have no cgroup */
	uint64_t slower_ns;	 /* 0: no outliers */
	size_t max_outliers;
};

struct io_latency {
	struct io_latency_options o;
	struct latency *latency; /* owned until it is taken */
	struct ring_buffer *outliers;
	struct keyset outlier_keys; /* of struct ft_io_key: number + 1 is an outlier's tag */
	struct keyset hist_keys;    /* of struct ft_io_hist_key */
	struct io_hist_seen {
		struct ft_io_hist *last;
		uint32_t row;
	} * seen; /* by number in hist_keys: what has been carried over */
	size_t seen_cap;
	struct ft_io_hist *now;
	struct keyset devs;  /* uint32_t: that have been met */
	uint64_t to_wall_ns; /* from CLOCK_MONOTONIC to CLOCK_REALTIME */
};

/* With the maps of a loaded object. 0 or -errno with a sentence. */
int io_latency_init(struct io_latency *io, const struct io_latency_options *options);
void io_latency_release(struct io_latency *io);

void io_latency_start(struct io_latency *io);

/* Carries over what has been counted since the last time. 0 or -errno with a sentence. */
int io_latency_tick(struct io_latency *io);

/* The parts of that: a histogram as it is now, and a slow piece. The same errors. */
int io_latency_histogram(struct io_latency *io, const struct ft_io_hist_key *key,
			 const struct ft_io_hist *now);
int io_latency_outlier(struct io_latency *io, const struct ft_io_outlier *outlier);

/* A tally that has been drained: which way its requests came. 0 or -ENOMEM with a sentence. */
int io_latency_route(struct io_latency *io, const struct ft_io_key *key,
		     const struct ft_io_tally *tally);

/*
 * After the last tick and delivery: adds the devices and how many were in flight, and makes the
 * outliers' tags numbers of samples of the capture, + 1, and 0 of those that have none. *ret is
 * the caller's from now on.
 */
int io_latency_finish(struct io_latency *io, const struct capture *capture,
		      const struct stack_book *book, struct io_tags *tags, uint64_t in_flight_end,
		      struct latency **ret);
