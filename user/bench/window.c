/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/window.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "user/base/cleanup.h"
#include "user/base/clock.h"
#include "user/base/err.h"
#include "user/base/file.h"
#include "user/bench/repetition.h"

#define LOOK_NS 20000000ull

/* Counters at one moment, by the numbers of repetition.h; and what has to stay as it is. */
struct counts {
	double values[REPETITION_VALUES];
	uint64_t started; /* of the process, ticks since boot */
};

/* The number behind "KEY" at the start of a line, NAN if there is none. */
static double number_after(const char *text, const char *key)
{
	size_t len = strlen(key);
	uint64_t n;

	while (text) {
		if (!strncmp(text, key, len))
			return sscanf(text + len, " %" SCNu64, &n) == 1 ? (double)n : NAN;
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
	return NAN;
}

/* --- a process -------------------------------------------------------------------------------- */

/* proc(5): minor faults are field 10, major ones 12, user and system time 14 and 15, the start 22.
 */
static int stat_counts(const char *folder, struct counts *c)
{
	_cleanup_(freep) char *text = file_text_in(folder, "stat");
	char *at = text ? strrchr(text, ')') : NULL, state;
	double tick_ns = 1e9 / sysconf(_SC_CLK_TCK);
	uint64_t minor, major, user, system;

	if (!at ||
	    sscanf(at + 1,
		   " %c %*d %*d %*d %*d %*d %*u %" SCNu64 " %*u %" SCNu64 " %*u %" SCNu64
		   " %" SCNu64 " %*d %*d %*d %*d %*d %*d %" SCNu64,
		   &state, &minor, &major, &user, &system, &c->started) != 6 ||
	    state == 'Z' || state == 'X')
		return -ESRCH;
	c->values[VALUE_MINOR_FAULTS] = minor;
	c->values[VALUE_MAJOR_FAULTS] = major;
	c->values[VALUE_USER] = user * tick_ns;
	c->values[VALUE_SYSTEM] = system * tick_ns;
	c->values[VALUE_CPU] = (user + system) * tick_ns;
	return 0;
}

/* Threads count for themselves; those that have ended are not counted any more. */
static void switch_counts(const char *folder, struct counts *c)
{
	double voluntary = 0, involuntary = 0;
	struct dirent *entry;
	char path[PATH_MAX];
	DIR *tasks;

	if (snprintf(path, sizeof(path), "%s/task", folder) >= (int)sizeof(path))
		return;
	tasks = opendir(path);
	while (tasks && (entry = readdir(tasks))) {
		_cleanup_(freep) char *text = NULL;

		if (entry->d_name[0] == '.' || snprintf(path, sizeof(path), "%s/task/%s", folder,
							entry->d_name) >= (int)sizeof(path))
			continue;
		text = file_text_in(path, "status");
		if (!text)
			continue;
		voluntary += number_after(text, "voluntary_ctxt_switches:");
		involuntary += number_after(text, "nonvoluntary_ctxt_switches:");
	}
	if (tasks)
		closedir(tasks);
	c->values[VALUE_VOLUNTARY_SWITCHES] = voluntary;
	c->values[VALUE_INVOLUNTARY_SWITCHES] = involuntary;
}

static int process_counts(const char *folder, struct counts *c)
{
	_cleanup_(freep) char *io = NULL;
	int err = stat_counts(folder, c);

	if (err)
		return err;
	switch_counts(folder, c);
	io = file_text_in(folder, "io");
	c->values[VALUE_READ] = io ? number_after(io, "read_bytes:") : NAN;
	c->values[VALUE_WRITTEN] = io ? number_after(io, "write_bytes:") : NAN;
	return 0;
}

static double process_memory(const char *folder)
{
	_cleanup_(freep) char *text = file_text_in(folder, "status");

	return text ? number_after(text, "VmRSS:") * 1024 : NAN;
}

/* --- a cgroup --------------------------------------------------------------------------------- */

/* Lines "MAJOR:MINOR rbytes=N wbytes=N ...", one for each device (admin-guide/cgroup-v2). */
static double sum_of(const char *text, const char *key)
{
	size_t len = strlen(key);
	double sum = 0;
	uint64_t n;

	while ((text = strstr(text, key))) {
		text += len;
		if (sscanf(text, "%" SCNu64, &n) == 1)
			sum += n;
	}
	return sum;
}

static int cgroup_counts(const char *folder, struct counts *c)
{
	_cleanup_(freep) char *cpu = file_text_in(folder, "cpu.stat");
	_cleanup_(freep) char *memory = file_text_in(folder, "memory.stat");
	_cleanup_(freep) char *io = file_text_in(folder, "io.stat");
	double major = memory ? number_after(memory, "pgmajfault ") : NAN;

	if (!cpu)
		return -ENOENT;
	c->values[VALUE_CPU] = number_after(cpu, "usage_usec ") * 1000;
	c->values[VALUE_USER] = number_after(cpu, "user_usec ") * 1000;
	c->values[VALUE_SYSTEM] = number_after(cpu, "system_usec ") * 1000;
	c->values[VALUE_MAJOR_FAULTS] = major;
	c->values[VALUE_MINOR_FAULTS] = memory ? number_after(memory, "pgfault ") - major : NAN;
	c->values[VALUE_READ] = io ? sum_of(io, " rbytes=") : NAN;
	c->values[VALUE_WRITTEN] = io ? sum_of(io, " wbytes=") : NAN;
	return 0;
}

static double cgroup_memory(const char *folder)
{
	_cleanup_(freep) char *text = file_text_in(folder, "memory.current");

	return text ? number_after(text, "") : NAN;
}

/* --- the window ------------------------------------------------------------------------------- */

static int count(const struct window *w, const char *folder, struct counts *c)
{
	int i, err;

	*c = (struct counts){ 0 };
	for (i = 0; i < REPETITION_VALUES; i++)
		c->values[i] = NAN;
	err = w->subject->pid ? process_counts(folder, c) : cgroup_counts(folder, c);
	if (err && w->subject->pid)
		return errf(err, "there is no process %" PRIu64 ", or it has ended",
			    w->subject->pid);
	if (err)
		return errf(err, "'%s' is no cgroup whose CPU time is counted", folder);
	return 0;
}

/* Until the duration is over; *memory is the most that was seen. */
static void look_on(struct window *w, const char *folder, uint64_t end_ns, double *memory)
{
	struct pollfd stop = { .fd = w->stop_fd, .events = POLLIN };
	struct timespec wait = { 0 };
	uint64_t now, left;
	double bytes;

	while (true) {
		bytes = w->subject->pid ? process_memory(folder) : cgroup_memory(folder);
		*memory = fmax(*memory, bytes); /* of which NAN is the lesser */
		if (w->memory_ceiling && bytes > w->memory_ceiling) {
			w->end = WINDOW_OVER_MEMORY;
			return;
		}
		now = clock_ns(CLOCK_MONOTONIC);
		if (now >= end_ns)
			return;
		left = end_ns - now < LOOK_NS ? end_ns - now : LOOK_NS;
		wait.tv_nsec = left;
		if (ppoll(&stop, 1, &wait, NULL) > 0) {
			w->end = WINDOW_INTERRUPTED;
			return;
		}
	}
}

int window_watch(struct window *w, double *values)
{
	struct counts before, after;
	char pid[64];
	const char *folder = w->subject->cgroup;
	uint64_t start_ns, end_ns;
	double memory = NAN;
	int i, err;

	if (w->subject->pid) {
		snprintf(pid, sizeof(pid), "/proc/%" PRIu64, w->subject->pid);
		folder = pid;
	}
	if (!w->duration_ns)
		return errf(-EINVAL, "a service that runs anyway needs a 'duration'");
	w->end = WINDOW_OVER;
	err = count(w, folder, &before);
	if (err)
		return err;
	start_ns = clock_ns(CLOCK_MONOTONIC);
	look_on(w, folder, start_ns + w->duration_ns, &memory);
	end_ns = clock_ns(CLOCK_MONOTONIC);
	err = count(w, folder, &after);
	if (err)
		return err;
	if (after.started != before.started)
		return errf(-ESRCH, "process %" PRIu64 " has ended, and another has its number",
			    w->subject->pid);
	for (i = 0; i < REPETITION_VALUES; i++) {
		/* Less than before: threads have ended and taken their counts with them. */
		if (!isnan(before.values[i]) && !isnan(after.values[i]))
			values[i] = fmax(0, after.values[i] - before.values[i]);
	}
	values[VALUE_WALL] = end_ns - start_ns;
	values[VALUE_MAX_RSS] = memory;
	return 0;
}
