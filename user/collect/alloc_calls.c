/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/alloc_calls.h"

#include <bpf/libbpf.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bpf/draw_wire.h"

#include "alloc.skel.h"
#include "user/base/array.h"
#include "user/base/err.h"

/* Threads at the same time; one that finds no room is counted (FT_ALLOC_LOST_CALLS). */
#define MAX_THREADS 65536

/* Allocators of the whole machine: each container has its own libc. Each takes some descriptors. */
#define MAX_OF_EVERYONE 256

/* --- programs ----------------------------------------------------------------------------- */

static struct bpf_program *program_of(const struct alloc_bpf *skel, enum alloc_function function)
{
	struct bpf_program *const programs[] = {
		[ALLOC_MALLOC] = skel->progs.on_malloc,
		[ALLOC_CALLOC] = skel->progs.on_calloc,
		[ALLOC_REALLOC] = skel->progs.on_realloc,
		[ALLOC_REALLOCARRAY] = skel->progs.on_reallocarray,
		[ALLOC_POSIX_MEMALIGN] = skel->progs.on_posix_memalign,
		[ALLOC_MEMALIGN] = skel->progs.on_memalign,
		[ALLOC_FREE] = skel->progs.on_free,
	};

	return programs[function];
}

/* One program for all functions. */
static bool has_one_program(const struct alloc_calls *c)
{
	return c->counts.way != UPROBES_PERF;
}

static bool has_return_program(const struct alloc_calls *c)
{
	return c->options.in_use && c->counts.way != UPROBES_SESSION;
}

/* A session's program is called at the return by itself. */
static enum uprobes_when when_of(const struct alloc_calls *c)
{
	return c->options.in_use && c->counts.way == UPROBES_SESSION ? UPROBES_AT_BOTH
								     : UPROBES_AT_ENTRY;
}

static int choose_one(const struct alloc_calls *c, struct bpf_program *program, bool is_used,
		      enum uprobes_when when)
{
	int err = bpf_program__set_autoload(program, is_used);

	return !err && is_used ? uprobes_prepare(program, c->counts.way, when) : err;
}

static int choose(struct alloc_calls *c, bool is_wanted)
{
	bool is_one = has_one_program(c);
	enum alloc_function f;
	int err = choose_one(c, c->skel->progs.on_call, is_wanted && is_one, when_of(c));

	if (!err)
		err = choose_one(c, c->skel->progs.on_call_returned,
				 is_wanted && has_return_program(c), UPROBES_AT_RETURN);
	for (f = 0; f < ALLOC_FUNCTIONS && !err; f++)
		err = choose_one(c, program_of(c->skel, f),
				 is_wanted && !is_one && (c->options.in_use || f != ALLOC_FREE),
				 UPROBES_AT_ENTRY);
	return err;
}

int alloc_calls_choose(struct alloc_calls *c, struct alloc_bpf *skel,
		       const struct alloc_calls_options *options)
{
	int err;

	*c = (struct alloc_calls){ .skel = skel };
	allocators_init(&c->files);
	if (options) {
		c->options = *options;
		c->counts.way = uprobes_best_way();
		if (c->counts.way > options->best_way)
			c->counts.way = options->best_way;
	}
	err = choose(c, options != NULL);
	if (!err && options && options->in_use) {
		skel->rodata->cfg_calls_in_session = c->counts.way == UPROBES_SESSION;
		err = bpf_map__set_max_entries(skel->maps.calls, MAX_THREADS);
	}
	return err ? errf(err, "cannot choose the programs of allocators: %s", strerror(-err)) : 0;
}

/* --- attaching ---------------------------------------------------------------------------- */

static bool is_used(const struct alloc_calls *c, const struct allocator_probe *probe)
{
	return (c->options.in_use || probe->function != ALLOC_FREE) &&
	       (c->options.allow_slow || !probe->is_slow);
}

static bool is_among(const struct allocator_probe *probe, uint32_t functions)
{
	return functions >> probe->function & 1;
}

/* A program to the probes of those functions (bits). */
static int attach_functions(struct alloc_calls *c, struct uprobes *list, pid_t pid,
			    const struct allocator *a, const struct bpf_program *program,
			    enum uprobes_when when, uint32_t functions)
{
	_cleanup_(freep) struct uprobe_place *places = calloc(a->n_probes + 1, sizeof(*places));
	size_t i, n = 0;
	int err;

	if (!places)
		return errf(-ENOMEM, "no memory for the probes of '%s'", a->path);
	/* Frees first: a block that is seen to be given out is then seen to be given back. */
	for (i = 0; i < 2 * a->n_probes; i++) {
		const struct allocator_probe *probe = &a->probes[i % a->n_probes];
		bool is_turn = (probe->function == ALLOC_FREE) == (i < a->n_probes);

		if (is_turn && is_among(probe, functions) && is_used(c, probe))
			places[n++] = (struct uprobe_place){ probe->offset, probe->cookie };
	}
	err = uprobes_attach(list, bpf_program__fd(program), c->counts.way, when, a->fd, pid,
			     places, n);
	if (err)
		return err_prefix(err, "'%s'", a->path);
	c->counts.probes += when == UPROBES_AT_RETURN ? 0 : n;
	return 0;
}

/* The return first: a call that is noted at its entry is sure to be heard of again. */
static int attach_allocator(struct alloc_calls *c, struct uprobes *list, pid_t pid,
			    const struct allocator *a)
{
	const uint32_t all = (1u << ALLOC_FUNCTIONS) - 1;
	enum alloc_function f;
	int err = 0;

	if (has_return_program(c))
		err = attach_functions(c, list, pid, a, c->skel->progs.on_call_returned,
				       UPROBES_AT_RETURN, all & ~(1u << ALLOC_FREE));
	if (!err && has_one_program(c))
		return attach_functions(c, list, pid, a, c->skel->progs.on_call, when_of(c), all);
	for (f = 0; f < ALLOC_FUNCTIONS && !err; f++)
		err = attach_functions(c, list, pid, a, program_of(c->skel, f), UPROBES_AT_ENTRY,
				       1u << f);
	return err;
}

static struct alloc_calls_target *find_target(struct alloc_calls *c, pid_t pid)
{
	size_t i;

	for (i = 0; i < c->n_targets; i++) {
		if (c->targets[i].pid == pid)
			return &c->targets[i];
	}
	return NULL;
}

static bool has_allocator(const struct allocator *const *all, size_t n, const struct allocator *a)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (all[i] == a)
			return true;
	}
	return false;
}

static bool has_all(const struct allocator_set *of, const struct allocator_set *set)
{
	size_t i;

	for (i = 0; i < set->n; i++) {
		if (!has_allocator(of->all, of->n, set->all[i]))
			return false;
	}
	return true;
}

static int have_target(struct alloc_calls *c, pid_t pid, struct alloc_calls_target **ret)
{
	*ret = find_target(c, pid);
	if (*ret)
		return 0;
	if (array_reserve(c->targets, c->cap, c->n_targets + 1))
		return errf(-ENOMEM, "no memory for the probes of process %d", pid);
	*ret = &c->targets[c->n_targets++];
	**ret = (struct alloc_calls_target){ .pid = pid };
	return 0;
}

/* Into all processes, each allocator once. */
static int attach_for_everyone(struct alloc_calls *c, const struct allocator_set *set)
{
	struct alloc_calls_target *target;
	int err = have_target(c, 0, &target);
	size_t i;

	for (i = 0; i < set->n && !err; i++) {
		if (has_allocator(c->attached, c->n_attached, set->all[i]))
			continue;
		/* Anybody can have files with a malloc. */
		if (c->n_attached == MAX_OF_EVERYONE) {
			c->counts.too_many++;
			continue;
		}
		if (array_reserve(c->attached, c->attached_cap, c->n_attached + 1))
			return errf(-ENOMEM, "no memory for the list of allocators");
		err = attach_allocator(c, &target->probes, 0, set->all[i]);
		if (!err)
			c->attached[c->n_attached++] = set->all[i];
	}
	return err;
}

static int attach_set(struct alloc_calls *c, pid_t pid, const struct allocator_set *set)
{
	struct alloc_calls_target *target;
	size_t i;
	int err;

	if (c->options.everyone)
		return attach_for_everyone(c, set);
	err = have_target(c, pid, &target);
	if (err)
		return err;
	/*
	 * Probes are in files, for a process: an exec leaves them there. To take them away and put
	 * them back takes long, and nothing is seen meanwhile.
	 */
	if (has_all(&target->set, set))
		return 0;
	uprobes_release(&target->probes);
	for (i = 0; i < set->n && !err; i++)
		err = attach_allocator(c, &target->probes, pid, set->all[i]);
	if (err)
		alloc_calls_forget(c, pid);
	else
		c->counts.processes++;
	if (!err)
		target->set = *set;
	return err;
}

/* --- what it costs ------------------------------------------------------------------------ */

/* Without them, what is counted would be wrong and not only less. */
static bool is_essential(const struct allocator_probe *probe)
{
	static const char *const names[] = { "malloc", "calloc", "realloc",
					     "free",   "_Znwm",	 "_ZdlPv" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		const char *end = strstr(probe->name, names[i]);

		if (end && !end[strlen(names[i])])
			return true;
	}
	return false;
}

/* -EOPNOTSUPP if it cannot be done without slow probes, and these are not allowed. */
static int check_slow(struct alloc_calls *c, const struct allocator_set *set, uint64_t *left_out)
{
	size_t i, j;

	for (i = 0; i < set->n; i++) {
		for (j = 0; j < set->all[i]->n_probes; j++) {
			const struct allocator_probe *probe = &set->all[i]->probes[j];

			if (!probe->is_slow || c->options.allow_slow ||
			    (probe->function == ALLOC_FREE && !c->options.in_use))
				continue;
			if (is_essential(probe))
				return errf(-EOPNOTSUPP,
					    "each call of %s() in '%s' would be single-stepped: "
					    "use --slow to do that all the same",
					    probe->name, set->all[i]->path);
			(*left_out)++;
		}
	}
	return 0;
}

static int have_costs(struct alloc_calls *c)
{
	int err = c->has_costs ? 0 : alloc_costs_measure(c->counts.way, &c->costs);

	c->has_costs = !err;
	return err;
}

static int warn_of_seccomp(struct alloc_calls *c, pid_t pid)
{
	int err;

	if (!c->options.in_use || !alloc_is_confined(pid))
		return 0;
	err = have_costs(c);
	if (!err && c->costs.seccomp_kills)
		snprintf(c->warning, sizeof(c->warning),
			 "process %d is confined by a seccomp filter, and this kernel may end it "
			 "for returning into a probe: --allocated-only does without",
			 pid);
	return err;
}

static int check_slowdown(struct alloc_calls *c, pid_t pid, const struct allocator_set *set)
{
	struct alloc_load load;
	double slowdown, calls;
	int err = pid ? warn_of_seccomp(c, pid) : 0, i;

	if (err || !c->options.max_slowdown)
		return err;
	err = have_costs(c);
	if (err)
		return err;
	err = alloc_load_count(c->counts.way, pid, set, c->options.in_use, &load);
	if (err)
		return err;
	slowdown = alloc_slowdown(&load, &c->costs, c->options.in_use, c->options.sampled,
				  c->options.kept_ns);
	for (calls = 0, i = 0; i < ALLOC_CLASSES; i++)
		calls += load.calls[i];
	calls *= 1e9 / load.wall_ns;
	if (slowdown > c->counts.slowdown) {
		c->counts.slowdown = slowdown;
		c->counts.calls_per_s = calls;
	}
	if (slowdown <= c->options.max_slowdown)
		return 0;
	if (!pid)
		return errf(-ECANCELED,
			    "programs call their allocators %.0f times a second here: probes on "
			    "them would make all work %.2f times as slow, and the limit is %.2f; "
			    "raise it by --max-slowdown%s",
			    calls, slowdown, c->options.max_slowdown,
			    c->options.in_use ? ", or use --allocated-only" : "");
	return errf(
		-ECANCELED,
		"process %d calls its allocator %.0f times a second: probes on it would make it "
		"%.2f times as slow, and the limit is %.2f; raise it by --max-slowdown%s",
		pid, calls, slowdown, c->options.max_slowdown,
		c->options.in_use ? ", or use --allocated-only" : "");
}

/* --- processes ---------------------------------------------------------------------------- */

int alloc_calls_attach(struct alloc_calls *c, pid_t pid)
{
	struct allocator_set set;
	uint64_t left_out = 0;
	int err = allocators_of_process(&c->files, pid, &set);

	if (!err)
		err = check_slow(c, &set, &left_out);
	if (!err)
		err = check_slowdown(c, pid, &set);
	if (!err)
		err = attach_set(c, pid, &set);
	if (!err)
		c->counts.left_out += left_out;
	return err;
}

int alloc_calls_attach_program(struct alloc_calls *c, pid_t pid, const char *path)
{
	struct allocator_set set;
	uint64_t left_out = 0;
	int err = allocators_of_program(&c->files, path, &set);

	if (!err)
		err = check_slow(c, &set, &left_out);
	if (!err)
		err = attach_set(c, pid, &set);
	if (!err)
		c->counts.left_out += left_out;
	return err;
}

int alloc_calls_follow(struct alloc_calls *c, pid_t pid)
{
	struct allocator_set set;
	uint64_t left_out = 0;
	int err = allocators_of_process(&c->files, pid, &set);

	if (!err)
		err = check_slow(c, &set, &left_out);
	if (!err)
		err = attach_set(c, pid, &set);
	if (err == -ESRCH || err == -ENOENT || err == -EOPNOTSUPP) {
		c->counts.not_found++;
		return 0;
	}
	/* A file of anybody's that the kernel takes no probe in ends nobody's recording. */
	if (err && err != -ENOMEM) {
		c->counts.failed++;
		return 0;
	}
	if (!err)
		c->counts.left_out += left_out;
	return err;
}

typedef int (*process_fn)(struct alloc_calls *c, pid_t pid);

static int for_each_process(struct alloc_calls *c, process_fn fn)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	int err = 0;

	if (!proc)
		return errf(-errno, "cannot read /proc: %m");
	while (!err && (entry = readdir(proc)) != NULL) {
		pid_t pid = isdigit((unsigned char)entry->d_name[0]) ? atoi(entry->d_name) : 0;

		if (pid > 0 && pid != getpid())
			err = fn(c, pid);
	}
	closedir(proc);
	return err;
}

/* Only the list of files matters. */
static int look_at(struct alloc_calls *c, pid_t pid)
{
	struct allocator_set set;
	int err = allocators_of_process(&c->files, pid, &set);

	return err == -ENOMEM ? err : 0;
}

/* Of the allocators of all that runs now, as many as a process may have. */
static int check_slowdown_of_all(struct alloc_calls *c)
{
	struct allocator_set set = { 0 };
	size_t i;
	int err = for_each_process(c, look_at);

	for (i = 0; i < c->files.files.n && set.n < ALLOCATORS_MAX; i++) {
		if (c->files.all[i])
			set.all[set.n++] = c->files.all[i];
	}
	return err || !set.n ? err : check_slowdown(c, 0, &set);
}

int alloc_calls_attach_all(struct alloc_calls *c)
{
	int err = check_slowdown_of_all(c);

	return err ? err : for_each_process(c, alloc_calls_follow);
}

void alloc_calls_forget(struct alloc_calls *c, pid_t pid)
{
	struct alloc_calls_target *target = pid ? find_target(c, pid) : NULL;

	if (!target)
		return;
	uprobes_release(&target->probes);
	*target = c->targets[--c->n_targets];
}

void alloc_calls_release(struct alloc_calls *c)
{
	struct uprobes all = { 0 };
	size_t i;

	for (i = 0; i < c->n_targets; i++) {
		if (uprobes_move(&all, &c->targets[i].probes))
			uprobes_release(&c->targets[i].probes);
		free(c->targets[i].probes.fds);
	}
	uprobes_release(&all);
	free(c->targets);
	free(c->attached);
	allocators_release(&c->files);
	*c = (struct alloc_calls){ 0 };
}
