/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/cpu_events.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/collect/bpf_cost.h"

void cpu_events_release(struct cpu_events *e)
{
	size_t i;

	for (i = 0; i < e->n; i++)
		bpf_link__destroy(e->events[i].link);
	free(e->events);
}

static int open_event(struct cpu_events *e, unsigned int cpu)
{
	_cleanup_(closep) int fd = -1;
	struct cpu_event *event;
	int ring = sideband_fd(e->sb, cpu), err;

	if (array_reserve(e->events, e->cap, (size_t)cpu + 1))
		return errf(-ENOMEM, "no memory for the event of CPU %u", cpu);
	while (e->n <= cpu)
		e->events[e->n++] = (struct cpu_event){ .fd = -1 };
	event = &e->events[cpu];
	fd = sample_event_open(e->event, cpu, e->rate_hz);
	if (fd == -ENODEV)
		return 0; /* it went offline just now */
	if (fd < 0)
		return fd;
	/* Without a ring perf drops its notices of throttling; sampling works all the same. */
	if (ring >= 0)
		ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, ring);
	event->link = bpf_program__attach_perf_event(e->program, fd);
	if (!event->link) {
		err = -errno;
		return bpf_fail(err, "the CPU collector's event");
	}
	if (!e->are_on)
		ioctl(fd, PERF_EVENT_IOC_DISABLE, 0); /* attaching enables it */
	event->fd = take_fd(fd);
	e->n_open++;
	cpu_set_add(&e->sampled, cpu);
	return 0;
}

static uint64_t ticks_due(const struct cpu_events *e, int fd)
{
	struct perf_reading r;

	if (e->event != SAMPLE_CPU_CLOCK || perf_read(fd, &r))
		return 0;
	return r.value / (1000000000 / e->rate_hz);
}

static void close_event(struct cpu_events *e, struct cpu_event *event)
{
	e->ticks_of_closed += ticks_due(e, event->fd);
	bpf_link__destroy(event->link);
	*event = (struct cpu_event){ .fd = -1 };
	e->n_open--;
}

int cpu_events_follow(struct cpu_events *e, const struct cpu_set *online)
{
	unsigned int cpu;
	int err = 0;

	for (cpu = 0; cpu < PERF_MAX_CPUS && !err; cpu++) {
		bool is_open = cpu < e->n && e->events[cpu].fd >= 0;
		bool is_wanted =
			cpu_set_has(online, cpu) && (!e->wanted || cpu_set_has(e->wanted, cpu));

		if (is_open && !is_wanted)
			close_event(e, &e->events[cpu]);
		else if (!is_open && is_wanted)
			err = open_event(e, cpu);
	}
	return err;
}

int cpu_events_switch(struct cpu_events *e, bool on)
{
	unsigned long request = on ? PERF_EVENT_IOC_ENABLE : PERF_EVENT_IOC_DISABLE;
	size_t i;

	e->are_on = false;
	for (i = 0; i < e->n; i++) {
		if (e->events[i].fd >= 0 && ioctl(e->events[i].fd, request, 0))
			return errf(-errno, "cannot %s the event of CPU %zu: %m",
				    on ? "enable" : "disable", i);
	}
	e->are_on = on;
	return 0;
}

void cpu_events_wait(const struct cpu_events *e)
{
	struct perf_reading r;
	size_t i;

	for (i = 0; i < e->n; i++) {
		if (e->events[i].fd >= 0)
			perf_read(e->events[i].fd, &r);
	}
}

uint64_t cpu_events_due(const struct cpu_events *e)
{
	uint64_t due = e->ticks_of_closed;
	size_t i;

	for (i = 0; i < e->n; i++) {
		if (e->events[i].fd >= 0)
			due += ticks_due(e, e->events[i].fd);
	}
	return due;
}
