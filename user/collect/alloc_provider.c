/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/alloc_provider.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/types.h>

#include "bpf/draw_wire.h"
#include "user/base/cleanup.h"
#include "user/collect/maps_file.h"
#include "user/elf/elf_image.h"
#include "user/sym/mapped_file.h"

#define MAX_MAPPINGS 65536

#define SETTING "FATHOM_ALLOC=interval="

struct scan {
	struct alloc_provider *found;
	uint64_t dev, ino; /* of the last mapping: a file has several, one behind the other */
};

/* Those with a counter of listeners would have to be told of us. */
static bool are_plain(const struct shim_probe *probes, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (probes[i].semaphore_offset)
			return false;
	}
	return true;
}

/* 1 ends the search. */
static int look_at(void *ctx, const struct sym_mapping *m)
{
	_cleanup_(elf_image_freep) struct elf_image *image = NULL;
	struct scan *scan = ctx;
	struct alloc_provider *p = scan->found;
	int fd;

	if (m->path[0] != '/' || !m->ino || (m->ino == scan->ino && m->dev == scan->dev))
		return 0;
	scan->ino = m->ino;
	scan->dev = m->dev;
	fd = mapped_file_open(m);
	if (fd < 0)
		return 0;
	if (!elf_image_open(fd, m->path, &image) &&
	    !shim_probes_read(image, &p->probes, &p->n_probes)) {
		if (are_plain(p->probes, p->n_probes)) {
			p->file = fd;
			return 1;
		}
		free(p->probes);
		p->probes = NULL;
	}
	close(fd);
	return 0;
}

/* The environment is what the process makes of it: only a number is taken. */
static uint64_t interval_of(uint32_t pid)
{
	_cleanup_(freep) char *line = NULL;
	uint64_t interval = 0;
	char path[64];
	size_t size = 0;
	FILE *environment;

	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/environ", pid);
	environment = fopen(path, "re");
	if (!environment)
		return 0;
	while (!interval && getdelim(&line, &size, '\0', environment) > 0) {
		if (!strncmp(line, SETTING, strlen(SETTING)))
			interval = strtoull(line + strlen(SETTING), NULL, 10);
	}
	fclose(environment);
	return interval <= FT_ALLOC_MAX_INTERVAL_BYTES ? interval : 0;
}

int alloc_provider_find(uint32_t pid, struct alloc_provider *ret)
{
	struct alloc_provider p = { .pid = pid, .file = -1 };
	struct scan scan = { .found = &p };
	int err = maps_file_read(pid, MAX_MAPPINGS, look_at, &scan);

	if (err != 1)
		return err == -ENOMEM ? err : -ENOENT;
	p.interval_bytes = interval_of(pid);
	*ret = p;
	return 0;
}

void alloc_provider_release(struct alloc_provider *p)
{
	if (!p->probes)
		return;
	close(p->file);
	free(p->probes);
	p->probes = NULL;
}
