/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/perf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "user/base/err.h"
#include "user/base/file.h"

void cpu_set_add(struct cpu_set *set, unsigned int cpu)
{
	if (cpu >= PERF_MAX_CPUS || cpu_set_has(set, cpu))
		return;
	set->has[cpu / 8] |= 1 << cpu % 8;
	set->n++;
}

bool cpu_set_has(const struct cpu_set *set, unsigned int cpu)
{
	return cpu < PERF_MAX_CPUS && (set->has[cpu / 8] >> cpu % 8 & 1);
}

int cpu_set_parse(const char *text, const char *what, struct cpu_set *ret)
{
	struct cpu_set set = { 0 };
	const char *p = text;
	unsigned long from, to;
	char *end;

	do {
		if (*p < '0' || *p > '9')
			return errf(-EINVAL, "%s wants a list of CPUs such as 0-3,7, not '%s'",
				    what, text);
		from = to = strtoul(p, &end, 10);
		p = end;
		if (*p == '-' && p[1] >= '0' && p[1] <= '9') {
			to = strtoul(p + 1, &end, 10);
			p = end;
		}
		if (from > to || to >= PERF_MAX_CPUS)
			return errf(-EINVAL, "%s: there is no such range of CPUs in '%s'", what,
				    text);
		for (; from <= to; from++)
			cpu_set_add(&set, from);
	} while (*p == ',' && p++);
	if (*p)
		return errf(-EINVAL, "%s wants a list of CPUs such as 0-3,7, not '%s'", what, text);
	*ret = set;
	return 0;
}

int cpu_set_online(struct cpu_set *ret)
{
	static const char path[] = "/sys/devices/system/cpu/online";
	_cleanup_(freep) char *line = NULL;
	int err = file_read_line(path, &line);

	return err ? err : cpu_set_parse(line, path, ret);
}

int perf_open(struct perf_event_attr *attr, int cpu)
{
	int fd;

	attr->size = sizeof(*attr);
	fd = syscall(SYS_perf_event_open, attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

const char *sample_event_name(enum sample_event event)
{
	return event == SAMPLE_CYCLES ? "cycles" : "cpu-clock";
}

static void attr_fill(enum sample_event event, unsigned int rate_hz, struct perf_event_attr *attr)
{
	*attr = (struct perf_event_attr){
		.size = sizeof(*attr),
		.type = event == SAMPLE_CYCLES ? PERF_TYPE_HARDWARE : PERF_TYPE_SOFTWARE,
		.config =
			event == SAMPLE_CYCLES ? PERF_COUNT_HW_CPU_CYCLES : PERF_COUNT_SW_CPU_CLOCK,
		.sample_freq = rate_hz,
		.freq = 1,
		.disabled = 1,
		/* As the side band's ring, into which notices of throttling go. */
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
		.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING,
	};
}

int sample_event_choose(enum sample_event wanted, enum sample_event *ret)
{
	struct perf_event_attr attr;
	int fd, err;

	if (wanted == SAMPLE_CPU_CLOCK) {
		*ret = SAMPLE_CPU_CLOCK;
		return 0;
	}
	attr_fill(SAMPLE_CYCLES, 99, &attr);
	fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	err = errno;
	if (fd >= 0) {
		close(fd);
		*ret = SAMPLE_CYCLES;
		return 0;
	}
	if (wanted == SAMPLE_CYCLES) {
		errno = err;
		return errf(-ENODEV,
			    "this host has no hardware cycles to sample by (%m): use cpu-clock");
	}
	*ret = SAMPLE_CPU_CLOCK;
	return 0;
}

int sample_event_open(enum sample_event event, unsigned int cpu, unsigned int rate_hz)
{
	struct perf_event_attr attr;
	int fd;

	attr_fill(event, rate_hz, &attr);
	fd = perf_open(&attr, cpu);
	if (fd >= 0 || fd == -ENODEV)
		return fd;
	errno = -fd;
	if (fd == -EINVAL)
		return errf(-EINVAL,
			    "the kernel refuses to sample at %u Hz: "
			    "kernel.perf_event_max_sample_rate may be lower",
			    rate_hz);
	if (fd == -EACCES || fd == -EPERM)
		return errf(
			fd,
			"cannot open the %s event of CPU %u: %m: run as root, or with CAP_PERFMON",
			sample_event_name(event), cpu);
	if (fd == -EMFILE)
		return errf(fd,
			    "cannot open the %s event of CPU %u: %m: raise the limit (ulimit -n)",
			    sample_event_name(event), cpu);
	return errf(fd, "cannot open the %s event of CPU %u: %m", sample_event_name(event), cpu);
}

int perf_read(int fd, struct perf_reading *ret)
{
	struct perf_reading r;

	if (read(fd, &r, sizeof(r)) != sizeof(r))
		return errf(-EIO, "cannot read a perf counter: %m");
	*ret = r;
	return 0;
}
