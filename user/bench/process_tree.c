/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/process_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "user/base/array.h"
#include "user/base/cleanup.h"
#include "user/base/clock.h"
#include "user/base/err.h"

#define PATIENCE_NS 5000000000ull

struct process {
	pid_t pid, parent;
	bool is_zombie;
	uint64_t rss_pages;
};

struct process_list {
	struct process *list;
	size_t n, cap;
};

static void process_list_release(struct process_list *l)
{
	free(l->list);
}

/* What /proc/PID/'name' says, cut at the size of 'text'; false if it is gone. */
static bool read_of(pid_t pid, const char *name, char *text, size_t size)
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, size - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n > 0;
}

/* proc(5): the name in parentheses may have any bytes, the last parenthesis ends it. Resident pages
 * are field 24, the state is field 3. */
static bool read_process(pid_t pid, struct process *ret)
{
	char text[1024], *at, state;
	int parent;
	uint64_t rss = 0;

	if (!read_of(pid, "stat", text, sizeof(text)) || !(at = strrchr(text, ')')) ||
	    sscanf(at + 1,
		   " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d "
		   "%*u %*u %" SCNu64,
		   &state, &parent, &rss) < 2)
		return false;
	*ret = (struct process){ .pid = pid,
				 .parent = parent,
				 .is_zombie = state == 'Z' || state == 'X',
				 .rss_pages = rss };
	return true;
}

static int by_pid(const void *a, const void *b)
{
	const struct process *x = a, *y = b;

	return (x->pid > y->pid) - (x->pid < y->pid);
}

static int list_all(struct process_list *ret)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	int pid, err = 0;

	if (!dir)
		return errf(-errno, "cannot list processes: %m");
	while (!err && (entry = readdir(dir))) {
		pid = atoi(entry->d_name);
		if (pid <= 0)
			continue;
		if (array_reserve(ret->list, ret->cap, ret->n + 1))
			err = errf(-ENOMEM, "no memory to list processes");
		else if (read_process(pid, &ret->list[ret->n]))
			ret->n++;
	}
	closedir(dir);
	if (ret->n)
		qsort(ret->list, ret->n, sizeof(*ret->list), by_pid);
	return err;
}

static bool is_other(const struct process_tree *t, pid_t pid)
{
	size_t i;

	for (i = 0; i < t->n_others; i++) {
		if (t->others[i] == pid)
			return true;
	}
	return false;
}

/* Up to one that is a child of ours; the list is of several moments, and so may have no way. */
static bool is_of_tree(const struct process_tree *t, const struct process_list *l,
		       const struct process *p)
{
	pid_t self = getpid();
	size_t steps;

	for (steps = 0; p && steps < l->n; steps++) {
		if (p->parent == self)
			return !is_other(t, p->pid);
		p = bsearch(&(struct process){ .pid = p->parent }, l->list, l->n, sizeof(*p),
			    by_pid);
	}
	return false;
}

/* All of the tree, from the whole machine's processes: a few milliseconds for some hundred. */
static int list_tree(const struct process_tree *t, struct process_list *ret)
{
	size_t i, n = 0;
	int err = list_all(ret);
	_cleanup_(freep) bool *is_in = NULL;

	if (err || !ret->n)
		return err;
	is_in = calloc(ret->n, sizeof(*is_in));
	if (!is_in)
		return errf(-ENOMEM, "no memory to list processes");
	for (i = 0; i < ret->n; i++)
		is_in[i] = is_of_tree(t, ret, &ret->list[i]);
	for (i = 0; i < ret->n; i++) {
		if (is_in[i])
			ret->list[n++] = ret->list[i];
	}
	ret->n = n;
	return 0;
}

/* --- the same from the kernel's own lists, while something is measured ------------------------ */

static int add_children(const struct process_tree *t, struct process_list *l, pid_t parent,
			const char *tid)
{
	char name[64], text[65536], *state = NULL, *word;
	struct process p;

	snprintf(name, sizeof(name), "task/%.20s/children", tid);
	if (!read_of(parent, name, text, sizeof(text)))
		return 0;
	for (word = strtok_r(text, " ", &state); word; word = strtok_r(NULL, " ", &state)) {
		if (!read_process(atoi(word), &p) || (parent == getpid() && is_other(t, p.pid)))
			continue;
		if (array_reserve(l->list, l->cap, l->n + 1))
			return -ENOMEM;
		l->list[l->n++] = p;
	}
	return 0;
}

static int add_children_of(const struct process_tree *t, struct process_list *l, pid_t parent)
{
	struct dirent *entry;
	char path[64];
	int err = 0;
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", parent);
	tasks = opendir(path);
	while (tasks && !err && (entry = readdir(tasks))) {
		if (entry->d_name[0] != '.')
			err = add_children(t, l, parent, entry->d_name);
	}
	if (tasks)
		closedir(tasks);
	return err;
}

/* Kernels without CONFIG_PROC_CHILDREN have no such lists. */
static bool has_children_lists(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	return !access(path, R_OK);
}

static int list_quickly(const struct process_tree *t, struct process_list *ret)
{
	size_t i;
	int err;

	if (!has_children_lists())
		return list_tree(t, ret);
	err = add_children_of(t, ret, getpid());
	/* What is found on the way has children, too; PIDs are bounded, and so is this. */
	for (i = 0; i < ret->n && !err; i++)
		err = add_children_of(t, ret, ret->list[i].pid);
	return err;
}

/* Pages divided up among those that share them; resident ones where the kernel does not say. */
static uint64_t divided_bytes(const struct process *p)
{
	char text[4096], *at;
	uint64_t kib;

	if (read_of(p->pid, "smaps_rollup", text, sizeof(text)) && (at = strstr(text, "\nPss:")) &&
	    sscanf(at, "\nPss: %" SCNu64, &kib) == 1)
		return kib << 10;
	return p->rss_pages * sysconf(_SC_PAGESIZE);
}

uint64_t process_tree_bytes(const struct process_tree *t, pid_t except, uint64_t limit)
{
	_cleanup_(process_list_release) struct process_list l = { 0 };
	uint64_t sum = 0;
	size_t i;

	if (list_quickly(t, &l))
		return 0;
	for (i = 0; i < l.n; i++)
		sum += l.list[i].pid == except ? 0 : l.list[i].rss_pages;
	sum *= sysconf(_SC_PAGESIZE);
	if (!limit || sum <= limit)
		return sum;
	for (sum = 0, i = 0; i < l.n; i++)
		sum += l.list[i].pid == except ? 0 : divided_bytes(&l.list[i]);
	return sum;
}

/* --- the end ---------------------------------------------------------------------------------- */

int process_tree_init(struct process_tree *t)
{
	_cleanup_(process_list_release) struct process_list l = { 0 };
	pid_t *others, self = getpid();
	size_t i, n = 0;
	int err = list_all(&l);

	if (err)
		return err;
	others = malloc((l.n + 1) * sizeof(*others));
	if (!others)
		return errf(-ENOMEM, "no memory to list processes");
	for (i = 0; i < l.n; i++) {
		if (l.list[i].parent == self)
			others[n++] = l.list[i].pid;
	}
	*t = (struct process_tree){ .others = others, .n_others = n };
	return 0;
}

void process_tree_release(struct process_tree *t)
{
	free(t->others);
	*t = (struct process_tree){ 0 };
}

/* Adds what 'more' has used; the largest resident set is the larger one. */
static void rusage_add(struct rusage *sum, const struct rusage *more)
{
	timeradd(&sum->ru_utime, &more->ru_utime, &sum->ru_utime);
	timeradd(&sum->ru_stime, &more->ru_stime, &sum->ru_stime);
	if (more->ru_maxrss > sum->ru_maxrss)
		sum->ru_maxrss = more->ru_maxrss;
	sum->ru_minflt += more->ru_minflt;
	sum->ru_majflt += more->ru_majflt;
	sum->ru_inblock += more->ru_inblock;
	sum->ru_oublock += more->ru_oublock;
	sum->ru_nvcsw += more->ru_nvcsw;
	sum->ru_nivcsw += more->ru_nivcsw;
}

static void end_one(const struct process *p, struct rusage *usage)
{
	struct rusage used;

	if (!p->is_zombie)
		kill(p->pid, SIGKILL);
	/* Others' children become ours when those are dead. */
	if (p->parent == getpid() && wait4(p->pid, NULL, WNOHANG, &used) == p->pid)
		rusage_add(usage, &used);
}

int process_tree_end(const struct process_tree *t, struct rusage *usage)
{
	uint64_t start = clock_ns(CLOCK_MONOTONIC);
	size_t i;
	int err;

	while (true) {
		_cleanup_(process_list_release) struct process_list l = { 0 };

		err = list_tree(t, &l);
		if (err || !l.n)
			return err;
		for (i = 0; i < l.n; i++)
			end_one(&l.list[i], usage);
		if (clock_ns(CLOCK_MONOTONIC) - start > PATIENCE_NS)
			return errf(-EBUSY, "PID %d cannot be ended", l.list[0].pid);
		poll(NULL, 0, 1);
	}
}
