/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/io_latency.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "user/base/array.h"
#include "user/base/clock.h"
#include "user/base/err.h"
#include "user/collect/dev_number.h"

#define OUTLIER_KEYS_MIN 64

static int no_memory(void)
{
	return errf(-ENOMEM, "no memory for the latencies of block I/O");
}

static int ok(int err)
{
	return err ? no_memory() : 0;
}

static int meet(struct io_latency *io, uint32_t dev)
{
	uint32_t number;

	return keyset_add(&io->devs, &dev, &number) < 0 ? no_memory() : 0;
}

/* --- outliers ------------------------------------------------------------------------------ */

/* The kernel tells blk_status_t (include/linux/blk_types.h); before 5.16 it was -errno. */
static int errno_of(int32_t error)
{
	static const int of_status[] = { 0,	    EOPNOTSUPP, ETIMEDOUT, ENOSPC, ENOLINK,
					 EREMOTEIO, EBADE,	ENODATA,   EILSEQ, ENOMEM,
					 EIO,	    EREMCHG,	EAGAIN };

	if (error < 0)
		return -error;
	return (size_t)error < ARRAY_SIZE(of_status) ? of_status[error] : EIO;
}

/* Keys of outliers that slower ones have displaced are no longer needed. */
static int forget_displaced(struct io_latency *io)
{
	struct latency_outliers *outliers = &io->latency->outliers;
	struct keyset keys;
	uint32_t number;
	size_t i;

	if (io->outlier_keys.n < 2 * outliers->max + OUTLIER_KEYS_MIN)
		return 0;
	keyset_init(&keys, sizeof(struct ft_io_key));
	for (i = 0; i < outliers->n; i++) {
		struct latency_outlier *one = &outliers->list[i];

		if (!one->tag)
			continue;
		if (keyset_add(&keys, keyset_key(&io->outlier_keys, one->tag - 1), &number) < 0) {
			keyset_release(&keys);
			return no_memory();
		}
		one->tag = number + 1;
	}
	keyset_release(&io->outlier_keys);
	io->outlier_keys = keys;
	return 0;
}

static int outlier_add(struct io_latency *io, const struct ft_io_outlier *o)
{
	const struct ft_task *task = &o->key.origin.task;
	char comm[FT_COMM_LEN + 1] = "", flags[IO_FLAGS_TEXT];
	const struct device *device;
	struct latency_outlier one = {
		.time_ns = o->end_ns + io->to_wall_ns,
		.bytes = o->bytes,
		.pid = task->tgid ? (int64_t)task->tgid : -1,
		.tid = task->tid ? (int64_t)task->tid : -1,
		.error = errno_of(o->error),
		.operation = (char *)io_operation_name(o->key.op),
		.flags = flags,
		.comm = comm,
	};
	uint32_t number;
	int err = forget_displaced(io);

	if (!err)
		err = devices_resolve(io->o.devices, o->key.dev, &device);
	if (err)
		return err;
	memcpy(one.stage_ns, o->stage_ns, sizeof(o->stage_ns));
	memcpy(comm, task->process_comm, FT_COMM_LEN);
	io_flags_text(o->key.flags, flags);
	one.subject = device->name;
	if (io->o.cgroups)
		one.cgroup = (char *)cgroups_path(io->o.cgroups, task->cgroup_id);
	if (!o->lost) {
		if (keyset_add(&io->outlier_keys, &o->key, &number) < 0)
			return no_memory();
		one.tag = number + 1;
	}
	return ok(latency_outliers_add(&io->latency->outliers, &one));
}

int io_latency_outlier(struct io_latency *io, const struct ft_io_outlier *outlier)
{
	if (latency_outliers_wants(&io->latency->outliers, outlier->stage_ns[FT_IO_TOTAL]))
		return outlier_add(io, outlier);
	io->latency->outliers.n_faster++;
	return 0;
}

static int on_outlier(void *ctx, void *data, size_t size)
{
	if (size < sizeof(struct ft_io_outlier))
		return errf(-EIO, "the kernel passed up an outlier of %zu bytes", size);
	return io_latency_outlier(ctx, data);
}

static int consume_outliers(struct io_latency *io)
{
	int err = io->outliers ? ring_buffer__consume(io->outliers) : 0;

	return err < 0 ? err : 0;
}

/* The number of the sample that the outlier's piece was counted in, + 1; 0: there is none. */
static int sample_number(const struct io_latency *io, const struct capture *capture,
			 const struct stack_book *book, struct io_tags *tags,
			 struct latency_outlier *one)
{
	const struct stack_entry *user, *kernel;
	const struct ft_io_key *key;
	struct capture_sample sample;
	uint32_t number;
	int err;

	if (!one->tag)
		return 0;
	key = keyset_key(&io->outlier_keys, one->tag - 1);
	one->tag = 0;
	user = stack_book_find(book, key->origin.user_stack);
	kernel = stack_book_find(book, key->origin.kernel_stack);
	if (!user || !kernel)
		return 0;
	sample = sample_of(&key->origin, user, kernel);
	err = io_tags_number(tags, key, &sample.tag);
	if (err)
		return err;
	number = capture_find(capture, &sample);
	if (number != KEYSET_NONE)
		one->tag = (uint64_t)number + 1;
	return 0;
}

/* --- histograms ---------------------------------------------------------------------------- */

/* What has been carried over of the histogram so far: nothing, if it is new. */
static int seen_of(struct io_latency *io, const struct ft_io_hist_key *key,
		   struct io_hist_seen **ret)
{
	char flags[IO_FLAGS_TEXT];
	struct latency_key row = {
		.operation = io_operation_name(key->op),
		.flags = flags,
		.size_class = io_size_name(key->size),
		.direction = io_direction(key->op),
	};
	uint32_t number = keyset_find(&io->hist_keys, key);
	const struct device *device;
	struct io_hist_seen *seen;
	int err;

	if (number != KEYSET_NONE) {
		*ret = &io->seen[number];
		return 0;
	}
	err = devices_resolve(io->o.devices, key->dev, &device);
	if (!err)
		err = meet(io, key->dev);
	if (err)
		return err;
	io_flags_text(key->flags, flags);
	row.subject = device->name;
	if (array_reserve(io->seen, io->seen_cap, io->hist_keys.n + 1))
		return no_memory();
	seen = &io->seen[io->hist_keys.n];
	*seen = (struct io_hist_seen){ .last = calloc(1, sizeof(*seen->last)) };
	if (!seen->last || latency_row(io->latency, LATENCY_BY_SUBJECT, &row, &seen->row) ||
	    keyset_add(&io->hist_keys, key, &number) < 0) {
		free(seen->last);
		return no_memory();
	}
	*ret = seen;
	return 0;
}

static int carry_stage(struct io_latency *io, uint32_t row, unsigned int stage,
		       const struct ft_io_stage *now, const struct ft_io_stage *last)
{
	uint32_t i;
	int err = 0;

	for (i = 0; i < FT_HIST_SLOTS && !err; i++) {
		if (now->slots[i] != last->slots[i]) /* they may wrap around */
			err = latency_add_slot(io->latency, LATENCY_BY_SUBJECT, row, stage, i,
					       (uint32_t)(now->slots[i] - last->slots[i]));
	}
	return err ? err
		   : latency_add_sum(io->latency, LATENCY_BY_SUBJECT, row, stage,
				     now->sum_ns - last->sum_ns, now->max_ns);
}

int io_latency_histogram(struct io_latency *io, const struct ft_io_hist_key *key,
			 const struct ft_io_hist *now)
{
	struct latency_counts counts;
	struct io_hist_seen *seen = NULL;
	unsigned int stage;
	int err = seen_of(io, key, &seen);

	if (err)
		return err;
	counts = (struct latency_counts){
		.operations = now->requests - seen->last->requests,
		.bytes = now->bytes - seen->last->bytes,
		.errors = now->errors - seen->last->errors,
		.inferred_bytes = now->inferred_bytes - seen->last->inferred_bytes,
	};
	if (!memcmp(now, seen->last, offsetof(struct ft_io_hist, stages)) &&
	    now->stages[FT_IO_TOTAL].sum_ns == seen->last->stages[FT_IO_TOTAL].sum_ns)
		return 0;
	err = latency_add_counts(io->latency, LATENCY_BY_SUBJECT, seen->row, &counts);
	for (stage = 0; stage < FT_IO_STAGES && !err; stage++)
		err = carry_stage(io, seen->row, stage, &now->stages[stage],
				  &seen->last->stages[stage]);
	memcpy(seen->last, now, sizeof(*now));
	return ok(err);
}

static int carry_histograms(struct io_latency *io, const struct bpf_map *map)
{
	int fd = bpf_map__fd(map), err = 0;
	struct ft_io_hist_key key, *last = NULL;

	while (!err && !bpf_map_get_next_key(fd, last, &key)) {
		if (!bpf_map_lookup_elem(fd, &key, io->now))
			err = io_latency_histogram(io, &key, io->now);
		last = &key;
	}
	return err;
}

/* --- gauges -------------------------------------------------------------------------------- */

static int carry_gauge(struct io_latency *io, uint32_t dev, const struct ft_io_disk *disk)
{
	const struct device *device;
	int err = devices_resolve(io->o.devices, dev, &device);

	/* The two are not read at the same moment. */
	if (!err)
		err = ok(latency_in_flight(io->latency, device->name,
					   disk->started > disk->ended ? disk->started - disk->ended
								       : 0));
	return err;
}

static int carry_gauges(struct io_latency *io)
{
	int fd = bpf_map__fd(io->o.disks), err = 0;
	uint32_t dev, *last = NULL;
	struct ft_io_disk disk;

	while (!err && !bpf_map_get_next_key(fd, last, &dev)) {
		if (!bpf_map_lookup_elem(fd, &dev, &disk))
			err = carry_gauge(io, dev, &disk);
		last = &dev;
	}
	return err;
}

int io_latency_tick(struct io_latency *io)
{
	int err = consume_outliers(io);

	if (!err)
		err = carry_histograms(io, io->o.histograms);
	if (!err)
		err = carry_histograms(io, io->o.histograms_of_rest);
	if (!err)
		err = carry_gauges(io);
	if (!err)
		latency_tick(io->latency, clock_ns(CLOCK_MONOTONIC));
	return err;
}

/* --- routes and devices -------------------------------------------------------------------- */

int io_latency_route(struct io_latency *io, const struct ft_io_key *key,
		     const struct ft_io_tally *tally)
{
	const struct device *device, *came;
	int err;

	if (!key->came_dev)
		return 0;
	err = devices_resolve(io->o.devices, key->dev, &device);
	if (!err)
		err = devices_resolve(io->o.devices, key->came_dev, &came);
	if (!err)
		err = meet(io, key->came_dev);
	return err ? err
		   : ok(latency_add_route(io->latency, device->name, came->name, tally->requests,
					  tally->bytes));
}

/* Of what is below it; the array is the caller's, the names are the devices'. */
static int lower_names(struct io_latency *io, const struct device *device, char ***ret,
		       size_t *ret_n)
{
	size_t n = device->n_slaves + (device->parent != 0), i;
	const struct device *lower;
	char **names = calloc(n + 1, sizeof(*names));
	int err = names ? 0 : no_memory();

	for (i = 0; i < n && !err; i++) {
		uint32_t dev = i < device->n_slaves ? device->slaves[i] : device->parent;

		err = devices_resolve(io->o.devices, dev, &lower);
		if (!err)
			err = meet(io, dev);
		if (!err)
			names[i] = lower->name;
	}
	if (err) {
		free(names);
		return err;
	}
	*ret = names;
	*ret_n = n;
	return 0;
}

static int device_add(struct io_latency *io, uint32_t dev)
{
	const struct device *device;
	struct latency_device told = { 0 };
	char number[32];
	int err = devices_resolve(io->o.devices, dev, &device);

	if (!err)
		err = lower_names(io, device, &told.lower, &told.n_lower);
	if (err)
		return err;
	snprintf(number, sizeof(number), "%u:%u", dev_number_major(dev), dev_number_minor(dev));
	told.name = device->name;
	told.number = number;
	told.kind = (char *)device_kind_name(device->kind);
	told.text = device->dm_name[0]	      ? device->dm_name
		    : device->backing_file[0] ? device->backing_file
					      : NULL;
	err = ok(latency_add_device(io->latency, &told));
	free(told.lower);
	return err;
}

/* What is below a device joins the list as it is walked. */
static int add_devices(struct io_latency *io)
{
	uint32_t i, dev;
	int err = devices_refresh(io->o.devices);

	for (i = 0; i < io->devs.n && !err; i++) {
		memcpy(&dev, keyset_key(&io->devs, i), sizeof(dev));
		err = device_add(io, dev);
	}
	return err;
}

int io_latency_finish(struct io_latency *io, const struct capture *capture,
		      const struct stack_book *book, struct io_tags *tags, uint64_t in_flight_end,
		      struct latency **ret)
{
	const struct ft_io_notes *notes = io->o.notes;
	struct latency_outliers *outliers = &io->latency->outliers;
	int err = add_devices(io);
	size_t i;

	for (i = 0; i < outliers->n && !err; i++)
		err = sample_number(io, capture, book, tags, &outliers->list[i]);
	if (err)
		return err;
	outliers->n_lost = notes->outliers_lost;
	latency_outliers_sort(outliers);
	io->latency->in_flight_start = notes->began_before;
	io->latency->in_flight_end = in_flight_end;
	*ret = take(io->latency);
	return 0;
}

/* --- from start to end --------------------------------------------------------------------- */

int io_latency_init(struct io_latency *io, const struct io_latency_options *options)
{
	const struct latency_description description = {
		.subject = "device",
		.stages = { [FT_IO_QUEUE] = "queue",
			    [FT_IO_DEVICE] = "device",
			    [FT_IO_TOTAL] = "total" },
		.n_stages = FT_IO_STAGES,
		.with_inferred = true,
		.outlier_threshold_ns = options->slower_ns,
		.max_outliers = options->max_outliers,
	};

	*io = (struct io_latency){ .o = *options };
	keyset_init(&io->outlier_keys, sizeof(struct ft_io_key));
	keyset_init(&io->hist_keys, sizeof(struct ft_io_hist_key));
	keyset_init(&io->devs, sizeof(uint32_t));
	io->now = calloc(1, sizeof(*io->now));
	if (!io->now || latency_new(&description, &io->latency))
		return no_memory();
	if (!options->slower_ns)
		return 0;
	io->outliers = ring_buffer__new(bpf_map__fd(options->outliers), on_outlier, io, NULL);
	return io->outliers ? 0 : errf(-errno, "cannot read the ring of slow requests: %m");
}

void io_latency_release(struct io_latency *io)
{
	size_t i;

	for (i = 0; i < io->hist_keys.n; i++)
		free(io->seen[i].last);
	free(io->seen);
	free(io->now);
	keyset_release(&io->outlier_keys);
	keyset_release(&io->hist_keys);
	keyset_release(&io->devs);
	ring_buffer__free(io->outliers);
	latency_free(io->latency);
}

void io_latency_start(struct io_latency *io)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC);

	io->to_wall_ns = clock_ns(CLOCK_REALTIME) - now;
	latency_start(io->latency, now);
}
