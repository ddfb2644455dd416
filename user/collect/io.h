/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * io: the collector of block I/O: how long requests wait in the queue and in the device, by who
 * causes them; counted by bpf/io.bpf.c, drained into a capture and a struct latency. Its values:
 * bios (the events of its ledger), total, queue and device nanoseconds, bytes, requests. Several
 * bios that are merged make one request.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "user/collect/cgroup.h"
#include "user/collect/collector.h"
#include "user/collect/target.h"
#include "user/collect/unwinder.h"

/* Values by number, as the profile has them. */
enum io_weight {
	IO_BIOS,
	IO_TOTAL_NS,
	IO_QUEUE_NS,
	IO_DEVICE_NS,
	IO_BYTES,
	IO_REQUESTS,
	IO_WEIGHTS,
};

/* "total-ns", ...: what people call them; -EINVAL with a sentence for another text. */
int io_weight_parse(const char *text, enum io_weight *ret);

struct io_options {
	/* Of stacks; four times as many tallies, and bios on their way if that is more than
	 * fitting; 0: fitting. */
	unsigned int table_entries;
	struct unwinder *unwinder; /* borrowed; NULL: user stacks by frame pointers */
	uint64_t slot_ns;	   /* of time, by which events are counted; 0: all together */
	struct cgroups *cgroups;   /* borrowed; NULL: slow requests are told without cgroup */
	uint64_t slower_ns;	   /* requests that took longer are listed; 0: none are */
	size_t max_outliers;	   /* of that list; 0: fitting */
	enum io_weight weight;	   /* the default value */
};

/*
 * Loads and attaches; nothing is counted before the start. -ENOTSUP if this kernel cannot, -EPERM
 * and the like, with a sentence.
 */
int io_collector_new(const struct io_options *options, const struct target *target,
		     struct collector **ret);
