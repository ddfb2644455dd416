/* SPDX-License-Identifier: BSD-2-Clause */
/* host_info: what /proc, /sys and uname say of this host. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "user/base/err.h"
#include "user/base/file.h"
#include "user/model/summary.h"

/* A pseudo file's first line, NULL if there is none; the block is the caller's. */
static char *read_line(const char *path)
{
	char *line;

	if (file_read_line(path, &line))
		return NULL;
	if (!*line) {
		free(line);
		return NULL;
	}
	return line;
}

/*
 * The value of "key : value" in the text of /proc/cpuinfo, up to its line's end, or NULL. A key is
 * followed by blanks and a colon.
 */
static const char *cpuinfo_value(const char *text, const char *key, size_t *ret_len)
{
	size_t len = strlen(key);
	const char *line, *value;

	for (line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		if (strncmp(line, key, len))
			continue;
		value = line + len + strspn(line + len, " \t");
		if (*value != ':')
			continue;
		value++;
		value += strspn(value, " \t");
		*ret_len = strcspn(value, "\n");
		return value;
	}
	return NULL;
}

/* arm64 names its CPUs by number only: implementer and part, bits 31:24 and 15:4 of MIDR_EL1. */
static char *arm_model(const char *text)
{
	const char *implementer, *part;
	size_t implementer_len, part_len;
	char *model;

	implementer = cpuinfo_value(text, "CPU implementer", &implementer_len);
	part = cpuinfo_value(text, "CPU part", &part_len);
	if (!implementer || !part ||
	    asprintf(&model, "ARM implementer %.*s part %.*s", (int)implementer_len, implementer,
		     (int)part_len, part) < 0)
		return NULL;
	return model;
}

static char *cpu_model(const char *cpuinfo)
{
	size_t len;
	const char *name = cpuinfo_value(cpuinfo, "model name", &len);

	return name && len ? strndup(name, len) : arm_model(cpuinfo);
}

static bool has_hypervisor_flag(const char *cpuinfo)
{
	size_t len, n;
	const char *flags = cpuinfo_value(cpuinfo, "flags", &len), *end;

	for (end = flags ? flags + len : NULL; flags && flags < end; flags += n + 1) {
		n = strcspn(flags, " \n");
		if (n == strlen("hypervisor") && !strncmp(flags, "hypervisor", n))
			return true;
	}
	return false;
}

/* --- virtualization ------------------------------------------------------------------------ */

/* The names by which firmware tables know virtual machines (systemd-detect-virt's, too). */
static const char *machine_of_dmi(void)
{
	static const struct {
		const char *text;
		const char *name;
	} vendors[] = {
		{ "KVM", "kvm" },
		{ "OpenStack", "kvm" },
		{ "QEMU", "qemu" },
		{ "Amazon EC2", "amazon" },
		{ "Google", "google" },
		{ "VMware", "vmware" },
		{ "Microsoft", "microsoft" },
		{ "innotek GmbH", "virtualbox" },
		{ "VirtualBox", "virtualbox" },
		{ "Xen", "xen" },
		{ "Parallels", "parallels" },
		{ "BHYVE", "bhyve" },
	};
	static const char *const files[] = { "/sys/class/dmi/id/product_name",
					     "/sys/class/dmi/id/sys_vendor" };
	size_t i, k;

	for (k = 0; k < 2; k++) {
		_cleanup_(freep) char *line = read_line(files[k]);

		for (i = 0; line && i < sizeof(vendors) / sizeof(vendors[0]); i++) {
			if (!strncmp(line, vendors[i].text, strlen(vendors[i].text)))
				return vendors[i].name;
		}
	}
	return NULL;
}

/* $container in the environment of PID 1, as container managers agreed on; often unreadable. */
static char *container_of_init(void)
{
	char *environment, *name = NULL;
	size_t len, at;

	if (file_read("/proc/1/environ", 1 << 20, &environment, &len))
		return NULL;
	for (at = 0; at < len && !name; at += strlen(environment + at) + 1) {
		if (!strncmp(environment + at, "container=", 10) && environment[at + 10])
			name = strdup(environment + at + 10);
	}
	free(environment);
	return name;
}

static char *container(void)
{
	if (!access("/run/.containerenv", F_OK))
		return strdup("podman");
	if (!access("/.dockerenv", F_OK))
		return strdup("docker");
	return container_of_init();
}

static char *machine(const char *cpuinfo)
{
	char *type = read_line("/sys/hypervisor/type");
	const char *name;

	if (type)
		return type;
	/* Real machines have vendors, too: believe the table only of a guest, where one can tell.
	 */
	if (!has_hypervisor_flag(cpuinfo) && cpuinfo_value(cpuinfo, "flags", &(size_t){ 0 }))
		return NULL;
	name = machine_of_dmi();
	if (!name && has_hypervisor_flag(cpuinfo))
		name = "vm";
	return name ? strdup(name) : NULL;
}

/* "docker", "kvm", both as "docker on kvm", or "none". */
static char *virtualization(const char *cpuinfo)
{
	_cleanup_(freep) char *inner = container();
	_cleanup_(freep) char *outer = machine(cpuinfo);
	char *both;

	if (inner && outer)
		return asprintf(&both, "%s on %s", inner, outer) < 0 ? NULL : both;
	if (!inner && !outer)
		return strdup("none");
	return inner ? take(inner) : take(outer);
}

static uint64_t memory_bytes(void)
{
	long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);

	return pages > 0 && size > 0 ? (uint64_t)pages * size : 0;
}

int host_info_read(struct host_info *host)
{
	_cleanup_(freep) char *cpuinfo = NULL;
	struct utsname names;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	size_t len;

	if (uname(&names))
		return errf(-errno, "cannot ask for the kernel's version: %m");
	if (file_read("/proc/cpuinfo", 16 << 20, &cpuinfo, &len))
		cpuinfo = NULL;
	*host = (struct host_info){
		.kernel = strdup(names.release),
		.architecture = strdup(names.machine),
		.cpu_model = cpuinfo ? cpu_model(cpuinfo) : NULL,
		.governor = read_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
		.virtualization = virtualization(cpuinfo ? cpuinfo : ""),
		.fathom_version = strdup(FATHOM_VERSION),
		.cpus_online = cpus > 0 ? cpus : 0,
		.memory_bytes = memory_bytes(),
	};
	if (!host->kernel || !host->architecture || !host->virtualization ||
	    !host->fathom_version) {
		free(host->kernel);
		free(host->architecture);
		free(host->cpu_model);
		free(host->governor);
		free(host->virtualization);
		free(host->fathom_version);
		*host = (struct host_info){ 0 };
		return errf(-ENOMEM, "no memory to describe this host");
	}
	return 0;
}
