/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/uprobes.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/base/file.h"
#include "user/collect/maps_file.h"
#include "user/collect/probe_insn.h"

/*
 * Each close waits for grace periods (50 ms and more); those who wait at the same time wait for the
 * same ones.
 */
#define MAX_CLOSERS 32

/*
 * Of include/uapi/linux/bpf.h as it is in 6.18; headers of 6.1 have neither: enum bpf_attach_type,
 * BPF_F_UPROBE_MULTI_RETURN, and the member uprobe_multi of bpf_attr.link_create.
 */
#define ATTACH_UPROBE_MULTI   48
#define ATTACH_UPROBE_SESSION 57
#define UPROBE_MULTI_RETURN   1u

struct link_create_uprobe_multi {
	uint32_t prog_fd;
	uint32_t target_fd;
	uint32_t attach_type;
	uint32_t flags; /* of all links: none */
	uint64_t path;	/* addresses, from here on */
	uint64_t offsets;
	uint64_t ref_ctr_offsets;
	uint64_t cookies;
	uint32_t cnt;
	uint32_t uprobe_flags;
	uint32_t pid;
	uint32_t pad;
};
_Static_assert(sizeof(struct link_create_uprobe_multi) == 64, "link_create_uprobe_multi");

/* The device of uprobes, perf_event_open(2): its number, and the bit that makes it a return's. */
#define UPROBE_TYPE_FILE "/sys/bus/event_source/devices/uprobe/type"
#define UPROBE_BIT_FILE	 "/sys/bus/event_source/devices/uprobe/format/retprobe"

const char *uprobes_way_name(enum uprobes_way way)
{
	static const char *const names[] = { "perf", "multi", "session" };

	return names[way];
}

uint32_t uprobes_attach_type(enum uprobes_way way, enum uprobes_when when)
{
	if (way == UPROBES_PERF)
		return 0;
	return when == UPROBES_AT_BOTH ? ATTACH_UPROBE_SESSION : ATTACH_UPROBE_MULTI;
}

int uprobes_prepare(struct bpf_program *program, enum uprobes_way way, enum uprobes_when when)
{
	uint32_t type = uprobes_attach_type(way, when);

	return type ? bpf_program__set_expected_attach_type(program, type) : 0;
}

/* The kernel resolves it, and keeps the file that is open here. */
static void path_of(int fd, char *ret, size_t size)
{
	snprintf(ret, size, "/proc/self/fd/%d", fd);
}

static int keep(struct uprobes *list, int fd)
{
	if (array_reserve(list->fds, list->cap, list->n + 1)) {
		close(fd);
		return -ENOMEM;
	}
	list->fds[list->n++] = fd;
	return 0;
}

/* --- one link ----------------------------------------------------------------------------- */

static int attach_multi(struct uprobes *list, int program, enum uprobes_way way,
			enum uprobes_when when, int file, pid_t pid,
			const struct uprobe_place *places, size_t n)
{
	_cleanup_(freep) uint64_t *numbers = calloc(2 * n, sizeof(*numbers));
	struct link_create_uprobe_multi attr = {
		.prog_fd = program,
		.attach_type = uprobes_attach_type(way, when),
		.cnt = n,
		.uprobe_flags = when == UPROBES_AT_RETURN ? UPROBE_MULTI_RETURN : 0,
		.pid = pid,
	};
	char path[64];
	size_t i;
	int fd;

	if (!numbers)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		numbers[i] = places[i].offset;
		numbers[n + i] = places[i].cookie;
	}
	path_of(file, path, sizeof(path));
	attr.path = (uintptr_t)path;
	attr.offsets = (uintptr_t)numbers;
	attr.cookies = (uintptr_t)(numbers + n);
	fd = syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));
	if (fd < 0)
		return -errno;
	return keep(list, fd);
}

/* --- perf events -------------------------------------------------------------------------- */

static int number_in(const char *path, const char *format, unsigned int *ret)
{
	_cleanup_(freep) char *line = NULL;
	int err = file_read_line(path, &line);

	if (err)
		return err;
	return sscanf(line, format, ret) == 1 ? 0 : -EINVAL;
}

static int open_event(int file, pid_t pid, uint64_t offset, bool is_return)
{
	struct perf_event_attr attr = { .size = sizeof(attr) };
	unsigned int type, bit = 0;
	char path[64];
	int fd;

	if (number_in(UPROBE_TYPE_FILE, "%u", &type) ||
	    (is_return && (number_in(UPROBE_BIT_FILE, "config:%u", &bit) || bit > 63)))
		return -EOPNOTSUPP;
	path_of(file, path, sizeof(path));
	attr.type = type;
	attr.config = is_return ? 1ull << bit : 0;
	attr.uprobe_path = (uintptr_t)path;
	attr.probe_offset = offset;
	fd = syscall(SYS_perf_event_open, &attr, pid ? pid : -1, pid ? -1 : 0, -1,
		     PERF_FLAG_FD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int attach_event(struct uprobes *list, int program, enum uprobes_when when, int file,
			pid_t pid, const struct uprobe_place *place)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .perf_event.bpf_cookie = place->cookie);
	int event = open_event(file, pid, place->offset, when == UPROBES_AT_RETURN), link, err;

	if (event < 0)
		return event;
	err = keep(list, event);
	if (err)
		return err;
	link = bpf_link_create(program, event, BPF_PERF_EVENT, &opts);
	if (link >= 0)
		return keep(list, link);
	/* Before 5.15 there are no such links, and no cookies. */
	if (ioctl(event, PERF_EVENT_IOC_SET_BPF, program) || ioctl(event, PERF_EVENT_IOC_ENABLE, 0))
		return -errno;
	return 0;
}

static int attach_events(struct uprobes *list, int program, enum uprobes_when when, int file,
			 pid_t pid, const struct uprobe_place *places, size_t n)
{
	size_t i;
	int err = 0;

	if (when == UPROBES_AT_BOTH)
		return -EOPNOTSUPP;
	for (i = 0; i < n && !err; i++)
		err = attach_event(list, program, when, file, pid, &places[i]);
	return err;
}

/* --- both --------------------------------------------------------------------------------- */

static void close_from(struct uprobes *list, size_t first)
{
	while (list->n > first)
		close(list->fds[--list->n]);
}

int uprobes_attach(struct uprobes *list, int program, enum uprobes_way way, enum uprobes_when when,
		   int file, pid_t pid, const struct uprobe_place *places, size_t n)
{
	size_t first = list->n;
	int err;

	if (!n)
		return 0;
	if (way == UPROBES_PERF)
		err = attach_events(list, program, when, file, pid, places, n);
	else
		err = attach_multi(list, program, way, when, file, pid, places, n);
	if (!err)
		return 0;
	close_from(list, first);
	if (err == -ESRCH)
		return errf(err, "process %d has ended", pid);
	if (err == -EMFILE)
		return errf(err, "too many probes: raise the limit of open files (ulimit -n)");
	if (err == -EPERM || err == -EACCES)
		return errf(err, "the kernel allows no uprobes: run as root, or with CAP_BPF and "
				 "CAP_PERFMON");
	return errf(err, "cannot attach uprobes: %s", strerror(-err));
}

/* Of those who close: the next one that nobody has closed. */
struct closing {
	const int *fds;
	size_t n, next;
};

static void *close_some(void *arg)
{
	struct closing *closing = arg;
	size_t i;

	while ((i = __atomic_fetch_add(&closing->next, 1, __ATOMIC_RELAXED)) < closing->n)
		close(closing->fds[i]);
	return NULL;
}

void uprobes_release(struct uprobes *list)
{
	struct closing closing = { .fds = list->fds, .n = list->n };
	pthread_t threads[MAX_CLOSERS];
	size_t n = 0;

	while (n < MAX_CLOSERS && n + 1 < list->n &&
	       !pthread_create(&threads[n], NULL, close_some, &closing))
		n++;
	close_some(&closing);
	while (n)
		pthread_join(threads[--n], NULL);
	free(list->fds);
	*list = (struct uprobes){ 0 };
}

int uprobes_move(struct uprobes *to, struct uprobes *from)
{
	if (array_reserve(to->fds, to->cap, to->n + from->n))
		return errf(-ENOMEM, "no memory for the list of probes");
	memcpy(to->fds + to->n, from->fds, from->n * sizeof(*from->fds));
	to->n += from->n;
	from->n = 0;
	return 0;
}

/* --- what there is ------------------------------------------------------------------------ */

struct self {
	uint64_t address, offset;
	bool is_found;
};

static int find_mapping(void *ctx, const struct sym_mapping *m)
{
	struct self *self = ctx;

	if (self->address < m->start || self->address >= m->end)
		return 0;
	self->offset = self->address - m->start + m->pgoff;
	self->is_found = true;
	return 1;
}

int uprobes_find_self(const void *code, int *ret_fd, uint64_t *ret_offset)
{
	struct self self = { .address = (uintptr_t)code };
	int fd;

	maps_file_read(getpid(), SIZE_MAX, find_mapping, &self);
	if (!self.is_found)
		return errf(-ENOENT, "cannot find this program's own code");
	fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errf(-errno, "cannot open this program: %m");
	*ret_fd = fd;
	*ret_offset = self.offset;
	return 0;
}

/* Never called: what counts is whether a probe can be there. */
static void __attribute__((noinline, used)) spot(void)
{
	__asm__ volatile("");
}

static bool has(enum uprobes_way way, enum uprobes_when when, int fd, uint64_t offset)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts,
		    .expected_attach_type = uprobes_attach_type(way, when));
	struct bpf_insn insns[] = { INSN_MOV_IMM(BPF_REG_0, 0), INSN_EXIT };
	struct uprobe_place place = { .offset = offset };
	_cleanup_(closep) int program = -1;
	struct uprobes list = { 0 };
	bool ok;

	program = probe_load(BPF_PROG_TYPE_KPROBE, &opts, insns, ARRAY_SIZE(insns));
	if (program < 0)
		return false;
	ok = !attach_multi(&list, program, way, when, fd, getpid(), &place, 1);
	uprobes_release(&list);
	return ok;
}

enum uprobes_way uprobes_best_way(void)
{
	_cleanup_(closep) int fd = -1;
	uint64_t offset;

	if (uprobes_find_self(spot, &fd, &offset))
		return UPROBES_PERF;
	if (has(UPROBES_SESSION, UPROBES_AT_BOTH, fd, offset))
		return UPROBES_SESSION;
	return has(UPROBES_MULTI, UPROBES_AT_ENTRY, fd, offset) ? UPROBES_MULTI : UPROBES_PERF;
}
