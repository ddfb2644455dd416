/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dev_number: device numbers as the kernel has them inside and BPF programs read them: 12 bits of
 * major above 20 of minor (include/linux/kdev_t.h). User space's dev_t, the st_dev of stat(2), has
 * another layout (makedev(3)): never compare one with the other.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/sysmacros.h>
#include <sys/types.h>

#define DEV_NUMBER_MINOR_BITS 20
#define DEV_NUMBER_MAX_MAJOR  0xfffu
#define DEV_NUMBER_MAX_MINOR  0xfffffu

/* A larger major or minor than the kernel has is cut. */
static inline uint32_t dev_number(unsigned int major, unsigned int minor)
{
	return major << DEV_NUMBER_MINOR_BITS | (minor & DEV_NUMBER_MAX_MINOR);
}

static inline unsigned int dev_number_major(uint32_t dev)
{
	return dev >> DEV_NUMBER_MINOR_BITS;
}

static inline unsigned int dev_number_minor(uint32_t dev)
{
	return dev & DEV_NUMBER_MAX_MINOR;
}

static inline uint32_t dev_number_of_st_dev(dev_t st_dev)
{
	return dev_number(major(st_dev), minor(st_dev));
}

static inline dev_t dev_number_to_st_dev(uint32_t dev)
{
	return makedev(dev_number_major(dev), dev_number_minor(dev));
}

/* Reads all of "MAJOR:MINOR", decimal, as sysfs and mountinfo have it; false if it is not that. */
bool dev_number_parse(const char *text, size_t len, uint32_t *ret);
