/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/tree.h"

#include <math.h>
#include <time.h>

#include "user/base/clock.h"
#include "user/bench/environment.h"

/* A machine whose cgroup is two levels below the mount's root. */
static void make_machine(void)
{
	tree_make();
	tree_write("proc/self/mountinfo",
		   "22 1 0:5 / /proc rw - proc proc rw\n"
		   "31 23 0:28 / /sys/fs/cgroup rw,relatime shared:4 - cgroup2 cgroup2 rw\n");
	tree_write("proc/self/cgroup", "4:memory:/old\n0::/ci/job\n");
	tree_write("proc/sys/kernel/randomize_va_space", "2\n");
	tree_write("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n");
	tree_write("sys/devices/system/cpu/smt/active", "1\n");
	tree_write("sys/devices/system/cpu/intel_pstate/no_turbo", "1\n");
	tree_write("sys/fs/cgroup/ci/job/cpu.max", "max 100000\n");
	tree_write("sys/fs/cgroup/ci/job/memory.max", "8000000000\n");
	tree_write("sys/fs/cgroup/ci/cpu.max", "150000 100000\n");
	tree_write("sys/fs/cgroup/ci/memory.max", "2000000000\n");
}

static void what_bends_measurements_is_read(void **state)
{
	struct environment e;

	(void)state;
	make_machine();
	assert_int_equal(environment_read_at(tree_root, &e), 0);
	tree_remove("");
	assert_int_equal(e.turbo, 0);
	assert_int_equal(e.smt, 1);
	assert_int_equal(e.aslr, 2);
	assert_string_equal(e.transparent_hugepages, "madvise");
	assert_true(e.cgroup_cpus == 1.5);
	assert_int_equal(e.cgroup_memory_bytes, 2000000000);
	assert_in_range(e.cpus_allowed, 1, e.cpus_online);
	assert_int_equal(strlen(e.fingerprint), 16);
	assert_non_null(strstr(e.name, e.fingerprint));
	assert_null(strchr(e.name, '/'));
	environment_release(&e);
}

static void what_is_not_there_is_not_known(void **state)
{
	struct environment e;

	(void)state;
	tree_make();
	assert_int_equal(environment_read_at(tree_root, &e), 0);
	tree_remove("");
	assert_int_equal(e.turbo, -1);
	assert_int_equal(e.smt, -1);
	assert_int_equal(e.aslr, -1);
	assert_null(e.transparent_hugepages);
	assert_true(e.cgroup_cpus == 0);
	assert_int_equal(e.cgroup_memory_bytes, 0);
	environment_release(&e);
}

static void the_other_driver_says_when_turbo_is_on(void **state)
{
	struct environment e;

	(void)state;
	tree_make();
	tree_write("sys/devices/system/cpu/cpufreq/boost", "1\n");
	assert_int_equal(environment_read_at(tree_root, &e), 0);
	tree_remove("");
	assert_int_equal(e.turbo, 1);
	environment_release(&e);
}

/* The bytes of a fingerprint are part of the store's folder names: they may never change. */
static void the_fingerprint_is_of_all_but_the_name_of_the_host(void **state)
{
	struct environment e = {
		.kernel = (char *)"6.1.0-25-amd64",
		.architecture = (char *)"x86_64",
		.cpu_model = (char *)"Some CPU\n",
		.hostname = (char *)"one",
		.cpus_online = 8,
		.cpus_allowed = 8,
		.memory_bytes = 16ull << 30,
		.turbo = 1,
		.smt = -1,
		.aslr = 2,
	};
	char first[17];

	(void)state;
	assert_int_equal(environment_identify(&e), 0);
	assert_string_equal(e.name, "x86_64-6.1.0-25-amd64-8cpu-d00af9bba2ef8d1e");
	strcpy(first, e.fingerprint);
	e.hostname = (char *)"two";
	e.memory_bytes += 1 << 20;
	assert_int_equal(environment_identify(&e), 0);
	assert_string_equal(e.fingerprint, first);
	e.turbo = 0;
	assert_int_equal(environment_identify(&e), 0);
	assert_string_not_equal(e.fingerprint, first);
	e.kernel = (char *)"../../etc";
	e.architecture = (char *)"..";
	assert_int_equal(environment_identify(&e), 0);
	assert_null(strchr(e.name, '/'));
	assert_true(e.name[0] == '_');
	free(e.name);
}

static void write_state(const char *cpu, const char *pressure, const char *throttled)
{
	tree_write("proc/stat", cpu);
	tree_write("proc/pressure/cpu", pressure);
	tree_write("sys/fs/cgroup/ci/job/cpu.stat", throttled);
	tree_write("proc/loadavg", "1.50 1.00 0.50 1/100 1234\n");
	tree_write("sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count", "3\n");
}

static void noise_is_the_difference_of_two_states(void **state)
{
	struct machine_state before, after;
	struct machine_noise noise;

	(void)state;
	make_machine();
	write_state("cpu  1000 0 500 8000 500 0 0 100 0 0\n",
		    "some avg10=0.00 avg60=0.00 avg300=0.00 total=1000000\n",
		    "usage_usec 5\nthrottled_usec 100000\n");
	machine_state_read_at(tree_root, &before);
	write_state("cpu  1100 50 550 8100 500 0 0 200 0 0\n",
		    "some avg10=0.00 avg60=0.00 avg300=0.00 total=1500000\n",
		    "usage_usec 5\nthrottled_usec 350000\n");
	tree_write("sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count", "5\n");
	machine_state_read_at(tree_root, &after);
	tree_remove("");
	after.taken_ns = before.taken_ns + 1000000000;
	after.own_ns = before.own_ns + 1200000000;
	machine_noise_between(&before, &after, &noise);
	/* 200 ticks busy of which 120 are ours, 100 stolen, 100 idle. */
	assert_true(fabs(noise.other_cpu - 0.2) < 1e-9);
	assert_true(fabs(noise.steal - 0.25) < 1e-9);
	assert_true(fabs(noise.psi_cpu - 0.5) < 1e-9);
	assert_true(isnan(noise.psi_io));
	assert_true(fabs(noise.throttled - 0.25) < 1e-9);
	assert_int_equal(noise.thermal_throttles, 2);
	assert_true(noise.load1_after == 1.5);
}

static void a_namespace_does_not_show_what_is_above_it(void **state)
{
	struct machine_state s;

	(void)state;
	make_machine();
	tree_write("proc/self/cgroup", "0::/../../etc\n");
	write_state("", "", "throttled_usec 100000\n");
	tree_write("sys/etc/cpu.stat", "throttled_usec 100000\n");
	machine_state_read_at(tree_root, &s);
	tree_remove("");
	assert_true(s.throttled_ns == UINT64_MAX);
	assert_true(s.busy_ns == UINT64_MAX);
	assert_true(s.psi_cpu_ns == UINT64_MAX);
}

static void own_work_is_not_noise(void **state)
{
	struct machine_state before, after;
	struct machine_noise noise;
	double busy, own;

	(void)state;
	machine_state_read(&before);
	while (clock_ns(CLOCK_PROCESS_CPUTIME_ID) < before.own_ns + 300000000)
		canary_ns(1);
	machine_state_read(&after);
	busy = after.busy_ns - before.busy_ns;
	own = after.own_ns - before.own_ns;
	assert_true(own >= 250e6);
	/* Ticks are charged whole, so that some of them may be another's. */
	assert_true(busy >= own * 0.7);
	machine_noise_between(&before, &after, &noise);
	assert_true(noise.other_cpu >= 0 && noise.other_cpu <= 1);
}

static void canaries_do_the_same_work(void **state)
{
	uint64_t best = canary_ns(20), other = canary_ns(20);

	(void)state;
	assert_in_range(best, 10000, 1000000000);
	/* Other work on this machine may be anything; twice the time is too much for chance. */
	assert_true(other < 3 * best && best < 3 * other);
	assert_int_equal(canary_ns(0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_bends_measurements_is_read),
		cmocka_unit_test(what_is_not_there_is_not_known),
		cmocka_unit_test(the_other_driver_says_when_turbo_is_on),
		cmocka_unit_test(the_fingerprint_is_of_all_but_the_name_of_the_host),
		cmocka_unit_test(noise_is_the_difference_of_two_states),
		cmocka_unit_test(a_namespace_does_not_show_what_is_above_it),
		cmocka_unit_test(own_work_is_not_noise),
		cmocka_unit_test(canaries_do_the_same_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
