/* SPDX-License-Identifier: BSD-2-Clause */
/* probe_judge: from what was found to what it means and how to mend it. */
#include <errno.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/base/str.h"
#include "user/collect/probe_facts.h"

#define CAP_ADD "--cap-add BPF,PERFMON,SYS_PTRACE,SYSLOG"
#define OUTSIDE "run outside of the rootless container or user namespace"
#define UNLOCK	"boot with lockdown=integrity or without lockdown (Secure Boot may set it)"
#define SETCAP	"cap_bpf,cap_perfmon,cap_sys_ptrace,cap_syslog,cap_dac_read_search+ep"

/* A side-band ring of user/collect/sideband.c: 128 pages of 4 KiB and one of control. */
#define RING_KB		516
#define USUAL_HZ	99
#define IS_REFUSAL(err) ((err) == -EPERM || (err) == -EACCES)

struct judge {
	const struct probe_facts *facts;
	struct probe_report *report;
	int err; /* the first -ENOMEM */
};

static bool has_cap(const struct probe_facts *facts, int cap)
{
	return facts->caps >> cap & 1;
}

/* CAP_SYS_ADMIN stands in for CAP_BPF and CAP_PERFMON, which are parts of it (capabilities(7)). */
static bool may_load(const struct probe_facts *facts)
{
	return has_cap(facts, CAP_SYS_ADMIN) ||
	       (has_cap(facts, CAP_BPF) && has_cap(facts, CAP_PERFMON));
}

static bool is_confidential(const struct probe_facts *facts)
{
	return !strcmp(facts->lockdown, "confidentiality");
}

/* How to come by capabilities: root without them is a container's. */
static const char *rights_mend(const struct probe_facts *facts)
{
	return facts->is_root ? "start the container with --privileged, or with " CAP_ADD
			      : "run as root, or once: setcap " SETCAP " on the fathom program";
}

/* Why the kernel says EPERM or EACCES, as far as one can see, and what to do about it. */
static void refusal(const struct probe_facts *facts, const char **ret_cause, const char **ret_mend)
{
	if (!may_load(facts)) {
		*ret_cause = "CAP_BPF and CAP_PERFMON are needed";
		*ret_mend = rights_mend(facts);
	} else if (!facts->initial_userns) {
		*ret_cause = "capabilities of a user namespace do not count for BPF";
		*ret_mend = OUTSIDE;
	} else if (is_confidential(facts)) {
		*ret_cause = "the kernel is locked down for confidentiality";
		*ret_mend = UNLOCK;
	} else if (facts->seccomp == 2) {
		*ret_cause = "a seccomp filter seems to refuse bpf() or perf_event_open(), as in a "
			     "container";
		*ret_mend = "start the container with --privileged, or with --security-opt "
			    "seccomp=unconfined and " CAP_ADD;
	} else {
		*ret_cause = "the kernel or a security module refuses it in spite of sufficient "
			     "capabilities";
		*ret_mend = "look for refusals in the kernel's log and the audit log (SELinux, "
			    "AppArmor)";
	}
}

/* --- adding checks ------------------------------------------------------------------------- */

static __attribute__((format(printf, 3, 4))) struct probe_check *
check_add(struct judge *j, struct probe_check check, const char *fmt, ...)
{
	struct probe_report *r = j->report;
	va_list ap;
	int len;

	if (j->err || array_reserve(r->checks, r->cap, r->n + 1)) {
		j->err = -ENOMEM;
		return NULL;
	}
	va_start(ap, fmt);
	len = vasprintf(&check.found, fmt, ap);
	va_end(ap);
	if (len < 0) {
		j->err = -ENOMEM;
		return NULL;
	}
	r->checks[r->n] = check;
	return &r->checks[r->n++];
}

/* Makes the check less than ok. 'mend' may be NULL. */
static void check_spoil(struct judge *j, struct probe_check *check, enum probe_state state,
			const char *meaning, const char *mend)
{
	if (!check)
		return;
	check->state = state;
	check->meaning = strdup(meaning);
	if (mend)
		check->mend = strdup(mend);
	if (!check->meaning || (mend && !check->mend))
		j->err = -ENOMEM;
}

#define CHECK(id, group, title, need) \
	((struct probe_check){ id, group, title, need, PROBE_OK, NULL, NULL, NULL })

/* --- the kernel ---------------------------------------------------------------------------- */

static void judge_kernel(struct judge *j)
{
	const struct probe_facts *f = j->facts;
	bool is_known = !strcmp(f->machine, "x86_64") || !strcmp(f->machine, "aarch64");
	struct probe_check *check;

	check = check_add(j, CHECK("kernel.release", "kernel", "release", PROBE_REQUIRED),
			  "Linux %s, %s", f->release, f->machine);
	if (!is_known)
		check_spoil(j, check, PROBE_MISSING, "Our programs know x86_64 and aarch64 only.",
			    NULL);

	if (f->btf) {
		errno = -f->btf;
		check = check_add(j, CHECK("kernel.btf", "kernel", "BTF", PROBE_REQUIRED),
				  "/sys/kernel/btf/vmlinux: %m");
		check_spoil(j, check, PROBE_MISSING,
			    "Programs cannot be fitted to this kernel: nothing can be recorded.",
			    "use a kernel built with CONFIG_DEBUG_INFO_BTF, as those of all large "
			    "distributions are");
	} else {
		check_add(j, CHECK("kernel.btf", "kernel", "BTF", PROBE_REQUIRED),
			  "/sys/kernel/btf/vmlinux, %.1f MiB", f->btf_bytes / 1048576.0);
	}
	check_add(j, CHECK("kernel.libbpf", "kernel", "libbpf", PROBE_INFORMATION), "%s",
		  f->libbpf);
}

static void judge_lockdown(struct judge *j)
{
	const struct probe_facts *f = j->facts;
	struct probe_check *check;

	check = check_add(j, CHECK("kernel.lockdown", "kernel", "lockdown", PROBE_WANTED), "%s",
			  *f->lockdown ? f->lockdown : "none that shows");
	if (is_confidential(f))
		check_spoil(j, check, PROBE_MISSING,
			    "Programs may not read the kernel's memory: no kernel stacks, no names "
			    "of tasks.",
			    UNLOCK);
	check_add(j, CHECK("kernel.secure_boot", "kernel", "Secure Boot", PROBE_INFORMATION), "%s",
		  f->secure_boot == PROBE_UNKNOWN ? "no EFI variables to tell"
		  : f->secure_boot		  ? "on; what counts is lockdown"
						  : "off");
}

/* --- rights -------------------------------------------------------------------------------- */

static const struct {
	int cap, instead; /* -1: nothing else does */
	const char *id, *title;
	enum probe_state otherwise;
	const char *meaning;
	const char *mend; /* NULL: as for all */
} caps[] = {
	{ CAP_BPF, CAP_SYS_ADMIN, "capability.bpf", "CAP_BPF", PROBE_MISSING,
	  "Programs cannot be loaded.", NULL },
	{ CAP_PERFMON, CAP_SYS_ADMIN, "capability.perfmon", "CAP_PERFMON", PROBE_MISSING,
	  "Programs cannot trace, and other people's processes cannot be sampled.", NULL },
	{ CAP_SYS_PTRACE, -1, "capability.sys_ptrace", "CAP_SYS_PTRACE", PROBE_DEGRADED,
	  "Frames of other people's processes get no names.", NULL },
	{ CAP_SYSLOG, CAP_SYS_ADMIN, "capability.syslog", "CAP_SYSLOG", PROBE_DEGRADED,
	  "Kernel frames get no names unless kernel.kptr_restrict=0 and "
	  "kernel.perf_event_paranoid is below 2.",
	  NULL },
	{ CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE, "capability.dac_read_search",
	  "CAP_DAC_READ_SEARCH", PROBE_DEGRADED,
	  "Programs and perf maps that we may not read give no names.", NULL },
	{ CAP_SYS_ADMIN, -1, "capability.sys_admin", "CAP_SYS_ADMIN", PROBE_DEGRADED,
	  "What the programs cost is not known unless kernel.bpf_stats_enabled=1.",
	  "run as root, or set kernel.bpf_stats_enabled=1" },
};

static void judge_caps(struct judge *j)
{
	const struct probe_facts *f = j->facts;
	struct probe_check *check;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(caps); i++) {
		bool has = has_cap(f, caps[i].cap);
		bool instead = !has && caps[i].instead >= 0 && has_cap(f, caps[i].instead);

		check = check_add(j, CHECK(caps[i].id, "rights", caps[i].title, PROBE_WANTED), "%s",
				  has	    ? "effective"
				  : instead ? "another capability includes it"
					    : "not effective");
		if (!has && !instead)
			check_spoil(j, check, caps[i].otherwise, caps[i].meaning,
				    caps[i].mend ? caps[i].mend : rights_mend(f));
	}
	check = check_add(j,
			  CHECK("rights.user_namespace", "rights", "user namespace", PROBE_WANTED),
			  "%s", f->initial_userns ? "the initial one" : "one of a container");
	if (!f->initial_userns)
		check_spoil(j, check, PROBE_MISSING,
			    "Capabilities in it do not count for BPF and perf events.", OUTSIDE);
	check_add(j, CHECK("rights.seccomp", "rights", "seccomp", PROBE_INFORMATION), "%s",
		  f->seccomp == 2 ? "a filter is in force"
		  : f->seccomp	  ? "strict"
				  : "no filter");
}

/* A setting as text in buf. */
static const char *number(int v, char buf[16])
{
	if (v == PROBE_UNKNOWN)
		return "not to be read";
	snprintf(buf, 16, "%d", v);
	return buf;
}

static void judge_settings(struct judge *j)
{
	const struct probe_facts *f = j->facts;
	struct probe_check *check;
	char buf[16];

	check = check_add(
		j,
		CHECK("rights.perf_event_paranoid", "rights", "perf_event_paranoid", PROBE_WANTED),
		"%s%s", number(f->paranoid, buf),
		may_load(f) ? ", which does not bind CAP_PERFMON" : "");
	if (!may_load(f) && f->paranoid > 0)
		check_spoil(j, check, PROBE_MISSING,
			    "Without CAP_PERFMON whole CPUs cannot be sampled.", rights_mend(f));
	check_add(j,
		  CHECK("rights.unprivileged_bpf_disabled", "rights", "unprivileged_bpf_disabled",
			PROBE_INFORMATION),
		  "%s; tracing needs CAP_BPF whatever it says",
		  number(f->unprivileged_bpf_disabled, buf));
}

static void judge_limits(struct judge *j)
{
	const struct probe_facts *f = j->facts;
	struct probe_check *check;
	char buf[16];

	check = check_add(j,
			  CHECK("event.max_sample_rate", "events", "perf_event_max_sample_rate",
				PROBE_WANTED),
			  "%s Hz", number(f->max_sample_rate, buf));
	if (f->max_sample_rate != PROBE_UNKNOWN && f->max_sample_rate < USUAL_HZ)
		check_spoil(j, check, PROBE_DEGRADED, "The usual 99 Hz are refused.",
			    "sysctl kernel.perf_event_max_sample_rate=100000");
	check = check_add(j, CHECK("event.mlock_kb", "events", "perf_event_mlock_kb", PROBE_WANTED),
			  "%s KiB%s", number(f->mlock_kb, buf),
			  has_cap(f, CAP_IPC_LOCK) ? ", which does not bind CAP_IPC_LOCK" : "");
	if (f->mlock_kb != PROBE_UNKNOWN && f->mlock_kb < RING_KB && !has_cap(f, CAP_IPC_LOCK))
		check_spoil(j, check, PROBE_DEGRADED,
			    "The rings of mapping records are smaller: records may be lost, and "
			    "with them names.",
			    "sysctl kernel.perf_event_mlock_kb=516, or add CAP_IPC_LOCK");
}

/* --- names and file systems ---------------------------------------------------------------- */

static void judge_names(struct judge *j)
{
	const struct probe_facts *f = j->facts;
	struct probe_check *check;
	char buf[16];

	errno = -f->kallsyms;
	check = check_add(j, CHECK("names.kallsyms", "names", "/proc/kallsyms", PROBE_WANTED), "%s",
			  !f->kallsyms		   ? "shows addresses"
			  : f->kallsyms == -EACCES ? "hides addresses"
						   : strerror(errno));
	if (f->kallsyms == -EACCES)
		check_spoil(j, check, PROBE_DEGRADED, "Kernel frames get no names.",
			    f->kptr_restrict > 1 ? "sysctl kernel.kptr_restrict=1"
						 : rights_mend(f));
	else if (f->kallsyms)
		check_spoil(j, check, PROBE_DEGRADED, "Kernel frames get no names.",
			    "use a kernel built with CONFIG_KALLSYMS");
	check = check_add(j, CHECK("names.kptr_restrict", "names", "kptr_restrict", PROBE_WANTED),
			  "%s", number(f->kptr_restrict, buf));
	if (f->kptr_restrict > 1 && f->kallsyms)
		check_spoil(j, check, PROBE_DEGRADED,
			    "It hides kernel addresses from everybody, root included.",
			    "sysctl kernel.kptr_restrict=1");
}

static void judge_mounts(struct judge *j)
{
	const struct probe_facts *f = j->facts;
	struct probe_check *check;

	check = check_add(j, CHECK("mount.cgroup2", "file systems", "cgroup2", PROBE_WANTED), "%s",
			  *f->cgroup2 ? f->cgroup2 : "not mounted");
	if (!*f->cgroup2)
		check_spoil(j, check, PROBE_DEGRADED,
			    "--cgroup is impossible, and samples do not say their cgroup.",
			    "mount -t cgroup2 none /sys/fs/cgroup");
	check_add(j, CHECK("mount.tracefs", "file systems", "tracefs", PROBE_INFORMATION), "%s%s",
		  *f->tracefs ? "mounted at " : "not mounted; not needed", f->tracefs);
}

/* --- what was tried ------------------------------------------------------------------------ */

static void judge_try(struct judge *j, const struct probe_row *row, const struct probe_try *try)
{
	struct probe_check shape = CHECK(row->id, row->group, row->title, row->need), *check;
	const char *cause, *mend = row->mend, *meaning = row->meaning;

	if (!try->err) {
		check_add(j, shape, "%s", row->done);
		return;
	}
	errno = -try->err;
	if (try->err == -ETIME)
		check = check_add(j, shape, "%s", try->stage);
	else
		check = check_add(j, shape, "failed %s: %m", try->stage);
	if (IS_REFUSAL(try->err) && (!may_load(j->facts) || row->need == PROBE_REQUIRED))
		refusal(j->facts, &cause, &mend);
	if (IS_REFUSAL(try->err) && !may_load(j->facts))
		meaning = "What there is can only be found out with the rights for it.";
	check_spoil(j, check, row->otherwise, meaning, mend);
}

static void judge_group(struct judge *j, const char *group)
{
	unsigned int i;

	for (i = 0; i < probe_n_rows; i++) {
		if (!strcmp(probe_rows[i].group, group))
			judge_try(j, &probe_rows[i], &j->facts->tries[i]);
	}
}

/* Whether something that is required was refused for want of rights. */
static bool is_refused(const struct probe_facts *facts)
{
	unsigned int i;

	for (i = 0; i < probe_n_rows; i++) {
		if (probe_rows[i].need == PROBE_REQUIRED && IS_REFUSAL(facts->tries[i].err))
			return true;
	}
	return false;
}

/* The first required thing that is missing decides; but for want of rights all else fails too. */
static void judge_whole(struct judge *j)
{
	struct probe_report *r = j->report;
	const struct probe_check *bad = NULL;
	const char *cause, *mend;
	size_t i;

	for (i = 0; i < r->n && !bad; i++) {
		if (r->checks[i].need == PROBE_REQUIRED && r->checks[i].state == PROBE_MISSING)
			bad = &r->checks[i];
	}
	if (!bad)
		return;
	if (is_refused(j->facts)) {
		refusal(j->facts, &cause, &mend);
		r->can_record = -EPERM;
		r->cause = strdup(cause);
	} else {
		mend = bad->mend ? bad->mend : "use another machine";
		r->can_record = -ENOSYS;
		if (asprintf(&r->cause, "%s (%s)", bad->title, bad->found) < 0)
			r->cause = NULL;
	}
	r->mend = strdup(mend);
	if (!r->cause || !r->mend)
		j->err = -ENOMEM;
}

int probe_judge(const struct probe_facts *facts, struct probe_report **ret)
{
	_cleanup_(probe_report_freep) struct probe_report *report = calloc(1, sizeof(*report));
	struct judge j = { .facts = facts, .report = report };

	if (!report)
		return errf(-ENOMEM, "no memory for the report");
	judge_kernel(&j);
	judge_lockdown(&j);
	judge_caps(&j);
	judge_settings(&j);
	judge_group(&j, "programs");
	judge_group(&j, "helpers");
	judge_group(&j, "maps");
	judge_group(&j, "events");
	judge_limits(&j);
	judge_names(&j);
	judge_mounts(&j);
	if (!j.err)
		judge_whole(&j);
	if (j.err)
		return errf(j.err, "no memory for the report");
	*ret = take(report);
	return 0;
}
