/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/io.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bpf/io_wire.h"

#include "io.skel.h"
#include "user/base/array.h"
#include "user/base/clock.h"
#include "user/base/err.h"
#include "user/collect/bpf_cost.h"
#include "user/collect/devices.h"
#include "user/collect/io_latency.h"
#include "user/collect/io_programs.h"
#include "user/collect/io_tags.h"
#include "user/collect/ledger_slots.h"
#include "user/collect/sample_tables.h"

/* I/O is where it is in bursts, of few different stacks. */
#define TABLE_ENTRIES	  4096u
#define TALLIES_PER_STACK 4

/* Stacks of one set that may be passed up to be unwound late: each with up to 64 KiB of memory,
 * which the loader holds until it knows the process. */
#define MAX_DEFERRED	   1024
#define REQUESTS_PER_STACK 4	  /* on their way at once, */
#define REQUESTS_MIN	   16384u /* but never fewer */
#define OUTLIER_BYTES	   (1u << 20)
/* Histograms of 13 KiB: of a disk, those that are in use in earnest, and one for the rest of each
 * operation. */
#define HISTOGRAMS_PER_DISK 32
#define HISTOGRAMS_MIN	    256u
#define HISTOGRAMS_MAX	    1024u
#define REST_PER_DISK	    (FT_IO_OTHER + 1)
#define REST_MIN	    64u
#define REST_MAX	    512u
/* At first it is short: stacks that are unwound late are each a tally of its own. */
#define PATIENCE_MS	100u
#define PATIENCE_MIN_MS 50u
#define PATIENCE_MAX_MS 2000u
#define FULL_PERCENT	40u /* of a table in one drain: more often from now on */
#define EMPTY_PERCENT	10u

struct io_collector {
	struct collector base;
	struct io_options options;
	struct io_bpf *skel;
	struct devices *devices;
	struct sample_tables tables;
	struct io_tags tags;
	struct io_kernel has;
	struct io_latency latency;
	unsigned int patience_ms;
};

static struct io_collector *of(struct collector *base)
{
	return (struct io_collector *)base;
}

/* Names of the ledger's slots from FT_LEDGER_OWN on. */
static const char *const own_slots[FT_IO_OWN] = {
	[FT_IO_LOST_PIECES_FULL - FT_LEDGER_OWN] = "requests_full",
	[FT_IO_LOST_UNSEEN_END - FT_LEDGER_OWN] = "completion_unseen",
};

static const struct {
	const char *option, *type, *unit;
} weights[IO_WEIGHTS] = {
	[IO_BIOS] = { "bios", "bios", "count" },
	[IO_TOTAL_NS] = { "total-ns", "total", "nanoseconds" },
	[IO_QUEUE_NS] = { "queue-ns", "queue", "nanoseconds" },
	[IO_DEVICE_NS] = { "device-ns", "device", "nanoseconds" },
	[IO_BYTES] = { "bytes", "bytes", "bytes" },
	[IO_REQUESTS] = { "requests", "requests", "count" },
};

int io_weight_parse(const char *text, enum io_weight *ret)
{
	unsigned int i;

	for (i = 0; i < IO_WEIGHTS; i++) {
		if (!strcmp(text, weights[i].option)) {
			*ret = i;
			return 0;
		}
	}
	return errf(-EINVAL,
		    "'%s' is no weight of block I/O: it is total-ns, queue-ns, device-ns, "
		    "bytes, requests or bios",
		    text);
}

static void io_free(struct collector *base)
{
	struct io_collector *c = of(base);

	io_latency_release(&c->latency);
	io_tags_release(&c->tags);
	sample_tables_release(&c->tables);
	io_bpf__destroy(c->skel);
	devices_free(c->devices);
	capture_release(&base->capture);
	free(c);
}

/* --- loading ------------------------------------------------------------------------------- */

static unsigned int within(size_t n, unsigned int min, unsigned int max)
{
	return n < min ? min : n > max ? max : (unsigned int)n;
}

static int set_sizes(const struct io_collector *c)
{
	unsigned int entries = c->options.table_entries ? c->options.table_entries : TABLE_ENTRIES;
	size_t disks = devices_count_disks(c->devices);
	const struct {
		struct bpf_map *map;
		unsigned int entries;
	} sizes[] = {
		{ c->skel->maps.stacks_0, entries },
		{ c->skel->maps.stacks_1, entries },
		{ c->skel->maps.tallies_0, entries * TALLIES_PER_STACK },
		{ c->skel->maps.tallies_1, entries * TALLIES_PER_STACK },
		{ c->skel->maps.pieces,
		  within((size_t)entries * REQUESTS_PER_STACK, REQUESTS_MIN, UINT32_MAX) },
		{ c->skel->maps.outliers, OUTLIER_BYTES },
		{ c->skel->maps.histograms,
		  within(disks * HISTOGRAMS_PER_DISK, HISTOGRAMS_MIN, HISTOGRAMS_MAX) },
		{ c->skel->maps.histograms_of_rest,
		  within(disks * REST_PER_DISK, REST_MIN, REST_MAX) },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		if (bpf_map__set_max_entries(sizes[i].map, sizes[i].entries))
			return errf(-EINVAL, "cannot size the kernel's tables");
	}
	return 0;
}

static void configure(const struct io_collector *c)
{
	c->skel->rodata->cfg_max_filtered = bpf_map__max_entries(c->skel->maps.pieces) / 2;
	c->skel->rodata->cfg_slower_ns = c->options.slower_ns;
	c->skel->rodata->cfg_max_deferred = MAX_DEFERRED;
}

static int load(struct io_collector *c, const struct target *target)
{
	int err;

	c->skel = io_bpf__open();
	if (!c->skel)
		return bpf_fail(-errno, "the collector of block I/O");
	err = io_programs_choose(c->skel, &c->has);
	if (!err)
		err = set_sizes(c);
	if (err)
		return err;
	configure(c);
	TARGET_CONFIGURE(c->skel, target_config(target), err);
	if (!err)
		SAMPLE_CONFIGURE(c->skel, c->options.unwinder, c->options.slot_ns, err);
	if (!err)
		err = io_bpf__load(c->skel);
	if (!err)
		err = io_bpf__attach(c->skel);
	if (err)
		return bpf_fail(err, "the collector of block I/O");
	return target_fill(target, bpf_map__fd(c->skel->maps.target_tids),
			   bpf_map__fd(c->skel->maps.target_cgroup));
}

/* --- while it records ---------------------------------------------------------------------- */

static int io_start(struct collector *base)
{
	struct io_collector *c = of(base);

	io_latency_start(&c->latency);
	c->skel->bss->began_ns = clock_ns(CLOCK_MONOTONIC);
	c->skel->bss->slots_from_ns = base->started_ns;
	__atomic_store_n(&c->skel->bss->is_on, 1, __ATOMIC_SEQ_CST);
	return 0;
}

static int io_stop(struct collector *base)
{
	struct io_collector *c = of(base);

	__atomic_store_n(&c->skel->bss->is_on, 0, __ATOMIC_SEQ_CST);
	unwind_maps_wait();
	return 0;
}

static unsigned int io_patience_ms(const struct collector *base)
{
	return ((const struct io_collector *)base)->patience_ms;
}

static int io_tick(struct collector *base)
{
	return io_latency_tick(&of(base)->latency);
}

static int add_tally(void *ctx, const void *key, const void *value, const struct stack_entry *user,
		     const struct stack_entry *kernel)
{
	struct io_collector *c = ctx;
	struct ft_io_tally tally;
	struct ft_io_key k;
	struct capture_sample sample;
	int err;

	memcpy(&k, key, sizeof(k)); /* one that waited lies anywhere */
	memcpy(&tally, value, sizeof(tally));
	sample = sample_of(&k.origin, user, kernel);
	err = io_tags_number(&c->tags, &k, &sample.tag);
	if (!err)
		err = io_latency_route(&c->latency, &k, &tally);
	if (err)
		return err;
	return capture_add(&c->base.capture, &sample,
			   (uint64_t[IO_WEIGHTS]){
				   [IO_BIOS] = tally.n,
				   [IO_TOTAL_NS] = tally.stage_ns[FT_IO_TOTAL],
				   [IO_QUEUE_NS] = tally.stage_ns[FT_IO_QUEUE],
				   [IO_DEVICE_NS] = tally.stage_ns[FT_IO_DEVICE],
				   [IO_BYTES] = tally.bytes,
				   [IO_REQUESTS] = tally.requests,
			   },
			   tally.first_ns);
}

static int io_drain(struct collector *base)
{
	struct io_collector *c = of(base);
	int err = sample_tables_drain(&c->tables);

	if (c->tables.fullest > FULL_PERCENT && c->patience_ms > PATIENCE_MIN_MS)
		c->patience_ms /= 2;
	else if (c->tables.fullest < EMPTY_PERCENT && c->patience_ms < PATIENCE_MAX_MS)
		c->patience_ms *= 2;
	return err;
}

static int io_deliver(struct collector *base)
{
	return sample_tables_deliver(&of(base)->tables);
}

/* --- the account --------------------------------------------------------------------------- */

static void io_progress(const struct collector *base, uint64_t *ret_kept, uint64_t *ret_lost)
{
	const struct io_collector *c = (const struct io_collector *)base;

	ledger_slots_progress(c->skel->maps.ledgers, own_slots, FT_IO_OWN, ret_kept, ret_lost);
}

/* Pieces that were asked for, and have not ended. */
static uint64_t in_flight(const struct io_collector *c)
{
	int fd = bpf_map__fd(c->skel->maps.pieces);
	uint64_t key, *last = NULL, n = 0;
	struct ft_io_piece piece;

	while (!bpf_map_get_next_key(fd, last, &key)) {
		n += !bpf_map_lookup_elem(fd, &key, &piece) && !piece.filtered;
		last = &key;
	}
	return n;
}

static int close_ledger(const struct io_collector *c, uint64_t in_flight_end, struct ledger *ledger)
{
	struct ft_ledger slots;
	int err = ledger_slots_read(c->skel->maps.ledgers, &slots);

	if (err)
		return err;
	ledger_slots_add(&slots, own_slots, FT_IO_OWN, ledger);
	ledger->kept = c->base.capture.total;
	ledger_add(ledger, "in_flight_end", in_flight_end);
	/* What the kernel says it kept but did not come out of its tables. */
	ledger_add(ledger, "drain", slots.n[FT_KEPT] - c->base.capture.total);
	return 0;
}

static void add_notes(const struct io_collector *c, struct collector_summary *ret)
{
	const struct ft_io_notes *notes = &c->skel->bss->notes;
	const struct {
		const char *name;
		uint64_t n;
	} counted[] = {
		{ "unseen_starts", notes->unseen_starts },
		{ "undated_starts", notes->undated_starts },
		{ "requeues", notes->requeues },
		{ "chains_cut", notes->chains_cut },
		{ "histograms_rest", notes->histograms_rest },
		{ "histograms_full", notes->histograms_full },
		{ "disks_full", notes->disks_full },
		{ "dirtiers_lost", notes->dirtiers_lost },
	};
	const struct {
		const char *name, *why;
	} lacking[] = {
		{ "devices_above_not_told", c->has.no_lineage },
		{ "writeback_not_followed", c->has.no_writeback },
		{ "merges_not_followed", c->has.no_merges },
		{ "queueing_not_followed", c->has.no_queue },
	};
	size_t i;

	_Static_assert(ARRAY_SIZE(counted) + ARRAY_SIZE(lacking) <= SUMMARY_MAX_NOTES, "notes");

	for (i = 0; i < ARRAY_SIZE(counted); i++)
		summary_add_note(ret, counted[i].name, counted[i].n, NULL);
	for (i = 0; i < ARRAY_SIZE(lacking); i++) {
		if (lacking[i].why)
			summary_add_note(ret, lacking[i].name, 1, lacking[i].why);
	}
}

static int io_summarize(struct collector *base, const struct sideband *sb,
			struct collector_summary *ret)
{
	struct io_collector *c = of(base);
	uint64_t in_flight_end = in_flight(c);
	int err;

	(void)sb;
	ret->event = strdup("block-io");
	if (!ret->event)
		return errf(-ENOMEM, "no memory for the summary");
	bpf_cost_of(c->skel->obj, &ret->cost);
	add_notes(c, ret);
	err = close_ledger(c, in_flight_end, &ret->ledger);
	if (err)
		return err;
	return io_latency_finish(&c->latency, &base->capture, &c->tables.book, &c->tags,
				 in_flight_end, &ret->latency);
}

static int io_add_value_types(const struct collector *base, struct profile *p)
{
	unsigned int i;

	for (i = 0; i < IO_WEIGHTS; i++) {
		if (profile_add_value_type(p, weights[i].type, weights[i].unit))
			return -ENOMEM;
	}
	p->default_value = ((const struct io_collector *)base)->options.weight;
	return 0;
}

static void io_describe_tag(const struct collector *base, uint32_t tag, struct sample_tag *ret)
{
	io_tags_describe(&((const struct io_collector *)base)->tags, tag, ret);
}

static const struct collector_ops io_ops = {
	.name = "io",
	.title = "Block I/O",
	.start = io_start,
	.stop = io_stop,
	.patience_ms = io_patience_ms,
	.tick = io_tick,
	.drain = io_drain,
	.deliver = io_deliver,
	.add_value_types = io_add_value_types,
	.describe_tag = io_describe_tag,
	.summarize = io_summarize,
	.progress = io_progress,
	.free = io_free,
};

/* --- made of all that ---------------------------------------------------------------------- */

static void init_tables(struct io_collector *c)
{
	const struct sample_tables_options options = {
		SAMPLE_TABLES_OF(c->skel, tallies),
		.collector = FT_COLLECTOR_IO,
		.unwinder = c->options.unwinder,
		.capture = &c->base.capture,
		.add = add_tally,
		.ctx = c,
	};

	sample_tables_init(&c->tables, &options);
}

static int set_up(struct io_collector *c, const struct target *target)
{
	struct io_latency_options latency = {
		.cgroups = c->options.cgroups,
		.slower_ns = c->options.slower_ns,
		.max_outliers = c->options.max_outliers,
	};
	int err = devices_new("/sys", &c->devices);

	if (!err)
		err = load(c, target);
	if (err)
		return err;
	init_tables(c);
	io_tags_init(&c->tags, c->devices);
	latency.histograms = c->skel->maps.histograms;
	latency.histograms_of_rest = c->skel->maps.histograms_of_rest;
	latency.disks = c->skel->maps.disks;
	latency.outliers = c->skel->maps.outliers;
	latency.notes = &c->skel->bss->notes;
	latency.devices = c->devices;
	return io_latency_init(&c->latency, &latency);
}

int io_collector_new(const struct io_options *options, const struct target *target,
		     struct collector **ret)
{
	struct io_collector *c = calloc(1, sizeof(*c));
	int err;

	if (!c)
		return errf(-ENOMEM, "no memory for the collector of block I/O");
	c->base.ops = &io_ops;
	c->options = *options;
	c->patience_ms = PATIENCE_MS;
	capture_init(&c->base.capture, IO_WEIGHTS);
	c->base.capture.slot_ns = options->slot_ns;
	err = set_up(c, target);
	if (err) {
		io_free(&c->base);
		return err;
	}
	*ret = &c->base;
	return 0;
}
