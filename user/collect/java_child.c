/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/java_child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "user/base/cleanup.h"
#include "user/base/err.h"
#include "user/base/file.h"

#define CPU_SECONDS 60 /* of jcmd, which needs less than one */

struct owner {
	uid_t uid;
	gid_t gid;
};

/* The second of the numbers behind the key is the effective one (proc_pid_status(5)). */
static bool status_id(const char *status, const char *key, unsigned int *ret)
{
	const char *line = strstr(status, key);

	return line && sscanf(line + strlen(key), "%*u %u", ret) == 1;
}

static int read_owner(uint32_t pid, struct owner *ret)
{
	_cleanup_(freep) char *status = NULL;
	char path[64];
	size_t len;
	int err;

	snprintf(path, sizeof(path), "/proc/%u/status", pid);
	err = file_read(path, 1 << 20, &status, &len);
	if (err)
		return err;
	if (!status_id(status, "\nUid:", &ret->uid) || !status_id(status, "\nGid:", &ret->gid))
		return errf(-EINVAL, "'%s' does not say whose the process is", path);
	return 0;
}

static bool shares_namespace(uint32_t pid, const char *name)
{
	struct stat ours, theirs;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/ns/%s", name);
	if (stat(path, &ours))
		return false;
	snprintf(path, sizeof(path), "/proc/%u/ns/%s", pid, name);
	return !stat(path, &theirs) && ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev;
}

static bool is_theirs(const char *path, const struct owner *owner)
{
	struct stat st;

	/* A user's own could do what its JVM may not: that may be confined, and we are not. */
	if (lstat(path, &st) || st.st_uid != 0)
		return false;
	/* In a sticky folder nobody replaces what is another's. */
	if (S_ISDIR(st.st_mode) && (st.st_mode & S_ISVTX))
		return true;
	if (st.st_mode & S_IWOTH)
		return false;
	/* What runs as root nobody's group may change, either. */
	return owner->uid != 0 || st.st_gid == 0 || !(st.st_mode & S_IWGRP);
}

/* Every folder on the way to it: who may rename there may replace what is below. */
static bool is_trusted(const char *path, const struct owner *owner)
{
	char part[PATH_MAX];
	size_t i;

	for (i = 1; path[i]; i++) {
		if (path[i] != '/')
			continue;
		snprintf(part, sizeof(part), "%.*s", (int)i, path);
		if (!is_theirs(part, owner))
			return false;
	}
	return is_theirs(path, owner);
}

static bool is_usable(const char *path, const struct owner *owner, char **ret)
{
	_cleanup_(freep) char *real = realpath(path, NULL);
	struct stat st;

	if (!real || strlen(real) >= PATH_MAX || stat(real, &st) || !S_ISREG(st.st_mode) ||
	    !(st.st_mode & S_IXUSR) || !is_trusted(real, owner))
		return false;
	*ret = take(real);
	return true;
}

int java_find_jcmd(uint32_t pid, const char *libjvm, char **ret)
{
	const char *folder = strstr(libjvm, "/lib/server/libjvm.so");
	struct owner owner;
	char path[PATH_MAX];
	int err = read_owner(pid, &owner);

	if (err)
		return err;
	if (!shares_namespace(pid, "mnt") || !shares_namespace(pid, "user"))
		return errf(-EXDEV, "the JVM %u is in a container: it is not asked", pid);
	if (folder && folder - libjvm < PATH_MAX / 2) {
		snprintf(path, sizeof(path), "%.*s/bin/jcmd", (int)(folder - libjvm), libjvm);
		if (is_usable(path, &owner, ret))
			return 0;
	}
	return is_usable("/usr/bin/jcmd", &owner, ret)
		       ? 0
		       : errf(-ENOENT, "the JVM %u has no jcmd that can be run", pid);
}

static bool become(const struct owner *owner)
{
	const struct passwd *user = getpwuid(owner->uid);
	bool is_other = geteuid() != owner->uid;

	if (is_other && (user ? initgroups(user->pw_name, owner->gid) : setgroups(1, &owner->gid)))
		return false;
	return !setresgid(owner->gid, owner->gid, owner->gid) &&
	       !setresuid(owner->uid, owner->uid, owner->uid) &&
	       !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static void __attribute__((noreturn))
child(uint32_t pid, const char *jcmd, const struct owner *owner)
{
	struct rlimit cpu = { CPU_SECONDS, CPU_SECONDS };
	char number[16], command[] = "Compiler.perfmap", path[] = "PATH=/usr/bin:/bin";
	char *const argv[] = { (char *)jcmd, number, command, NULL };
	char *const envp[] = { path, NULL };
	sigset_t none;
	int null = open("/dev/null", O_RDWR);

	snprintf(number, sizeof(number), "%u", pid);
	sigemptyset(&none);
	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0 ||
	    syscall(SYS_close_range, 3, ~0u, 0) || chdir("/") || setsid() < 0 || !become(owner))
		_exit(126);
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setrlimit(RLIMIT_CPU, &cpu);
	execve(jcmd, argv, envp);
	_exit(127);
}

pid_t java_start_jcmd(uint32_t pid, const char *jcmd)
{
	struct owner owner;
	pid_t started;
	int err = read_owner(pid, &owner);

	if (err)
		return err;
	started = fork();
	if (started == 0)
		child(pid, jcmd, &owner);
	return started < 0 ? errf(-EAGAIN, "cannot fork to start '%s'", jcmd) : started;
}
