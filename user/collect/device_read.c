/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/device_read.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/major.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/base/array.h"
#include "user/base/str.h"
#include "user/collect/dev_number.h"
#include "user/collect/sysfs.h"

#define MAX_RELATED 4096 /* slaves or holders of one device; a dm table of Debian's has dozens */

/* One device while it is read. */
struct reader {
	int root_fd, fd;
	char path[SYSFS_PATH_MAX]; /* of its folder, from the root */
	struct device *device;
	size_t *unread;
};

static void closedirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

void device_release(struct device *device)
{
	free(device->name);
	free(device->dm_name);
	free(device->backing_file);
	free(device->slaves);
	free(device->holders);
	*device = (struct device){ 0 };
}

static int clean_copy(const char *text, char **ret)
{
	_cleanup_(str_release) struct str clean = { 0 };

	/* An empty text too must be a block of its own. */
	if (str_add(&clean, "") || str_add_clean(&clean, text, strlen(text), 0))
		return -ENOMEM;
	*ret = take(clean.data);
	return 0;
}

static bool has(const struct reader *r, const char *name)
{
	return faccessat(r->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* The attribute's text, "" if there is none. */
static int read_text(struct reader *r, const char *name, char **ret)
{
	_cleanup_(freep) char *text = NULL;
	int err = sysfs_read(r->fd, name, &text);

	if (err == -ENOMEM)
		return err;
	if (err && err != -ENOENT && err != -ENODEV)
		(*r->unread)++;
	return clean_copy(text ? text : "", ret);
}

static int read_number(struct reader *r, const char *name, uint64_t *ret)
{
	_cleanup_(freep) char *text = NULL;
	int err = read_text(r, name, &text);
	char *end;

	if (err)
		return err;
	errno = 0;
	*ret = text[0] >= '0' && text[0] <= '9' ? strtoull(text, &end, 10) : 0;
	if (errno)
		*ret = 0;
	return 0;
}

/* The number of the device in a folder below the root. */
static int read_dev(struct reader *r, const char *folder, uint32_t *ret)
{
	_cleanup_(freep) char *text = NULL;
	char path[SYSFS_PATH_MAX + 8];
	int err;

	snprintf(path, sizeof(path), "%s/dev", folder);
	err = sysfs_read(r->root_fd, path, &text);
	if (err)
		return err;
	return dev_number_parse(text, strlen(text), ret) ? 0 : -EINVAL;
}

static int read_related(struct reader *r, const char *name, uint32_t **ret, size_t *ret_n)
{
	int fd = openat(r->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	_cleanup_(closedirp) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	char folder[SYSFS_PATH_MAX + 8], path[SYSFS_PATH_MAX];
	_cleanup_(freep) uint32_t *list = NULL;
	struct dirent *entry;
	size_t n = 0, cap = 0;
	uint32_t dev;
	int err;

	if (fd >= 0 && !dir)
		close(fd);
	snprintf(folder, sizeof(folder), "%s/%s", r->path, name);
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		err = n < MAX_RELATED ? sysfs_follow(r->root_fd, folder, entry->d_name, path)
				      : -E2BIG;
		if (!err)
			err = read_dev(r, path, &dev);
		if (err == -ENOMEM)
			return err;
		if (err) {
			(*r->unread)++;
			continue;
		}
		if (array_reserve(list, cap, n + 1))
			return -ENOMEM;
		list[n++] = dev;
	}
	*ret = take(list);
	*ret_n = n;
	return 0;
}

/* The kernel writes a slash in a device's name as '!' there (kobject_set_name_vargs). */
static int read_name(struct reader *r)
{
	char name[SYSFS_PATH_MAX], *p;

	snprintf(name, sizeof(name), "%s", strrchr(r->path, '/') + 1);
	for (p = name; *p; p++) {
		if (*p == '!')
			*p = '/';
	}
	return clean_copy(name, &r->device->name);
}

static int read_parent(struct reader *r)
{
	char folder[SYSFS_PATH_MAX];
	int err;

	snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(r->path, '/') - r->path), r->path);
	err = read_dev(r, folder, &r->device->parent);
	if (err && err != -ENOMEM) {
		(*r->unread)++;
		err = 0;
	}
	return err;
}

static enum device_kind kind_of(const struct reader *r)
{
	if (has(r, "partition"))
		return DEVICE_PARTITION;
	if (has(r, "dm"))
		return DEVICE_DM;
	if (has(r, "md"))
		return DEVICE_MD;
	if (dev_number_major(r->device->dev) == LOOP_MAJOR)
		return DEVICE_LOOP;
	return has(r, "device") ? DEVICE_DISK : DEVICE_OTHER;
}

static int read_all(struct reader *r)
{
	struct device *d = r->device;
	int err = read_name(r);

	d->kind = kind_of(r);
	if (!err && d->kind == DEVICE_PARTITION)
		err = read_parent(r);
	if (!err)
		err = read_text(r, "dm/name", &d->dm_name);
	if (!err)
		err = read_text(r, "loop/backing_file", &d->backing_file);
	if (!err)
		err = read_number(r, "size", &d->sectors);
	if (!err)
		err = read_number(r, "diskseq", &d->diskseq);
	if (!err)
		err = read_related(r, "slaves", &d->slaves, &d->n_slaves);
	if (!err)
		err = read_related(r, "holders", &d->holders, &d->n_holders);
	return err;
}

int device_read(int root_fd, uint32_t dev, struct device *ret, size_t *unread)
{
	struct device device = { .dev = dev };
	struct reader r = { .root_fd = root_fd, .fd = -1, .device = &device, .unread = unread };
	char name[32];
	int err;

	snprintf(name, sizeof(name), "%u:%u", dev_number_major(dev), dev_number_minor(dev));
	err = sysfs_follow(root_fd, "dev/block", name, r.path);
	if (!err) {
		r.fd = openat(root_fd, r.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		if (r.fd < 0)
			err = -errno;
	}
	if (err) {
		if (err != -ENOENT)
			(*unread)++;
		return err;
	}
	err = read_all(&r);
	close(r.fd);
	if (err)
		device_release(&device);
	else
		*ret = device;
	return err;
}
