// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * file_hist: latencies by kind. There are as many kinds as there are mounts, times operations, and
 * each histogram is large: when room becomes short, file systems of a type are counted together,
 * and at last all.
 */
#pragma once

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "bpf/file_wire.h"
#include "bpf/path.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct ft_file_kind);
	__type(value, struct ft_file_hist);
} hists SEC(".maps");

/* How many were made; from the limit on only those of types of file systems. */
__u32 hists_made = 0;
const volatile __u32 cfg_hists_by_dev = 1u << 31;

struct fs_name {
	char text[FT_FS_NAME_BYTES];
};

/* One device of each type of a file system. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, struct fs_name);
	__type(value, __u32);
} fs_types SEC(".maps");

static const struct ft_file_hist hist_none = {};

static __always_inline struct ft_file_hist *hist_make(const struct ft_file_kind *kind)
{
	if (!bpf_map_update_elem(&hists, kind, &hist_none, BPF_NOEXIST))
		__sync_fetch_and_add(&hists_made, 1);
	return bpf_map_lookup_elem(&hists, kind);
}

/* What stands for all file systems of that type. */
static __always_inline __u32 hist_type_dev(__u64 path, __u32 dev)
{
	struct ft_path *known = bpf_map_lookup_elem(&paths, &path);
	struct fs_name name;
	__u32 *have;

	if (!known || !known->fs[0])
		return FT_DEV_ANY;
	__builtin_memcpy(name.text, known->fs, sizeof(name.text));
	have = bpf_map_lookup_elem(&fs_types, &name);
	if (have)
		return *have;
	bpf_map_update_elem(&fs_types, &name, &dev, BPF_NOEXIST);
	have = bpf_map_lookup_elem(&fs_types, &name);
	return have ? *have : FT_DEV_ANY;
}

/* Changes 'kind' to what it is counted by. NULL only if the loader made no histogram. */
static __always_inline struct ft_file_hist *hist_get(struct ft_file_kind *kind, __u64 path)
{
	struct ft_file_hist *hist = bpf_map_lookup_elem(&hists, kind);

	if (!hist && hists_made < cfg_hists_by_dev)
		hist = hist_make(kind);
	if (hist)
		return hist;
	if (kind->dev)
		kind->dev = hist_type_dev(path, kind->dev);
	kind->by |= FT_BY_TYPE;
	hist = bpf_map_lookup_elem(&hists, kind);
	if (!hist)
		hist = hist_make(kind);
	if (hist)
		return hist;
	__sync_fetch_and_add(&notes.hists_full, 1);
	*kind = (struct ft_file_kind){};
	return bpf_map_lookup_elem(&hists, kind);
}
