/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * profile: the hub. Collectors and importers make one, everything else takes it const.
 *
 * A stack is a path in a tree of nodes that is shared by all stacks; a node is a frame below its
 * parent, a sample is a node (its innermost frame), labels, and one value for each value type.
 * All strings are numbers in 'strings'; number 0 is "" and means that there is none.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/base/cleanup.h"
#include "user/base/keyset.h"
#include "user/base/strtab.h"

enum frame_kind {
	FRAME_USER,
	FRAME_KERNEL,
	FRAME_INLINED,	   /* inlined into the next frame towards the root */
	FRAME_INTERPRETED, /* named by a runtime (perf map) */
	FRAME_SYNTHETIC,   /* stands for something that has no address, such as a process name */
};

/* A file, or a part of the kernel, that was mapped somewhere. */
struct profile_mapping {
	uint64_t start, limit; /* addresses, limit exclusive; 0, 0 if unknown */
	uint64_t offset;       /* file offset of 'start', bytes */
	uint32_t path;	       /* string; "[kernel]" for the kernel */
	uint32_t build_id;     /* string of lower-case hexadecimal digits */
};

#define PROFILE_NONE UINT32_MAX

struct profile_frame {
	uint64_t address;  /* as sampled (a return address for callers); 0 if unknown */
	uint32_t function; /* string; a name that can be found, never empty */
	uint32_t file;	   /* string; source file */
	uint32_t line;	   /* 0 if unknown */
	uint32_t mapping;  /* index, or PROFILE_NONE */
	uint32_t kind;	   /* enum frame_kind */
	uint32_t named; /* 0 if 'function' only stands in for a name, such as "[libc.so.6+0x12]" */
};

struct profile_node {
	uint32_t parent; /* node, or PROFILE_NONE for a stack's root */
	uint32_t frame;
};

/* A label is text (str != 0) or a number with a unit. Keys are strings. */
struct profile_label {
	int64_t num;
	uint32_t key;
	uint32_t str;
	uint32_t unit; /* string, for numbers; may be 0 */
	uint32_t pad;
};

/* Keys of the labels that our own collectors set. Numbers: pid, tid, process_start_ns, time_ns. */
#define LABEL_PROCESS	    "process" /* comm of the process */
#define LABEL_THREAD	    "thread"  /* comm of the thread */
#define LABEL_PID	    "pid"
#define LABEL_TID	    "tid"
#define LABEL_CGROUP	    "cgroup"	       /* path below the cgroup2 mount */
#define LABEL_PROCESS_START "process_start_ns" /* since boot */
#define LABEL_TIME	    "time_ns" /* the slot that it was counted in begins so long after start */

struct profile_value_type {
	uint32_t type, unit; /* strings, as in pprof: "samples" "count", "cpu" "nanoseconds" */
};

#define PROFILE_MAX_VALUES 16
#define PROFILE_MAX_DEPTH \
	4096 /* frames in one stack; importers cut deeper ones at the root's side */

struct profile {
	struct strtab strings;
	struct keyset mappings; /* of struct profile_mapping */
	struct keyset frames;	/* of struct profile_frame */
	struct keyset nodes;	/* of struct profile_node */
	struct profile_value_type value_types[PROFILE_MAX_VALUES];
	unsigned int n_values;
	unsigned int default_value; /* the value type shown when none is asked for */

	/* Label sets: set i is labels[label_starts[i] .. label_starts[i + 1]). Set 0 is empty. */
	struct profile_label *labels;
	size_t n_labels, labels_cap;
	uint32_t *label_starts;
	size_t label_starts_cap;
	uint32_t n_label_sets;
	uint32_t *label_slots;
	size_t n_label_slots;

	/* Samples: distinct (node, label set), and n_values values for each. */
	struct keyset samples; /* of struct profile_sample */
	int64_t *values;
	size_t values_cap;

	uint64_t start_ns;    /* wall clock, since 1970; 0 if unknown */
	uint64_t duration_ns; /* 0 if unknown */
	uint64_t period_ns;   /* between samples of one CPU; 0 if not sampled in time */
	uint32_t *comments;   /* strings */
	size_t n_comments, comments_cap;
};

struct profile_sample {
	uint32_t node;	 /* PROFILE_NONE for a stack without frames */
	uint32_t labels; /* label set */
};

/* NULL if there is no memory. */
struct profile *profile_new(void);
void profile_free(struct profile *p);
DEFINE_FREEP(struct profile, profile_free)

/* The profile_add_* functions return 0, -ENOMEM or -EOVERFLOW; *ret is a number to refer by. */
int profile_add_string(struct profile *p, const char *text, uint32_t *ret);
const char *profile_string(const struct profile *p, uint32_t string);

/* Only before the first sample; -E2BIG beyond PROFILE_MAX_VALUES. */
int profile_add_value_type(struct profile *p, const char *type, const char *unit);

/* The number of the value type with that name, or -ENOENT with a sentence that lists what there is.
 */
int profile_find_value_type(const struct profile *p, const char *type, unsigned int *ret);

int profile_add_mapping(struct profile *p, const struct profile_mapping *mapping, uint32_t *ret);
int profile_add_frame(struct profile *p, const struct profile_frame *frame, uint32_t *ret);
int profile_add_node(struct profile *p, uint32_t parent, uint32_t frame, uint32_t *ret);
int profile_add_comment(struct profile *p, const char *text);

/* Order matters: sets with the same labels in another order are two sets. */
int profile_add_labels(struct profile *p, const struct profile_label *labels, size_t n,
		       uint32_t *ret);

/* Adds 'values' (n_values of them) to the sample, which is made if it is new. Sums saturate. */
int profile_add_sample(struct profile *p, uint32_t node, uint32_t labels, const int64_t *values);

/* The number of that sample, or PROFILE_NONE. */
uint32_t profile_find_sample(const struct profile *p, uint32_t node, uint32_t labels);

const struct profile_mapping *profile_mapping_at(const struct profile *p, uint32_t i);
const struct profile_frame *profile_frame_at(const struct profile *p, uint32_t i);
const struct profile_node *profile_node_at(const struct profile *p, uint32_t i);
const struct profile_sample *profile_sample_at(const struct profile *p, uint32_t i);
const int64_t *profile_values_at(const struct profile *p, uint32_t i);
const struct profile_label *profile_labels_at(const struct profile *p, uint32_t set, size_t *ret_n);

/* The label of that key in the set, or NULL. */
const struct profile_label *profile_label(const struct profile *p, uint32_t set, const char *key);

/* Sum of one value type over all samples. */
int64_t profile_total(const struct profile *p, unsigned int value);

/* Last component of a frame's mapping path, "[kernel]" for the kernel; "" if there is no mapping.
 */
const char *profile_frame_module(const struct profile *p, const struct profile_frame *frame);

/*
 * Adds all of 'from' to 'into'; value types must be the same in number, type and unit (-EINVAL). A
 * file that was mapped elsewhere in 'from' has the addresses of 'into': code of one file is one.
 */
int profile_merge(struct profile *into, const struct profile *from);

/*
 * The same for one run of many: each sample gets the label 'key' with that number, in the place of
 * all labels that are numbers (PID, TID, start), which differ from run to run.
 */
int profile_merge_numbered(struct profile *into, const struct profile *from, const char *key,
			   int64_t number);
