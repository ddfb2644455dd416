/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/file.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/types.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/file_wire.h"

#include "file.skel.h"
#include "user/base/array.h"
#include "user/base/err.h"
#include "user/collect/bpf_cost.h"
#include "user/collect/file_calls.h"
#include "user/collect/file_latency.h"
#include "user/collect/file_paths.h"
#include "user/collect/file_programs.h"
#include "user/collect/glob.h"
#include "user/collect/ledger_slots.h"
#include "user/collect/sample_tables.h"

#define STACKS		   8192u
#define TALLIES_PER_STACK  4
#define PATHS		   32768u
#define THREADS		   32768u
#define REQUESTS	   8192u
#define HISTS_BY_DEV	   512u
#define HISTS		   768u
#define OUTLIER_RING_BYTES (1u << 20) /* about 7,000, until it is read for the first time */

/* Stacks of a process that are passed up before what it has mapped is known: a program that has
 * just begun opens and reads much. */
#define ASKED_AT_MOST 16384u

/* Paths that samples are told apart by, at most; sums by path have no such limit. */
#define TAG_PATHS 16384u

/* How often the tables are read empty, by how full they were. */
#define PATIENCE_FIRST_MS 200u
#define PATIENCE_MIN_MS	  20u
#define PATIENCE_MAX_MS	  1000u

enum file_value { OPERATIONS, NANOSECONDS, BYTES, DEVICE, FILE_VALUES };

/* What a tag stands for. */
struct file_tag {
	uint32_t text, fs, mount; /* strings of the paths */
	uint32_t flags;		  /* FT_PATH_HAS_DEVICE */
	struct ft_file_kind kind; /* without its device */
};

struct file_collector {
	struct collector base;
	struct file_options options;
	struct ft_glob wanted;
	struct file_bpf *skel;
	struct file_programs programs;
	struct sample_tables tables;
	struct file_paths paths;
	struct file_latency latency;
	struct keyset tags;	 /* of struct file_tag */
	struct keyset tag_texts; /* of uint32_t: paths of the tags */
	unsigned int patience_ms;
};

static struct file_collector *of(struct collector *base)
{
	return (struct file_collector *)base;
}

static void file_free(struct collector *base)
{
	struct file_collector *c = of(base);

	file_programs_release(&c->programs);
	file_latency_release(&c->latency);
	file_paths_release(&c->paths);
	sample_tables_release(&c->tables);
	file_bpf__destroy(c->skel);
	keyset_release(&c->tags);
	keyset_release(&c->tag_texts);
	capture_release(&base->capture);
	free(c);
}

/* --- loading ------------------------------------------------------------------------------- */

static int set_entries(struct file_collector *c)
{
	unsigned int stacks = c->options.table_entries ? c->options.table_entries : STACKS;
	const struct {
		struct bpf_map *map;
		unsigned int n;
	} sizes[] = {
		{ c->skel->maps.stacks_0, stacks },
		{ c->skel->maps.stacks_1, stacks },
		{ c->skel->maps.tallies_0, stacks * TALLIES_PER_STACK },
		{ c->skel->maps.tallies_1, stacks * TALLIES_PER_STACK },
		{ c->skel->maps.paths, PATHS },
		{ c->skel->maps.threads, THREADS },
		{ c->skel->maps.hists, HISTS },
		{ c->skel->maps.requests, c->programs.has.no_uring ? 1 : REQUESTS },
		{ c->skel->maps.outliers,
		  c->options.slower_ns ? OUTLIER_RING_BYTES : (unsigned int)getpagesize() },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		if (bpf_map__set_max_entries(sizes[i].map, sizes[i].n))
			return errf(-EINVAL, "cannot size the kernel's tables");
	}
	return 0;
}

static void configure(struct file_collector *c)
{
	struct file_bpf *skel = c->skel;

	file_calls_fill((struct ft_syscall *)skel->rodata->cfg_syscalls);
	file_calls_fill_uring((uint8_t *)skel->rodata->cfg_uring_operations);
	skel->rodata->cfg_tallies_with_path = bpf_map__max_entries(skel->maps.tallies_0) / 8 * 7;
	skel->rodata->cfg_hists_by_dev = HISTS_BY_DEV;
	skel->rodata->cfg_slower_ns = c->options.slower_ns;
	skel->rodata->cfg_stack_min_ns = c->options.stack_min_ns;
	skel->rodata->cfg_root_dev = file_paths_root_dev(&c->paths);
	skel->rodata->cfg_by_path = c->options.n_paths > 0;
	memcpy((void *)&skel->rodata->cfg_path, &c->wanted, sizeof(c->wanted));
	skel->rodata->cfg_unwind_max_asked = ASKED_AT_MOST;
}

/* An error of the load itself is libbpf's, without a sentence: *ret_refused. */
static int load_with(struct file_collector *c, const struct target *target, bool only_calls,
		     bool *ret_refused)
{
	int err;

	*ret_refused = false;
	file_bpf__destroy(c->skel);
	c->skel = file_bpf__open();
	if (!c->skel)
		return bpf_fail(-errno, "the file collector");
	err = file_programs_choose(&c->programs, c->skel, only_calls);
	if (!err)
		err = set_entries(c);
	if (err)
		return err;
	configure(c);
	TARGET_CONFIGURE(c->skel, target_config(target), err);
	if (!err)
		SAMPLE_CONFIGURE(c->skel, c->options.unwinder, c->options.slot_ns, err);
	if (!err)
		err = file_bpf__load(c->skel);
	*ret_refused = err && err != -EPERM && err != -ENOMEM;
	return err ? bpf_fail(err, "the file collector") : 0;
}

static int load(struct file_collector *c, const struct target *target)
{
	bool is_refused;
	int err = load_with(c, target, false, &is_refused);

	if (err && is_refused)
		err = load_with(c, target, true, &is_refused);
	if (err)
		return err;
	return target_fill(target, bpf_map__fd(c->skel->maps.target_tids),
			   bpf_map__fd(c->skel->maps.target_cgroup));
}

/* --- recording ----------------------------------------------------------------------------- */

static void switch_on(struct file_collector *c, uint32_t on)
{
	__atomic_store_n(&c->skel->bss->is_on, on, __ATOMIC_SEQ_CST);
}

static int file_start(struct collector *base)
{
	file_latency_start(&of(base)->latency);
	of(base)->skel->bss->slots_from_ns = base->started_ns;
	switch_on(of(base), 1);
	return 0;
}

static int file_stop(struct collector *base)
{
	switch_on(of(base), 0);
	unwind_maps_wait();
	return 0;
}

static int file_follow_hotplug(struct collector *base, const struct cpu_set *online)
{
	return file_programs_follow(&of(base)->programs, online);
}

static unsigned int file_patience_ms(const struct collector *base)
{
	return ((const struct file_collector *)base)->patience_ms;
}

static int make_room(struct file_collector *c)
{
	return file_paths_make_room(&c->paths, c->skel->bss->notes.paths_made);
}

/* The slowest ones shall find room in the ring, and those that are faster need not be passed up. */
static void raise_outlier_floor(struct file_collector *c)
{
	uint64_t floor_ns = latency_outliers_floor_ns(&c->latency.latency->outliers);

	__atomic_store_n(&c->skel->bss->outlier_floor_ns, floor_ns, __ATOMIC_RELAXED);
}

static int file_tick(struct collector *base)
{
	struct file_collector *c = of(base);
	int err = file_latency_tick(&c->latency);

	if (err)
		return err;
	raise_outlier_floor(c);
	return make_room(c);
}

/* --- draining ------------------------------------------------------------------------------ */

static int tag_of(struct file_collector *c, const struct ft_file_kind *kind,
		  const struct file_path *path, uint32_t *ret)
{
	struct file_tag tag = {
		.text = path->text,
		.fs = path->fs,
		.mount = path->mount,
		.flags = path->flags & FT_PATH_HAS_DEVICE,
		.kind = *kind,
	};
	uint32_t number;

	tag.kind.dev = 0;
	if (c->tag_texts.n >= TAG_PATHS && keyset_find(&c->tag_texts, &tag.text) == KEYSET_NONE)
		tag.text = 0;
	if (keyset_add(&c->tag_texts, &tag.text, &number) < 0 ||
	    keyset_add(&c->tags, &tag, ret) < 0)
		return errf(-ENOMEM, "no memory for tags");
	return 0;
}

static int add_tally(void *ctx, const void *key, const void *value, const struct stack_entry *user,
		     const struct stack_entry *kernel)
{
	struct file_collector *c = ctx;
	struct ft_file_key k;
	struct ft_file_tally tally;
	struct capture_sample sample;
	const struct file_path *path;
	int err;

	/* What has waited is not aligned. */
	memcpy(&k, key, sizeof(k));
	memcpy(&tally, value, sizeof(tally));
	sample = sample_of(&k.origin, user, kernel);
	err = file_paths_find(&c->paths, k.path, &path);
	if (!err)
		err = tag_of(c, &k.kind, path, &sample.tag);
	if (!err)
		err = file_latency_add(&c->latency, path, &k.kind, &tally);
	if (err)
		return err;
	return capture_add(&c->base.capture, &sample,
			   (const uint64_t[FILE_VALUES]){
				   [OPERATIONS] = tally.n,
				   [NANOSECONDS] = tally.total_ns,
				   [BYTES] = tally.bytes,
				   [DEVICE] = k.kind.touched ? tally.n : 0,
			   },
			   tally.first_ns);
}

static int file_drain(struct collector *base)
{
	struct file_collector *c = of(base);
	uint32_t set = c->skel->bss->active_set % FT_SETS;
	int err = sample_tables_drain(&c->tables);

	c->skel->bss->tallies_made[set] = 0;
	if (!err) /* reading the tables may have taken long */
		err = make_room(c);
	if (c->tables.fullest > 40 && c->patience_ms > PATIENCE_MIN_MS)
		c->patience_ms /= 2;
	else if (c->tables.fullest < 15 && c->patience_ms < PATIENCE_MAX_MS)
		c->patience_ms += c->patience_ms / 4;
	return err;
}

static int file_deliver(struct collector *base)
{
	return sample_tables_deliver(&of(base)->tables);
}

static void add_label(struct sample_tag *tag, const char *key, const char *text)
{
	if (!text[0])
		return;
	tag->labels[tag->n_labels++] = (struct sample_tag_label){ .key = key, .text = text };
}

static void file_describe_tag(const struct collector *base, uint32_t number, struct sample_tag *ret)
{
	const struct file_collector *c = (const struct file_collector *)base;
	const struct file_tag *tag = keyset_key(&c->tags, number);
	const struct file_path path = { .flags = tag->flags };
	const char *fs = file_paths_string(&c->paths, tag->fs);
	const char *operation = file_operation_name(tag->kind.operation);

	*ret = (struct sample_tag){ 0 };
	snprintf(ret->leaf, sizeof(ret->leaf), "[%s%s%s]", fs, *fs ? " " : "", operation);
	add_label(ret, "path", file_paths_string(&c->paths, tag->text));
	add_label(ret, "filesystem", fs);
	add_label(ret, "mount", file_paths_string(&c->paths, tag->mount));
	add_label(ret, "operation", operation);
	add_label(ret, "answered", file_answered(&tag->kind, &path));
	add_label(ret, "by", file_by_name(tag->kind.by));
}

/* --- the account --------------------------------------------------------------------------- */

static const char *const own_causes[] = {
	[FT_FILE_FILTERED_APART - FT_LEDGER_OWN] = "filtered_apart",
	[FT_FILE_FILTERED_PATH - FT_LEDGER_OWN] = "filtered_path",
	[FT_FILE_LOST_THREADS - FT_LEDGER_OWN] = "threads_full",
	[FT_FILE_LOST_REQUESTS - FT_LEDGER_OWN] = "requests_full",
	[FT_FILE_LOST_UNDECIDED - FT_LEDGER_OWN] = "path_undecided",
};

static void file_progress(const struct collector *base, uint64_t *ret_kept, uint64_t *ret_lost)
{
	const struct file_collector *c = (const struct file_collector *)base;

	ledger_slots_progress(c->skel->maps.ledgers, own_causes, ARRAY_SIZE(own_causes), ret_kept,
			      ret_lost);
}

/* Operations that had begun and had not ended when the recording did. */
static uint64_t count_in_flight(const struct file_collector *c)
{
	int threads = bpf_map__fd(c->skel->maps.threads);
	int requests = bpf_map__fd(c->skel->maps.requests);
	struct ft_thread thread;
	uint32_t pid, next_pid;
	uint64_t request, next_request, n = 0;
	bool is_first;

	for (is_first = true; !bpf_map_get_next_key(threads, is_first ? NULL : &pid, &next_pid);
	     is_first = false) {
		pid = next_pid;
		n += !bpf_map_lookup_elem(threads, &pid, &thread) && thread.start_ns;
	}
	for (is_first = true;
	     !bpf_map_get_next_key(requests, is_first ? NULL : &request, &next_request);
	     is_first = false) {
		request = next_request;
		n++;
	}
	return n;
}

static void add_note(struct collector_summary *s, const char *name, uint64_t n)
{
	summary_add_note(s, name, n, NULL);
}

static void add_notes(const struct file_collector *c, struct collector_summary *s)
{
	const struct ft_file_notes *n = &c->skel->bss->notes;
	const struct {
		const char *name, *why;
	} lacking[] = {
		{ "page_faults_not_followed", c->programs.has.no_faults },
		{ "page_faults_without_path", c->programs.has.no_fault_files },
		{ "io_uring_not_followed", c->programs.has.no_uring },
		{ "device_not_told", c->programs.has.no_touched },
	};
	size_t i;

	add_note(s, "calls_of_32_bit_programs", n->compat_calls);
	add_note(s, "ended_with_their_thread", n->unfinished);
	add_note(s, "without_stack", n->stackless);
	add_note(s, "in_other_histogram", n->hists_full);
	add_note(s, "faults_without_mapping", n->faults_unmapped);
	add_note(s, "paths", c->paths.ids.n);
	add_note(s, "paths_cut", n->paths_cut);
	add_note(s, "paths_left_out", n->paths_left_out);
	add_note(s, "paths_table_full", n->paths_full);
	add_note(s, "paths_unreadable", n->paths_unread);
	add_note(s, "paths_dropped", c->paths.n_dropped + c->paths.n_unknown);
	for (i = 0; i < ARRAY_SIZE(lacking); i++) {
		if (lacking[i].why)
			summary_add_note(s, lacking[i].name, 1, lacking[i].why);
	}
}

/* See file_sample_fn. */
static int64_t sample_number(void *ctx, const struct ft_file_key *key)
{
	struct file_collector *c = ctx;
	const struct stack_entry *user = stack_book_find(&c->tables.book, key->origin.user_stack);
	const struct stack_entry *kernel =
		stack_book_find(&c->tables.book, key->origin.kernel_stack);
	struct capture_sample sample;
	const struct file_path *path;
	uint32_t number;
	int err;

	if (!user || !kernel)
		return 0;
	sample = sample_of(&key->origin, user, kernel);
	err = file_paths_find(&c->paths, key->path, &path);
	if (!err)
		err = tag_of(c, &key->kind, path, &sample.tag);
	if (err)
		return err;
	number = capture_find(&c->base.capture, &sample);
	return number == KEYSET_NONE ? 0 : number + 1ll;
}

static int file_summarize(struct collector *base, const struct sideband *sb,
			  struct collector_summary *ret)
{
	struct file_collector *c = of(base);
	int err = ledger_slots_close(c->skel->maps.ledgers, own_causes, ARRAY_SIZE(own_causes),
				     base->capture.total, &ret->ledger);

	(void)sb;
	if (err)
		return err;
	ret->event = strdup("file operations");
	if (!ret->event)
		return errf(-ENOMEM, "no memory for the summary");
	bpf_cost_of(c->skel->obj, &ret->cost);
	add_notes(c, ret);
	c->latency.latency->outliers.n_faster += c->skel->bss->notes.outliers_faster;
	c->latency.latency->outliers.n_lost = c->skel->bss->notes.outliers_lost;
	c->latency.latency->in_flight_end = count_in_flight(c);
	return file_latency_finish(&c->latency, sample_number, c, &ret->latency);
}

static int file_add_value_types(const struct collector *base, struct profile *p)
{
	(void)base;
	if (profile_add_value_type(p, "operations", "count") ||
	    profile_add_value_type(p, "total", "nanoseconds") ||
	    profile_add_value_type(p, "bytes", "bytes") ||
	    profile_add_value_type(p, "device", "count"))
		return -ENOMEM;
	p->default_value = NANOSECONDS;
	return 0;
}

static const struct collector_ops file_ops = {
	.name = "file",
	.title = "File operations",
	.start = file_start,
	.stop = file_stop,
	.follow_hotplug = file_follow_hotplug,
	.patience_ms = file_patience_ms,
	.tick = file_tick,
	.drain = file_drain,
	.deliver = file_deliver,
	.add_value_types = file_add_value_types,
	.describe_tag = file_describe_tag,
	.summarize = file_summarize,
	.progress = file_progress,
	.free = file_free,
};

/* --- made of all that ---------------------------------------------------------------------- */

static void init_tables(struct file_collector *c)
{
	struct sample_tables_options options = {
		SAMPLE_TABLES_OF(c->skel, tallies),
		.collector = FT_COLLECTOR_FILE,
		.unwinder = c->options.unwinder,
		.capture = &c->base.capture,
		.add = add_tally,
		.ctx = c,
	};

	sample_tables_init(&c->tables, &options);
}

static int set_up(struct file_collector *c, const struct target *target)
{
	struct cpu_set online;
	int err = glob_compile(c->options.paths, c->options.n_paths, &c->wanted);

	if (!err)
		err = file_paths_init(&c->paths, "/proc/self/mountinfo");
	if (!err)
		err = load(c, target);
	if (err)
		return err;
	init_tables(c);
	c->paths.map = c->skel->maps.paths;
	err = file_paths_tell_mounts(&c->paths, c->skel->maps.mounts);
	if (!err)
		err = file_latency_make_other(c->skel->maps.hists);
	if (!err)
		err = file_latency_init(&c->latency, c->options.slower_ns, &c->paths,
					c->skel->maps.hists, c->skel->maps.outliers);
	c->latency.cgroups = c->options.cgroups;
	if (!err)
		err = file_programs_attach(&c->programs);
	if (!err)
		err = cpu_set_online(&online);
	return err ? err : file_programs_follow(&c->programs, &online);
}

int file_collector_new(const struct file_options *options, const struct target *target,
		       struct collector **ret)
{
	struct file_collector *c = calloc(1, sizeof(*c));
	int err;

	if (!c)
		return errf(-ENOMEM, "no memory for the file collector");
	c->base.ops = &file_ops;
	capture_init(&c->base.capture, FILE_VALUES);
	c->base.capture.slot_ns = options->slot_ns;
	keyset_init(&c->tags, sizeof(struct file_tag));
	keyset_init(&c->tag_texts, sizeof(uint32_t));
	c->options = *options;
	c->patience_ms = PATIENCE_FIRST_MS;
	err = set_up(c, target);
	if (err) {
		file_free(&c->base);
		return err;
	}
	*ret = &c->base;
	return 0;
}
