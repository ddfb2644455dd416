/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cost: runs a command and writes what it took, as seen from outside, to FILE as JSON:
 *   {"began_ns": CLOCK_MONOTONIC before the fork, "wall_ns", "cpu_ns", "rss_bytes" (peak),
 * "status", "stop_ns": from its SIGINT to its end, 0 without one} CPU time and memory are those of
 * the command and of the children that it waited for. SIGINT is handed on. This program is small,
 * so that the peak is not its own: a forked child begins with its parent's.
 *
 *   cost FILE COMMAND [ARG...]
 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t child;
static volatile int64_t stopped_ns, cpu_before_ns;

static int64_t time_ns(clockid_t clock)
{
	struct timespec ts;

	if (clock_gettime(clock, &ts))
		return 0;
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

static void on_sigint(int signal_number)
{
	clockid_t clock;

	if (child <= 0)
		return;
	stopped_ns = time_ns(CLOCK_MONOTONIC);
	if (!clock_getcpuclockid(child, &clock))
		cpu_before_ns = time_ns(clock);
	kill(child, signal_number);
}

static int64_t ns_of(const struct timeval *tv)
{
	return tv->tv_sec * 1000000000ll + tv->tv_usec * 1000ll;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_sigint };
	struct rusage usage;
	int64_t began, ended, cpu_ns;
	int status;
	FILE *f;

	if (argc < 3) {
		fprintf(stderr, "usage: cost FILE COMMAND [ARG...]\n");
		return 2;
	}
	began = time_ns(CLOCK_MONOTONIC);
	child = fork();
	if (child < 0) {
		fprintf(stderr, "cost: cannot fork: %s\n", strerror(errno));
		return 3;
	}
	if (child == 0) {
		execvp(argv[2], argv + 2);
		fprintf(stderr, "cost: cannot run '%s': %s\n", argv[2], strerror(errno));
		_exit(127);
	}
	sigaction(SIGINT, &action, NULL);
	while (wait4(child, &status, 0, &usage) < 0) {
		if (errno != EINTR)
			return 3;
	}
	ended = time_ns(CLOCK_MONOTONIC);
	status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	f = fopen(argv[1], "w");
	if (!f) {
		fprintf(stderr, "cost: cannot write '%s': %s\n", argv[1], strerror(errno));
		return 3;
	}
	cpu_ns = ns_of(&usage.ru_utime) + ns_of(&usage.ru_stime);
	fprintf(f,
		"{\"began_ns\": %lld, \"wall_ns\": %lld, \"cpu_ns\": %lld, \"rss_bytes\": %lld, "
		"\"status\": %d, \"stop_ns\": %lld, \"stop_cpu_ns\": %lld}\n",
		(long long)began, (long long)(ended - began), (long long)cpu_ns,
		usage.ru_maxrss * 1024ll, status, (long long)(stopped_ns ? ended - stopped_ns : 0),
		(long long)(stopped_ns ? cpu_ns - cpu_before_ns : 0));
	return fclose(f) ? 3 : 0;
}
