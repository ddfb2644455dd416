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

/* A frame below its caller; a stack is named by its innermost node. */
struct capture_node {
	uint64_t pc;
	uint32_t caller; /* node, or CAPTURE_NO_STACK for the outermost frame */
	uint32_t depth;	 /* frames from here to the root, this one included */
};

struct capture_sample {
	uint64_t start_ns;
	uint64_t cgroup_id;
	uint64_t exec_id;
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
	uint64_t total; /* events */
};

void capture_init(struct capture *c, unsigned int n_values);
void capture_release(struct capture *c);

/* All return 0 or -ENOMEM with a sentence. A stack without frames is CAPTURE_NO_STACK. */
int capture_add_stack(struct capture *c, const struct ft_stack *stack, uint32_t *ret);
int capture_add(struct capture *c, const struct capture_sample *sample, const uint64_t *values,
		uint64_t first_ns);

const struct capture_node *capture_node_at(const struct capture *c, uint32_t node);
const struct capture_sample *capture_sample_at(const struct capture *c, uint32_t i);
const uint64_t *capture_values_at(const struct capture *c, uint32_t i);
