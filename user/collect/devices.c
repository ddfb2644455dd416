/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/devices.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/base/keyset.h"
#include "user/collect/dev_number.h"
#include "user/collect/device_read.h"

#define MAX_DEVICES 65536
/* How many devices may lie one on another: two layers of dm, md, and partitions make eight. */
#define MAX_DEPTH 16

struct devices {
	int root_fd;
	struct keyset devs;  /* of uint32_t */
	struct device **all; /* by number in 'devs' */
	size_t cap;
	size_t unread;
};

static void closedirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static void device_free(struct device *d)
{
	device_release(d);
	free(d);
}
DEFINE_FREEP(struct device, device_free)

static int no_memory(void)
{
	return errf(-ENOMEM, "no memory for block devices");
}

/* A device that goes by its number. */
static int device_new(uint32_t dev, struct device **ret)
{
	_cleanup_(device_freep) struct device *d = calloc(1, sizeof(*d));
	char number[32];

	if (!d)
		return -ENOMEM;
	d->dev = dev;
	d->dm_name = strdup("");
	d->backing_file = strdup("");
	if (!d->dm_name || !d->backing_file)
		return -ENOMEM;
	snprintf(number, sizeof(number), "%u:%u", dev_number_major(dev), dev_number_minor(dev));
	d->name = strdup(number);
	if (!d->name)
		return -ENOMEM;
	*ret = take(d);
	return 0;
}

static int device_of(struct devices *devices, uint32_t dev, struct device **ret, bool *ret_new)
{
	_cleanup_(device_freep) struct device *d = NULL;
	uint32_t i = keyset_find(&devices->devs, &dev);

	*ret_new = i == KEYSET_NONE;
	if (!*ret_new) {
		*ret = devices->all[i];
		return 0;
	}
	if (device_new(dev, &d) || array_reserve(devices->all, devices->cap, devices->devs.n + 1) ||
	    keyset_add(&devices->devs, &dev, &i) < 0)
		return -ENOMEM;
	*ret = devices->all[i] = take(d);
	return 0;
}

/* --- one reading after another -------------------------------------------------------------- */

static bool differ(const char *a, const char *b)
{
	return a[0] && b[0] && strcmp(a, b) != 0;
}

static bool is_another(const struct device *was, const struct device *is)
{
	/* A medium that was empty has not been used: a loop device before it got its file. */
	bool other_medium = was->diskseq && is->diskseq && was->diskseq != is->diskseq &&
			    was->sectors && is->sectors;

	return other_medium || differ(was->name, is->name) || differ(was->dm_name, is->dm_name) ||
	       differ(was->backing_file, is->backing_file);
}

static void keep_text(char **text, char **was)
{
	if (!(*text)[0]) {
		free(*text);
		*text = take(*was);
	}
}

static void keep_list(uint32_t **list, size_t *n, uint32_t **was, size_t n_was)
{
	if (!*n) {
		free(*list);
		*list = take(*was);
		*n = n_was;
	}
}

/* Puts what was read now in the place of what is known; what is empty now is what it was. */
static void update(struct device *known, struct device *now)
{
	if (known->kind != DEVICE_UNKNOWN) {
		now->reused = known->reused || is_another(known, now);
		keep_text(&now->dm_name, &known->dm_name);
		keep_text(&now->backing_file, &known->backing_file);
		keep_list(&now->slaves, &now->n_slaves, &known->slaves, known->n_slaves);
		keep_list(&now->holders, &now->n_holders, &known->holders, known->n_holders);
		if (!now->sectors)
			now->sectors = known->sectors;
	}
	device_release(known);
	*known = *now;
}

/* 0 also if there is no such device, which then is marked as gone. */
static int read_one(struct devices *devices, struct device *known)
{
	struct device now;
	int err = device_read(devices->root_fd, known->dev, &now, &devices->unread);

	if (!err)
		update(known, &now);
	else
		known->gone = true;
	return err == -ENOMEM ? err : 0;
}

int devices_refresh(struct devices *devices)
{
	int fd = devices->root_fd < 0 ? -1
				      : openat(devices->root_fd, "dev/block",
					       O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(closedirp) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	struct device *d;
	uint32_t dev;
	bool is_new;
	size_t i;

	if (fd >= 0 && !dir)
		close(fd);
	devices->unread = 0;
	while (dir && (entry = readdir(dir))) {
		if (!dev_number_parse(entry->d_name, strlen(entry->d_name), &dev))
			continue;
		if (devices->devs.n >= MAX_DEVICES)
			devices->unread++;
		else if (device_of(devices, dev, &d, &is_new))
			return no_memory();
	}
	for (i = 0; i < devices->devs.n; i++) {
		if (read_one(devices, devices->all[i]))
			return no_memory();
	}
	return 0;
}

int devices_new(const char *sysfs, struct devices **ret)
{
	_cleanup_(devices_freep) struct devices *devices = calloc(1, sizeof(*devices));
	int err;

	if (!devices)
		return no_memory();
	keyset_init(&devices->devs, sizeof(uint32_t));
	devices->root_fd = open(sysfs, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	err = devices_refresh(devices);
	if (err)
		return err;
	*ret = take(devices);
	return 0;
}

void devices_free(struct devices *devices)
{
	size_t i;

	if (!devices)
		return;
	for (i = 0; i < devices->devs.n; i++)
		device_free(devices->all[i]);
	free(devices->all);
	keyset_release(&devices->devs);
	if (devices->root_fd >= 0)
		close(devices->root_fd);
	free(devices);
}

size_t devices_unread(const struct devices *devices)
{
	return devices->unread;
}

size_t devices_count_disks(const struct devices *devices)
{
	size_t i, n = 0;

	for (i = 0; i < devices->devs.n; i++) {
		const struct device *d = devices->all[i];

		n += !d->gone && d->sectors &&
		     (d->kind == DEVICE_DISK || d->kind == DEVICE_LOOP || d->kind == DEVICE_OTHER);
	}
	return n;
}

/* The device of a number, NULL if there is no memory. */
static const struct device *look_up(struct devices *devices, uint32_t dev)
{
	struct device *d = NULL;
	bool is_new;

	if (device_of(devices, dev, &d, &is_new) || (is_new && read_one(devices, d)))
		return NULL;
	return d;
}

int devices_resolve(struct devices *devices, uint32_t dev, const struct device **ret)
{
	const struct device *d = look_up(devices, dev);

	if (!d)
		return no_memory();
	*ret = d;
	return 0;
}

/* --- text ------------------------------------------------------------------------------------ */

const char *device_kind_name(enum device_kind kind)
{
	static const char *const names[] = {
		[DEVICE_UNKNOWN] = "unknown",
		[DEVICE_DISK] = "disk",
		[DEVICE_PARTITION] = "partition",
		[DEVICE_DM] = "dm",
		[DEVICE_MD] = "md",
		[DEVICE_LOOP] = "loop",
		[DEVICE_OTHER] = "other",
	};

	return (size_t)kind < ARRAY_SIZE(names) ? names[kind] : "unknown";
}

int device_label(const struct device *device, struct str *ret)
{
	const char *more = device->dm_name[0] ? device->dm_name : device->backing_file;

	if (more[0] ? str_addf(ret, "%s (%s)", device->name, more) : str_add(ret, device->name))
		return no_memory();
	return 0;
}

/*
 * Fills path[0..] with the devices from 'top' down to 'bottom', both included; the number of them,
 * 0 if there is no way of at most 'room' devices, -ENOMEM.
 */
static int find_way(struct devices *devices, uint32_t top, uint32_t bottom,
		    const struct device **path, size_t room, size_t *budget)
{
	const struct device *d;
	size_t i;
	int n;

	if (!room || !*budget)
		return 0;
	(*budget)--;
	d = look_up(devices, top);
	if (!d)
		return -ENOMEM;
	path[0] = d;
	if (top == bottom)
		return 1;
	if (d->parent) {
		n = find_way(devices, d->parent, bottom, path + 1, room - 1, budget);
		if (n)
			return n < 0 ? n : n + 1;
	}
	for (i = 0; i < d->n_slaves; i++) {
		n = find_way(devices, d->slaves[i], bottom, path + 1, room - 1, budget);
		if (n)
			return n < 0 ? n : n + 1;
	}
	return 0;
}

int devices_lineage(struct devices *devices, uint32_t physical, uint32_t origin, struct str *ret)
{
	const struct device *way[MAX_DEPTH] = { NULL };
	/* Many slaves on many layers would have more ways than anybody waits for. */
	size_t budget = 10000;
	int n, err;

	if (!origin)
		origin = physical;
	n = find_way(devices, origin, physical, way, MAX_DEPTH, &budget);
	if (n < 0)
		return no_memory();
	if (n == 0) {
		n = 2;
		way[0] = look_up(devices, origin);
		way[1] = look_up(devices, physical);
		if (!way[0] || !way[1])
			return no_memory();
	}
	err = device_label(way[n - 1], ret);
	while (!err && --n > 0)
		err = str_add(ret, " <- ") ? no_memory() : device_label(way[n - 1], ret);
	return err;
}
