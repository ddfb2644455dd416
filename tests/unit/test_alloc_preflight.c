/* SPDX-License-Identifier: BSD-2-Clause */
/* What probes on an allocator are expected to cost. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <math.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/base/err.h"
#include "user/collect/alloc_preflight.h"

static const struct alloc_costs costs = { .entry_ns = 500, .both_ns = 900, .slow_ns = 20000 };

static void near(double is, double should)
{
	assert_true(fabs(is - should) < 1e-9);
}

static void without_calls_or_time_nothing_slows_down(void **state)
{
	struct alloc_load load = { .cpu_ns = 200000000 };

	(void)state;
	near(alloc_slowdown(&load, &costs, true, 1, 1000), 1);
	load = (struct alloc_load){ .calls = { 5, 5, 5, 5 } };
	near(alloc_slowdown(&load, &costs, true, 1, 1000), 1);
}

static void calls_cost_what_their_probes_do(void **state)
{
	/* Of 200 ms, 100 ms were counting 200,000 calls. */
	struct alloc_load load = { .calls = { 100000, 100000 }, .cpu_ns = 200000000 };

	(void)state;
	near(alloc_slowdown(&load, &costs, false, 1, 0), 2);
	/* The returns of 100,000 are 40 ms more; of a tenth of them, 4 ms. */
	near(alloc_slowdown(&load, &costs, true, 1, 0), 2.4);
	near(alloc_slowdown(&load, &costs, true, 0.1, 0), 2.04);
	/* And 100,000 times a microsecond for what is sampled. */
	near(alloc_slowdown(&load, &costs, false, 1, 1000), 3);
	near(alloc_slowdown(&load, &costs, false, 0, 1000), 2);
	/* 1,000 of those that are single-stepped: 20 ms of 220. */
	load = (struct alloc_load){ .calls = { 0, 0, 500, 500 }, .cpu_ns = 220000000 };
	near(alloc_slowdown(&load, &costs, false, 1, 0), 1.1);
}

/* It did nothing but call: it cannot be less than nothing that is left of its time. */
static void where_all_was_counting_the_answer_is_bounded(void **state)
{
	struct alloc_load load = { .calls = { 400000 }, .cpu_ns = 200000000 };

	(void)state;
	near(alloc_slowdown(&load, &costs, false, 1, 0), 1 + 200e6 / 10e6);
	load.calls[ALLOC_FAST_MADE] = 800000;
	near(alloc_slowdown(&load, &costs, false, 1, 0), 1 + 400e6 / 10e6);
}

static void a_filter_is_seen_from_outside(void **state)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = { 1, &allow };
	int ready[2];
	pid_t pid;
	char byte;

	(void)state;
	assert_false(alloc_is_confined(0x3fffff));
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		byte = !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
		       !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
		if (write(ready[1], &byte, 1) == 1)
			pause();
		_exit(1);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	if (byte)
		assert_true(alloc_is_confined(pid));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(ready[0]);
	close(ready[1]);
}

/* Each way that this kernel has: single-stepping costs more, and a return is not for nothing. */
static void costs_are_measured_here(void **state)
{
	enum uprobes_way way, best = uprobes_best_way();
	struct alloc_costs measured;

	(void)state;
	for (way = UPROBES_PERF; way <= best; way++) {
		if (alloc_costs_measure(way, &measured)) {
			print_message("[  SKIPPED ] %s\n", err_text());
			return;
		}
		assert_true(measured.entry_ns > 50 && measured.entry_ns < 50000);
		assert_true(measured.both_ns > measured.entry_ns);
		assert_true(measured.slow_ns > measured.entry_ns);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_calls_or_time_nothing_slows_down),
		cmocka_unit_test(calls_cost_what_their_probes_do),
		cmocka_unit_test(where_all_was_counting_the_answer_is_bounded),
		cmocka_unit_test(a_filter_is_seen_from_outside),
		cmocka_unit_test(costs_are_measured_here),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
