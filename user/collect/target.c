/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/target.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "follow.skel.h"
#include "user/base/array.h"
#include "user/base/err.h"
#include "user/base/keyset.h"
#include "user/base/str.h"
#include "user/collect/bpf_cost.h"
#include "user/collect/glob.h"

/* Inode of the initial PID namespace: PROC_PID_INIT_INO, include/linux/proc_ns.h. */
#define PIDNS_INITIAL 0xEFFFFFFC

/* The list holds eight times as many. */
#define TIDY_EVERY 8192

struct target {
	struct target_config config;
	struct follow_bpf *follow; /* NULL: nothing to follow */
	uint32_t *pids, *tids;
	uint64_t *pid_starts, *tid_starts; /* clock ticks since boot */
	size_t n_pids, n_tids;
	uint64_t tidied; /* targets joined when dead ones were last removed */
	int cgroup;	 /* folder, -1: any */
	char *text;
};

void target_free(struct target *t)
{
	if (!t)
		return;
	follow_bpf__destroy(t->follow);
	free(t->pids);
	free(t->tids);
	free(t->pid_starts);
	free(t->tid_starts);
	if (t->cgroup >= 0)
		close(t->cgroup);
	free(t->text);
	free(t);
}

const char *target_text(const struct target *t)
{
	return t->text;
}

const struct target_config *target_config(const struct target *t)
{
	return &t->config;
}

static int add_list(struct str *s, const char *what, const uint32_t *ids, size_t n)
{
	int err = str_addf(s, "%s%s", s->len ? ", " : "", what);
	size_t i;

	for (i = 0; i < n && !err; i++)
		err = str_addf(s, "%s%" PRIu32, i ? ", " : " ", ids[i]);
	return err;
}

static int describe(const struct target_options *o, char **ret)
{
	struct str s = { 0 };
	size_t i;
	int err = 0;

	if (o->command)
		err = str_add(&s, "command");
	if (!err && o->n_pids)
		err = add_list(&s, "PID", o->pids, o->n_pids);
	if (!err && (o->command || o->n_pids))
		err = str_add(&s, o->no_children ? " without children" : " and children");
	if (!err && o->n_tids)
		err = add_list(&s, "TID", o->tids, o->n_tids);
	if (!err && o->cgroup)
		err = str_addf(&s, "%scgroup %s", s.len ? ", " : "", o->cgroup);
	for (i = 0; i < o->n_comms && !err; i++)
		err = str_addf(&s, "%s%s", i ? " or " : s.len ? ", comm " : "comm ", o->comms[i]);
	if (!err && !s.len)
		err = str_add(&s, "whole machine");
	if (!err && o->cpus)
		err = str_addf(&s, ", only on CPU %s", o->cpus);
	if (err) {
		str_release(&s);
		return errf(-ENOMEM, "no memory for the target");
	}
	*ret = s.data;
	return 0;
}

/* --- processes ----------------------------------------------------------------------------- */

static int add_target(int fd, uint32_t pid, uint32_t mark)
{
	if (bpf_map_update_elem(fd, &pid, &mark, BPF_ANY))
		return errf(-ENOSPC, "cannot follow PID %u: too many processes to follow", pid);
	return 0;
}

/* What /proc/PID/stat says of a process or thread; proc(5). */
struct proc_stat {
	char state;
	uint32_t parent;
	long threads;
	uint64_t start; /* clock ticks since boot */
};

/* 0, or -ESRCH without a sentence. */
static int read_stat(uint32_t pid, struct proc_stat *ret)
{
	_cleanup_(fclosep) FILE *f = NULL;
	char path[64], line[1024];
	const char *behind;

	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/stat", pid);
	f = fopen(path, "re");
	if (!f || !fgets(line, sizeof(line), f))
		return -ESRCH;
	/* The comm is in parentheses and may hold some itself: fields are counted from behind it.
	 */
	behind = strrchr(line, ')');
	if (!behind ||
	    sscanf(behind,
		   ") %c %" SCNu32 " %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d"
		   " %ld %*d %" SCNu64,
		   &ret->state, &ret->parent, &ret->threads, &ret->start) != 4)
		return -ESRCH;
	return 0;
}

struct kinship {
	uint32_t pid, parent;
};

/* Every process that /proc shows, with its parent. */
static int read_kinships(struct kinship **ret, size_t *ret_n)
{
	_cleanup_(freep) struct kinship *kin = NULL;
	DIR *dir = opendir("/proc");
	size_t n = 0, cap = 0;
	struct dirent *entry;
	int err = 0;

	if (!dir)
		return errf(-errno, "cannot list '/proc': %m");
	while (!err && (entry = readdir(dir))) {
		uint32_t pid = strtoul(entry->d_name, NULL, 10);
		struct proc_stat stat;

		if (!pid || read_stat(pid, &stat))
			continue;
		if (array_reserve(kin, cap, n + 1))
			err = errf(-ENOMEM, "no memory for the list of processes");
		else
			kin[n++] = (struct kinship){ .pid = pid, .parent = stat.parent };
	}
	closedir(dir);
	if (!err) {
		*ret = take(kin);
		*ret_n = n;
	}
	return err;
}

/* Adds the descendants that the processes have now; new ones are followed in the kernel. */
static int add_descendants(int fd, const uint32_t *pids, size_t n_pids)
{
	_cleanup_(freep) struct kinship *kin = NULL;
	_cleanup_(keyset_release) struct keyset family;
	uint32_t number;
	bool is_growing = true;
	size_t n = 0, i;
	int err;

	keyset_init(&family, sizeof(uint32_t));
	err = read_kinships(&kin, &n);
	for (i = 0; i < n_pids && err >= 0; i++)
		err = keyset_add(&family, &pids[i], &number);
	while (err >= 0 && is_growing) {
		is_growing = false;
		for (i = 0; i < n && err >= 0; i++) {
			if (keyset_find(&family, &kin[i].parent) == KEYSET_NONE)
				continue;
			err = keyset_add(&family, &kin[i].pid, &number);
			if (err == 1) {
				is_growing = true;
				err = add_target(fd, kin[i].pid, FT_TARGET_NOW);
			}
		}
	}
	return err < 0 ? err : 0;
}

static int follow(struct target *t, const struct target_options *o)
{
	size_t i;
	int err, fd;

	t->follow = follow_bpf__open();
	if (!t->follow)
		return bpf_fail(-errno, "the following of processes");
	t->follow->rodata->cfg_follow_children = !o->no_children;
	t->follow->rodata->cfg_pidns_inum = t->config.pidns_inum;
	err = follow_bpf__load(t->follow);
	if (!err)
		err = follow_bpf__attach(t->follow);
	if (err)
		return bpf_fail(err, "the following of processes");
	fd = bpf_map__fd(t->follow->maps.targets);
	for (i = 0; i < o->n_pids && !err; i++)
		err = add_target(fd, o->pids[i], FT_TARGET_NOW);
	if (!err && !o->no_children)
		err = add_descendants(fd, o->pids, o->n_pids);
	if (!err && o->command)
		err = add_target(fd, o->command, FT_TARGET_AT_EXEC);
	t->config.by_target = true;
	t->config.targets_fd = fd;
	return err;
}

/*
 * Whether a process still runs, or, if 'is_thread', that one thread. Zombies do not: nobody may
 * ever wait for them. A process whose first thread has ended goes on with the others. Whoever has
 * the number now but began at another time is not it: 'start' is in clock ticks since boot, 0 for
 * any.
 */
static bool is_alive(uint32_t id, bool is_thread, uint64_t start)
{
	struct proc_stat stat;

	if (read_stat(id, &stat) || (start && stat.start != start))
		return false;
	return stat.state != 'Z' || (!is_thread && stat.threads > 1);
}

/* A PID is a process, a TID may be any thread: kill(2) does not tell them apart, /proc does. */
static int check_ids(const struct target_options *o)
{
	char path[64];
	size_t i;

	for (i = 0; i < o->n_pids; i++) {
		snprintf(path, sizeof(path), "/proc/%u/task/%u", o->pids[i], o->pids[i]);
		if (!is_alive(o->pids[i], false, 0) || access(path, F_OK))
			return errf(-ESRCH, "there is no process with PID %u", o->pids[i]);
	}
	for (i = 0; i < o->n_tids; i++) {
		snprintf(path, sizeof(path), "/proc/%u", o->tids[i]);
		if (!is_alive(o->tids[i], true, 0) || access(path, F_OK))
			return errf(-ESRCH, "there is no thread with TID %u", o->tids[i]);
	}
	return 0;
}

/* The caller's list, and when each of them began. */
static int copy_ids(const uint32_t *ids, size_t n, uint32_t **ret, uint64_t **ret_starts)
{
	_cleanup_(freep) uint32_t *copy = calloc(n + 1, sizeof(*copy));
	_cleanup_(freep) uint64_t *starts = calloc(n + 1, sizeof(*starts));
	struct proc_stat stat;
	size_t i;

	if (!copy || !starts)
		return errf(-ENOMEM, "no memory for the target");
	for (i = 0; i < n; i++) {
		copy[i] = ids[i];
		if (!read_stat(ids[i], &stat))
			starts[i] = stat.start;
	}
	*ret = take(copy);
	*ret_starts = take(starts);
	return 0;
}

int target_new(const struct target_options *o, const struct cgroups *cgroups, struct target **ret)
{
	_cleanup_(target_freep) struct target *t = calloc(1, sizeof(*t));
	struct stat ns;
	int err;

	if (!t)
		return errf(-ENOMEM, "no memory for the target");
	t->cgroup = t->config.targets_fd = -1;
	t->n_pids = o->n_pids;
	t->n_tids = o->n_tids;
	t->config.self_tgid = getpid();
	if (stat("/proc/self/ns/pid", &ns))
		return errf(-errno, "cannot look at '/proc/self/ns/pid': %m: is /proc mounted?");
	t->config.pidns_inum = ns.st_ino == PIDNS_INITIAL ? 0 : ns.st_ino;
	err = check_ids(o);
	if (!err)
		err = describe(o, &t->text);
	if (!err)
		err = copy_ids(o->pids, o->n_pids, &t->pids, &t->pid_starts);
	if (!err)
		err = copy_ids(o->tids, o->n_tids, &t->tids, &t->tid_starts);
	if (!err && o->n_comms)
		err = glob_compile(o->comms, o->n_comms, &t->config.comm);
	if (err)
		return err;
	t->config.by_comm = o->n_comms > 0;
	t->config.by_tid = o->n_tids > 0;
	if (o->cgroup) {
		t->cgroup = cgroups_open(cgroups, o->cgroup);
		if (t->cgroup < 0)
			return t->cgroup;
		t->config.by_cgroup = true;
	}
	if (o->n_pids || o->command) {
		err = follow(t, o);
		if (err)
			return err;
	}
	*ret = take(t);
	return 0;
}

void target_tidy(struct target *t)
{
	uint32_t pid, next;
	bool has_next;
	int fd = t->config.targets_fd;

	if (!t->follow || t->follow->bss->targets_joined - t->tidied < TIDY_EVERY)
		return;
	t->tidied = t->follow->bss->targets_joined;
	has_next = !bpf_map_get_next_key(fd, NULL, &next);
	while (has_next) {
		pid = next;
		has_next = !bpf_map_get_next_key(fd, &pid, &next);
		if (kill(pid, 0) && errno == ESRCH)
			bpf_map_delete_elem(fd, &pid);
	}
}

int target_fill(const struct target *t, int tids_fd, int cgroup_fd)
{
	uint32_t zero = 0, mark = FT_TARGET_NOW;
	size_t i;

	for (i = 0; i < t->n_tids; i++) {
		if (bpf_map_update_elem(tids_fd, &t->tids[i], &mark, BPF_ANY))
			return errf(-E2BIG, "too many TIDs to follow: at most 1024");
	}
	if (t->cgroup >= 0 && bpf_map_update_elem(cgroup_fd, &zero, &t->cgroup, BPF_ANY))
		return errf(-errno, "cannot filter by this cgroup: %m");
	return 0;
}

bool target_is_gone(const struct target *t)
{
	size_t i;

	for (i = 0; i < t->n_pids; i++) {
		if (is_alive(t->pids[i], false, t->pid_starts[i]))
			return false;
	}
	for (i = 0; i < t->n_tids; i++) {
		if (is_alive(t->tids[i], true, t->tid_starts[i]))
			return false;
	}
	return t->n_pids || t->n_tids;
}

void target_cost(const struct target *t, struct target_cost *ret)
{
	struct bpf_cost cost = { 0 };

	*ret = (struct target_cost){ 0 };
	if (!t->follow)
		return;
	bpf_cost_add(t->follow->obj, &cost);
	ret->kernel_ns = cost.run_ns;
	ret->map_bytes = cost.map_bytes;
	ret->lost = t->follow->bss->targets_lost;
}
