/* SPDX-License-Identifier: BSD-2-Clause */
#include "shim/settle.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "shim/own_memory.h"
#include "shim/probes.h"

#define STEP_NS	       1000000
#define MAX_STEPS      500
#define MAX_IDLE_STEPS 250 /* the recorder writes ten times a second, if it lives */

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

bool settle(const char *path)
{
	const struct timespec step = { .tv_nsec = STEP_NS };
	uint64_t start = now_ns(), known = 0, before = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), i, since = 0;

	if (fd < 0)
		return false;
	probe_settling(start);
	for (i = 0; i < MAX_STEPS; i++) {
		if (pread(fd, &known, sizeof(known), 0) != sizeof(known) || known >= start)
			break;
		since = known == before ? since + 1 : 0;
		before = known;
		if (since > MAX_IDLE_STEPS)
			break;
		nanosleep(&step, NULL);
	}
	close(fd);
	return true;
}
