/* SPDX-License-Identifier: BSD-2-Clause */
/* machine_state: what the machine did meanwhile (environment.h). */
#include <dirent.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <string.h>
#include <sys/resource.h>

#include "user/base/clock.h"
#include "user/base/file.h"
#include "user/bench/environment.h"
#include "user/bench/own_cgroup.h"

#define UNKNOWN UINT64_MAX

/* The line "cpu  user nice system idle iowait irq softirq steal ..." in ticks (proc(5)); guests'
 * time is in user's already. */
static void read_cpus(const char *root, struct machine_state *s)
{
	_cleanup_(freep) char *text = file_text_in(root, "/proc/stat");
	uint64_t t[8] = { 0 }, tick_ns = 1000000000ull / sysconf(_SC_CLK_TCK);

	if (!text || sscanf(text,
			    "cpu %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
			    " %" SCNu64 " %" SCNu64 " %" SCNu64,
			    &t[0], &t[1], &t[2], &t[3], &t[4], &t[5], &t[6], &t[7]) < 4)
		return;
	s->busy_ns = (t[0] + t[1] + t[2] + t[5] + t[6]) * tick_ns;
	s->idle_ns = (t[3] + t[4]) * tick_ns;
	s->steal_ns = t[7] * tick_ns;
}

static uint64_t time_ns(const struct timeval *t)
{
	return t->tv_sec * 1000000000ull + t->tv_usec * 1000ull;
}

static uint64_t own_ns(void)
{
	static const int who[] = { RUSAGE_SELF, RUSAGE_CHILDREN };
	struct rusage u;
	uint64_t sum = 0;
	int i;

	for (i = 0; i < 2; i++) {
		if (!getrusage(who[i], &u))
			sum += time_ns(&u.ru_utime) + time_ns(&u.ru_stime);
	}
	return sum;
}

/* "some avg10=0.00 avg60=0.00 avg300=0.00 total=US" (accounting/psi). */
static uint64_t pressure_ns(const char *root, const char *name)
{
	_cleanup_(freep) char *text = file_text_in(root, name);
	uint64_t us;
	char *total;

	if (!text || strncmp(text, "some ", 5) != 0)
		return UNKNOWN;
	total = strstr(text, " total=");
	return total && sscanf(total, " total=%" SCNu64, &us) == 1 ? us * 1000 : UNKNOWN;
}

static int throttled_in(void *ctx, const char *folder)
{
	_cleanup_(freep) char *text = file_text_in(folder, "/cpu.stat");
	char *at = text ? strstr(text, "throttled_usec ") : NULL;
	uint64_t *sum = ctx, us;

	if (at && sscanf(at, "throttled_usec %" SCNu64, &us) == 1)
		*sum = (*sum == UNKNOWN ? 0 : *sum) + us * 1000;
	return 0;
}

/* Of x86 alone; CPUs that share a core say the same, and only differences matter. */
static uint64_t thermal_throttles(const char *root)
{
	static const char *const files[] = { "core", "package" };
	uint64_t sum = UNKNOWN, n;
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *cpus;
	int i;

	if (snprintf(path, sizeof(path), "%s/sys/devices/system/cpu", root) >= (int)sizeof(path))
		return UNKNOWN;
	cpus = opendir(path);
	while (cpus && (entry = readdir(cpus))) {
		for (i = 0; i < 2 && !strncmp(entry->d_name, "cpu", 3); i++) {
			_cleanup_(freep) char *text = NULL;

			snprintf(path, sizeof(path),
				 "/sys/devices/system/cpu/%s/thermal_throttle/%s_throttle_count",
				 entry->d_name, files[i]);
			text = file_text_in(root, path);
			if (text && sscanf(text, "%" SCNu64, &n) == 1)
				sum = (sum == UNKNOWN ? 0 : sum) + n;
		}
	}
	if (cpus)
		closedir(cpus);
	return sum;
}

static double load(const char *root)
{
	_cleanup_(freep) char *text = file_text_in(root, "/proc/loadavg");
	double l;

	return text && sscanf(text, "%lf", &l) == 1 ? l : NAN;
}

void machine_state_read_at(const char *root, struct machine_state *ret)
{
	struct machine_state s = {
		.taken_ns = clock_ns(CLOCK_MONOTONIC),
		.busy_ns = UNKNOWN,
		.steal_ns = UNKNOWN,
		.idle_ns = UNKNOWN,
		.own_ns = own_ns(),
		.psi_cpu_ns = pressure_ns(root, "/proc/pressure/cpu"),
		.psi_io_ns = pressure_ns(root, "/proc/pressure/io"),
		.psi_memory_ns = pressure_ns(root, "/proc/pressure/memory"),
		.throttled_ns = UNKNOWN,
		.thermal_throttles = thermal_throttles(root),
		.load1 = load(root),
	};

	read_cpus(root, &s);
	own_cgroup_each(root, throttled_in, &s.throttled_ns);
	*ret = s;
}

void machine_state_read(struct machine_state *ret)
{
	machine_state_read_at("", ret);
}

/* NAN if not known; a counter that went back (a CPU that went away) counts as one that stood. */
static double grown(uint64_t before, uint64_t after)
{
	if (before == UNKNOWN || after == UNKNOWN)
		return NAN;
	return after > before ? after - before : 0;
}

static double share(double part, double whole)
{
	if (isnan(part) || !(whole > 0))
		return NAN;
	return fmax(0, fmin(1, part / whole));
}

void machine_noise_between(const struct machine_state *before, const struct machine_state *after,
			   struct machine_noise *ret)
{
	double busy = grown(before->busy_ns, after->busy_ns);
	double steal = grown(before->steal_ns, after->steal_ns);
	double all = busy + steal + grown(before->idle_ns, after->idle_ns);
	double wall = grown(before->taken_ns, after->taken_ns);
	double heat = grown(before->thermal_throttles, after->thermal_throttles);

	*ret = (struct machine_noise){
		.other_cpu = share(busy - grown(before->own_ns, after->own_ns), all),
		.steal = share(steal, all),
		.psi_cpu = share(grown(before->psi_cpu_ns, after->psi_cpu_ns), wall),
		.psi_io = share(grown(before->psi_io_ns, after->psi_io_ns), wall),
		.psi_memory = share(grown(before->psi_memory_ns, after->psi_memory_ns), wall),
		.throttled = share(grown(before->throttled_ns, after->throttled_ns), wall),
		.thermal_throttles = isnan(heat) ? 0 : heat,
		.load1_before = before->load1,
		.load1_after = after->load1,
	};
}
