/* SPDX-License-Identifier: BSD-2-Clause */
/* probe_facts: settings, mounts, rights and versions of this host. */
#include "user/collect/probe_facts.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "user/base/file.h"

/* Of /proc/kallsyms: per-CPU symbols at address 0 come first on x86. */
#define KALLSYMS_LINES 4096
#define MAX_FILE_BYTES 65536
/* UEFI specification, 3.3: EFI_GLOBAL_VARIABLE; 4 bytes of attributes precede the value. */
#define SECURE_BOOT_FILE "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"

static int path_below(const char *root, const char *path, char *ret, size_t size)
{
	int len = snprintf(ret, size, "%s%s", root, path);

	return len < 0 || (size_t)len >= size ? -ENAMETOOLONG : 0;
}

static char *contents(const char *root, const char *path, size_t *ret_len)
{
	char full[PATH_MAX], *text = NULL;

	if (path_below(root, path, full, sizeof(full)) ||
	    file_read(full, MAX_FILE_BYTES, &text, ret_len))
		return NULL;
	return text;
}

static int setting(const char *root, const char *path)
{
	size_t len;
	_cleanup_(freep) char *text = contents(root, path, &len);
	char *end;
	long v;

	if (!text)
		return PROBE_UNKNOWN;
	errno = 0;
	v = strtol(text, &end, 10);
	if (end == text || (*end && *end != '\n') || errno || v <= INT_MIN || v > INT_MAX)
		return PROBE_UNKNOWN;
	return v;
}

/* The word in brackets of "[none] integrity confidentiality". */
static void read_lockdown(const char *root, struct probe_facts *facts)
{
	size_t len;
	_cleanup_(freep) char *text = contents(root, "/sys/kernel/security/lockdown", &len);
	char *from = text ? strchr(text, '[') : NULL, *to = from ? strchr(from, ']') : NULL;

	if (to && (size_t)(to - from) <= sizeof(facts->lockdown)) {
		*to = '\0';
		memcpy(facts->lockdown, from + 1, to - from);
	}
}

static void read_status(const char *root, struct probe_facts *facts)
{
	size_t len;
	_cleanup_(freep) char *text = contents(root, "/proc/self/status", &len);
	_cleanup_(freep) char *map = contents(root, "/proc/self/uid_map", &len);
	const char *line = text ? strstr(text, "\nSeccomp:") : NULL;
	unsigned int inside, outside, count;

	facts->seccomp = line ? atoi(line + strlen("\nSeccomp:")) : 0;
	/* The initial namespace maps all IDs to themselves; there is no other sign of it. */
	facts->initial_userns = !map || (sscanf(map, "%u %u %u", &inside, &outside, &count) == 3 &&
					 !inside && !outside && count == UINT32_MAX);
}

static void read_mounts(const char *root, struct probe_facts *facts)
{
	char path[PATH_MAX], buf[PATH_MAX + 4096], *to;
	struct mntent entry;
	FILE *mounts;

	if (path_below(root, "/proc/self/mounts", path, sizeof(path)))
		return;
	mounts = setmntent(path, "re");
	if (!mounts)
		return;
	while (getmntent_r(mounts, &entry, buf, sizeof(buf))) {
		to = NULL;
		if (!strcmp(entry.mnt_type, "tracefs"))
			to = facts->tracefs;
		else if (!strcmp(entry.mnt_type, "cgroup2"))
			to = facts->cgroup2;
		if (to && !*to && strlen(entry.mnt_dir) < PATH_MAX)
			memcpy(to, entry.mnt_dir, strlen(entry.mnt_dir) + 1);
	}
	endmntent(mounts);
}

static void read_kallsyms(const char *root, struct probe_facts *facts)
{
	_cleanup_(fclosep) FILE *f = NULL;
	char path[PATH_MAX], line[1024];
	int n;

	facts->kallsyms = path_below(root, "/proc/kallsyms", path, sizeof(path));
	if (facts->kallsyms)
		return;
	f = fopen(path, "re");
	facts->kallsyms = f ? -EACCES : -errno;
	for (n = 0; f && n < KALLSYMS_LINES && fgets(line, sizeof(line), f); n++) {
		if (strtoull(line, NULL, 16)) {
			facts->kallsyms = 0;
			return;
		}
	}
}

static void read_btf(const char *root, struct probe_facts *facts)
{
	char path[PATH_MAX];
	struct stat st;
	struct btf *btf;

	facts->btf = path_below(root, "/sys/kernel/btf/vmlinux", path, sizeof(path));
	if (facts->btf)
		return;
	btf = btf__parse_raw(path);
	if (!btf) {
		facts->btf = -errno;
		return;
	}
	btf__free(btf);
	if (!stat(path, &st))
		facts->btf_bytes = st.st_size;
}

static void read_secure_boot(const char *root, struct probe_facts *facts)
{
	size_t len = 0;
	_cleanup_(freep) char *text = contents(root, SECURE_BOOT_FILE, &len);

	facts->secure_boot = text && len >= 5 ? text[4] : PROBE_UNKNOWN;
}

static void read_self(struct probe_facts *facts)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };
	struct utsname name;
	const char *version = libbpf_version_string();

	facts->is_root = !geteuid();
	if (!uname(&name)) {
		snprintf(facts->release, sizeof(facts->release), "%s", name.release);
		snprintf(facts->machine, sizeof(facts->machine), "%s", name.machine);
	}
	snprintf(facts->libbpf, sizeof(facts->libbpf), "%s", version + (*version == 'v'));
	if (!syscall(SYS_capget, &head, data))
		facts->caps = (uint64_t)data[1].effective << 32 | data[0].effective;
}

void probe_facts_read(const char *root, struct probe_facts *facts)
{
	read_self(facts);
	read_status(root, facts);
	read_btf(root, facts);
	read_lockdown(root, facts);
	read_secure_boot(root, facts);
	read_mounts(root, facts);
	read_kallsyms(root, facts);
	facts->paranoid = setting(root, "/proc/sys/kernel/perf_event_paranoid");
	facts->kptr_restrict = setting(root, "/proc/sys/kernel/kptr_restrict");
	facts->unprivileged_bpf_disabled =
		setting(root, "/proc/sys/kernel/unprivileged_bpf_disabled");
	facts->mlock_kb = setting(root, "/proc/sys/kernel/perf_event_mlock_kb");
	facts->max_sample_rate = setting(root, "/proc/sys/kernel/perf_event_max_sample_rate");
}
