/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * processes_images: what the files of 'processes' share, and nobody else sees: images of processes,
 * with their mappings in the order of addresses once they are asked for.
 */
#pragma once

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/base/keyset.h"
#include "user/base/strtab.h"
#include "user/collect/processes.h"

/* Forks in a row without an exec, whose mappings are looked for. */
#define PROCESSES_MAX_GENERATIONS 64

struct mapping {
	struct sym_mapping m; /* m.path is set when it is asked for: the string table may move */
	uint64_t since_ns;
	uint64_t max_end; /* of this and all mappings before it in the sorted order */
	uint32_t path;
};

struct image {
	uint32_t pid;
	uint32_t older;	 /* image of the same PID before this one, or PROCESSES_NO_IMAGE */
	uint32_t parent; /* image that this one was forked from, or PROCESSES_NO_IMAGE */
	uint64_t since_ns;
	struct mapping *mappings;
	size_t n, cap;
	bool is_sorted;
};

/* What /proc/PID/maps showed; which image that was is known once the side band is there, too. */
struct scan {
	uint32_t pid;
	uint64_t from_ns, to_ns; /* it was opened after the one and read before the other */
	struct mapping *mappings;
	size_t n, cap;
};

struct processes {
	struct keyset pids; /* of uint32_t */
	uint32_t *newest;   /* by number in 'pids' */
	size_t newest_cap;
	struct image *images;
	size_t n, cap;
	struct scan *scans; /* that wait, in the order of time */
	size_t n_scans, scans_cap;
	DIR *proc; /* while not all of it has been scanned */
	bool all_scanned;
	struct strtab paths;
	uint64_t dropped;
};

/* The newest image, or PROCESSES_NO_IMAGE. */
uint32_t processes_newest(const struct processes *ps, uint32_t pid);

/* The newest image; one that has always been there if the process was not known. 0 or -ENOMEM. */
int processes_have_image(struct processes *ps, uint32_t pid, uint32_t *ret);

/* 'm' with the number of its path instead of the path. 0 or -ENOMEM. */
int processes_add_mapping(struct processes *ps, struct image *image, const struct sym_mapping *m,
			  uint32_t path, uint64_t since_ns);

void processes_sort_mappings(struct image *image);
