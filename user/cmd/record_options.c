/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/cmd/record_options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/clock.h"
#include "user/base/err.h"
#include "user/cmd/cmd.h"
#include "user/cmd/record_alloc.h"
#include "user/cmd/record_help.h"
#include "user/cmd/time_options.h"

#define RATE_DEFAULT	  99
#define RATE_MAX	  100000
#define DURATION_MAX	  (10 * 365 * 86400.0)
#define INLINE_BUDGET_MAX 86400.0
#define SLOWER_MAX_MS	  86400e3

#define UNWIND_MEMORY_DEFAULT (64ull << 20)
#define UNWIND_MEMORY_MAX_MIB 2048

enum long_option {
	OPT_NO_CHILDREN = 256,
	OPT_CGROUP,
	OPT_COMM,
	OPT_CPU,
	OPT_IDLE,
	OPT_DEMANGLE,
	OPT_NO_INLINE,
	OPT_INLINE_BUDGET,
	OPT_WEIGHT,
	OPT_SLOWER,
	OPT_JAVA_PERFMAP,
	OPT_TABLE_ENTRIES,
	OPT_MAX_LOSS,
	OPT_TIMELINE,
	OPT_USER_STACKS,
	OPT_UNWIND_MEMORY,
	OPT_PATH,
	OPT_FORCE,
	OPT_PER_THREAD,
	OPT_WITH_PID,
	OPT_NO_COMM,
	OPT_JSON,
	OPT_NO_COLOR,
};

static const struct option long_options[] = {
	{ "pid", required_argument, NULL, 'p' },
	{ "no-children", no_argument, NULL, OPT_NO_CHILDREN },
	{ "tid", required_argument, NULL, 't' },
	{ "cgroup", required_argument, NULL, OPT_CGROUP },
	{ "comm", required_argument, NULL, OPT_COMM },
	{ "cpu", required_argument, NULL, OPT_CPU },
	{ "all", no_argument, NULL, 'a' },
	{ "collect", required_argument, NULL, 'c' },
	{ "rate", required_argument, NULL, 'F' },
	{ "duration", required_argument, NULL, 'd' },
	{ "event", required_argument, NULL, 'e' },
	{ "timeline", optional_argument, NULL, OPT_TIMELINE },
	{ "idle", no_argument, NULL, OPT_IDLE },
	{ "demangle", required_argument, NULL, OPT_DEMANGLE },
	{ "no-inline", no_argument, NULL, OPT_NO_INLINE },
	{ "inline-budget", required_argument, NULL, OPT_INLINE_BUDGET },
	{ "weight", required_argument, NULL, OPT_WEIGHT },
	{ "slower", required_argument, NULL, OPT_SLOWER },
	{ "java-perfmap", no_argument, NULL, OPT_JAVA_PERFMAP },
	{ "table-entries", required_argument, NULL, OPT_TABLE_ENTRIES },
	{ "max-loss", required_argument, NULL, OPT_MAX_LOSS },
	{ "user-stacks", required_argument, NULL, OPT_USER_STACKS },
	{ "unwind-memory", required_argument, NULL, OPT_UNWIND_MEMORY },
	{ "path", required_argument, NULL, OPT_PATH },
	{ "alloc-interval", required_argument, NULL, OPT_ALLOC_INTERVAL },
	{ "alloc-maps", no_argument, NULL, OPT_ALLOC_MAPS },
	{ "alloc-seed", required_argument, NULL, OPT_ALLOC_SEED },
	{ "no-follow", no_argument, NULL, OPT_NO_FOLLOW },
	{ "slow", no_argument, NULL, OPT_SLOW },
	{ "max-slowdown", required_argument, NULL, OPT_MAX_SLOWDOWN },
	{ "allocated-only", no_argument, NULL, OPT_ALLOCATED_ONLY },
	{ "min-age", required_argument, NULL, OPT_MIN_AGE },
	{ "leaks", no_argument, NULL, OPT_LEAKS },
	{ "output", required_argument, NULL, 'o' },
	{ "force", no_argument, NULL, OPT_FORCE },
	{ "per-thread", no_argument, NULL, OPT_PER_THREAD },
	{ "with-pid", no_argument, NULL, OPT_WITH_PID },
	{ "no-comm", no_argument, NULL, OPT_NO_COMM },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "quiet", no_argument, NULL, 'q' },
	{ "no-color", no_argument, NULL, OPT_NO_COLOR },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

/* --- options ------------------------------------------------------------------------------- */

static int parse_ids(const char *text, const char *what, uint32_t **ids, size_t *n, size_t *cap)
{
	_cleanup_(freep) char *copy = strdup(text);
	char *rest = copy, *word;
	unsigned int id;
	int err;

	if (!copy)
		return errf(-ENOMEM, "no memory for %s", what);
	while ((word = strsep(&rest, ","))) {
		err = parse_u32(word, what, 1, INT_MAX, &id);
		if (err)
			return err;
		if (array_reserve(*ids, *cap, *n + 1))
			return errf(-ENOMEM, "no memory for %s", what);
		(*ids)[(*n)++] = id;
	}
	return 0;
}

/* One of the words, as its number; -EINVAL with a sentence that lists them. */
static int parse_choice(const char *text, const char *what, const char *const *words,
			unsigned int *ret)
{
	char list[128] = "";
	unsigned int i;

	for (i = 0; words[i]; i++) {
		size_t len = strlen(list);

		if (!strcmp(text, words[i])) {
			*ret = i;
			return 0;
		}
		snprintf(list + len, sizeof(list) - len, "%s%s", i ? ", " : "", words[i]);
	}
	return errf(-EINVAL, "%s must be one of %s, not '%s'", what, list, text);
}

/* By their SESSION_* bits. */
static const char *const collectors[] = { "cpu", "io", "file", "alloc", "pagefault", "kmem", NULL };
_Static_assert(ARRAY_SIZE(collectors) == SESSION_COLLECTORS + 1, "a name for each collector");

/* A list, as bits; the default is the first one alone. */
static int parse_collectors(const char *text, unsigned int *ret)
{
	_cleanup_(freep) char *copy = strdup(text);
	char *rest = copy, *word;
	unsigned int choice = 0, bits = 0;
	int err;

	if (!copy)
		return errf(-ENOMEM, "no memory for --collect");
	while ((word = strsep(&rest, ","))) {
		err = parse_choice(word, "--collect", collectors, &choice);
		if (err)
			return err;
		bits |= 1u << choice;
	}
	*ret = bits;
	return 0;
}

static int parse_target(struct record_options *o, int c)
{
	switch (c) {
	case 'p':
		return parse_ids(optarg, "--pid", &o->pids, &o->n_pids, &o->pids_cap);
	case 't':
		return parse_ids(optarg, "--tid", &o->tids, &o->n_tids, &o->tids_cap);
	case OPT_NO_CHILDREN:
		o->session.target.no_children = true;
		return 0;
	case OPT_CGROUP:
		o->session.target.cgroup = optarg;
		return 0;
	case OPT_COMM:
		if (array_reserve(o->comms, o->comms_cap, o->n_comms + 1))
			return errf(-ENOMEM, "no memory for --comm");
		o->comms[o->n_comms++] = optarg;
		return 0;
	case OPT_CPU:
		o->session.cpus = &o->cpus;
		o->session.target.cpus = optarg;
		return cpu_set_parse(optarg, "--cpu", &o->cpus);
	case 'a':
		o->session.whole_machine = true;
		return 0;
	default:
		return 1;
	}
}

static int parse_names(struct record_options *o, int c)
{
	static const char *const demangles[] = { "short", "full", "none", NULL };
	unsigned int choice = 0;
	double seconds = 0;
	int err;

	switch (c) {
	case OPT_DEMANGLE:
		err = parse_choice(optarg, "--demangle", demangles, &choice);
		o->session.demangle = choice;
		return err;
	case OPT_NO_INLINE:
		o->session.no_inline = true;
		return 0;
	case OPT_INLINE_BUDGET:
		err = parse_double(optarg, "--inline-budget", 0.001, INLINE_BUDGET_MAX, &seconds);
		o->session.lines_cpu_ns = seconds * 1e9;
		return err;
	case OPT_JAVA_PERFMAP:
		o->session.java_perfmap = true;
		return 0;
	default:
		return 1;
	}
}

static int parse_how(struct record_options *o, int c)
{
	static const char *const events[] = { "auto", "cycles", "cpu-clock", NULL };
	static const char *const walks[] = { "tables", "fp", NULL };
	unsigned int choice = 0, mib = 0;
	double seconds = 0;
	int err;

	switch (c) {
	case 'c':
		return parse_collectors(optarg, &o->session.collectors);
	case 'F':
		return parse_u32(optarg, "--rate", 1, RATE_MAX, &o->session.rate_hz);
	case 'd':
		err = parse_double(optarg, "--duration", 0.01, DURATION_MAX, &seconds);
		o->session.duration_ns = seconds * 1e9;
		return err;
	case 'e':
		err = parse_choice(optarg, "--event", events, &choice);
		o->session.event = choice;
		return err;
	case OPT_IDLE:
		o->session.keep_idle = true;
		return 0;
	case OPT_TIMELINE:
		o->session.slot_ns = SESSION_DEFAULT_SLOT_NS;
		return optarg ? parse_duration(optarg, "--timeline", SESSION_MIN_SLOT_NS,
					       SESSION_MAX_SLOT_NS, &o->session.slot_ns)
			      : 0;
	case OPT_TABLE_ENTRIES:
		return parse_u32(optarg, "--table-entries", 1, 1 << 20, &o->session.table_entries);
	case OPT_USER_STACKS:
		err = parse_choice(optarg, "--user-stacks", walks, &choice);
		o->session.frame_pointers = choice == 1;
		return err;
	case OPT_UNWIND_MEMORY:
		err = parse_u32(optarg, "--unwind-memory", 1, UNWIND_MEMORY_MAX_MIB, &mib);
		o->session.unwind_memory_bytes = (uint64_t)mib << 20;
		return err;
	case OPT_MAX_LOSS:
		return parse_double(optarg, "--max-loss", 0, 100, &o->max_loss);
	default:
		return 1;
	}
}

static int parse_latency(struct record_options *o, int c)
{
	double ms = 0;
	int err;

	switch (c) {
	case OPT_WEIGHT:
		o->weight = optarg; /* whose it is tells --collect, which may follow */
		return 0;
	case OPT_SLOWER:
		err = parse_double(optarg, "--slower", 0.001, SLOWER_MAX_MS, &ms);
		o->session.slower_ns = ms * 1e6;
		return err;
	case OPT_PATH:
		if (*optarg != '/' && *optarg != '*')
			return errf(-EINVAL,
				    "--path must begin with '/' or '*', not '%s': paths are "
				    "matched from the root on",
				    optarg);
		if (array_reserve(o->paths, o->paths_cap, o->session.n_paths + 1))
			return errf(-ENOMEM, "no memory for --path");
		o->paths[o->session.n_paths++] = optarg;
		return 0;
	default:
		return 1;
	}
}

static int parse_output(struct record_options *o, int c)
{
	switch (c) {
	case 'o':
		o->folder = optarg;
		return 0;
	case OPT_FORCE:
		o->force = true;
		return 0;
	case OPT_PER_THREAD:
		o->output.view.per_thread = true;
		return 0;
	case OPT_WITH_PID:
		o->output.view.with_pid = true;
		return 0;
	case OPT_NO_COMM:
		o->output.view.no_comm = true;
		return 0;
	case OPT_JSON:
		o->json = true;
		return 0;
	case 'q':
		o->quiet = true;
		return 0;
	case OPT_NO_COLOR:
		return 0;
	default:
		return 1;
	}
}

#define MEMORY_COLLECTORS (SESSION_ALLOC | SESSION_KMEM)

/* What only some collectors know, by the option's character. */
static const struct {
	const char *option;
	int c;
	unsigned int collectors; /* one of these */
	const char *names;
} needs[] = {
	{ "--rate", 'F', SESSION_CPU, "cpu" },
	{ "--event", 'e', SESSION_CPU, "cpu" },
	{ "--idle", OPT_IDLE, SESSION_CPU, "cpu" },
	{ "--cpu", OPT_CPU, SESSION_CPU, "cpu" },
	{ "--timeline", OPT_TIMELINE, SESSION_TIMED, "cpu, io, file or pagefault" },
	{ "--weight", OPT_WEIGHT, SESSION_IO | MEMORY_COLLECTORS, "io, alloc or kmem" },
	{ "--slower", OPT_SLOWER, SESSION_IO | SESSION_FILE, "io or file" },
	{ "--path", OPT_PATH, SESSION_FILE, "file" },
	{ "--alloc-interval", OPT_ALLOC_INTERVAL, MEMORY_COLLECTORS | SESSION_PAGEFAULT,
	  "alloc, pagefault or kmem" },
	{ "--min-age", OPT_MIN_AGE, MEMORY_COLLECTORS, "alloc or kmem" },
	{ "--leaks", OPT_LEAKS, MEMORY_COLLECTORS, "alloc or kmem" },
	{ "--alloc-maps", OPT_ALLOC_MAPS, SESSION_ALLOC, "alloc" },
	{ "--alloc-seed", OPT_ALLOC_SEED, SESSION_ALLOC, "alloc" },
	{ "--no-follow", OPT_NO_FOLLOW, SESSION_ALLOC, "alloc" },
	{ "--slow", OPT_SLOW, SESSION_ALLOC, "alloc" },
	{ "--max-slowdown", OPT_MAX_SLOWDOWN, SESSION_ALLOC, "alloc" },
	{ "--allocated-only", OPT_ALLOCATED_ONLY, SESSION_ALLOC, "alloc" },
};

static void note_need(struct record_options *o, int c)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(needs); i++) {
		if (needs[i].c == c)
			o->needs |= 1u << i;
	}
}

/* EXIT_DONE, or an exit code: nothing that is asked for is left out in silence. */
static int check_needs(const struct record_options *o)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(needs); i++) {
		if (o->needs & 1u << i && !(o->session.collectors & needs[i].collectors))
			return cmd_usage("record",
					 "%s is for the collector %s: add it to --collect",
					 needs[i].option, needs[i].names);
	}
	if (o->session.cpus && o->session.collectors != SESSION_CPU)
		return cmd_usage("record",
				 "--cpu is for the collector cpu alone: the others follow "
				 "what is done on all CPUs");
	return EXIT_DONE;
}

/* Each collector that knows the word takes it; one must. 0, or -EINVAL with a sentence. */
static int take_weight(struct record_options *o, bool *ret_of_memory)
{
	char of_io[256] = "", of_memory[384] = "";
	bool is_known = false;

	if (o->session.collectors & SESSION_IO) {
		if (!io_weight_parse(o->weight, &o->session.io_weight))
			is_known = true;
		else
			snprintf(of_io, sizeof(of_io), "%s", err_text());
	}
	if (o->session.collectors & MEMORY_COLLECTORS) {
		if (!memory_weight_parse(o->weight, &o->session.alloc.weight))
			is_known = *ret_of_memory = true;
		else
			snprintf(of_memory, sizeof(of_memory), "%s", err_text());
	}
	if (is_known)
		return 0;
	return errf(-EINVAL, "%s%s%s", of_io, *of_io && *of_memory ? "; " : "", of_memory);
}

/* EXIT_DONE, or an exit code. */
static int settle_weight(struct record_options *o)
{
	bool of_memory = false;
	int err = o->weight ? take_weight(o, &of_memory) : 0;

	if (!err)
		err = record_alloc_check(&o->session.alloc, of_memory ? o->weight : NULL);
	return err ? cmd_usage("record", "%s", err_text()) : EXIT_DONE;
}

int record_options_parse(struct record_options *o, int argc, char **argv, bool *ret_help)
{
	int c, err;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "+:p:t:ac:F:d:e:o:qh", long_options, NULL)) != -1) {
		if (c == 'h') {
			record_print_help();
			*ret_help = true;
			return EXIT_DONE;
		}
		note_need(o, c);
		err = parse_target(o, c);
		if (err > 0)
			err = parse_names(o, c);
		if (err > 0)
			err = parse_how(o, c);
		if (err > 0)
			err = parse_latency(o, c);
		if (err > 0)
			err = record_alloc_option(&o->session.alloc, c, optarg);
		if (err > 0)
			err = parse_output(o, c);
		if (err > 0)
			return cmd_bad_option("record", argc, argv, c);
		if (err)
			return cmd_usage("record", "%s", err_text());
	}
	if (optind < argc)
		o->session.command = argv + optind;
	if (o->session.command && (o->n_pids || o->n_tids))
		return cmd_usage("record", "either a COMMAND or --pid and --tid, not both");
	if (o->session.whole_machine &&
	    (o->n_pids || o->n_tids || o->n_comms || o->session.target.cgroup))
		return cmd_usage("record", "--all and a choice of tasks exclude each other");
	o->session.target.pids = o->pids;
	o->session.target.n_pids = o->n_pids;
	o->session.target.tids = o->tids;
	o->session.target.n_tids = o->n_tids;
	o->session.target.comms = o->comms;
	o->session.target.n_comms = o->n_comms;
	o->session.paths = o->paths;
	c = check_needs(o);
	return c == EXIT_DONE ? settle_weight(o) : c;
}

void record_options_init(struct record_options *o, int argc, char **argv)
{
	*o = (struct record_options){
		.session = {
			.collectors = SESSION_CPU,
			.rate_hz = RATE_DEFAULT,
			.began_ns = clock_ns(CLOCK_MONOTONIC),
			.unwind_memory_bytes = UNWIND_MEMORY_DEFAULT,
			.io_weight = IO_TOTAL_NS,
		},
		.output = { .argc = argc, .argv = argv },
		.max_loss = -1,
	};
	record_alloc_init(&o->session.alloc);
}

void record_options_release(struct record_options *o)
{
	free(o->pids);
	free(o->tids);
	free(o->comms);
	free(o->paths);
}
