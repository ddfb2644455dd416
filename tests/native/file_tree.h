/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * file_tree: file systems, mounts, directories and open files for programs that run on the fakes:
 *
 *	/		ext4, device 8:1
 *	/home		ext4, device 8:2, mounted
 *	/srv/net	nfs, device 0:40, on no block device
 */
#pragma once

#include <assert.h>
#include <string.h>

#include "vmlinux.h"

#define TREE_DENTRIES 512
#define TREE_FDS      64

static struct file_system_type tree_ext4 = { "ext4" }, tree_nfs = { "nfs" },
			       tree_none = { "anon_inodefs" };
static struct super_block tree_sbs[] = {
	{ 8 << 20 | 1, 0xef53, (struct block_device *)&tree_sbs, &tree_ext4 },
	{ 8 << 20 | 2, 0xef53, (struct block_device *)&tree_sbs, &tree_ext4 },
	{ 40, 0x6969, NULL, &tree_nfs },
	{ 15, 0x09041934, NULL, &tree_none },
};
enum { TREE_ROOT, TREE_HOME, TREE_NET, TREE_ANONYMOUS };

static struct dentry tree_dentries[TREE_DENTRIES];
static struct inode tree_inodes[TREE_DENTRIES]; /* of the dentry of that number */
static char tree_names[TREE_DENTRIES][256];
static unsigned int tree_n;
static struct mount tree_mounts[3];
static struct file tree_files[TREE_FDS];
static struct file *tree_fds[TREE_FDS];
static struct fdtable tree_table;
static struct files_struct tree_open;
static struct fs_struct tree_fs;

static inline struct dentry *tree_add(struct dentry *parent, const char *name, unsigned int sb,
				      unsigned short mode)
{
	struct dentry *d = &tree_dentries[tree_n];
	size_t len = strlen(name), i;

	assert(tree_n < TREE_DENTRIES && len < sizeof(tree_names[0]));
	memcpy(tree_names[tree_n], name, len + 1);
	d->d_parent = parent ? parent : d;
	d->d_sb = &tree_sbs[sb];
	d->d_name.name = (unsigned char *)tree_names[tree_n];
	d->d_name.len = len;
	for (d->d_name.hash = 5381, i = 0; i < len; i++)
		d->d_name.hash = d->d_name.hash * 33 + name[i];
	tree_inodes[tree_n] = (struct inode){ mode, 1000 + tree_n, &tree_sbs[sb] };
	tree_n++;
	return d;
}

/* The directory of a path, made if it is not there. */
static inline struct dentry *tree_folder(struct dentry *from, unsigned int sb, const char *name)
{
	unsigned int i;

	for (i = 0; i < tree_n; i++) {
		if (tree_dentries[i].d_parent == from && &tree_dentries[i] != from &&
		    !strcmp(tree_names[i], name))
			return &tree_dentries[i];
	}
	return tree_add(from, name, sb, 0040755);
}

/* An open file below a mount: a descriptor of everybody. */
static inline struct file *tree_open_at(unsigned int fd, struct dentry *d, unsigned int mount)
{
	tree_files[fd] = (struct file){
		.f_path = { &tree_mounts[mount].mnt, d },
		.f_inode = &tree_inodes[d - tree_dentries],
	};
	tree_fds[fd] = &tree_files[fd];
	return &tree_files[fd];
}

static inline void tree_init(void)
{
	struct dentry *root, *home, *net;

	tree_n = 0;
	memset(tree_fds, 0, sizeof(tree_fds));
	root = tree_add(NULL, "/", TREE_ROOT, 0040755);
	home = tree_add(NULL, "/", TREE_HOME, 0040755);
	net = tree_add(NULL, "/", TREE_NET, 0040755);
	tree_mounts[TREE_ROOT] = (struct mount){ &tree_mounts[TREE_ROOT], root, { root } };
	tree_mounts[TREE_HOME] = (struct mount){ &tree_mounts[TREE_ROOT],
						 tree_folder(root, TREE_ROOT, "home"),
						 { home } };
	tree_mounts[TREE_NET] =
		(struct mount){ &tree_mounts[TREE_ROOT],
				tree_folder(tree_folder(root, TREE_ROOT, "srv"), TREE_ROOT, "net"),
				{ net } };
	tree_table = (struct fdtable){ TREE_FDS, tree_fds };
	tree_open.fdt = &tree_table;
	tree_fs.root = (struct path){ &tree_mounts[TREE_ROOT].mnt, root };
	tree_fs.pwd =
		(struct path){ &tree_mounts[TREE_HOME].mnt, tree_folder(home, TREE_HOME, "me") };
}
