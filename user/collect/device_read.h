/* SPDX-License-Identifier: BSD-2-Clause */
/* device_read: what sysfs says of one block device. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "user/collect/devices.h"

/*
 * Reads the device that SYSFS/dev/block has as "MAJOR:MINOR"; *ret is the caller's, to be given to
 * device_release. What is there and cannot be read is left empty and counted in *unread. Without a
 * sentence: -ENOENT (no such device, or gone meanwhile), -EXDEV and others of sysfs_follow
 * (counted, too), -ENOMEM.
 */
int device_read(int root_fd, uint32_t dev, struct device *ret, size_t *unread);

void device_release(struct device *device);
