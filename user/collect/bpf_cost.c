/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/bpf_cost.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdbool.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "user/base/cleanup.h"
#include "user/base/err.h"

static uint64_t map_bytes(int fd)
{
	_cleanup_(fclosep) FILE *f = NULL;
	char path[64], line[256];
	uint64_t bytes;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "memlock: %" SCNu64, &bytes) == 1)
			return bytes;
	}
	return 0;
}

void bpf_cost_add(struct bpf_object *object, struct bpf_cost *ret)
{
	struct bpf_program *prog;
	struct bpf_map *map;

	bpf_object__for_each_program(prog, object)
	{
		struct bpf_prog_info info = { 0 };
		uint32_t len = sizeof(info);

		if (bpf_program__fd(prog) < 0 ||
		    bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &len))
			continue;
		ret->run_ns += info.run_time_ns;
		ret->runs += info.run_cnt;
	}
	bpf_object__for_each_map(map, object)
	{
		if (bpf_map__fd(map) >= 0)
			ret->map_bytes += map_bytes(bpf_map__fd(map));
	}
}

void bpf_cost_of(struct bpf_object *object, struct cost *ret)
{
	struct bpf_cost cost = { 0 };

	bpf_cost_add(object, &cost);
	ret->kernel_ns = cost.run_ns;
	ret->kernel_runs = cost.runs;
	ret->map_bytes = cost.map_bytes;
}

static bool is_ours(struct bpf_object *object, uint32_t id)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, object)
	{
		struct bpf_prog_info info = { 0 };
		uint32_t len = sizeof(info);

		if (!bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &len) && info.id == id)
			return true;
	}
	return false;
}

uint64_t bpf_cost_of_others(struct bpf_object *object)
{
	uint64_t run_ns = 0;
	uint32_t id = 0;

	while (!bpf_prog_get_next_id(id, &id)) {
		_cleanup_(closep) int fd = bpf_prog_get_fd_by_id(id);
		struct bpf_prog_info info = { 0 };
		uint32_t len = sizeof(info);

		if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len) || is_ours(object, id))
			continue;
		if (info.type == BPF_PROG_TYPE_KPROBE || info.type == BPF_PROG_TYPE_TRACEPOINT ||
		    info.type == BPF_PROG_TYPE_PERF_EVENT)
			run_ns += info.run_time_ns;
	}
	return run_ns;
}

int bpf_cost_enable(void)
{
	return bpf_enable_stats(BPF_STATS_RUN_TIME);
}

static char last_reason[512];

static int remember(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	if (level == LIBBPF_WARN) {
		vsnprintf(last_reason, sizeof(last_reason), fmt, ap);
		last_reason[strcspn(last_reason, "\n")] = '\0';
	}
	return 0;
}

void bpf_quiet(void)
{
	libbpf_set_print(remember);
}

int bpf_fail(int err, const char *what)
{
	errno = -err;
	if (err == -EPERM || err == -EACCES)
		return errf(-EPERM,
			    "cannot load %s: %m: run as root, or with CAP_BPF and CAP_PERFMON; "
			    "'fathom doctor' says more",
			    what);
	/* Not -EINVAL and the like: another argument would not mend it. */
	return errf(err == -ENOMEM ? -ENOMEM : -ENOTSUP,
		    "cannot load %s: %m (%s); 'fathom doctor' says what this kernel allows", what,
		    last_reason);
}
