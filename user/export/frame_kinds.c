/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/export/frame_kinds.h"

#include <string.h>

#include "user/model/profile.h"

static bool starts_with(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

static bool is_hex(const char *text, size_t len)
{
	return len && strspn(text, "0123456789abcdefABCDEF") >= len;
}

bool name_is_stand_in(const char *name)
{
	size_t len = strlen(name);
	const char *plus;

	if (!strcmp(name, "[unknown]"))
		return true;
	if (starts_with(name, "0x"))
		return is_hex(name + 2, len - 2);
	if (len < 2 || name[0] != '[' || name[len - 1] != ']')
		return false;
	if (starts_with(name, "[0x"))
		return is_hex(name + 3, len - 4);
	plus = strrchr(name, '+');
	return plus && starts_with(plus, "+0x") && is_hex(plus + 3, name + len - 1 - (plus + 3));
}

const char *kind_stored_path(uint32_t kind)
{
	switch (kind) {
	case FRAME_KERNEL:
		return "[kernel]";
	case FRAME_INTERPRETED:
		return "[jit]";
	case FRAME_SYNTHETIC:
		return "[synthetic]";
	default:
		return NULL;
	}
}

static bool is_kernel_file(const char *path)
{
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;

	return starts_with(base, "vmlinux") || strstr(base, ".ko");
}

uint32_t kind_of_mapping(const char *path, uint64_t address)
{
	if (!strcmp(path, "[kernel]") || starts_with(path, "[kernel.kallsyms]") ||
	    starts_with(path, "[guest.kernel"))
		return FRAME_KERNEL;
	if (!strcmp(path, "[synthetic]"))
		return FRAME_SYNTHETIC;
	if (!strcmp(path, "[jit]") || !strcmp(path, "//anon") || starts_with(path, "[anon") ||
	    starts_with(path, "/tmp/perf-"))
		return FRAME_INTERPRETED;
	/* The vsyscall page lies in the upper half, but is code of user space. */
	if (address >> 63 && strcmp(path, "[vsyscall]") && (path[0] != '/' || is_kernel_file(path)))
		return FRAME_KERNEL;
	return FRAME_USER;
}
