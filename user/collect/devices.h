/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * devices: block devices by their numbers: names, kinds, and what stands on what, from sysfs
 * (Documentation/ABI/{stable/sysfs-block,testing/sysfs-block-dm,testing/sysfs-dev}).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/base/cleanup.h"
#include "user/base/str.h"

enum device_kind {
	DEVICE_UNKNOWN,	  /* was never seen in sysfs: goes by its number */
	DEVICE_DISK,	  /* has a driver of a bus: vda, nvme0n1 */
	DEVICE_PARTITION, /* of any of the others */
	DEVICE_DM,
	DEVICE_MD,
	DEVICE_LOOP,
	DEVICE_OTHER, /* zram, nbd, brd */
};

/* Numbers are those of dev_number.h. Text is clean and on one line (str_add_clean), "" if there
 * is none. */
struct device {
	uint32_t dev;
	enum device_kind kind;
	char *name;	    /* "vda1"; "8:16" if it is not known */
	char *dm_name;	    /* "data", for /dev/mapper/data */
	char *backing_file; /* of a loop device, in whose mount namespace is unknown */
	uint32_t parent;    /* a partition's disk; 0 for none */
	uint32_t *slaves;   /* what it stands on */
	uint32_t *holders;  /* what stands on it */
	size_t n_slaves, n_holders;
	uint64_t sectors; /* of 512 bytes; 0 for a loop device without a file */
	uint64_t diskseq; /* another one means another medium; 0 before 5.15, and of partitions */
	bool gone;	  /* was not there at the last reading */
	bool reused;	  /* the number stood for more than one device: this is the latest */
};

struct devices;

/*
 * Reads all of SYSFS/dev/block ("/sys"; tests have others). A sysfs that cannot be read is no
 * error: then all devices go by their numbers. -ENOMEM with a sentence.
 */
int devices_new(const char *sysfs, struct devices **ret);
void devices_free(struct devices *devices);
DEFINE_FREEP(struct devices, devices_free)

/*
 * Reads all again, so that what came while recording is known (a loop device may get its file, or
 * a dm device its slaves, long after its number was seen). What is gone keeps what was read, and
 * so do names, files and slaves that are empty now. -ENOMEM with a sentence.
 */
int devices_refresh(struct devices *devices);

/*
 * How many there were at the last reading that have a medium and a queue of requests of their own:
 * no partitions, device mapper or md.
 */
size_t devices_count_disks(const struct devices *devices);

/*
 * The device of a number; one that is not known is looked for, once until devices_refresh. Never
 * NULL on success. It lives as long as 'devices'; strings and lists in it until the next
 * devices_refresh. -ENOMEM with a sentence.
 */
int devices_resolve(struct devices *devices, uint32_t dev, const struct device **ret);

/*
 * Appends a name for people: "vda1", "dm-0 (data)", "loop3 (/srv/disk.img)". -ENOMEM with a
 * sentence.
 */
int device_label(const struct device *device, struct str *ret);

/*
 * Appends which way a request came to 'physical', whose queue it went through, if it was meant for
 * 'origin': "vda <- vda2 <- dm-0 (data)". What lies between is named if sysfs tells; otherwise, and
 * where there is nothing between, only the two ends; only 'physical' if 'origin' is the same or 0.
 * -ENOMEM with a sentence.
 */
int devices_lineage(struct devices *devices, uint32_t physical, uint32_t origin, struct str *ret);

/* "disk", "partition", "dm", "md", "loop", "other", "unknown" */
const char *device_kind_name(enum device_kind kind);

/*
 * What could not be read although it is there, or was beyond a limit: links that do not lead to
 * SYSFS/devices, attributes larger than a page, more than 65,536 devices or 4,096 slaves of one.
 */
size_t devices_unread(const struct devices *devices);
