/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * collector: what a session asks of every collector. A collector's own struct begins with a struct
 * collector; it is made by its own function, loaded and attached but with nothing counted yet.
 */
#pragma once

#include <stdint.h>

#include "user/base/cleanup.h"
#include "user/collect/capture.h"
#include "user/collect/perf.h"
#include "user/collect/sideband.h"
#include "user/model/profile.h"
#include "user/model/summary.h"

/* What a tag adds to a sample: a frame below the innermost one, and labels. */
#define SAMPLE_TAG_LABELS 8
struct sample_tag {
	char leaf[128]; /* "[vda read]"; "": no frame */
	struct sample_tag_label {
		const char *key;
		const char *text; /* NULL: it is a number */
		int64_t num;
		const char *unit; /* NULL: none */
	} labels[SAMPLE_TAG_LABELS];
	unsigned int n_labels;
};

struct collector;

/* Functions return 0 or -errno with a sentence; those that may be NULL are not called then. */
struct collector_ops {
	const char *name;  /* of its files: "cpu" */
	const char *title; /* of its pictures: "CPU time" */
	/* Name of a file of ours that processes have mapped: its frames are left out where a stack
	 * begins in it. NULL: none. */
	const char *own_file;

	/* Events are counted between these two. */
	int (*start)(struct collector *c);
	int (*stop)(struct collector *c);

	/* CPUs have come or gone. May be NULL. */
	int (*follow_hotplug)(struct collector *c, const struct cpu_set *online);

	/* How long the kernel's tables last at most from now on, in ms: drain that soon. */
	unsigned int (*patience_ms)(const struct collector *c);

	/* Called some ten times a second, and once after stop(). May be NULL. */
	int (*tick)(struct collector *c);

	/* Moves what has been counted so far into c->capture, losing nothing that is counted
	 * meanwhile. */
	int (*drain)(struct collector *c);

	/* Takes what has been unwound late since. What is missing after the last call is lost, and
	 * counted. */
	int (*deliver)(struct collector *c);

	/* Adds c->capture.n_values value types, the first of which counts events, and sets the
	 * default one. 0 or -ENOMEM without a sentence. */
	int (*add_value_types)(const struct collector *c, struct profile *p);

	/* What the tag of a sample says; strings last as long as the collector. May be NULL. */
	void (*describe_tag)(const struct collector *c, uint32_t tag, struct sample_tag *ret);

	/*
	 * After the last delivery: closes the ledger against what is in c->capture, and fills in
	 * event, rate, ledger, kernel cost (run-time statistics as they are), map bytes, and
	 * whatever else it knows.
	 */
	int (*summarize)(struct collector *c, const struct sideband *sb,
			 struct collector_summary *ret);

	/* Events kept and lost so far. */
	void (*progress)(const struct collector *c, uint64_t *ret_kept, uint64_t *ret_lost);

	void (*free)(struct collector *c);
};

struct collector {
	const struct collector_ops *ops;
	struct capture capture;
	uint64_t started_ns; /* CLOCK_MONOTONIC: of the recording; set before start() */
};

static inline void collector_free(struct collector *c)
{
	if (c)
		c->ops->free(c);
}
