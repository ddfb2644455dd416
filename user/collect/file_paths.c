/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/file_paths.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/base/str.h"
#include "user/collect/drain.h"
#include "user/collect/mountinfo.h"

#define MAX_PATHS  (1u << 20)
#define MAX_MOUNTS (1u << 17)

static int no_memory(void)
{
	return errf(-ENOMEM, "no memory for paths");
}

/* --- mounts -------------------------------------------------------------------------------- */

static int add_mount(void *ctx, const struct mountinfo *m)
{
	struct file_paths *p = ctx;

	if (p->n_mounts == MAX_MOUNTS)
		return 0;
	if (array_reserve(p->mounts, p->mounts_cap, p->n_mounts + 1))
		return -ENOMEM;
	p->mounts[p->n_mounts] = (struct file_mount){ 0 };
	p->mounts[p->n_mounts].point = strdup(m->mount_point);
	if (!p->mounts[p->n_mounts].point)
		return -ENOMEM;
	memcpy(p->mounts[p->n_mounts].fs, m->type, strnlen(m->type, FT_FS_NAME_BYTES - 1));
	p->mounts[p->n_mounts++].dev = m->dev;
	return 0;
}

/* Whether the path is the mount point or below it. */
static bool is_below(const char *path, const char *point, size_t len)
{
	if (len == 1)
		return true;
	return !strncmp(path, point, len) && (path[len] == '/' || !path[len]);
}

/* What the path is on, as far as its text tells; of equal mount points the last one is on top. */
static const struct file_mount *mount_of(const struct file_paths *p, const char *path)
{
	const struct file_mount *best = NULL;
	size_t best_len = 0, i;

	for (i = 0; i < p->n_mounts; i++) {
		size_t len = strlen(p->mounts[i].point);

		if (len < best_len || !is_below(path, p->mounts[i].point, len))
			continue;
		best = &p->mounts[i];
		best_len = len;
	}
	return best;
}

static bool is_mounted_here(const struct file_paths *p, uint32_t dev)
{
	size_t i;

	for (i = 0; i < p->n_mounts; i++) {
		if (p->mounts[i].dev == dev)
			return true;
	}
	return false;
}

uint32_t file_paths_root_dev(const struct file_paths *p)
{
	const struct file_mount *root = mount_of(p, "/");

	return root ? root->dev : 0;
}

static uint64_t hash_mount(const char *point)
{
	uint64_t hash = FT_MOUNT_HASH_FIRST;

	for (; *point && strcmp(point, "/"); point++)
		hash = ft_mount_hash(hash, *point);
	return hash;
}

int file_paths_tell_mounts(const struct file_paths *p, const struct bpf_map *mounts)
{
	size_t i;

	for (i = 0; i < p->n_mounts; i++) {
		uint64_t hash = hash_mount(p->mounts[i].point);
		struct ft_mount mount = { .dev = p->mounts[i].dev };

		memcpy(mount.fs, p->mounts[i].fs, sizeof(mount.fs));
		if (!bpf_map_update_elem(bpf_map__fd(mounts), &hash, &mount, BPF_ANY))
			continue;
		return errno == E2BIG ? 0
				      : errf(-errno, "cannot tell the kernel side of mounts: %m");
	}
	return 0;
}

int file_paths_init(struct file_paths *p, const char *mountinfo)
{
	int err;

	*p = (struct file_paths){ 0 };
	keyset_init(&p->ids, sizeof(uint64_t));
	keyset_init(&p->devs, sizeof(uint32_t));
	if (strtab_init(&p->strings))
		return no_memory();
	err = filesystems_new(mountinfo, &p->filesystems);
	if (!err && mountinfo_read(mountinfo, add_mount, p) == -ENOMEM)
		err = no_memory();
	return err;
}

void file_paths_release(struct file_paths *p)
{
	while (p->n_mounts)
		free(p->mounts[--p->n_mounts].point);
	free(p->mounts);
	filesystems_free(p->filesystems);
	strtab_release(&p->strings);
	keyset_release(&p->ids);
	free(p->paths);
	keyset_release(&p->devs);
	free(p->dev_paths);
}

/* --- texts --------------------------------------------------------------------------------- */

/* "/a/./b/../c//d" is "/a/c/d", but where a symbolic link makes it something else. */
static int add_normal(struct str *out, const char *text, size_t len)
{
	size_t at = 0;
	int err = 0;

	while (at < len && !err) {
		const char *name = text + at, *end = memchr(name, '/', len - at);
		size_t n = end ? (size_t)(end - name) : len - at;

		at += n + 1;
		if (!n || (n == 1 && name[0] == '.'))
			continue;
		if (n == 2 && !memcmp(name, "..", 2)) {
			while (out->len && out->data[--out->len] != '/')
				;
			if (out->data)
				out->data[out->len] = '\0';
			continue;
		}
		err = str_add(out, "/");
		if (!err)
			err = str_add_bytes(out, name, n);
	}
	return !err && !out->len ? str_add(out, "/") : err;
}

static int make_text(const struct ft_path *path, size_t len, struct str *out)
{
	_cleanup_(str_release) struct str normal = { 0 };
	int err = 0;

	if (path->flags & FT_PATH_CUT)
		err = str_add(out, "...");
	if (!err)
		err = add_normal(&normal, path->text, len);
	if (!err)
		err = str_add(out, normal.data);
	if (!err && (path->flags & FT_PATH_CUT_END))
		err = str_add(out, "...");
	return err;
}

/* The file system by the device, with what the kernel calls it where no mount is known. */
static int set_filesystem(struct file_paths *p, const struct ft_path *path, struct file_path *ret)
{
	const struct filesystem *fs;
	int err = filesystems_resolve(p->filesystems, ret->dev, &fs);

	if (err)
		return err;
	if (fs->type[0])
		err = strtab_add(&p->strings, fs->type, &ret->fs);
	else
		err = strtab_add_bytes(&p->strings, path->fs, strnlen(path->fs, FT_FS_NAME_BYTES),
				       &ret->fs);
	if (!err)
		err = strtab_add(&p->strings, fs->mount_point, &ret->mount);
	return err ? no_memory() : 0;
}

/*
 * Of a path without a file only where it begins is known. If that is a mount of ours, others of
 * ours may lie on the way.
 */
static uint32_t dev_of(const struct file_paths *p, const struct ft_path *path, const char *text)
{
	const struct file_mount *mount;

	if (!(path->flags & FT_PATH_BY_NAME) || !is_mounted_here(p, path->dev))
		return path->dev;
	mount = mount_of(p, text);
	return mount ? mount->dev : path->dev;
}

static int fill(struct file_paths *p, const struct ft_path *path, struct file_path *ret)
{
	_cleanup_(str_release) struct str text = { 0 };
	size_t len = path->bytes < FT_PATH_BYTES ? path->bytes : FT_PATH_BYTES;

	if (make_text(path, strnlen(path->text, len), &text) ||
	    strtab_add(&p->strings, str_text(&text), &ret->text))
		return no_memory();
	ret->flags = path->flags;
	ret->dev = dev_of(p, path, str_text(&text));
	return set_filesystem(p, path, ret);
}

static int note_dev(struct file_paths *p, uint32_t dev, uint32_t path)
{
	uint32_t i;
	int added = keyset_add(&p->devs, &dev, &i);

	if (added < 0 || array_reserve(p->dev_paths, p->dev_paths_cap, p->devs.n))
		return no_memory();
	if (added)
		p->dev_paths[i] = path;
	return 0;
}

int file_paths_add(struct file_paths *p, uint64_t id, const struct ft_path *path)
{
	struct file_path new = { 0 };
	uint32_t i;
	int err;

	if (keyset_find(&p->ids, &id) != KEYSET_NONE)
		return 0;
	if (p->ids.n >= MAX_PATHS) {
		p->n_dropped++;
		return 0;
	}
	err = fill(p, path, &new);
	if (err)
		return err;
	if (array_reserve(p->paths, p->paths_cap, p->ids.n + 1) || keyset_add(&p->ids, &id, &i) < 0)
		return no_memory();
	p->paths[i] = new;
	if (new.flags & FT_PATH_BY_NAME)
		return 0;
	return note_dev(p, new.dev, i);
}

int file_paths_find(struct file_paths *p, uint64_t id, const struct file_path **ret)
{
	static const struct file_path none = { 0 };
	struct ft_path path;
	uint32_t i;
	int err;

	*ret = &none;
	if (!id)
		return 0;
	i = keyset_find(&p->ids, &id);
	if (i == KEYSET_NONE) {
		if (bpf_map_lookup_elem(bpf_map__fd(p->map), &id, &path)) {
			p->n_unknown++;
			return 0;
		}
		err = file_paths_add(p, id, &path);
		if (err)
			return err;
		i = keyset_find(&p->ids, &id);
	}
	if (i != KEYSET_NONE)
		*ret = &p->paths[i];
	return 0;
}

static int on_path(void *ctx, const void *key, const void *value)
{
	uint64_t id;

	memcpy(&id, key, sizeof(id));
	return file_paths_add(ctx, id, value);
}

int file_paths_empty(struct file_paths *p)
{
	return drain_map(bpf_map__fd(p->map), sizeof(uint64_t), sizeof(struct ft_path), on_path, p);
}

int file_paths_make_room(struct file_paths *p, uint64_t made)
{
	if (made - p->emptied_at < bpf_map__max_entries(p->map) / 4)
		return 0;
	p->emptied_at = made;
	return file_paths_empty(p);
}

const struct file_path *file_paths_on(const struct file_paths *p, uint32_t dev)
{
	uint32_t i = keyset_find(&p->devs, &dev);

	return i == KEYSET_NONE ? NULL : &p->paths[p->dev_paths[i]];
}
