/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/alloc_sites.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/clock.h"
#include "user/base/err.h"
#include "user/collect/sample_tables.h"

void alloc_sites_init(struct alloc_sites *s, const struct alloc_sites_options *options)
{
	*s = (struct alloc_sites){ .o = *options };
	keyset_init(&s->leaking, sizeof(uint64_t));
	keyset_init(&s->ended, sizeof(struct ft_alloc_process_key));
}

void alloc_sites_release(struct alloc_sites *s)
{
	keyset_release(&s->leaking);
	keyset_release(&s->ended);
	free(s->leaked);
	free(s->ended_peaks);
	free(s->gone);
	free(s->gone_hashes);
}

/* A negative one is an error. */
static int64_t tag_of(const struct alloc_sites *s, const struct ft_alloc_site_key *key)
{
	return s->o.tag ? s->o.tag(s->o.ctx, key) : 0;
}

int alloc_sites_tally(const struct alloc_sites *s, struct capture *capture, const void *key,
		      const void *value, const struct stack_entry *user,
		      const struct stack_entry *kernel)
{
	struct ft_alloc_site_key k;
	struct ft_count count;
	struct capture_sample sample;
	int64_t tag;

	/* What has waited is not aligned. */
	memcpy(&k, key, sizeof(k));
	memcpy(&count, value, sizeof(count));
	tag = tag_of(s, &k);
	if (tag < 0)
		return tag;
	sample = sample_of(&k.origin, user, kernel);
	sample.tag = tag;
	return capture_add(capture, &sample,
			   (const uint64_t[MEMORY_VALUES]){ [MEMORY_BLOCKS] = count.n },
			   count.first_ns);
}

/* --- reading maps ------------------------------------------------------------------------- */

#define BATCH 4096

typedef int (*entry_fn)(void *ctx, const void *key, const void *value);

/*
 * Hands each entry to 'fn', which returns 1 for one that is to be deleted, 0, or -errno; *n_entries
 * is the programs' number of them. What is not to be deleted may change meanwhile.
 */
static int map_walk(const struct bpf_map *map, __u64 *n_entries, entry_fn fn, void *ctx)
{
	size_t key_size = bpf_map__key_size(map), value_size = bpf_map__value_size(map);
	_cleanup_(freep) unsigned char *keys = calloc(BATCH, key_size);
	_cleanup_(freep) unsigned char *values = calloc(BATCH, value_size);
	int fd = bpf_map__fd(map), err = 0, read;
	uint32_t place = 0, n, i;
	bool is_first = true;

	if (!keys || !values)
		return errf(-ENOMEM, "no memory to read the kernel's tables");
	do {
		n = BATCH;
		/* A bucket with more entries than fit would be -ENOSPC: they are few. */
		read = bpf_map_lookup_batch(fd, is_first ? NULL : &place, &place, keys, values, &n,
					    NULL);
		is_first = false;
		if (read && read != -ENOENT)
			return errf(read, "cannot read the kernel's tables: %s", strerror(-read));
		for (i = 0; i < n && err >= 0; i++) {
			err = fn(ctx, keys + i * key_size, values + i * value_size);
			if (err > 0 && !bpf_map_delete_elem(fd, keys + i * key_size))
				__atomic_sub_fetch(n_entries, 1, __ATOMIC_RELAXED);
		}
	} while (!read && err >= 0);
	return err < 0 ? err : 0;
}

/* --- processes that have ended ------------------------------------------------------------ */

static int on_process(void *ctx, const void *key, const void *value)
{
	struct alloc_sites *s = ctx;
	const struct ft_alloc_process *p = value;
	uint32_t number;
	int added;

	if (!p->ended_ns)
		return 0;
	if (array_reserve(s->ended_peaks, s->ended_peaks_cap, s->ended.n + 1))
		return errf(-ENOMEM, "no memory for processes that have ended");
	added = keyset_add(&s->ended, key, &number);
	if (added < 0)
		return errf(added, "no memory for processes that have ended");
	s->ended_peaks[number] = p->ended_peak;
	return 1;
}

static int leak(struct alloc_sites *s, const struct ft_alloc_block *block)
{
	uint32_t number;
	int added;

	if (array_reserve(s->leaked, s->leaked_cap, s->leaking.n + 1))
		return errf(-ENOMEM, "no memory for what is still in use");
	added = keyset_add(&s->leaking, &block->site, &number);
	if (added < 0)
		return errf(added, "no memory for what is still in use");
	if (added)
		s->leaked[number] = (struct alloc_sums){ 0 };
	s->leaked[number].objects += block->weight;
	s->leaked[number].bytes +=
		llround((double)block->bytes * block->weight / FT_ALLOC_WEIGHT_ONE);
	return 0;
}

static bool has_ended(const struct alloc_sites *s, const struct ft_alloc_process_key *process)
{
	return process->tgid && keyset_find(&s->ended, process) != KEYSET_NONE;
}

static int on_block_of_ended(void *ctx, const void *key, const void *value)
{
	struct alloc_sites *s = ctx;
	const struct ft_alloc_block_key *k = key;
	int err;

	if (!has_ended(s, &k->process))
		return 0;
	err = leak(s, value);
	return err ? err : 1;
}

static int keep_gone(struct alloc_sites *s, const void *key, const struct ft_alloc_site *site)
{
	if (array_reserve(s->gone, s->gone_cap, s->n_gone + 1) ||
	    array_reserve(s->gone_hashes, s->gone_hashes_cap, s->n_gone + 1))
		return errf(-ENOMEM, "no memory for sites of processes that have ended");
	memcpy(&s->gone_hashes[s->n_gone], key, sizeof(*s->gone_hashes));
	s->gone[s->n_gone++] = *site;
	return 1;
}

static int on_site_of_ended(void *ctx, const void *key, const void *value)
{
	struct alloc_sites *s = ctx;
	const struct ft_alloc_site *site = value;

	return has_ended(s, &site->process) ? keep_gone(s, key, site) : 0;
}

/* Memory of the kernel outlives who asked for it; where nothing is in use any more, nothing will
 * change. */
static int on_site_of_dead(void *ctx, const void *key, const void *value)
{
	struct alloc_sites *s = ctx;
	const struct ft_alloc_site *site = value;
	uint32_t tgid = site->key.origin.task.tgid;

	if (site->process.tgid || site->in_use_objects || !tgid || !kill((pid_t)tgid, 0) ||
	    errno != ESRCH)
		return 0;
	return keep_gone(s, key, site);
}

static int sweep(struct alloc_sites *s)
{
	size_t before = s->ended.n;
	int err;

	s->ended_seen = __atomic_load_n(&s->o.state->processes_ended, __ATOMIC_RELAXED);
	err = map_walk(s->o.processes, &s->o.state->processes, on_process, s);
	if (!err && s->ended.n > before) {
		err = map_walk(s->o.blocks, &s->o.state->blocks, on_block_of_ended, s);
		if (!err)
			err = map_walk(s->o.sites, &s->o.state->sites, on_site_of_ended, s);
	}
	return err;
}

static bool is_filling(const struct bpf_map *map, const __u64 *n)
{
	return __atomic_load_n(n, __ATOMIC_RELAXED) > bpf_map__max_entries(map) / 2;
}

int alloc_sites_tick(struct alloc_sites *s)
{
	struct ft_alloc_state *state = s->o.state;
	uint64_t now = clock_ns(CLOCK_MONOTONIC);
	int err;

	if (now < s->next_tick_ns)
		return 0;
	if (s->o.of_kernel) {
		if (!is_filling(s->o.sites, &state->sites))
			return 0;
		err = map_walk(s->o.sites, &state->sites, on_site_of_dead, s);
	} else {
		if (s->ended_seen == __atomic_load_n(&state->processes_ended, __ATOMIC_RELAXED))
			return 0;
		if (!is_filling(s->o.blocks, &state->blocks) &&
		    !is_filling(s->o.sites, &state->sites) &&
		    !is_filling(s->o.processes, &state->processes))
			return 0;
		err = sweep(s);
	}
	/* Large tables take long to read: a tenth of the time at most. */
	s->next_tick_ns = clock_ns(CLOCK_MONOTONIC) + 9 * (clock_ns(CLOCK_MONOTONIC) - now);
	return err;
}

/* --- in the end --------------------------------------------------------------------------- */

struct finish {
	struct alloc_sites *s;
	const struct stack_book *book;
	struct capture *capture;
	struct memory *memory;
	size_t samples_cap;
	uint64_t now_ns;
};

static int on_old_block(void *ctx, const void *key, const void *value)
{
	const struct finish *f = ctx;
	const struct ft_alloc_block *block = value;

	(void)key;
	return block->time_ns + f->s->o.min_age_ns <= f->now_ns ? leak(f->s, block) : 0;
}

static uint64_t whole_objects(uint64_t objects)
{
	return (objects + FT_ALLOC_WEIGHT_ONE / 2) >> FT_ALLOC_WEIGHT_BITS;
}

/* What it had in use when all was at its peak. */
static struct alloc_sums at_peak(const struct alloc_sites *s, const struct ft_alloc_site *site)
{
	uint64_t peak = s->o.state->peak;
	uint32_t ended = keyset_find(&s->ended, &site->process);

	if (site->peak == peak)
		return (struct alloc_sums){ site->at_peak_objects, site->at_peak_bytes };
	if (site->process.tgid && ended != KEYSET_NONE && s->ended_peaks[ended] != peak)
		return (struct alloc_sums){ 0 };
	return (struct alloc_sums){ site->in_use_objects, site->in_use_bytes };
}

static struct alloc_sums leaked_of(const struct alloc_sites *s, uint64_t hash)
{
	uint32_t number = keyset_find(&s->leaking, &hash);

	return number == KEYSET_NONE ? (struct alloc_sums){ 0 } : s->leaked[number];
}

static void fill_values(const struct alloc_sites *s, const struct ft_alloc_site *site,
			uint64_t hash, uint64_t values[MEMORY_VALUES])
{
	struct alloc_sums peak = at_peak(s, site), leaked = leaked_of(s, hash);

	values[MEMORY_BLOCKS] = 0; /* the tallies have told of these */
	values[MEMORY_ALLOC_OBJECTS] = whole_objects(site->made.objects);
	values[MEMORY_ALLOC_SPACE] = site->made.bytes;
	values[MEMORY_INUSE_OBJECTS] = whole_objects(site->in_use_objects);
	values[MEMORY_INUSE_SPACE] = site->in_use_bytes;
	values[MEMORY_PEAK_OBJECTS] = whole_objects(peak.objects);
	values[MEMORY_PEAK_SPACE] = peak.bytes;
	values[MEMORY_TEMPORARY_OBJECTS] = whole_objects(site->temporary_objects);
	values[MEMORY_TEMPORARY_SPACE] = site->temporary_bytes;
	values[MEMORY_LEAKED_OBJECTS] = whole_objects(leaked.objects);
	values[MEMORY_LEAKED_SPACE] = leaked.bytes;
}

static double difference(uint64_t a, uint64_t b)
{
	return a > b ? (double)(a - b) : 0;
}

static void add_variances(const struct memory *m, const struct ft_alloc_site *site,
			  struct memory_sample *sample)
{
	/* Units of the sums (bpf/alloc_wire.h). */
	double objects = 1.0 / 256, bytes = (double)m->interval_bytes * m->interval_bytes / 65536;

	sample->blocks_made += site->made.n;
	sample->blocks_in_use += site->made.n > site->freed.n ? site->made.n - site->freed.n : 0;
	sample->var_alloc_objects += site->made.var_objects * objects;
	sample->var_alloc_space += site->made.var_bytes * bytes;
	sample->var_inuse_objects +=
		difference(site->made.var_objects, site->freed.var_objects) * objects;
	sample->var_inuse_space += difference(site->made.var_bytes, site->freed.var_bytes) * bytes;
}

static int add_site(struct finish *f, uint64_t hash, const struct ft_alloc_site *site)
{
	const struct ft_origin *origin = &site->key.origin;
	const struct stack_entry *user = stack_book_find(f->book, origin->user_stack);
	const struct stack_entry *kernel = stack_book_find(f->book, origin->kernel_stack);
	struct memory *m = f->memory;
	uint64_t values[MEMORY_VALUES];
	struct capture_sample sample;
	int64_t tag = tag_of(f->s, &site->key);
	uint32_t number;
	int err;

	if (tag < 0)
		return tag;
	if (!user || !kernel)
		return 0;
	sample = sample_of(origin, user, kernel);
	sample.tag = tag;
	fill_values(f->s, site, hash, values);
	err = capture_add(f->capture, &sample, values, site->first_ns);
	if (err)
		return err;
	number = keyset_find(&f->capture->samples, &sample);
	if (array_reserve(m->samples, f->samples_cap, f->capture->samples.n))
		return errf(-ENOMEM, "no memory for the sites of allocations");
	while (m->n_samples < f->capture->samples.n)
		m->samples[m->n_samples++] = (struct memory_sample){ 0 };
	add_variances(m, site, &m->samples[number]);
	return 0;
}

static int on_site(void *ctx, const void *key, const void *value)
{
	uint64_t hash;

	memcpy(&hash, key, sizeof(hash));
	return add_site(ctx, hash, value);
}

static int read_hist(const struct alloc_sites *s, uint32_t which, struct histogram *ret)
{
	_cleanup_(freep) struct ft_alloc_hist *hist = calloc(1, sizeof(*hist));
	uint32_t slot;

	if (!hist || bpf_map_lookup_elem(bpf_map__fd(s->o.hists), &which, hist))
		return errf(hist ? -errno : -ENOMEM, "cannot read how large blocks were");
	for (slot = 0; slot < FT_HIST_SLOTS; slot++) {
		if (hist->objects[slot] &&
		    histogram_add(ret, slot, (hist->objects[slot] + 128) >> 8))
			return errf(-ENOMEM, "no memory for histograms");
	}
	histogram_add_sum(ret, hist->sum, hist->max);
	return 0;
}

static int add_all_sites(struct finish *f)
{
	struct alloc_sites *s = f->s;
	size_t i;
	int err = sweep(s);

	if (!err)
		err = map_walk(s->o.blocks, &s->o.state->blocks, on_old_block, f);
	if (!err)
		err = map_walk(s->o.sites, &s->o.state->sites, on_site, f);
	for (i = 0; i < s->n_gone && !err; i++)
		err = add_site(f, s->gone_hashes[i], &s->gone[i]);
	return err;
}

int alloc_sites_finish(struct alloc_sites *s, const struct stack_book *book,
		       struct capture *capture, uint64_t start_ns, struct memory **ret)
{
	_cleanup_(memory_freep) struct memory *m = calloc(1, sizeof(*m));
	struct finish f = {
		.s = s,
		.book = book,
		.capture = capture,
		.memory = m,
		.now_ns = clock_ns(CLOCK_MONOTONIC),
	};
	int err;

	if (!m)
		return errf(-ENOMEM, "no memory for the summary");
	m->interval_bytes = s->o.interval_bytes;
	m->min_age_ns = s->o.min_age_ns;
	m->peak_objects = whole_objects(s->o.state->peak_objects);
	m->peak_bytes = s->o.state->peak_bytes;
	if (s->o.state->peak_ns > start_ns)
		m->peak_ns = s->o.state->peak_ns - start_ns;
	m->blocks_full = s->o.state->blocks_full;
	err = add_all_sites(&f);
	if (!err)
		err = read_hist(s, FT_ALLOC_HIST_SIZE, &m->sizes);
	if (!err)
		err = read_hist(s, FT_ALLOC_HIST_LIFETIME, &m->lifetimes);
	if (!err)
		*ret = take(m);
	return err;
}
