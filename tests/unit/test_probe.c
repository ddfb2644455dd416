/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/base/array.h"
#include "user/base/cleanup.h"
#include "user/base/err.h"
#include "user/collect/probe_facts.h"

#define BIT(cap) (UINT64_C(1) << (cap))

/* A bare-metal machine and root: nothing is wrong. */
static struct probe_facts perfect(void)
{
	struct probe_facts facts = {
		.release = "6.12.0",
		.machine = "x86_64",
		.libbpf = "1.1",
		.caps = BIT(41) - 1,
		.is_root = true,
		.initial_userns = true,
		.btf_bytes = 5 << 20,
		.lockdown = "none",
		.secure_boot = PROBE_UNKNOWN,
		.paranoid = 2,
		.kptr_restrict = 1,
		.unprivileged_bpf_disabled = 2,
		.mlock_kb = 516,
		.max_sample_rate = 100000,
		.tracefs = "/sys/kernel/tracing",
		.cgroup2 = "/sys/fs/cgroup",
	};
	unsigned int i;

	for (i = 0; i < probe_n_rows; i++)
		facts.tries[i].stage = "";
	return facts;
}

static void fail_all(struct probe_facts *facts, int err)
{
	unsigned int i;

	for (i = 0; i < probe_n_rows; i++)
		facts->tries[i] = (struct probe_try){ .err = err, .stage = "at load" };
}

static void fail_one(struct probe_facts *facts, const char *id, int err)
{
	unsigned int i;

	for (i = 0; i < probe_n_rows; i++) {
		if (!strcmp(probe_rows[i].id, id)) {
			facts->tries[i] = (struct probe_try){ .err = err, .stage = "at attach" };
			return;
		}
	}
	fail_msg("there is no row '%s'", id);
}

static struct probe_report *judged(const struct probe_facts *facts)
{
	struct probe_report *report = NULL;

	assert_int_equal(probe_judge(facts, &report), 0);
	return report;
}

static const struct probe_check *check_of(const struct probe_report *r, const char *id)
{
	size_t i;

	for (i = 0; i < r->n; i++) {
		if (!strcmp(r->checks[i].id, id))
			return &r->checks[i];
	}
	fail_msg("there is no check '%s'", id);
	return NULL;
}

static void a_perfect_host_is_ok_in_all(void **state)
{
	struct probe_facts facts = perfect();
	_cleanup_(probe_report_freep) struct probe_report *r = judged(&facts);
	size_t i;

	(void)state;
	assert_int_equal(r->can_record, 0);
	assert_null(r->cause);
	assert_null(r->mend);
	assert_true(r->n > probe_n_rows);
	for (i = 0; i < r->n; i++) {
		assert_int_equal(r->checks[i].state, PROBE_OK);
		assert_null(r->checks[i].meaning);
		assert_null(r->checks[i].mend);
		assert_true(strlen(r->checks[i].found) > 0);
	}
}

static void checks_have_ids_of_their_own_and_stand_in_groups(void **state)
{
	struct probe_facts facts = perfect();
	_cleanup_(probe_report_freep) struct probe_report *r = judged(&facts);
	size_t i, k;

	(void)state;
	for (i = 1; i < r->n; i++) {
		for (k = 0; k < i; k++) {
			assert_string_not_equal(r->checks[i].id, r->checks[k].id);
			if (strcmp(r->checks[i].group, r->checks[i - 1].group))
				assert_string_not_equal(r->checks[i].group, r->checks[k].group);
		}
	}
}

static void whatever_fails_is_explained(void **state)
{
	struct probe_facts facts = perfect();
	_cleanup_(probe_report_freep) struct probe_report *r = NULL;
	size_t i;

	(void)state;
	fail_all(&facts, -EINVAL);
	r = judged(&facts);
	assert_int_equal(r->can_record, -ENOSYS);
	assert_non_null(r->cause);
	assert_non_null(r->mend);
	for (i = 0; i < r->n; i++) {
		if (r->checks[i].state == PROBE_OK)
			continue;
		assert_non_null(r->checks[i].meaning);
		assert_non_null(r->checks[i].mend);
		assert_non_null(strstr(r->checks[i].found, strerror(EINVAL)));
	}
}

static void each_required_thing_makes_recording_impossible(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < probe_n_rows; i++) {
		struct probe_facts facts = perfect();
		_cleanup_(probe_report_freep) struct probe_report *r = NULL;

		fail_one(&facts, probe_rows[i].id, -EINVAL);
		r = judged(&facts);
		if (probe_rows[i].need == PROBE_REQUIRED) {
			assert_int_equal(r->can_record, -ENOSYS);
			assert_non_null(strstr(r->cause, probe_rows[i].title));
		} else {
			assert_int_equal(r->can_record, 0);
		}
	}
}

static void without_a_pmu_recording_is_degraded(void **state)
{
	struct probe_facts facts = perfect();
	_cleanup_(probe_report_freep) struct probe_report *r = NULL;

	(void)state;
	fail_one(&facts, "event.cycles", -ENOENT);
	r = judged(&facts);
	assert_int_equal(r->can_record, 0);
	assert_int_equal(probe_report_count(r, PROBE_DEGRADED), 1);
	assert_int_equal(probe_report_count(r, PROBE_MISSING), 0);
	assert_int_equal(check_of(r, "event.cycles")->state, PROBE_DEGRADED);
	assert_non_null(strstr(check_of(r, "event.cycles")->meaning, "cpu-clock"));
}

static void what_is_only_told_is_not_held_against_the_host(void **state)
{
	struct probe_facts facts = perfect();
	_cleanup_(probe_report_freep) struct probe_report *r = NULL;
	size_t i;

	(void)state;
	facts.tracefs[0] = '\0';
	facts.caps = 0;
	facts.seccomp = 2;
	facts.secure_boot = 1;
	fail_all(&facts, -EPERM);
	r = judged(&facts);
	for (i = 0; i < r->n; i++) {
		if (r->checks[i].need == PROBE_INFORMATION)
			assert_int_equal(r->checks[i].state, PROBE_OK);
	}
	assert_int_equal(check_of(r, "mount.tracefs")->need, PROBE_INFORMATION);
	assert_string_equal(check_of(r, "mount.tracefs")->found, "not mounted; not needed");
}

static void nothing_is_tried_that_no_collector_uses(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < probe_n_rows; i++)
		assert_int_not_equal(probe_rows[i].need, PROBE_INFORMATION);
}

static void stacks_cannot_be_fetched_without_batch_operations(void **state)
{
	struct probe_facts facts = perfect();
	_cleanup_(probe_report_freep) struct probe_report *r = NULL;

	(void)state;
	fail_one(&facts, "map.batch", -EINVAL);
	r = judged(&facts);
	assert_int_equal(r->can_record, -ENOSYS);
	assert_int_equal(check_of(r, "map.batch")->state, PROBE_MISSING);
	assert_non_null(strstr(r->cause, "batch operations"));
	assert_non_null(strstr(r->mend, "5.6"));
}

static void rights_are_not_the_mend_where_root_can_record_without(void **state)
{
	struct probe_facts facts = perfect();
	_cleanup_(probe_report_freep) struct probe_report *r = NULL;

	(void)state;
	fail_one(&facts, "program.tp_btf", -EPERM);
	r = judged(&facts);
	assert_int_equal(r->can_record, 0);
	assert_int_equal(probe_report_count(r, PROBE_MISSING), 1);
	assert_non_null(strstr(check_of(r, "program.tp_btf")->mend, "CONFIG_"));
}

static void a_user_is_told_which_capabilities_to_get(void **state)
{
	struct probe_facts facts = perfect();
	_cleanup_(probe_report_freep) struct probe_report *r = NULL;

	(void)state;
	facts.caps = 0;
	facts.is_root = false;
	facts.kallsyms = -EACCES;
	fail_all(&facts, -EPERM);
	r = judged(&facts);
	assert_int_equal(r->can_record, -EPERM);
	assert_non_null(strstr(r->cause, "CAP_BPF and CAP_PERFMON"));
	assert_non_null(strstr(r->mend, "setcap cap_bpf,cap_perfmon"));
	assert_int_equal(check_of(r, "capability.bpf")->state, PROBE_MISSING);
	assert_int_equal(check_of(r, "capability.perfmon")->state, PROBE_MISSING);
	assert_int_equal(check_of(r, "capability.sys_ptrace")->state, PROBE_DEGRADED);
	assert_int_equal(check_of(r, "rights.perf_event_paranoid")->state, PROBE_MISSING);
	assert_int_equal(check_of(r, "names.kallsyms")->state, PROBE_DEGRADED);
}

static void bpf_and_perfmon_suffice(void **state)
{
	struct probe_facts facts = perfect();
	_cleanup_(probe_report_freep) struct probe_report *r = NULL;

	(void)state;
	facts.caps = BIT(CAP_BPF) | BIT(CAP_PERFMON) | BIT(CAP_SYS_PTRACE) | BIT(CAP_SYSLOG) |
		     BIT(CAP_DAC_READ_SEARCH);
	facts.is_root = false;
	fail_one(&facts, "bpf.run_time", -EPERM);
	r = judged(&facts);
	assert_int_equal(r->can_record, 0);
	assert_int_equal(probe_report_count(r, PROBE_MISSING), 0);
	assert_int_equal(check_of(r, "capability.sys_admin")->state, PROBE_DEGRADED);
	assert_int_equal(check_of(r, "bpf.run_time")->state, PROBE_DEGRADED);
	assert_int_equal(check_of(r, "rights.perf_event_paranoid")->state, PROBE_OK);
}

static void sys_admin_includes_bpf_and_perfmon(void **state)
{
	struct probe_facts facts = perfect();
	_cleanup_(probe_report_freep) struct probe_report *r = NULL;

	(void)state;
	facts.caps = BIT(CAP_SYS_ADMIN);
	fail_one(&facts, "program.perf_event", -EPERM);
	r = judged(&facts);
	assert_null(strstr(r->cause, "CAP_BPF"));
	assert_int_equal(check_of(r, "capability.bpf")->state, PROBE_OK);
	assert_int_equal(check_of(r, "capability.perfmon")->state, PROBE_OK);
	assert_int_equal(check_of(r, "capability.sys_ptrace")->state, PROBE_DEGRADED);
}

/* Each obstacle alone, and a word of what is said of it. */
static void a_refusal_is_put_down_to_its_cause(void **state)
{
	static const struct {
		const char *what, *cause, *mend;
	} cases[] = {
		{ "container", "CAP_BPF", "--cap-add" },
		{ "userns", "user namespace", "rootless" },
		{ "lockdown", "locked down", "lockdown=integrity" },
		{ "seccomp", "seccomp", "seccomp=unconfined" },
		{ "other", "security module", "audit log" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct probe_facts facts = perfect();
		_cleanup_(probe_report_freep) struct probe_report *r = NULL;

		fail_all(&facts, -EPERM);
		if (!strcmp(cases[i].what, "container"))
			facts.caps = BIT(CAP_DAC_READ_SEARCH);
		else if (!strcmp(cases[i].what, "userns"))
			facts.initial_userns = false;
		else if (!strcmp(cases[i].what, "lockdown"))
			strcpy(facts.lockdown, "confidentiality");
		else if (!strcmp(cases[i].what, "seccomp"))
			facts.seccomp = 2;
		r = judged(&facts);
		assert_int_equal(r->can_record, -EPERM);
		assert_non_null(strstr(r->cause, cases[i].cause));
		assert_non_null(strstr(r->mend, cases[i].mend));
	}
}

static void no_btf_is_the_kernels_fault_and_not_the_rights(void **state)
{
	struct probe_facts facts = perfect();
	_cleanup_(probe_report_freep) struct probe_report *r = NULL;

	(void)state;
	facts.btf = -ENOENT;
	r = judged(&facts);
	assert_int_equal(r->can_record, -ENOSYS);
	assert_non_null(strstr(r->cause, "BTF"));
	assert_non_null(strstr(r->mend, "CONFIG_DEBUG_INFO_BTF"));
}

static void another_architecture_cannot_record(void **state)
{
	struct probe_facts facts = perfect();
	_cleanup_(probe_report_freep) struct probe_report *r = NULL;

	(void)state;
	strcpy(facts.machine, "riscv64");
	r = judged(&facts);
	assert_int_equal(r->can_record, -ENOSYS);
	assert_int_equal(check_of(r, "kernel.release")->state, PROBE_MISSING);
}

static void low_limits_degrade(void **state)
{
	struct probe_facts facts = perfect();
	_cleanup_(probe_report_freep) struct probe_report *r = NULL, *r2 = NULL;

	(void)state;
	facts.max_sample_rate = 50;
	facts.mlock_kb = 128;
	facts.kallsyms = -EACCES;
	facts.kptr_restrict = 2;
	facts.cgroup2[0] = '\0';
	r = judged(&facts);
	assert_int_equal(check_of(r, "event.max_sample_rate")->state, PROBE_DEGRADED);
	/* Root has CAP_IPC_LOCK, which the limit does not bind. */
	assert_int_equal(check_of(r, "event.mlock_kb")->state, PROBE_OK);
	assert_int_equal(check_of(r, "names.kallsyms")->state, PROBE_DEGRADED);
	assert_string_equal(check_of(r, "names.kallsyms")->mend, "sysctl kernel.kptr_restrict=1");
	assert_int_equal(check_of(r, "names.kptr_restrict")->state, PROBE_DEGRADED);
	assert_int_equal(check_of(r, "mount.cgroup2")->state, PROBE_DEGRADED);
	facts.caps &= ~BIT(CAP_IPC_LOCK);
	r2 = judged(&facts);
	assert_int_equal(check_of(r2, "event.mlock_kb")->state, PROBE_DEGRADED);
}

static void settings_that_cannot_be_read_are_not_held_against_the_host(void **state)
{
	struct probe_facts facts = perfect();
	_cleanup_(probe_report_freep) struct probe_report *r = NULL;

	(void)state;
	facts.paranoid = facts.kptr_restrict = facts.unprivileged_bpf_disabled = PROBE_UNKNOWN;
	facts.mlock_kb = facts.max_sample_rate = PROBE_UNKNOWN;
	facts.caps &= ~BIT(CAP_IPC_LOCK);
	r = judged(&facts);
	assert_int_equal(probe_report_count(r, PROBE_DEGRADED), 0);
	assert_int_equal(probe_report_count(r, PROBE_MISSING), 0);
}

/* --- reading ------------------------------------------------------------------------------- */

static char root[PATH_MAX];

static void put(const char *path, const void *data, size_t len)
{
	char full[2 * PATH_MAX], *slash;
	int fd;

	snprintf(full, sizeof(full), "%s%s", root, path);
	for (slash = strchr(full + strlen(root) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(full, 0755);
		*slash = '/';
	}
	fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), (ssize_t)len);
	close(fd);
}

static void put_text(const char *path, const char *text)
{
	put(path, text, strlen(text));
}

static int root_make(void **state)
{
	(void)state;
	strcpy(root, "/tmp/test_probe.XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int root_remove(void **state)
{
	char command[PATH_MAX + 16];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", root);
	return system(command);
}

static void settings_are_read(void **state)
{
	static const unsigned char secure_boot[] = { 6, 0, 0, 0, 1 };
	struct probe_facts facts = { 0 };

	(void)state;
	put_text("/proc/sys/kernel/perf_event_paranoid", "-1\n");
	put_text("/proc/sys/kernel/kptr_restrict", "2\n");
	put_text("/proc/sys/kernel/unprivileged_bpf_disabled", "1\n");
	put_text("/proc/sys/kernel/perf_event_mlock_kb", "516\n");
	put_text("/proc/sys/kernel/perf_event_max_sample_rate", "63000\n");
	put_text("/sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
	put_text("/proc/self/status", "Name:\tx\nSeccomp:\t2\nSeccomp_filters:\t3\n");
	put_text("/proc/self/uid_map", "         0       1000          1\n");
	put_text("/proc/self/mounts", "proc /proc proc rw 0 0\n"
				      "none /sys/fs/cgroup\\040two cgroup2 rw 0 0\n"
				      "none /second cgroup2 rw 0 0\n"
				      "tracefs /sys/kernel/tracing tracefs rw 0 0\n");
	put_text("/proc/kallsyms", "0000000000000000 A fixed_percpu_data\n"
				   "ffffffff81000000 T _text\n");
	put("/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c",
	    secure_boot, sizeof(secure_boot));
	probe_facts_read(root, &facts);
	assert_int_equal(facts.paranoid, -1);
	assert_int_equal(facts.kptr_restrict, 2);
	assert_int_equal(facts.unprivileged_bpf_disabled, 1);
	assert_int_equal(facts.mlock_kb, 516);
	assert_int_equal(facts.max_sample_rate, 63000);
	assert_string_equal(facts.lockdown, "integrity");
	assert_int_equal(facts.seccomp, 2);
	assert_false(facts.initial_userns);
	assert_string_equal(facts.cgroup2, "/sys/fs/cgroup two");
	assert_string_equal(facts.tracefs, "/sys/kernel/tracing");
	assert_int_equal(facts.kallsyms, 0);
	assert_int_equal(facts.secure_boot, 1);
	assert_int_equal(facts.btf, -ENOENT);
	assert_true(strlen(facts.release) > 0);
	assert_true(strlen(facts.libbpf) > 0);
}

static void nothing_to_read_is_not_known(void **state)
{
	struct probe_facts facts = { 0 };

	(void)state;
	probe_facts_read(root, &facts);
	assert_int_equal(facts.paranoid, PROBE_UNKNOWN);
	assert_int_equal(facts.mlock_kb, PROBE_UNKNOWN);
	assert_int_equal(facts.secure_boot, PROBE_UNKNOWN);
	assert_string_equal(facts.lockdown, "");
	assert_string_equal(facts.cgroup2, "");
	assert_int_equal(facts.seccomp, 0);
	assert_true(facts.initial_userns);
	assert_int_equal(facts.kallsyms, -ENOENT);
}

static void a_part_of_the_ids_is_a_namespace_of_its_own(void **state)
{
	static const struct {
		const char *map;
		bool initial;
	} cases[] = {
		{ "         0          0 4294967295\n", true },
		{ "         0          0      65536\n", false },
		{ "         0     100000 4294967295\n", false },
		{ "      1000          0 4294967295\n", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct probe_facts facts = { 0 };

		put_text("/proc/self/uid_map", cases[i].map);
		probe_facts_read(root, &facts);
		assert_int_equal(facts.initial_userns, cases[i].initial);
	}
}

static void broken_files_are_not_believed(void **state)
{
	struct probe_facts facts = { 0 };
	char *large = malloc(200000);

	(void)state;
	assert_non_null(large);
	memset(large, '[', 200000);
	put("/sys/kernel/security/lockdown", large, 200000);
	free(large);
	put_text("/proc/sys/kernel/perf_event_paranoid", "99999999999\n");
	put_text("/proc/sys/kernel/kptr_restrict", "two\n");
	put_text("/proc/sys/kernel/perf_event_mlock_kb", "");
	put_text("/proc/sys/kernel/perf_event_max_sample_rate", "12 34\n");
	put_text("/proc/self/uid_map", "\n");
	put_text("/proc/self/mounts", "only\n\n\\");
	put_text("/proc/kallsyms", "0000000000000000 T _text\n0000000000000000 T _stext\n");
	put_text("/sys/kernel/btf/vmlinux", "no BTF");
	put("/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c", "\6", 1);
	probe_facts_read(root, &facts);
	assert_int_equal(facts.paranoid, PROBE_UNKNOWN);
	assert_int_equal(facts.kptr_restrict, PROBE_UNKNOWN);
	assert_int_equal(facts.mlock_kb, PROBE_UNKNOWN);
	assert_int_equal(facts.max_sample_rate, PROBE_UNKNOWN);
	assert_string_equal(facts.lockdown, "");
	assert_string_equal(facts.cgroup2, "");
	assert_false(facts.initial_userns);
	assert_int_equal(facts.kallsyms, -EACCES);
	assert_true(facts.btf < 0);
	assert_int_equal(facts.secure_boot, PROBE_UNKNOWN);
}

/* --- the host that the test runs on -------------------------------------------------------- */

static void this_host_can_be_probed_with_any_rights(void **state)
{
	_cleanup_(probe_report_freep) struct probe_report *r = NULL;
	int can;

	(void)state;
	assert_int_equal(probe_report_new(&r), 0);
	assert_true(r->n > probe_n_rows);
	can = probe_can_record();
	assert_int_equal(can, r->can_record);
	if (can) {
		assert_non_null(strstr(err_text(), "cannot record: "));
		assert_non_null(strstr(err_text(), r->mend));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_perfect_host_is_ok_in_all),
		cmocka_unit_test(checks_have_ids_of_their_own_and_stand_in_groups),
		cmocka_unit_test(whatever_fails_is_explained),
		cmocka_unit_test(each_required_thing_makes_recording_impossible),
		cmocka_unit_test(without_a_pmu_recording_is_degraded),
		cmocka_unit_test(what_is_only_told_is_not_held_against_the_host),
		cmocka_unit_test(nothing_is_tried_that_no_collector_uses),
		cmocka_unit_test(stacks_cannot_be_fetched_without_batch_operations),
		cmocka_unit_test(rights_are_not_the_mend_where_root_can_record_without),
		cmocka_unit_test(a_user_is_told_which_capabilities_to_get),
		cmocka_unit_test(bpf_and_perfmon_suffice),
		cmocka_unit_test(sys_admin_includes_bpf_and_perfmon),
		cmocka_unit_test(a_refusal_is_put_down_to_its_cause),
		cmocka_unit_test(no_btf_is_the_kernels_fault_and_not_the_rights),
		cmocka_unit_test(another_architecture_cannot_record),
		cmocka_unit_test(low_limits_degrade),
		cmocka_unit_test(settings_that_cannot_be_read_are_not_held_against_the_host),
		cmocka_unit_test_setup_teardown(settings_are_read, root_make, root_remove),
		cmocka_unit_test_setup_teardown(nothing_to_read_is_not_known, root_make,
						root_remove),
		cmocka_unit_test_setup_teardown(a_part_of_the_ids_is_a_namespace_of_its_own,
						root_make, root_remove),
		cmocka_unit_test_setup_teardown(broken_files_are_not_believed, root_make,
						root_remove),
		cmocka_unit_test(this_host_can_be_probed_with_any_rights),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
