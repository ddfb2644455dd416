/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * file_paths: the paths that the kernel side has told of, by their numbers, and the file systems
 * that they are on.
 */
#pragma once

#include <linux/types.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/file_wire.h"
#include "user/base/keyset.h"
#include "user/base/strtab.h"
#include "user/collect/filesystems.h"

struct bpf_map;

/* Strings are numbers in file_paths.strings; 0 is "": not known. */
struct file_path {
	uint32_t text;
	uint32_t fs;	/* "ext4" */
	uint32_t mount; /* "/home" */
	uint32_t dev;	/* see dev_number.h */
	uint32_t flags; /* FT_PATH_* */
};

/* Where file systems are mounted, for paths of which only the text is known. */
struct file_mount {
	char *point;
	uint32_t dev;
	char fs[FT_FS_NAME_BYTES]; /* its type, and NULs */
};

struct file_paths {
	const struct bpf_map *map; /* borrowed: the kernel side's, once there is one */
	struct filesystems *filesystems;
	struct file_mount *mounts;
	size_t n_mounts, mounts_cap;
	struct strtab strings;
	struct keyset ids; /* of uint64_t */
	struct file_path *paths;
	size_t paths_cap;
	struct keyset devs;  /* of uint32_t: the file systems that paths were seen on */
	uint32_t *dev_paths; /* one path on each */
	size_t dev_paths_cap;
	uint64_t emptied_at; /* paths that the kernel side had made when its map was last emptied */
	uint64_t n_dropped;  /* paths without a text, because there were too many of them here */
	uint64_t n_unknown;  /* and because they were not in the kernel's map */
};

/* 'mountinfo' as /proc/self/mountinfo. 0 or -ENOMEM with a sentence; release it in any case. */
int file_paths_init(struct file_paths *p, const char *mountinfo);
void file_paths_release(struct file_paths *p);

/* The device of what is mounted at "/"; 0: not known. */
uint32_t file_paths_root_dev(const struct file_paths *p);

/*
 * Fills a map of the kernel side with what is mounted where; what finds no room (FT_MOUNTS)
 * goes by the mount above it. 0 or -errno with a sentence.
 */
int file_paths_tell_mounts(const struct file_paths *p, const struct bpf_map *mounts);

/*
 * The path of a number; of 0 and of one that is not known all is 0. Valid until the next call. 0 or
 * -ENOMEM with a sentence.
 */
int file_paths_find(struct file_paths *p, uint64_t id, const struct file_path **ret);

/*
 * Reads the kernel's map empty if more than a quarter of it may be full; 'made' is how many paths
 * have been put into it so far. 0 or -errno with a sentence.
 */
int file_paths_make_room(struct file_paths *p, uint64_t made);

/* Reads it empty in any case. */
int file_paths_empty(struct file_paths *p);

/* A path that was seen on a file system, or NULL. */
const struct file_path *file_paths_on(const struct file_paths *p, uint32_t dev);

/* Adds a path as the kernel side tells it, unless its number is known. As file_paths_find(). */
int file_paths_add(struct file_paths *p, uint64_t id, const struct ft_path *path);

static inline const char *file_paths_string(const struct file_paths *p, uint32_t string)
{
	return strtab_get(&p->strings, string);
}
