// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * path: the paths of files, made once for each file and kept under a hash of what identifies it:
 *
 *	path_of_file()	a file that is open
 *	path_of_name()	a string that the task gave to a system call
 *
 * Both return the path's number and what there is to know of it. A path is made by going from the
 * file to the root, as d_path() of fs/d_path.c does, but without locks: while directories are being
 * renamed it may be a mixture. A file keeps the path by which it was seen first until its own name
 * or directory changes.
 */
#pragma once

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/file_wire.h"
#include "bpf/path_text.bpf.h"
#include "bpf/sample.bpf.h"

struct ft_file_notes notes = {};

/* The loader empties it when it becomes full: it has read what was there. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, struct ft_path);
} paths SEC(".maps");

/* What there is to know of a path beside its number. */
struct path_facts {
	__u32 flags; /* FT_PATH_* */
	__u32 dev;
};

/* A name in kernel memory, with a slash before it. */
static __always_inline bool path_prepend(struct path_place *p, const void *name, __u32 length,
					 __u32 mask)
{
	__u32 at = p->at;

	length &= mask;
	if (!length || at > FT_PATH_BYTES || length >= at) {
		p->flags |= FT_PATH_CUT;
		return false;
	}
	at -= length + 1;
	p->at = at;
	PATH_OPAQUE(at);
	p->text[at & PATH_MASK] = '/';
	at++;
	PATH_OPAQUE(length);
	bpf_probe_read_kernel(&p->text[at & PATH_MASK], length & mask, name);
	return true;
}

/* One component; false at the root, or where there is no more room. */
static __always_inline bool path_step(struct path_place *p)
{
	struct dentry *dentry = p->dentry, *parent;
	struct vfsmount *mnt = p->mnt;
	struct mount *mount, *above;
	const unsigned char *name;

	if (dentry == BPF_CORE_READ(mnt, mnt_root)) {
		mount = (void *)mnt - bpf_core_field_offset(struct mount, mnt);
		above = BPF_CORE_READ(mount, mnt_parent);
		if (!above || above == mount)
			return false;
		p->dentry = BPF_CORE_READ(mount, mnt_mountpoint);
		p->mnt = (void *)above + bpf_core_field_offset(struct mount, mnt);
		return true;
	}
	parent = BPF_CORE_READ(dentry, d_parent);
	name = BPF_CORE_READ(dentry, d_name.name);
	if (!path_prepend(p, name, BPF_CORE_READ(dentry, d_name.len), PATH_NAME_MASK))
		return false;
	p->dentry = parent;
	return parent && parent != dentry; /* else it is in no directory: "memfd:" and the like */
}

/* Goes from p->dentry to the root. Global, as what bpf/path_text.bpf.h has. */
__noinline int path_walk(__u32 place)
{
	struct path_place *p = bpf_map_lookup_elem(&path_places, &place);
	__u32 i, at;

	if (!p)
		return 0;
	for (i = 0; i < FT_PATH_COMPONENTS; i++) {
		if (!path_step(p))
			break;
	}
	if (i == FT_PATH_COMPONENTS)
		p->flags |= FT_PATH_CUT;
	at = p->at;
	if (at == FT_PATH_BYTES) {
		at--;
		p->text[FT_PATH_BYTES - 1] = '/';
		p->at = at;
	}
	return 0;
}

static __always_inline __u64 path_mix(__u64 hash, __u64 word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL; /* as stack_hash() */
	return hash ^ hash >> 32;
}

static __always_inline __u64 path_dentry_hash(struct dentry *dentry, struct vfsmount *mnt)
{
	__u64 hash = path_mix(path_mix(1, (__u64)dentry), (__u64)mnt);

	hash = path_mix(hash, (__u64)BPF_CORE_READ(dentry, d_parent));
	return path_mix(hash, BPF_CORE_READ(dentry, d_name.hash));
}

/* Ends what path_walk() made, and keeps it: its number, or 0 if there is no room. */
static __always_inline __u64 path_keep(struct path_place *p, __u32 place, __u64 id)
{
	__u32 at, bytes;
	long err;

	p->flags |= cfg_by_path ? (__u32)path_judge(place) : FT_PATH_WANTED;
	if (p->flags & (FT_PATH_CUT | FT_PATH_CUT_END))
		__sync_fetch_and_add(&notes.paths_cut, 1);
	at = p->at;
	bytes = FT_PATH_BYTES - at;
	if (at > FT_PATH_BYTES)
		bytes = 0;
	p->path.bytes = bytes;
	p->path.flags = p->flags;
	PATH_OPAQUE(at);
	PATH_OPAQUE(bytes);
	if (bytes <= FT_PATH_BYTES)
		bpf_probe_read_kernel(p->path.text, bytes, &p->text[at & PATH_MASK]);
	err = bpf_map_update_elem(&paths, &id, &p->path, BPF_ANY);
	__sync_fetch_and_add(err ? &notes.paths_full : &notes.paths_made, 1);
	return err ? 0 : id;
}

static __always_inline void path_filesystem(struct path_place *p, struct super_block *sb)
{
	const char *name = BPF_CORE_READ(sb, s_type, name);

	p->flags = BPF_CORE_READ(sb, s_bdev) ? FT_PATH_HAS_DEVICE : 0;
	p->path.dev = BPF_CORE_READ(sb, s_dev);
	__builtin_memset(p->path.fs, 0, sizeof(p->path.fs));
	bpf_probe_read_kernel_str(p->path.fs, sizeof(p->path.fs), name);
}

/* Its number, which is odd. 'p' is the place of that number. */
static __always_inline __u64 path_of_file(struct path_place *p, __u32 place, struct file *file,
					  struct path_facts *ret)
{
	struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);
	struct vfsmount *mnt = BPF_CORE_READ(file, f_path.mnt);
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	struct ft_path *have;
	__u64 id;

	id = path_mix(path_dentry_hash(dentry, mnt), (__u64)inode);
	id = path_mix(id, BPF_CORE_READ(inode, i_ino)) | 1;
	have = bpf_map_lookup_elem(&paths, &id);
	if (have) {
		*ret = (struct path_facts){ have->flags, have->dev };
		return id;
	}
	path_filesystem(p, BPF_CORE_READ(inode, i_sb));
	p->path.ino = BPF_CORE_READ(inode, i_ino);
	p->dentry = dentry;
	p->mnt = mnt;
	p->at = FT_PATH_BYTES;
	path_walk(place);
	id = path_keep(p, place, id);
	*ret = (struct path_facts){ p->flags, p->path.dev };
	return id;
}

/* Of p->name, whose 'n' bytes are less than there is room for. */
static __always_inline __u64 path_name_hash(const struct path_place *p, __u32 n, __u64 hash)
{
	const __u64 *words = (const __u64 *)p->name;
	__u32 i;

	for (i = 0; i < FT_PATH_BYTES / 8; i++) {
		__u64 word = words[i];

		if (i * 8 >= n)
			break;
		/* What a longer name left behind this one. */
		if (n - i * 8 < 8)
			word &= (1ull << (n - i * 8) * 8) - 1;
		hash = path_mix(hash, word);
	}
	return hash;
}

/*
 * What the text leads to is on the last mount on its way, as far as the loader knows them. If the
 * walk ended at another root than that of its mounts, or nowhere, it is the file system where the
 * name begins that is known.
 */
static __always_inline void path_find_mount(struct path_place *p, __u32 place)
{
	struct dentry *root = p->dentry;
	__u32 dev = p->path.dev;

	if (p->flags & FT_PATH_CUT || !cfg_root_dev ||
	    BPF_CORE_READ(root, d_sb, s_dev) != cfg_root_dev)
		return;
	path_mounted(place);
	if (dev == p->path.dev)
		return;
	p->flags &= ~FT_PATH_HAS_DEVICE;
	if (p->path.dev >> 20) /* a major number of 0 is no device's */
		p->flags |= FT_PATH_HAS_DEVICE;
}

/*
 * p->name has 'n' bytes and its NUL, and is relative to p->dentry in p->mnt. Its number is even.
 */
static __always_inline __u64 path_of_name(struct path_place *p, __u32 place, __u32 n,
					  struct path_facts *ret)
{
	struct dentry *dentry = p->dentry;
	__u64 id = path_name_hash(p, n, path_dentry_hash(dentry, p->mnt)) & ~1ull;
	struct ft_path *have;
	__u32 skip;

	if (!id)
		id = 2;
	have = bpf_map_lookup_elem(&paths, &id);
	if (have) {
		*ret = (struct path_facts){ have->flags, have->dev };
		return id;
	}
	path_filesystem(p, BPF_CORE_READ(dentry, d_sb));
	p->flags |= FT_PATH_BY_NAME;
	if (n >= FT_PATH_BYTES - 1)
		p->flags |= FT_PATH_CUT_END;
	p->path.ino = 0;
	p->at = FT_PATH_BYTES;
	skip = p->name[0] == '/';
	if (n > skip)
		path_prepend(p, p->name + skip, n - skip, PATH_MASK);
	path_walk(place);
	path_normalize(place);
	path_find_mount(p, place);
	id = path_keep(p, place, id);
	*ret = (struct path_facts){ p->flags, p->path.dev };
	return id;
}
