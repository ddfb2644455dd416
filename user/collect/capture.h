/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * capture: what a collector has drained so far: stacks of addresses in one tree, and values by
 * task, stack and tag. It becomes a profile when the addresses get their names.
 */
#pragma once

#include <linux/types.h>
#include <stdint.h>

#include "bpf/wire.h"
#include "user/base/keyset.h"

#define CAPTURE_NO_STACK UINT32_MAX
#define CAPTURE_NO_SLOT	 UINT32_MAX

/* Samples that a capture tells apart by time: some 600 MB until they are a profile in a file. What
 * comes after them is kept without its time, and counted. */
#define CAPTURE_MAX_TIMED (1u << 20)

/* A frame below its caller; a stack is named by its innermost node. */
struct capture_node {
	uint64_t pc;
	uint32_t caller; /* node, or CAPTURE_NO_STACK for the outermost frame */
	uint32_t depth;	 /* frames from here to the root, this one included */
};

struct capture_sample {
	uint64_t start_ns;
	uint64_t cgroup_id;
	uint32_t exec_id;
	uint32_t slot; /* of time, or CAPTURE_NO_SLOT; 0 if the capture does not tell them apart */
	uint32_t tgid, tid;
	uint32_t user;	 /* node, or CAPTURE_NO_STACK */
	uint32_t kernel; /* the same */
	uint32_t end;	 /* FT_END_*, FT_END_NULL too: how the walk of the user stack ended */
	uint32_t tag;	 /* the collector's number for what else it tells of the event */
	char comm[FT_COMM_LEN];
	char process_comm[FT_COMM_LEN];
};

struct capture {
	struct keyset nodes;   /* of struct capture_node */
	struct keyset samples; /* of struct capture_sample */
	unsigned int
		n_values; /* of each sample: how many events, then what the collector adds up */
	uint64_t *values; /* n_values by number in 'samples' */
	size_t values_cap;
	uint64_t *first_ns; /* CLOCK_MONOTONIC */
	size_t first_ns_cap;
	uint64_t total;	    /* events */
	uint64_t slot_ns;   /* the caller's to set: how long slots are; 0: time is not kept */
	uint32_t max_timed; /* CAPTURE_MAX_TIMED */
	uint64_t untimed;   /* events whose time was not kept, as there were max_timed samples */
};

void capture_init(struct capture *c, unsigned int n_values);
void capture_release(struct capture *c);

/* All return 0 or -ENOMEM with a sentence. A stack without frames is CAPTURE_NO_STACK. */
int capture_add_stack(struct capture *c, const struct ft_stack *stack, uint32_t *ret);
int capture_add(struct capture *c, const struct capture_sample *sample, const uint64_t *values,
		uint64_t first_ns);

/* The number of what capture_add() made of it, or KEYSET_NONE. */
uint32_t capture_find(const struct capture *c, const struct capture_sample *sample);

const struct capture_node *capture_node_at(const struct capture *c, uint32_t node);
const struct capture_sample *capture_sample_at(const struct capture *c, uint32_t i);
const uint64_t *capture_values_at(const struct capture *c, uint32_t i);
