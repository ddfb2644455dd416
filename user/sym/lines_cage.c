/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sym/lines_cage.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "user/base/array.h"
#include "user/base/cleanup.h"

#define NOBODY	  65534
#define SOCKET	  3  /* the only descriptor but for those of the standard streams */
#define MAX_FILES 16 /* those, the socket, and what comes with one request */

/* Sanitizers map terabytes, and call the kernel for more than is let through; their reports go to
 * standard error. */
#if defined(__SANITIZE_ADDRESS__)
#define IS_SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IS_SANITIZED true
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED false
#endif

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#endif

/* --- what it has from its parent ------------------------------------------------------------- */

/* A handler of the parent's would do the parent's work; keys on its terminal are not for us. */
static void forget_signals(void)
{
	sigset_t none;
	int i;

	for (i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static int keep_only(int *socket)
{
	int null = open("/dev/null", O_RDWR), i;

	if (null < 0)
		return -errno;
	if (dup2(*socket, SOCKET) < 0)
		return -errno;
	for (i = 0; i < SOCKET; i++) {
		if (!(IS_SANITIZED && i == STDERR_FILENO) && dup2(null, i) < 0)
			return -errno;
	}
	*socket = SOCKET;
	return syscall(SYS_close_range, SOCKET + 1, ~0u, 0) ? -errno : 0;
}

/* Such as the tables of programs in the kernel: read all first, since that is a list of them. */
static int unmap_shared(uint64_t *ret_bytes)
{
	struct span {
		uintptr_t start, end;
	} *shared = NULL;
	_cleanup_(fclosep) FILE *maps = fopen("/proc/self/maps", "re");
	_cleanup_(freep) char *line = NULL;
	size_t size = 0, n = 0, cap = 0, i;
	uintptr_t start, end;
	uint64_t sum = 0;
	char kind;

	if (!maps)
		return -errno;
	while (getline(&line, &size, maps) > 0) {
		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %*c%*c%*c%c", &start, &end, &kind) != 3)
			continue;
		sum += end - start;
		if (kind != 's')
			continue;
		if (array_reserve(shared, cap, n + 1))
			break;
		shared[n++] = (struct span){ start, end };
	}
	for (i = 0; i < n; i++) {
		munmap((void *)shared[i].start, shared[i].end - shared[i].start);
		sum -= shared[i].end - shared[i].start;
	}
	free(shared);
	*ret_bytes = sum;
	return 0;
}

/* --- what it may do -------------------------------------------------------------------------- */

static int drop_rights(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };

	if (!geteuid() && (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
			   setresuid(NOBODY, NOBODY, NOBODY)))
		return -errno;
	if (syscall(SYS_capset, &header, none) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	return 0;
}

static int limit(int what, uint64_t most)
{
	struct rlimit now, want;

	if (getrlimit(what, &now))
		return -errno;
	if (most > now.rlim_max)
		most = now.rlim_max;
	want = (struct rlimit){ most, most };
	return setrlimit(what, &want) ? -errno : 0;
}

static int set_limits(uint64_t mapped, const struct lines_child_limits *l)
{
	uint64_t seconds = l->cpu_ns == UINT64_MAX ? RLIM_INFINITY : l->cpu_ns / 1000000000 + 1;
	int err = limit(RLIMIT_CPU, seconds);

	if (!err && !IS_SANITIZED)
		err = limit(RLIMIT_AS, mapped + l->memory_bytes);
	if (!err)
		err = limit(RLIMIT_NOFILE, MAX_FILES);
	if (!err)
		err = limit(RLIMIT_FSIZE, 0);
	return err ? err : limit(RLIMIT_CORE, 0);
}

/* Anything else fails with EPERM. */
static void filter_calls(void)
{
#ifdef ARCH
	static const int allowed[] = {
		SYS_read,      SYS_pread64,    SYS_lseek,	  SYS_fstat,	    SYS_newfstatat,
		SYS_close,     SYS_mmap,       SYS_munmap,	  SYS_mremap,	    SYS_mprotect,
		SYS_madvise,   SYS_brk,	       SYS_recvmsg,	  SYS_sendmsg,	    SYS_futex,
		SYS_getrandom, SYS_exit_group, SYS_clock_gettime, SYS_rt_sigreturn,
	};
	struct sock_filter filter[2 * ARRAY_SIZE(allowed) + 5], *f = filter;
	struct sock_fprog program = { .filter = filter };
	size_t i;

	*f++ = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					    offsetof(struct seccomp_data, arch));
	*f++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
	*f++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	*f++ = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					    offsetof(struct seccomp_data, nr));
	for (i = 0; i < ARRAY_SIZE(allowed); i++) {
		*f++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, allowed[i], 0, 1);
		*f++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	}
	*f++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
	program.len = f - filter;
	if (!IS_SANITIZED)
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
#endif
}

int lines_cage_enter(int *socket, const struct lines_child_limits *limits)
{
	uint64_t mapped = 0;
	int err;

	forget_signals();
	setsid();
	err = keep_only(socket);
	if (!err)
		err = unmap_shared(&mapped);
	if (!err && chdir("/"))
		err = -errno;
	if (!err)
		err = set_limits(mapped, limits);
	if (!err)
		err = drop_rights();
	/* Another user undoes these two. The parent may be gone by now: nobody else would tell. */
	if (!err && (prctl(PR_SET_PDEATHSIG, SIGKILL) || prctl(PR_SET_DUMPABLE, 0)))
		err = -errno;
	if (!err && getppid() != limits->parent)
		err = -ESRCH;
	if (!err)
		filter_calls();
	return err;
}
