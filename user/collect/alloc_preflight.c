/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/alloc_preflight.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "user/base/array.h"
#include "user/base/clock.h"
#include "user/base/err.h"
#include "user/base/file.h"
#include "user/collect/probe_insn.h"

/* --- programs that count ---------------------------------------------------------------------- */

/* One for each class, on the words of one value. */
struct counters {
	int map;
	int programs[ALLOC_CLASSES];
};

static void counters_release(struct counters *c)
{
	size_t i;

	for (i = 0; i < ALLOC_CLASSES; i++)
		closep(&c->programs[i]);
	closep(&c->map);
}

static int counter_load(int map, uint32_t attach_type, unsigned int word)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = attach_type);
	struct bpf_insn insns[] = {
		INSN_MAP_VALUE(BPF_REG_1, map), INSN_WIDE_END(word * sizeof(uint64_t)),
		INSN_MOV_IMM(BPF_REG_2, 1),	INSN_ATOMIC_ADD(BPF_REG_1, 0, BPF_REG_2),
		INSN_MOV_IMM(BPF_REG_0, 0),	INSN_EXIT,
	};

	return probe_load(BPF_PROG_TYPE_KPROBE, &opts, insns, ARRAY_SIZE(insns));
}

static int counters_load(struct counters *c, uint32_t attach_type)
{
	unsigned int i;

	*c = (struct counters){ -1, { -1, -1, -1, -1 } };
	c->map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "fathom_calls", 4,
				ALLOC_CLASSES * sizeof(uint64_t), 1, NULL);
	if (c->map < 0)
		return errf(-errno, "cannot count calls: %m");
	for (i = 0; i < ALLOC_CLASSES; i++) {
		c->programs[i] = counter_load(c->map, attach_type, i);
		if (c->programs[i] < 0)
			return errf(c->programs[i], "cannot count calls: %s",
				    strerror(-c->programs[i]));
	}
	return 0;
}

/* --- what a probe costs ------------------------------------------------------------------- */

/*
 * Functions to put probes on. An instruction that the kernel executes itself, and one that it lets
 * be single-stepped (prologue.h), before nothing.
 */
void alloc_spot_fast(void);
void alloc_spot_slow(void);
#if defined(__x86_64__)
#define SLOW_INSTRUCTION "test %rax, %rax"
#else
#define SLOW_INSTRUCTION "mov x9, x9"
#endif
__asm__(".pushsection .text\n"
	".globl alloc_spot_fast, alloc_spot_slow\n"
	".hidden alloc_spot_fast, alloc_spot_slow\n"
	".type alloc_spot_fast, %function\n"
	".type alloc_spot_slow, %function\n"
	".balign 16\n"
	"alloc_spot_fast: nop\n"
	"ret\n"
	".size alloc_spot_fast, . - alloc_spot_fast\n"
	".balign 16\n"
	"alloc_spot_slow: " SLOW_INSTRUCTION "\n"
	"ret\n"
	".size alloc_spot_slow, . - alloc_spot_slow\n"
	".popsection\n");

#define ROUNDS 8
#define CALLS  500 /* of a round */

/* A child that does what it is told: runs the function once more and says how long that took. */
struct child {
	pid_t pid;
	int go, done; /* pipes */
	void (*spot)(void);
	bool is_confined;
};

/* x86-64 gives these numbers to calls that only the kernel's own trampolines make (6.11, 6.18). */
#define FIRST_PROBE_CALL 335 /* uretprobe */
#define LAST_PROBE_CALL	 336 /* uprobe */

static void confine(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, FIRST_PROBE_CALL, 0, 2),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, LAST_PROBE_CALL, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { ARRAY_SIZE(filter), filter };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		_exit(1);
}

/* The fastest of some rounds: the others were disturbed. */
static uint64_t time_calls(void (*spot)(void))
{
	uint64_t best = UINT64_MAX, ns;
	int round, i;

	for (round = 0; round < ROUNDS; round++) {
		ns = clock_ns(CLOCK_MONOTONIC);
		for (i = 0; i < CALLS; i++)
			spot();
		ns = clock_ns(CLOCK_MONOTONIC) - ns;
		if (ns < best)
			best = ns;
	}
	return best;
}

static void __attribute__((noreturn)) run_child(const struct child *c, int go, int done)
{
	uint64_t ns;
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (c->is_confined)
		confine();
	while (read(go, &byte, 1) == 1) {
		ns = time_calls(c->spot);
		if (write(done, &ns, sizeof(ns)) != sizeof(ns))
			break;
	}
	_exit(0);
}

static int child_start(struct child *c)
{
	int go[2], done[2];

	c->go = c->done = -1;
	c->pid = 0;
	if (pipe2(go, O_CLOEXEC))
		return errf(-errno, "cannot measure what a probe costs: %m");
	if (pipe2(done, O_CLOEXEC)) {
		close(go[0]);
		close(go[1]);
		return errf(-errno, "cannot measure what a probe costs: %m");
	}
	c->pid = fork();
	if (!c->pid) {
		close(go[1]);
		close(done[0]);
		run_child(c, go[0], done[1]);
	}
	close(go[0]);
	close(done[1]);
	c->go = go[1];
	c->done = done[0];
	return c->pid < 0 ? errf(-errno, "cannot measure what a probe costs: %m") : 0;
}

static void child_stop(struct child *c)
{
	closep(&c->go);
	closep(&c->done);
	if (c->pid > 0) {
		kill(c->pid, SIGKILL);
		waitpid(c->pid, NULL, 0);
	}
}

/* ns of one call; -EPIPE if the child was ended. */
static int child_time(const struct child *c, double *ret)
{
	uint64_t ns;

	if (write(c->go, "", 1) != 1 || read(c->done, &ns, sizeof(ns)) != sizeof(ns))
		return -EPIPE;
	*ret = (double)ns / CALLS;
	return 0;
}

/* Attaches to the child's function at its entry, and with 'both' at its return. */
static int put_probe(struct uprobes *list, const struct child *c, enum uprobes_way way, bool both)
{
	static const enum uprobes_when whens[] = { UPROBES_AT_ENTRY, UPROBES_AT_RETURN };
	bool in_one = both && way == UPROBES_SESSION;
	struct uprobe_place place = { 0 };
	_cleanup_(closep) int fd = -1;
	int err = uprobes_find_self(c->spot, &fd, &place.offset), i;

	for (i = 0; i < (both && !in_one ? 2 : 1) && !err; i++) {
		enum uprobes_when when = in_one ? UPROBES_AT_BOTH : whens[i];
		__attribute__((cleanup(counters_release))) struct counters counters;

		err = counters_load(&counters, uprobes_attach_type(way, when));
		if (!err)
			err = uprobes_attach(list, counters.programs[0], way, when, fd, c->pid,
					     &place, 1);
	}
	return err;
}

/* What a probe adds; 'ret_killed' if it ends the child. */
static int measure(enum uprobes_way way, struct child *c, bool both, double *ret, bool *ret_killed)
{
	struct uprobes list = { 0 };
	double without = 0, with = 0;
	int err = child_start(c);

	*ret_killed = false;
	if (!err && child_time(c, &without))
		err = errf(-EIO, "cannot measure what a probe costs");
	if (!err)
		err = put_probe(&list, c, way, both);
	if (!err)
		*ret_killed = child_time(c, &with) != 0;
	child_stop(c);
	uprobes_release(&list);
	*ret = with > without ? with - without : 0;
	return err;
}

int alloc_costs_measure(enum uprobes_way way, struct alloc_costs *ret)
{
	struct child fast = { .spot = alloc_spot_fast }, slow = { .spot = alloc_spot_slow };
	struct child confined = { .spot = alloc_spot_fast, .is_confined = true };
	struct alloc_costs costs = { 0 };
	bool killed = false;
	double ns;
	int err = measure(way, &fast, false, &costs.entry_ns, &killed);

	if (!err)
		err = measure(way, &fast, true, &costs.both_ns, &killed);
	if (!err)
		err = measure(way, &slow, false, &costs.slow_ns, &killed);
#if defined(__x86_64__)
	if (!err)
		err = measure(way, &confined, true, &ns, &costs.seccomp_kills);
#else
	(void)confined;
	(void)ns;
#endif
	if (err)
		return err;
	*ret = costs;
	return 0;
}

/* --- how often it calls ------------------------------------------------------------------- */

static enum alloc_class class_of(const struct allocator_probe *probe)
{
	if (probe->function == ALLOC_FREE)
		return probe->is_slow ? ALLOC_SLOW_FREED : ALLOC_FAST_FREED;
	return probe->is_slow ? ALLOC_SLOW_MADE : ALLOC_FAST_MADE;
}

static int count_in(struct uprobes *list, const struct counters *counters, enum uprobes_way way,
		    pid_t pid, const struct allocator *a, enum alloc_class of)
{
	_cleanup_(freep) struct uprobe_place *places = calloc(a->n_probes + 1, sizeof(*places));
	size_t i, n = 0;

	if (!places)
		return errf(-ENOMEM, "no memory to count calls");
	for (i = 0; i < a->n_probes; i++) {
		if (class_of(&a->probes[i]) == of)
			places[n++].offset = a->probes[i].offset;
	}
	return uprobes_attach(list, counters->programs[of], way, UPROBES_AT_ENTRY, a->fd, pid,
			      places, n);
}

static int read_counts(const struct counters *counters, uint64_t *ret)
{
	uint32_t zero = 0;

	return bpf_map_lookup_elem(counters->map, &zero, ret)
		       ? errf(-errno, "cannot read how often the allocator was called: %m")
		       : 0;
}

/* All that ran on this machine since it started, in ticks (proc(5)); 0 if that cannot be read. */
static uint64_t machine_cpu_ns(void)
{
	unsigned long long user, nice, system, idle, iowait, irq, softirq;
	FILE *stat = fopen("/proc/stat", "re");
	int n = 0;

	if (!stat)
		return 0;
	n = fscanf(stat, "cpu %llu %llu %llu %llu %llu %llu %llu", &user, &nice, &system, &idle,
		   &iowait, &irq, &softirq);
	fclose(stat);
	if (n != 7)
		return 0;
	return (user + nice + system + irq + softirq) * (1000000000ull / sysconf(_SC_CLK_TCK));
}

static uint64_t cpu_ns_of(pid_t pid, clockid_t clock)
{
	return pid ? clock_ns(clock) : machine_cpu_ns();
}

/* Reads the counts and clocks, and after a while what has been added. */
static int count_for_a_while(const struct counters *counters, pid_t pid, struct alloc_load *ret)
{
	struct timespec wait = { .tv_nsec = ALLOC_PREFLIGHT_MS * 1000000l };
	uint64_t before[ALLOC_CLASSES], after[ALLOC_CLASSES];
	struct alloc_load load;
	clockid_t clock = 0;
	int err, i;

	if (pid && clock_getcpuclockid(pid, &clock))
		return errf(-ESRCH, "process %d has ended", pid);
	err = read_counts(counters, before);
	load.cpu_ns = cpu_ns_of(pid, clock);
	load.wall_ns = clock_ns(CLOCK_MONOTONIC);
	if (err)
		return err;
	nanosleep(&wait, NULL);
	err = read_counts(counters, after);
	load.cpu_ns = cpu_ns_of(pid, clock) - load.cpu_ns;
	load.wall_ns = clock_ns(CLOCK_MONOTONIC) - load.wall_ns;
	if (err)
		return err;
	if (pid && kill(pid, 0) && errno == ESRCH)
		return errf(-ESRCH, "process %d has ended", pid);
	for (i = 0; i < ALLOC_CLASSES; i++)
		load.calls[i] = after[i] - before[i];
	*ret = load;
	return 0;
}

int alloc_load_count(enum uprobes_way way, pid_t pid, const struct allocator_set *set, bool frees,
		     struct alloc_load *ret)
{
	__attribute__((cleanup(counters_release))) struct counters counters;
	struct uprobes probes = { 0 };
	enum alloc_class of;
	size_t i;
	int err = counters_load(&counters, uprobes_attach_type(way, UPROBES_AT_ENTRY));

	for (i = 0; i < set->n && !err; i++) {
		for (of = 0; of < ALLOC_CLASSES && !err; of++) {
			bool is_free = of == ALLOC_FAST_FREED || of == ALLOC_SLOW_FREED;

			if (frees || !is_free)
				err = count_in(&probes, &counters, way, pid, set->all[i], of);
		}
	}
	if (!err)
		err = count_for_a_while(&counters, pid, ret);
	uprobes_release(&probes);
	return err;
}

/* --- what that means ---------------------------------------------------------------------- */

double alloc_slowdown(const struct alloc_load *load, const struct alloc_costs *costs, bool in_use,
		      double sampled, double kept_ns)
{
	double made = load->calls[ALLOC_FAST_MADE] + (double)load->calls[ALLOC_SLOW_MADE];
	double slow = load->calls[ALLOC_SLOW_MADE] + (double)load->calls[ALLOC_SLOW_FREED];
	double fast = load->calls[ALLOC_FAST_MADE] + (double)load->calls[ALLOC_FAST_FREED];
	double entries_ns = fast * costs->entry_ns + slow * costs->slow_ns, own_ns, more_ns;

	if (!load->cpu_ns)
		return 1;
	/* Where nearly all was counting, what it needs itself is not known any better. */
	own_ns = load->cpu_ns - entries_ns;
	if (own_ns < load->cpu_ns / 20.0)
		own_ns = load->cpu_ns / 20.0;
	more_ns = entries_ns + made * sampled * kept_ns;
	if (in_use && costs->both_ns > costs->entry_ns)
		more_ns += made * sampled * (costs->both_ns - costs->entry_ns);
	return 1 + more_ns / own_ns;
}

bool alloc_is_confined(pid_t pid)
{
	_cleanup_(freep) char *text = NULL;
	const char *line;
	char path[64];
	size_t len;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	if (file_read(path, 65536, &text, &len))
		return false;
	line = strstr(text, "\nSeccomp:");
	return line && atoi(line + strlen("\nSeccomp:")) == 2;
}
