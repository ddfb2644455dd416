/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/environment.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <sched.h>
#include <string.h>

#include "user/base/err.h"
#include "user/base/file.h"
#include "user/base/str.h"
#include "user/bench/own_cgroup.h"
#include "user/model/summary.h"

void environment_release(struct environment *e)
{
	free(e->kernel);
	free(e->architecture);
	free(e->cpu_model);
	free(e->governor);
	free(e->virtualization);
	free(e->hostname);
	free(e->transparent_hugepages);
	free(e->name);
	*e = (struct environment){ 0 };
}

/* A pseudo file's first line, NULL if there is none; the block is the caller's. */
static char *line_of(const char *root, const char *name)
{
	char path[PATH_MAX], *line;

	if (snprintf(path, sizeof(path), "%s%s", root, name) >= (int)sizeof(path) ||
	    file_read_line(path, &line))
		return NULL;
	return line;
}

/* The number that a file consists of, 'otherwise' if there is none. */
static int number_of(const char *root, const char *name, int otherwise)
{
	_cleanup_(freep) char *line = line_of(root, name);
	char *end;
	long n;

	if (!line)
		return otherwise;
	n = strtol(line, &end, 10);
	return end != line && !*end && n >= 0 && n < INT_MAX ? (int)n : otherwise;
}

/* intel_pstate says when it is off, other drivers when it is on (admin-guide/pm). */
static int turbo(const char *root)
{
	int off = number_of(root, "/sys/devices/system/cpu/intel_pstate/no_turbo", -1);

	if (off >= 0)
		return !off;
	return number_of(root, "/sys/devices/system/cpu/cpufreq/boost", -1);
}

/* The word in brackets of "always [madvise] never". */
static char *huge_pages(const char *root)
{
	_cleanup_(freep) char *line = line_of(root, "/sys/kernel/mm/transparent_hugepage/enabled");
	char *start = line ? strchr(line, '[') : NULL, *end = start ? strchr(start, ']') : NULL;

	return end ? strndup(start + 1, end - start - 1) : NULL;
}

/* --- limits of cgroups ------------------------------------------------------------------------ */

/* "QUOTA PERIOD" in microseconds, "max" for no limit (admin-guide/cgroup-v2). The least of all
 * levels is what holds. */
static int limits_of_level(void *ctx, const char *folder)
{
	_cleanup_(freep) char *cpu = line_of(folder, "/cpu.max");
	_cleanup_(freep) char *memory = line_of(folder, "/memory.max");
	struct environment *e = ctx;
	uint64_t bytes, quota, period;
	double cpus;

	if (cpu && sscanf(cpu, "%" SCNu64 " %" SCNu64, &quota, &period) == 2 && quota && period) {
		cpus = (double)quota / period;
		if (!e->cgroup_cpus || cpus < e->cgroup_cpus)
			e->cgroup_cpus = cpus;
	}
	if (memory && sscanf(memory, "%" SCNu64, &bytes) == 1 && bytes &&
	    (!e->cgroup_memory_bytes || bytes < e->cgroup_memory_bytes))
		e->cgroup_memory_bytes = bytes;
	return 0;
}

static unsigned int cpus_allowed(void)
{
	unsigned int n = 0;
	cpu_set_t *set;
	int cpus;

	/* The kernel refuses a set that is smaller than its own. */
	for (cpus = 1024; cpus <= 1 << 16 && !n; cpus *= 2) {
		set = CPU_ALLOC(cpus);
		if (!set)
			break;
		if (!sched_getaffinity(0, CPU_ALLOC_SIZE(cpus), set))
			n = CPU_COUNT_S(CPU_ALLOC_SIZE(cpus), set);
		CPU_FREE(set);
	}
	return n;
}

/* --- fingerprint ------------------------------------------------------------------------------ */

static int add_text(struct str *s, const char *key, const char *value)
{
	int err = str_addf(s, "%s=", key);

	if (!err)
		err = str_add_clean(s, value ? value : "?", strlen(value ? value : "?"), 0);
	return err ? err : str_add(s, "\n");
}

/* What is hashed; another order or other keys would part all baselines from their machines. */
static int canonical_text(const struct environment *e, struct str *s)
{
	/* The same machine has a few pages more or less after each start. */
	const uint64_t gib = 1ull << 30, memory = (e->memory_bytes + gib / 2) / gib;

	if (add_text(s, "kernel", e->kernel) || add_text(s, "architecture", e->architecture) ||
	    add_text(s, "cpu_model", e->cpu_model) || add_text(s, "governor", e->governor) ||
	    add_text(s, "virtualization", e->virtualization) ||
	    add_text(s, "transparent_hugepages", e->transparent_hugepages))
		return -ENOMEM;
	return str_addf(
		s,
		"cpus_online=%u\ncpus_allowed=%u\nmemory_gib=%" PRIu64
		"\nturbo=%d\nsmt=%d\naslr=%d\ncgroup_cpus=%.3f\ncgroup_memory_bytes=%" PRIu64 "\n",
		e->cpus_online, e->cpus_allowed, memory, e->turbo, e->smt, e->aslr, e->cgroup_cpus,
		e->cgroup_memory_bytes);
}

int environment_identify(struct environment *e)
{
	_cleanup_(str_release) struct str text = { 0 };
	char digest[65];
	char *name, *c;

	if (canonical_text(e, &text))
		return errf(-ENOMEM, "no memory to describe this machine");
	bytes_sha256(text.data, text.len, digest);
	snprintf(e->fingerprint, sizeof(e->fingerprint), "%.16s", digest);
	if (asprintf(&name, "%.32s-%.128s-%ucpu-%s", e->architecture ? e->architecture : "unknown",
		     e->kernel ? e->kernel : "unknown", e->cpus_online, e->fingerprint) < 0)
		return errf(-ENOMEM, "no memory to describe this machine");
	for (c = name; *c; c++) {
		if (!isalnum((unsigned char)*c) && (c == name || !strchr("._-", *c)))
			*c = '_';
	}
	free(e->name);
	e->name = name;
	return 0;
}

/* --- all of it -------------------------------------------------------------------------------- */

static int take_host(struct environment *e)
{
	struct host_info host;
	int err = host_info_read(&host);

	if (err)
		return err;
	e->kernel = host.kernel;
	e->architecture = host.architecture;
	e->cpu_model = host.cpu_model;
	e->governor = host.governor;
	e->virtualization = host.virtualization;
	e->cpus_online = host.cpus_online;
	e->memory_bytes = host.memory_bytes;
	free(host.fathom_version);
	return 0;
}

int environment_read_at(const char *root, struct environment *ret)
{
	struct environment e = { .turbo = -1, .smt = -1 };
	char host[256];
	int err;

	err = take_host(&e);
	if (err)
		return err;
	if (!gethostname(host, sizeof(host))) {
		host[sizeof(host) - 1] = '\0';
		e.hostname = strdup(host);
	}
	e.cpus_allowed = cpus_allowed();
	e.turbo = turbo(root);
	e.smt = number_of(root, "/sys/devices/system/cpu/smt/active", -1);
	e.aslr = number_of(root, "/proc/sys/kernel/randomize_va_space", -1);
	e.transparent_hugepages = huge_pages(root);
	own_cgroup_each(root, limits_of_level, &e);
	err = environment_identify(&e);
	if (err) {
		environment_release(&e);
		return err;
	}
	*ret = e;
	return 0;
}

int environment_read(struct environment *ret)
{
	return environment_read_at("", ret);
}
