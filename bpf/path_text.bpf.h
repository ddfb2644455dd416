// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * path_text: the text of a path while it is made: its normal form, what is mounted where it leads,
 * and whether it is one of those asked for. Functions are global, so that the verifier looks at
 * each once for all callers.
 */
#pragma once

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "bpf/file_wire.h"
#include "bpf/glob.bpf.h"
#include "bpf/sample.bpf.h"

const volatile __u8 cfg_by_path = 0;
const volatile struct ft_glob cfg_path = {};
const volatile __u32 cfg_root_dev = 0; /* what 'mounts' is the tree of; 0: of none */

/* Names have NAME_MAX bytes at most (include/uapi/linux/limits.h). */
#define PATH_NAME_MASK 255
#define PATH_MASK      (FT_PATH_BYTES - 1)
_Static_assert((FT_PATH_BYTES & PATH_MASK) == 0, "FT_PATH_BYTES is a power of two");

/*
 * Where a path is made, one for each struct sample. The text grows from its end towards its
 * beginning; what is behind FT_PATH_BYTES is only there because the verifier does not know that a
 * name that begins before it ends before it.
 */
struct path_place {
	char text[2 * FT_PATH_BYTES];
	char name[FT_PATH_BYTES]; /* what the task gave */
	struct ft_path path;
	struct dentry *dentry;
	struct vfsmount *mnt;
	__u32 at;
	__u32 flags;
	/* Of path_normalize(). In memory, as the verifier goes through each number of them that it
	 * knows. */
	__u32 from, to, end; /* what is read next; what was written last, and where it ends */
	__u32 dots;	     /* in the component */
	__u32 skip;	     /* components that a ".." takes away */
	__u64 hash;	     /* of path_mounted() */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SAMPLE_PLACES);
	__type(key, __u32);
	__type(value, struct path_place);
} path_places SEC(".maps");

/* The compiler must not infer from a comparison that a mask is superfluous: the verifier cannot. */
#define PATH_OPAQUE(x) asm volatile("" : "+r"(x))

/* --- the normal form ------------------------------------------------------------------------- */

static __always_inline void path_put(struct path_place *p, char c)
{
	__u32 to = p->to - 1;

	p->to = to;
	PATH_OPAQUE(to);
	p->text[to & PATH_MASK] = c;
}

/*
 * A component has been copied from its end to its beginning: keeps it, or takes it back. Global, so
 * that the verifier does not look at it for each byte of a path.
 */
__noinline int path_end_component(__u32 place)
{
	struct path_place *p = bpf_map_lookup_elem(&path_places, &place);
	__u32 n, dots;

	if (!p)
		return 0;
	n = p->end - p->to;
	dots = p->dots;
	p->dots = 0;
	if (n > 2 || n != dots) {
		if (!p->skip) {
			path_put(p, '/');
			p->end = p->to;
			return 0;
		}
		p->skip--;
	} else if (n == 2) {
		p->skip++;
	}
	p->to = p->end;
	return 0;
}

/*
 * "/a/./b/../c//d" becomes "/a/c/d", from its end to its beginning and in its place. Where b is a
 * symbolic link the file is another one.
 */
__noinline int path_normalize(__u32 place)
{
	struct path_place *p = bpf_map_lookup_elem(&path_places, &place);
	__u32 i, from;
	char c;

	if (!p)
		return 0;
	p->from = p->to = p->end = FT_PATH_BYTES;
	p->dots = p->skip = 0;
	for (i = 0; i < FT_PATH_BYTES; i++) {
		from = p->from;
		if (from <= p->at)
			break;
		from--;
		p->from = from;
		PATH_OPAQUE(from);
		c = p->text[from & PATH_MASK];
		if (c == '/') {
			path_end_component(place);
			continue;
		}
		p->dots += c == '.';
		path_put(p, c);
	}
	if (p->to == FT_PATH_BYTES)
		path_put(p, '/');
	p->at = p->to;
	return 0;
}

/* --- what is mounted there ------------------------------------------------------------------- */

/* By ft_mount_hash() of where it is mounted: the file system that is on top. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, FT_MOUNTS);
	__type(key, __u64);
	__type(value, struct ft_mount);
} mounts SEC(".maps");

/* Fills in what is mounted at the path of p->hash, if anything is. */
__noinline int path_note_mount(__u32 place)
{
	struct path_place *p = bpf_map_lookup_elem(&path_places, &place);
	struct ft_mount *have;
	__u64 hash;

	if (!p)
		return 0;
	hash = p->hash;
	have = bpf_map_lookup_elem(&mounts, &hash);
	if (!have)
		return 0;
	p->path.dev = have->dev;
	__builtin_memcpy(p->path.fs, have->fs, sizeof(have->fs));
	return 0;
}

/* Fills in the last mount on the way, if there is one. */
__noinline int path_mounted(__u32 place)
{
	struct path_place *p = bpf_map_lookup_elem(&path_places, &place);
	__u32 at, i;
	char c;

	if (!p)
		return 0;
	at = p->at;
	p->hash = FT_MOUNT_HASH_FIRST;
	for (i = 0; i < FT_PATH_BYTES; i++) {
		if (at >= FT_PATH_BYTES)
			break;
		c = p->text[at & PATH_MASK];
		if (c == '/')
			path_note_mount(place);
		p->hash = ft_mount_hash(p->hash, c);
		at++;
		PATH_OPAQUE(at);
	}
	path_note_mount(place);
	return 0;
}

/* --- whether it is asked for ----------------------------------------------------------------- */

/*
 * FT_PATH_WANTED if the text is one of the paths asked for, FT_PATH_UNDECIDED if that hangs on what
 * has been cut off, else 0. Before what is missing at the beginning a pattern may be anywhere, but
 * only one that begins with '*' is sure to be where it began; and so at the end.
 */
__noinline int path_judge(__u32 place)
{
	struct path_place *p = bpf_map_lookup_elem(&path_places, &place);
	__u64 sure = cfg_path.start, maybe = sure;
	__u32 at, i, flags;

	if (!p)
		return 0;
	flags = p->flags;
	if (flags & FT_PATH_CUT) {
		sure &= cfg_path.loops;
		maybe = ~0ull;
	}
	at = p->at;
	for (i = 0; i < FT_PATH_BYTES; i++) {
		__u8 c;

		if (at >= FT_PATH_BYTES)
			break;
		c = p->text[at & PATH_MASK];
		sure = glob_step(&cfg_path, sure, c);
		maybe = glob_step(&cfg_path, maybe, c);
		at++;
		PATH_OPAQUE(at);
	}
	if (flags & FT_PATH_CUT_END)
		sure &= cfg_path.loops;
	else
		maybe &= cfg_path.final;
	if (sure & cfg_path.final)
		return FT_PATH_WANTED;
	return maybe ? FT_PATH_UNDECIDED : 0;
}
