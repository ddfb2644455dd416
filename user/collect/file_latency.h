/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * file_latency: what the file collector knows beside stacks: histograms by file system and
 * operation, sums by path, and single operations that took long.
 */
#pragma once

#include <linux/types.h>
#include <stdint.h>

#include "bpf/file_wire.h"
#include "user/base/keyset.h"
#include "user/collect/cgroup.h"
#include "user/collect/file_paths.h"
#include "user/model/latency.h"

struct bpf_map;
struct ring_buffer;

struct file_latency {
	struct latency *latency;
	struct file_paths *paths;    /* borrowed */
	const struct bpf_map *hists; /* borrowed */
	struct cgroups *cgroups;     /* borrowed; NULL: outliers do not say theirs */
	struct ring_buffer *outliers;
	struct keyset outlier_keys; /* of struct ft_file_key: what outliers were counted by */
	uint64_t realtime_ns;	    /* CLOCK_REALTIME less CLOCK_MONOTONIC */
	struct keyset kinds;	    /* of struct ft_file_kind */
	struct file_latency_kind {
		struct ft_file_hist seen; /* what has been added so far */
		uint32_t row;
	} * states;
	size_t states_cap;
	struct keyset by_path; /* of struct file_latency_path */
	struct file_latency_sums {
		struct latency_counts counts;
		uint64_t sum_ns, max_ns;
	} * sums;
	size_t sums_cap;
};

/* Operations slower than that, in ns, are outliers; 0: none is. 0 or -errno with a sentence. */
int file_latency_init(struct file_latency *l, uint64_t slower_ns, struct file_paths *paths,
		      const struct bpf_map *hists, const struct bpf_map *outliers);
void file_latency_release(struct file_latency *l);

/* Makes the histogram of what finds no other one. 0 or -errno with a sentence. */
int file_latency_make_other(const struct bpf_map *hists);

/* Now. */
void file_latency_start(struct file_latency *l);

/* Reads what has happened since the last time. 0 or -errno with a sentence. */
int file_latency_tick(struct file_latency *l);

/* Adds what is in a histogram now and was not there before. 0 or -errno with a sentence. */
int file_latency_add_hist(struct file_latency *l, const struct ft_file_kind *kind,
			  const struct ft_file_hist *now);

/* Adds what was counted of a path. 0 or -ENOMEM with a sentence. */
int file_latency_add(struct file_latency *l, const struct file_path *path,
		     const struct ft_file_kind *kind, const struct ft_file_tally *tally);

/* Takes an operation that took long, as the kernel side tells it. 0 or -errno with a sentence. */
int file_latency_outlier(struct file_latency *l, const struct ft_file_outlier *o);

/*
 * The number of the sample that was counted by this key, + 1; 0: there is none. -ENOMEM with a
 * sentence.
 */
typedef int64_t (*file_sample_fn)(void *ctx, const struct ft_file_key *key);

/*
 * After the last tick: the latency, which is the caller's then. Tags of outliers become what 'fn'
 * says. 0 or -ENOMEM with a sentence.
 */
int file_latency_finish(struct file_latency *l, file_sample_fn fn, void *ctx, struct latency **ret);

/* "device" or "cache": what an operation was answered by; "": that cannot be told. */
const char *file_answered(const struct ft_file_kind *kind, const struct file_path *path);

/* "fault", "io_uring", "" for system calls. */
const char *file_by_name(unsigned int by);
