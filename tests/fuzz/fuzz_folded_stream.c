/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_folded_stream: any bytes as folded stacks, read in blocks of any size by several workers;
 * the tree has the sums that the other reader finds, and its names are clean.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "flamegraph/folded_stream.h"
#include "user/base/cleanup.h"
#include "user/base/str.h"
#include "user/export/folded.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_tree(const struct flame_tree *tree)
{
	uint32_t i, child;

	for (i = 0; i < tree->n_frames; i++) {
		const char *name = strtab_get(&tree->names, tree->frames[i].name);

		if (!*name || !text_is_clean(name, strlen(name), 0))
			abort();
	}
	for (i = 0; i < tree->n_nodes; i++) {
		if (tree->nodes[i].value < 0)
			abort();
		for (child = tree->nodes[i].first_child; child != PROFILE_NONE;
		     child = tree->nodes[child].next) {
			if (child <= i || child >= tree->n_nodes || tree->nodes[child].parent != i)
				abort();
		}
	}
}

/* NULL if it has no stacks. */
static struct profile *read_otherwise(const void *data, size_t size,
				      struct folded_repairs *ret_repairs)
{
	_cleanup_(fclosep) FILE *in = fmemopen((void *)data, size, "r");
	struct profile *p = NULL;

	return in && !folded_read(in, "input", &p, ret_repairs) ? p : NULL;
}

/* Sums that do not fit are cut in another order there. */
static void compare(const struct profile *p, const struct folded_repairs *repairs,
		    const struct flame_tree *tree, const struct folded_repairs *found)
{
	int64_t total = profile_total(p, 0);

	if (total < INT64_MAX && tree->nodes[0].value != total)
		abort();
	if (memcmp(repairs, found, sizeof(*repairs)))
		abort();
}

/* The first two bytes choose the options. */
static int read_tree(const uint8_t *data, size_t size, struct flame_tree **ret,
		     struct folded_repairs *ret_repairs)
{
	static const char *const encodings[] = { NULL, "ISO-8859-1", "SHIFT_JIS", "GB18030" };
	const struct folded_stream_options options = {
		.workers = 1 + data[0] % 3,
		.block_bytes = 1 + data[1],
		.is_chart = data[0] & 4,
		.is_reversed = data[0] & 8,
		.has_before = data[0] & 16,
		.factor = data[0] & 32 ? 0.5 : 0,
		.encoding = encodings[data[0] >> 6],
	};
	_cleanup_(closep) int fd = memfd_create("fuzz", MFD_CLOEXEC);
	char path[64], *paths[] = { path };

	if (fd < 0 || write(fd, data + 2, size - 2) != (ssize_t)size - 2)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return folded_stream_read(paths, 1, &options, ret, ret_repairs, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(flame_tree_freep) struct flame_tree *tree = NULL;
	_cleanup_(profile_freep) struct profile *p = NULL;
	struct folded_repairs repairs, found;
	int err;

	if (size < 3)
		return 0;
	err = read_tree(data, size, &tree, &found);
	if (!tree)
		abort();
	check_tree(tree);
	if (data[0] >= 16)
		return 0;
	p = read_otherwise(data + 2, size - 2, &repairs);
	if (!p != (err != 0))
		abort();
	if (p)
		compare(p, &repairs, tree, &found);
	return 0;
}
