/* SPDX-License-Identifier: BSD-2-Clause */
/* Probes on the allocators of processes that run; where the kernel allows none, it says SKIP. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <math.h>
#include <limits.h>
#include <linux/types.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bpf/alloc_wire.h"
#include "bpf/draw_wire.h"

#include "alloc.skel.h"
#include "user/base/err.h"
#include "user/collect/alloc_calls.h"
#include "user/collect/alloc_shim.h"
#include "user/collect/alloc_weights.h"

/* What each() of tests/workloads/allocator.c asks for. */
#define EACH_CALLS 9
#define EACH_BYTES (1001 + 3000 + 2001 + 40001 + 50000 + 6001 + 6400 + 7001 + 8001)
#define EACH_MOVED (1001 + 2001) /* of these, what realloc takes back */

struct run {
	struct alloc_bpf *skel;
	struct alloc_calls calls;
	pid_t pid;
	FILE *to, *from;
	unsigned long each[2], outer[2]; /* where code is in the child */
};

static bool has_uprobes = true;

static int be_quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

/* build/obj/unit/x and build/san/unit/x: build/workloads/NAME. */
static const char *workload(const char *name)
{
	static char path[PATH_MAX];
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	assert_true(n > 0);
	self[n] = '\0';
	assert_true((size_t)snprintf(path, sizeof(path), "%s/workloads/%s",
				     dirname(dirname(dirname(self))), name) < sizeof(path));
	return path;
}

static void start_child(struct run *r, const char *path, const char *preload)
{
	int to[2], from[2];
	char line[256];

	assert_int_equal(pipe2(to, O_CLOEXEC), 0);
	assert_int_equal(pipe2(from, O_CLOEXEC), 0);
	r->pid = fork();
	assert_true(r->pid >= 0);
	if (!r->pid) {
		dup2(to[0], 0);
		dup2(from[1], 1);
		if (preload)
			setenv("LD_PRELOAD", preload, 1);
		execl(path, path, NULL);
		_exit(127);
	}
	close(to[0]);
	close(from[1]);
	r->to = fdopen(to[1], "w");
	r->from = fdopen(from[0], "r");
	assert_non_null(fgets(line, sizeof(line), r->from));
	assert_int_equal(sscanf(line, "%lx %lx %lx %lx", &r->each[0], &r->each[1], &r->outer[0],
				&r->outer[1]),
			 4);
}

static double tell(struct run *r, const char *command)
{
	char line[64];

	fprintf(r->to, "%s\n", command);
	fflush(r->to);
	assert_non_null(fgets(line, sizeof(line), r->from));
	return atof(line);
}

static void finish_load(struct run *r, const struct alloc_calls_options *options, uint64_t interval)
{
	bpf_program__set_autoload(r->skel->progs.on_exit, false);
	bpf_program__set_autoload(r->skel->progs.on_exec, false);
	bpf_program__set_autoload(r->skel->progs.on_fork, false);
	alloc_shim_leave_out(r->skel);
	r->skel->rodata->cfg_frame_pointers = 1;
	r->skel->rodata->cfg_self_tgid = getpid();
	r->skel->rodata->cfg_in_use = options->in_use;
	r->skel->rodata->cfg_interval_bytes = interval;
	if (interval > 1)
		alloc_weights_fill(interval, &r->skel->rodata->cfg_draw);
	assert_int_equal(alloc_bpf__load(r->skel), 0);
	r->skel->bss->is_on = 1;
}

static void load(struct run *r, const struct alloc_calls_options *options, uint64_t interval)
{
	r->skel = alloc_bpf__open();
	assert_non_null(r->skel);
	assert_int_equal(alloc_calls_choose(&r->calls, r->skel, options), 0);
	finish_load(r, options, interval);
}

/* Starts a child with these probes; false if that is not possible here. */
static bool start(struct run *r, const char *path, const char *preload,
		  const struct alloc_calls_options *options)
{
	int err;

	memset(r, 0, sizeof(*r));
	if (!has_uprobes || access(path, X_OK) || (preload && access(preload, R_OK)))
		return false;
	start_child(r, path, preload);
	load(r, options, 1);
	err = alloc_calls_attach(&r->calls, r->pid);
	if (err)
		print_error("%s\n", err_text());
	assert_int_equal(err, 0);
	return true;
}

static void stop(struct run *r)
{
	fclose(r->to);
	fclose(r->from);
	waitpid(r->pid, NULL, 0);
	alloc_calls_release(&r->calls);
	alloc_bpf__destroy(r->skel);
}

/* Of all sites. */
struct sums {
	uint64_t n, bytes, in_use, sites;
};

static void sum_up(const struct run *r, struct sums *ret)
{
	struct ft_alloc_site site;
	uint64_t *last = NULL, key;
	int fd;

	memset(ret, 0, sizeof(*ret));
	if (!r->skel) {
		fail();
		return; /* for the analyzer */
	}
	fd = bpf_map__fd(r->skel->maps.sites);
	while (!bpf_map_get_next_key(fd, last, &key)) {
		assert_int_equal(bpf_map_lookup_elem(fd, &key, &site), 0);
		ret->n += site.made.n;
		ret->bytes += site.made.bytes;
		ret->in_use += site.in_use_bytes;
		ret->sites++;
		last = &key;
	}
}

/* Each stack begins in each(), at a call, and goes on in main(). */
static void check_stacks(const struct run *r)
{
	int fd = bpf_map__fd(r->skel->maps.stacks_0);
	uint64_t *last = NULL, key;
	struct ft_stack stack;
	int n = 0;

	while (!bpf_map_get_next_key(fd, last, &key)) {
		assert_int_equal(bpf_map_lookup_elem(fd, &key, &stack), 0);
		assert_in_range(stack.pcs[0], r->each[0], r->each[1] - 1);
		assert_true(stack.n >= 3);
		assert_in_range(stack.pcs[2], r->outer[0], r->outer[1] - 1);
		last = &key;
		n++;
	}
	assert_int_equal(n, EACH_CALLS);
}

static void check_each(struct run *r, bool in_use)
{
	struct sums sums;

	tell(r, "each");
	sum_up(r, &sums);
	assert_int_equal(sums.n, EACH_CALLS);
	assert_int_equal(sums.bytes, EACH_BYTES);
	assert_int_equal(sums.sites, EACH_CALLS);
	if (!in_use)
		return;
	assert_int_equal(sums.in_use, EACH_BYTES - EACH_MOVED);
	assert_int_equal(r->skel->bss->state.in_use_bytes, EACH_BYTES - EACH_MOVED);
	tell(r, "release");
	sum_up(r, &sums);
	assert_int_equal(sums.in_use, 0);
	assert_int_equal(r->skel->bss->state.in_use_bytes, 0);
	assert_int_equal(r->skel->bss->state.blocks, 0);
	assert_int_equal(r->skel->bss->state.frees, EACH_CALLS);
	assert_int_equal(r->skel->bss->state.frees_unknown, 0);
	assert_int_equal(r->skel->bss->state.frees_missed, 0);
}

static void each_call_counts_once(const char *name, const char *preload, bool in_use,
				  enum uprobes_way way)
{
	const struct alloc_calls_options options = { .in_use = in_use, .best_way = way };
	struct run r;

	if (!start(&r, workload(name), preload, &options)) {
		print_message("[  SKIPPED ] no %s%s%s here\n", name, preload ? " with " : "",
			      preload ? preload : "");
		return;
	}
	check_each(&r, in_use);
	/* musl's and tcmalloc's posix_memalign() is in between. */
	if (!strstr(name, "musl") && !(preload && strstr(preload, "tcmalloc")))
		check_stacks(&r);
	stop(&r);
}

static void each_call_of_glibc_counts_once(void **state)
{
	(void)state;
	each_call_counts_once("allocator", NULL, false, UPROBES_SESSION);
	each_call_counts_once("allocator", NULL, true, UPROBES_SESSION);
}

static void older_kernels_ways_count_the_same(void **state)
{
	(void)state;
	each_call_counts_once("allocator", NULL, true, UPROBES_MULTI);
	each_call_counts_once("allocator", NULL, false, UPROBES_PERF);
	each_call_counts_once("allocator", NULL, true, UPROBES_PERF);
}

static void allocators_of_other_libraries_count_the_same(void **state)
{
	static const char *const preloads[] = {
		"/usr/lib/x86_64-linux-gnu/libjemalloc.so.2",
		"/usr/lib/x86_64-linux-gnu/libtcmalloc_minimal.so.4",
	};
	size_t i;

	(void)state;
	each_call_counts_once("allocator-static", NULL, false, UPROBES_SESSION);
	each_call_counts_once("allocator-musl", NULL, true, UPROBES_SESSION);
	each_call_counts_once("allocator-musl-static", NULL, true, UPROBES_SESSION);
	for (i = 0; i < sizeof(preloads) / sizeof(preloads[0]); i++) {
		each_call_counts_once("allocator", preloads[i], false, UPROBES_SESSION);
		each_call_counts_once("allocator", preloads[i], true, UPROBES_SESSION);
	}
}

static void a_wrapper_is_not_counted_beside_what_it_wraps(void **state)
{
	char wrapper[PATH_MAX];

	(void)state;
	snprintf(wrapper, sizeof(wrapper), "%s", workload("unwind/wrapper.so"));
	each_call_counts_once("allocator", wrapper, false, UPROBES_SESSION);
	each_call_counts_once("allocator", wrapper, true, UPROBES_PERF);
}

/* --- more than one call --------------------------------------------------------------------- */

#define PAIRS	   20000
#define PAIR_BYTES 3000
#define INTERVAL   (64 << 10)

/* What is estimated is within five standard deviations. */
static void samples_stand_for_all_calls(void **state)
{
	const struct alloc_calls_options options = { .in_use = true, .best_way = UPROBES_SESSION };
	double bytes = (double)PAIRS * PAIR_BYTES, deviation = sqrt(bytes * INTERVAL);
	struct sums sums;
	struct run r;

	(void)state;
	if (!has_uprobes) {
		skip();
		return;
	}
	memset(&r, 0, sizeof(r));
	start_child(&r, workload("allocator"), NULL);
	load(&r, &options, INTERVAL);
	assert_int_equal(alloc_calls_attach(&r.calls, r.pid), 0);
	tell(&r, "pairs 20000 3000");
	sum_up(&r, &sums);
	assert_in_range(sums.n, 1, PAIRS / 5);
	assert_true(fabs(sums.bytes - bytes) < 5 * deviation);
	assert_int_equal(sums.in_use, 0);
	assert_int_equal(r.skel->bss->state.blocks, 0);
	assert_int_equal(r.skel->bss->state.frees, sums.n);
	assert_int_equal(r.skel->bss->state.frees_unknown, 0);
	stop(&r);
}

static void a_call_that_fails_gives_out_nothing(void **state)
{
	const struct alloc_calls_options options = { .in_use = true, .best_way = UPROBES_SESSION };
	struct sums sums;
	struct run r;

	(void)state;
	if (!start(&r, workload("allocator"), NULL, &options)) {
		skip();
		return;
	}
	tell(&r, "nothing 10");
	sum_up(&r, &sums);
	assert_int_equal(sums.n, 0);
	assert_int_equal(r.skel->bss->state.failed, 10);
	check_each(&r, true);
	stop(&r);
}

static void threads_do_not_disturb_each_other(void **state)
{
	const enum uprobes_way ways[] = { UPROBES_SESSION, UPROBES_PERF };
	struct sums sums;
	struct run r;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		const struct alloc_calls_options options = { .in_use = true, .best_way = ways[i] };

		if (!start(&r, workload("allocator"), NULL, &options)) {
			skip();
			return;
		}
		tell(&r, "threads 8");
		sum_up(&r, &sums);
		/* Each thread has some of its own: its stack's bookkeeping, its cache of blocks. */
		assert_in_range(sums.n, 8000, 8000 + 8 * 8);
		assert_in_range(r.skel->bss->state.frees, 8000, sums.n);
		stop(&r);
	}
}

static void no_room_for_a_thread_is_counted(void **state)
{
	const struct alloc_calls_options options = { .in_use = true, .best_way = UPROBES_SESSION };
	int n_cpus = libbpf_num_possible_cpus(), i;
	struct ft_ledger *ledgers = calloc(n_cpus, sizeof(*ledgers));
	uint64_t lost = 0;
	uint32_t zero = 0;
	struct sums sums;
	struct run r;

	(void)state;
	assert_non_null(ledgers);
	if (!has_uprobes) {
		skip();
		return;
	}
	memset(&r, 0, sizeof(r));
	start_child(&r, workload("allocator"), NULL);
	r.skel = alloc_bpf__open();
	assert_non_null(r.skel);
	assert_int_equal(alloc_calls_choose(&r.calls, r.skel, &options), 0);
	bpf_map__set_max_entries(r.skel->maps.calls, 1);
	finish_load(&r, &options, 1);
	assert_int_equal(alloc_calls_attach(&r.calls, r.pid), 0);
	tell(&r, "threads 4");
	sum_up(&r, &sums);
	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(r.skel->maps.ledgers), &zero, ledgers), 0);
	for (i = 0; i < n_cpus; i++)
		lost += ledgers[i].n[FT_ALLOC_LOST_CALLS];
	assert_true(lost > 0);
	assert_in_range(sums.n + lost, 4000, 4000 + 8 * 4);
	free(ledgers);
	stop(&r);
}

static void a_child_is_followed(void **state)
{
	const struct alloc_calls_options options = { .in_use = true, .best_way = UPROBES_SESSION };
	char path[64], text[64] = "";
	struct sums sums;
	uint64_t probes;
	struct run r;
	FILE *f;
	int i;

	(void)state;
	if (!start(&r, workload("allocator"), NULL, &options)) {
		skip();
		return;
	}
	fprintf(r.to, "fork\n");
	fflush(r.to);
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", r.pid, r.pid);
	for (i = 0; i < 100 && !atoi(text); i++) {
		f = fopen(path, "r");
		assert_non_null(f);
		if (!fgets(text, sizeof(text), f))
			usleep(1000);
		fclose(f);
	}
	assert_true(atoi(text) > 0);
	assert_int_equal(alloc_calls_follow(&r.calls, atoi(text)), 0);
	assert_int_equal(r.calls.counts.processes, 2);
	/* As if it had executed itself: its probes stay where they are. */
	probes = r.calls.counts.probes;
	assert_int_equal(alloc_calls_follow(&r.calls, atoi(text)), 0);
	assert_int_equal(r.calls.counts.processes, 2);
	assert_int_equal(r.calls.counts.probes, probes);
	assert_non_null(fgets(text, sizeof(text), r.from));
	sum_up(&r, &sums);
	assert_int_equal(sums.bytes, 100 * 500);
	assert_int_equal(sums.in_use, 0);
	/* It is gone, and that is no error. */
	assert_int_equal(alloc_calls_follow(&r.calls, 0x3fffff), 0);
	assert_int_equal(r.calls.counts.not_found, 1);
	alloc_calls_forget(&r.calls, r.pid);
	tell(&r, "pairs 10 10");
	sum_up(&r, &sums);
	assert_int_equal(sums.bytes, 100 * 500);
	stop(&r);
}

/* --- before it begins --------------------------------------------------------------------- */

static void a_static_program_is_ready_before_it_starts(void **state)
{
	const struct alloc_calls_options options = { .in_use = true, .best_way = UPROBES_SESSION };
	int ready[2], to[2], from[2];
	struct sums before, after;
	char line[128], byte;
	struct run r;

	(void)state;
	if (!has_uprobes) {
		skip();
		return;
	}
	memset(&r, 0, sizeof(r));
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	assert_int_equal(pipe2(to, O_CLOEXEC), 0);
	assert_int_equal(pipe2(from, O_CLOEXEC), 0);
	r.pid = fork();
	assert_true(r.pid >= 0);
	if (!r.pid) {
		dup2(to[0], 0);
		dup2(from[1], 1);
		if (read(ready[0], &byte, 1) == 1)
			execl(workload("allocator-static"), "allocator", NULL);
		_exit(127);
	}
	close(to[0]);
	close(from[1]);
	r.to = fdopen(to[1], "w");
	r.from = fdopen(from[0], "r");
	load(&r, &options, 1);
	assert_int_equal(alloc_calls_attach_program(&r.calls, r.pid, workload("allocator")),
			 -ENOENT);
	assert_int_equal(alloc_calls_attach_program(&r.calls, r.pid, workload("allocator-static")),
			 0);
	assert_int_equal(write(ready[1], "", 1), 1);
	assert_non_null(fgets(line, sizeof(line), r.from));
	sum_up(&r, &before);
	tell(&r, "pairs 10 12345");
	sum_up(&r, &after);
	assert_int_equal(after.bytes - before.bytes, 123450);
	close(ready[0]);
	close(ready[1]);
	stop(&r);
}

static void what_would_be_too_slow_is_refused(void **state)
{
	const struct alloc_calls_options options = {
		.best_way = UPROBES_SESSION,
		.max_slowdown = 1.5,
	};
	struct run r;

	(void)state;
	if (!has_uprobes) {
		skip();
		return;
	}
	memset(&r, 0, sizeof(r));
	start_child(&r, workload("allocator"), NULL);
	load(&r, &options, 1);
	fprintf(r.to, "pairs 10000000000 10\n"); /* for longer than it is looked at */
	fflush(r.to);
	assert_int_equal(alloc_calls_attach(&r.calls, r.pid), -ECANCELED);
	assert_non_null(strstr(err_text(), "times as slow, and the limit is 1.50"));
	assert_true(r.calls.counts.slowdown > 1.5);
	assert_int_equal(r.calls.counts.probes, 0);
	kill(r.pid, SIGKILL);
	stop(&r);
}

static void slow_probes_are_for_who_asks_for_them(void **state)
{
	static const char library[] = "/usr/lib/x86_64-linux-gnu/libmimalloc.so.2";
	struct alloc_calls_options options = { .best_way = UPROBES_SESSION };
	struct sums sums;
	struct run r;

	(void)state;
	if (!has_uprobes || access(library, R_OK)) {
		skip();
		return;
	}
	memset(&r, 0, sizeof(r));
	start_child(&r, workload("allocator"), library);
	load(&r, &options, 1);
	assert_int_equal(alloc_calls_attach(&r.calls, r.pid), -EOPNOTSUPP);
	assert_non_null(strstr(err_text(), "single-stepped"));
	stop(&r);
	options.allow_slow = true;
	assert_true(start(&r, workload("allocator"), library, &options));
	tell(&r, "pairs 10 1000");
	sum_up(&r, &sums);
	assert_int_equal(sums.bytes, 10000);
	stop(&r);
}

static int set_up(void **state)
{
	struct alloc_costs costs;

	(void)state;
	libbpf_set_print(getenv("VERBOSE") ? NULL : be_quiet);
	has_uprobes = !geteuid() && !alloc_costs_measure(UPROBES_PERF, &costs);
	if (!has_uprobes)
		print_message("[  SKIPPED ] no uprobes here: %s\n", err_text());
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_call_of_glibc_counts_once),
		cmocka_unit_test(older_kernels_ways_count_the_same),
		cmocka_unit_test(allocators_of_other_libraries_count_the_same),
		cmocka_unit_test(a_wrapper_is_not_counted_beside_what_it_wraps),
		cmocka_unit_test(samples_stand_for_all_calls),
		cmocka_unit_test(a_call_that_fails_gives_out_nothing),
		cmocka_unit_test(threads_do_not_disturb_each_other),
		cmocka_unit_test(no_room_for_a_thread_is_counted),
		cmocka_unit_test(a_child_is_followed),
		cmocka_unit_test(a_static_program_is_ready_before_it_starts),
		cmocka_unit_test(what_would_be_too_slow_is_refused),
		cmocka_unit_test(slow_probes_are_for_who_asks_for_them),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
