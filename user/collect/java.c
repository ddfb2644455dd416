/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/java.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "user/base/array.h"
#include "user/base/cleanup.h"
#include "user/base/clock.h"
#include "user/collect/java_child.h"

#define MAX_VMS	     256
#define MAX_AT_ONCE  4 /* each jcmd is a JVM itself */
#define FIRST_NS     1000000000ull
#define MAX_PAUSE_NS 3600000000000ull
#define PATIENCE_NS  10000000000ull /* with one request, and with all at the end */
#define STEP_MS	     20

void java_maps_init(struct java_maps *java)
{
	*java = (struct java_maps){ 0 };
}

/* --- who is one --------------------------------------------------------------------------- */

struct search {
	char libjvm[4096]; /* "" until it is found */
};

static void find_libjvm(void *ctx, const struct sym_mapping *m)
{
	const char *slash = m->path ? strrchr(m->path, '/') : NULL;
	struct search *s = ctx;

	if (!s->libjvm[0] && slash && m->path[0] == '/' && !strcmp(slash, "/libjvm.so") &&
	    strlen(m->path) < sizeof(s->libjvm))
		strcpy(s->libjvm, m->path);
}

static struct java_vm *find(struct java_maps *java, uint32_t pid)
{
	size_t i;

	for (i = 0; i < java->n; i++) {
		if (java->vms[i].pid == pid)
			return &java->vms[i];
	}
	return NULL;
}

void java_maps_look(struct java_maps *java, struct processes *processes, uint32_t pid)
{
	uint64_t image = processes_since(processes, pid);
	struct search s = { .libjvm = "" };
	struct java_vm *vm = find(java, pid);

	if (vm && (vm->image == image || vm->child))
		return;
	processes_for_each(processes, pid, find_libjvm, &s);
	if (!s.libjvm[0])
		return;
	if (!vm) {
		if (java->n >= MAX_VMS || array_reserve(java->vms, java->cap, java->n + 1)) {
			java->failed++;
			return;
		}
		vm = &java->vms[java->n++];
		*vm = (struct java_vm){ .pid = pid };
	}
	free(take(vm->jcmd));
	vm->image = image;
	vm->pause_ns = FIRST_NS;
	vm->due_ns = clock_ns(CLOCK_MONOTONIC) + FIRST_NS;
	if (java_find_jcmd(pid, s.libjvm, &vm->jcmd))
		java->failed++;
}

/* --- asking ------------------------------------------------------------------------------- */

/* And is still what it was: a PID may have been used again. */
static bool is_alive(const struct java_vm *vm, const struct processes *processes)
{
	return (!kill((pid_t)vm->pid, 0) || errno == EPERM) &&
	       processes_since(processes, vm->pid) == vm->image;
}

static void ask(struct java_maps *java, struct java_vm *vm, const struct processes *processes,
		uint64_t now)
{
	pid_t child;

	vm->due_ns = now + vm->pause_ns;
	if (vm->pause_ns < MAX_PAUSE_NS)
		vm->pause_ns *= 2;
	if (!vm->jcmd || !is_alive(vm, processes))
		return;
	child = java_start_jcmd(vm->pid, vm->jcmd);
	if (child < 0) {
		java->failed++;
		return;
	}
	vm->child = child;
	vm->until_ns = now + PATIENCE_NS;
}

/* Looks whether the child is done, and ends it if it takes too long. */
static void follow(struct java_maps *java, struct java_vm *vm, const struct processes *processes,
		   struct symbolizer *symbolizer, uint64_t now)
{
	int status = -1;
	pid_t done;

	if (!vm->child)
		return;
	done = waitpid(vm->child, &status, WNOHANG);
	if (done == 0 && now < vm->until_ns)
		return;
	if (done == 0) {
		kill(-vm->child, SIGKILL); /* and what it has started */
		kill(vm->child, SIGKILL);
		waitpid(vm->child, NULL, 0);
	}
	vm->child = 0;
	if (done <= 0 || !WIFEXITED(status) || WEXITSTATUS(status)) {
		java->failed +=
			is_alive(vm, processes); /* one that has just ended could not answer */
		return;
	}
	java->written++;
	symbolizer_read_new_perf_map(symbolizer, vm->pid, vm->image);
}

static unsigned int running(const struct java_maps *java)
{
	unsigned int n = 0;
	size_t i;

	for (i = 0; i < java->n; i++)
		n += java->vms[i].child != 0;
	return n;
}

void java_maps_tick(struct java_maps *java, const struct processes *processes,
		    struct symbolizer *symbolizer)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC);
	size_t i;

	for (i = 0; i < java->n; i++)
		follow(java, &java->vms[i], processes, symbolizer, now);
	for (i = 0; i < java->n && running(java) < MAX_AT_ONCE; i++) {
		if (!java->vms[i].child && now >= java->vms[i].due_ns)
			ask(java, &java->vms[i], processes, now);
	}
}

void java_maps_finish(struct java_maps *java, const struct processes *processes,
		      struct symbolizer *symbolizer)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC), end = now + PATIENCE_NS;
	size_t i, asked = 0;

	while (now < end && (asked < java->n || running(java))) {
		for (i = 0; i < java->n; i++)
			follow(java, &java->vms[i], processes, symbolizer, now);
		/* One that is being asked just now is asked again: it has compiled since. */
		while (asked < java->n && running(java) < MAX_AT_ONCE && !java->vms[asked].child)
			ask(java, &java->vms[asked++], processes, now);
		if (running(java))
			poll(NULL, 0, STEP_MS);
		now = clock_ns(CLOCK_MONOTONIC);
	}
	for (i = asked; i < java->n; i++)
		java->failed += java->vms[i].jcmd && is_alive(&java->vms[i], processes);
	for (i = 0; i < java->n; i++)
		follow(java, &java->vms[i], processes, symbolizer, UINT64_MAX);
}

void java_maps_release(struct java_maps *java)
{
	size_t i;

	for (i = 0; i < java->n; i++) {
		if (java->vms[i].child) {
			kill(-java->vms[i].child, SIGKILL);
			kill(java->vms[i].child, SIGKILL);
			waitpid(java->vms[i].child, NULL, 0);
		}
		free(java->vms[i].jcmd);
	}
	free(java->vms);
	java_maps_init(java);
}
