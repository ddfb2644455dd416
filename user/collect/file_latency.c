/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/file_latency.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "user/base/array.h"
#include "user/base/clock.h"
#include "user/base/err.h"
#include "user/base/str.h"
#include "user/collect/dev_number.h"
#include "user/collect/file_calls.h"

/* What paths are summed up by. */
struct file_latency_path {
	uint32_t text; /* of file_paths.strings */
	uint32_t operation;
};

static int no_memory(void)
{
	return errf(-ENOMEM, "no memory for latencies");
}

const char *file_answered(const struct ft_file_kind *kind, const struct file_path *path)
{
	if (kind->touched)
		return "device";
	/* A server may have answered what is on no device, or it may be memory. */
	return path && path->flags & FT_PATH_HAS_DEVICE ? "cache" : "";
}

const char *file_by_name(unsigned int by)
{
	static const char *const names[FT_BYS] = { "", "fault", "io_uring" };

	return by < FT_BYS ? names[by] : "";
}

static int on_outlier(void *ctx, void *data, size_t size);

int file_latency_init(struct file_latency *l, uint64_t slower_ns, struct file_paths *paths,
		      const struct bpf_map *hists, const struct bpf_map *outliers)
{
	const struct latency_description description = {
		.subject = "filesystem",
		.stages = { "total" },
		.n_stages = 1,
		.with_touched = true,
		.outlier_threshold_ns = slower_ns,
	};

	*l = (struct file_latency){ .paths = paths, .hists = hists };
	keyset_init(&l->kinds, sizeof(struct ft_file_kind));
	keyset_init(&l->by_path, sizeof(struct file_latency_path));
	keyset_init(&l->outlier_keys, sizeof(struct ft_file_key));
	if (latency_new(&description, &l->latency))
		return no_memory();
	if (!slower_ns)
		return 0;
	l->outliers = ring_buffer__new(bpf_map__fd(outliers), on_outlier, l, NULL);
	return l->outliers ? 0 : errf(-errno, "cannot read the ring of slow operations: %m");
}

void file_latency_release(struct file_latency *l)
{
	ring_buffer__free(l->outliers);
	latency_free(l->latency);
	keyset_release(&l->kinds);
	free(l->states);
	keyset_release(&l->by_path);
	keyset_release(&l->outlier_keys);
	free(l->sums);
}

void file_latency_start(struct file_latency *l)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC);

	l->realtime_ns = clock_ns(CLOCK_REALTIME) - now;
	latency_start(l->latency, now);
}

/* --- histograms ---------------------------------------------------------------------------- */

/*
 * Whether it is on a device a path tells, and so does one what mountinfo does not know, such as the
 * memory behind memfd_create(2).
 */
static int know_filesystem(struct file_latency *l, uint32_t dev, const struct filesystem **ret)
{
	int err = filesystems_resolve(l->paths->filesystems, dev, ret);

	return err || file_paths_on(l->paths, dev) ? err : file_paths_empty(l->paths);
}

/* Whether the task has given a path, and no file that was open. */
static bool goes_by_name(const struct ft_file_kind *kind)
{
	return kind->by == FT_BY_CALL && kind->operation != FT_FILE_SYNC &&
	       kind->operation != FT_FILE_MSYNC;
}

/* "ext4 /home" */
static int name_subject(struct file_latency *l, const struct ft_file_kind *kind, struct str *out)
{
	const struct filesystem *fs;
	const struct file_path *path;
	int err;

	if (kind->class >= FT_CLASS_SOCKET)
		return str_add(out, file_class_name(kind->class)) ? no_memory() : 0;
	if (!kind->dev)
		return str_add(out, goes_by_name(kind) ? "by name" : "not known") ? no_memory() : 0;
	err = know_filesystem(l, kind->dev, &fs);
	if (err)
		return err;
	path = file_paths_on(l->paths, kind->dev);
	if (fs->type[0])
		err = str_addf(out, "%s %s", fs->type, fs->mount_point);
	else if (path && path->fs)
		err = str_add(out, file_paths_string(l->paths, path->fs));
	else
		err = str_addf(out, "%u:%u", dev_number_major(kind->dev),
			       dev_number_minor(kind->dev));
	return err ? no_memory() : 0;
}

/* "tmpfs": all those of the type that have no row of their own. */
static int name_type(struct file_latency *l, const struct ft_file_kind *kind, struct str *out)
{
	struct ft_file_kind one = *kind;
	const struct filesystem *fs;
	const struct file_path *path;
	const char *type = "";
	int err;

	one.by &= ~FT_BY_TYPE;
	if (!kind->dev || kind->class >= FT_CLASS_SOCKET)
		return name_subject(l, &one, out);
	if (kind->dev != FT_DEV_ANY) {
		err = know_filesystem(l, kind->dev, &fs);
		if (err)
			return err;
		path = file_paths_on(l->paths, kind->dev);
		type = fs->type[0] || !path ? fs->type : file_paths_string(l->paths, path->fs);
	}
	return str_addf(out, "%s%sother mounts", type, *type ? ", " : "") ? no_memory() : 0;
}

#define FLAGS_TEXT 32

/*
 * What a call that failed had returned, as its caller sees it. A call that a signal interrupted
 * ends in one of the kernel's own errors (ERESTARTSYS, ERESTARTNOINTR, ERESTARTNOHAND,
 * ERESTART_RESTARTBLOCK: include/linux/errno.h), and either begins anew or fails with EINTR.
 */
static int error_of(int64_t result)
{
	if (result >= 0)
		return 0;
	if ((result <= -512 && result >= -514) || result == -516)
		return EINTR;
	return result < -4095 ? 0 : (int)-result;
}

/* "device io_uring" */
static void name_flags(const struct ft_file_kind *kind, const struct file_path *path, char *ret)
{
	const char *answered = file_answered(kind, path), *by = file_by_name(kind->by);

	snprintf(ret, FLAGS_TEXT, "%s%s%s", answered, *answered && *by ? " " : "", by);
}

static int make_row(struct file_latency *l, const struct ft_file_kind *kind, uint32_t *ret)
{
	_cleanup_(str_release) struct str subject = { 0 };
	struct ft_file_kind one = *kind;
	char flags[FLAGS_TEXT];
	struct latency_key key = {
		.operation = file_operation_name(kind->operation),
		.flags = flags,
		.direction = file_operation_direction(kind->operation),
		.is_apart = kind->class >= FT_CLASS_SOCKET,
	};
	int err;

	if (kind->operation == FT_FILE_NOTHING) {
		*ret = LATENCY_OTHER;
		return 0;
	}
	err = kind->by & FT_BY_TYPE ? name_type(l, kind, &subject)
				    : name_subject(l, kind, &subject);
	if (err)
		return err;
	one.by &= ~FT_BY_TYPE;
	name_flags(&one, file_paths_on(l->paths, kind->dev), flags);
	key.subject = str_text(&subject);
	return latency_row(l->latency, LATENCY_BY_SUBJECT, &key, ret) ? no_memory() : 0;
}

static int find_state(struct file_latency *l, const struct ft_file_kind *kind,
		      struct file_latency_kind **ret)
{
	uint32_t i = keyset_find(&l->kinds, kind), row;
	int err;

	if (i == KEYSET_NONE) {
		err = make_row(l, kind, &row);
		if (err)
			return err;
		if (array_reserve(l->states, l->states_cap, l->kinds.n + 1) ||
		    keyset_add(&l->kinds, kind, &i) < 0)
			return no_memory();
		memset(&l->states[i].seen, 0, sizeof(l->states[i].seen));
		l->states[i].row = row;
	}
	*ret = &l->states[i];
	return 0;
}

int file_latency_add_hist(struct file_latency *l, const struct ft_file_kind *kind,
			  const struct ft_file_hist *now)
{
	struct file_latency_kind *state = NULL;
	struct latency_counts more = { 0 };
	uint32_t slot;
	int err = find_state(l, kind, &state);

	if (err)
		return err;
	for (slot = 0; slot < FT_HIST_SLOTS && !err; slot++) {
		uint32_t n = now->slots[slot] - state->seen.slots[slot]; /* it may have wrapped */

		if (n)
			err = latency_add_slot(l->latency, LATENCY_BY_SUBJECT, state->row, 0, slot,
					       n);
	}
	more.operations = now->n - state->seen.n;
	more.bytes = now->bytes - state->seen.bytes;
	more.errors = now->errors - state->seen.errors;
	more.touched = kind->touched ? more.operations : 0;
	if (!err && more.operations)
		err = latency_add_counts(l->latency, LATENCY_BY_SUBJECT, state->row, &more);
	if (!err && more.operations)
		err = latency_add_sum(l->latency, LATENCY_BY_SUBJECT, state->row, 0,
				      now->total_ns - state->seen.total_ns, now->max_ns);
	state->seen = *now;
	return err ? no_memory() : 0;
}

int file_latency_make_other(const struct bpf_map *hists)
{
	static const struct ft_file_hist none = { 0 };
	const struct ft_file_kind kind = { 0 };

	if (bpf_map_update_elem(bpf_map__fd(hists), &kind, &none, BPF_NOEXIST))
		return errf(-errno, "cannot make a histogram in the kernel: %m");
	return 0;
}

static int read_hists(struct file_latency *l)
{
	int fd = bpf_map__fd(l->hists), err = 0;
	struct ft_file_kind key, next;
	struct ft_file_hist hist;
	bool is_first = true;

	/* Nothing is deleted from it, so each key leads to the next. */
	while (!err && !bpf_map_get_next_key(fd, is_first ? NULL : &key, &next)) {
		key = next;
		is_first = false;
		if (!bpf_map_lookup_elem(fd, &key, &hist))
			err = file_latency_add_hist(l, &key, &hist);
	}
	return err;
}

/* --- outliers ------------------------------------------------------------------------------ */

/* When they are looked through: seldom enough to cost nothing for each. */
#define OUTLIER_KEYS_PER_PLACE 4

/* Forgets what only those were counted by that have left the list since. */
static int forget_outlier_keys(struct file_latency *l)
{
	struct latency_outliers *outliers = &l->latency->outliers;
	struct keyset kept;
	uint32_t number;
	size_t i;

	keyset_init(&kept, sizeof(struct ft_file_key));
	for (i = 0; i < outliers->n; i++) {
		uint64_t tag = outliers->list[i].tag;

		if (!tag)
			continue;
		if (keyset_add(&kept, keyset_key(&l->outlier_keys, tag - 1), &number) < 0) {
			keyset_release(&kept); /* the list's tags are of no use any more */
			return no_memory();
		}
		outliers->list[i].tag = number + 1ull;
	}
	keyset_release(&l->outlier_keys);
	l->outlier_keys = kept;
	return 0;
}

/* The number of what it was counted by, + 1, until it is that of a sample. */
static int outlier_tag(struct file_latency *l, const struct ft_file_outlier *o, uint64_t *ret)
{
	struct ft_file_key key = { .origin = o->origin, .path = o->path, .kind = o->kind };
	uint32_t number;

	if (l->outlier_keys.n >= OUTLIER_KEYS_PER_PLACE * l->latency->outliers.max &&
	    forget_outlier_keys(l))
		return -ENOMEM;
	if (keyset_add(&l->outlier_keys, &key, &number) < 0)
		return no_memory();
	*ret = number + 1ull;
	return 0;
}

static int outlier_add(struct file_latency *l, const struct ft_file_outlier *o)
{
	const struct ft_task *task = &o->origin.task;
	_cleanup_(str_release) struct str subject = { 0 };
	char comm[FT_COMM_LEN + 1] = "", flags[FLAGS_TEXT];
	struct latency_outlier one = {
		.time_ns = l->realtime_ns + o->end_ns,
		.stage_ns = { o->latency_ns },
		.pid = task->tgid ? (int64_t)task->tgid : -1,
		.tid = task->tid ? (int64_t)task->tid : -1,
		.error = error_of(o->result),
		.operation = (char *)file_operation_name(o->kind.operation),
		.flags = flags,
		.comm = comm,
	};
	const struct file_path *path;
	int err = name_subject(l, &o->kind, &subject);

	if (!err)
		err = file_paths_find(l->paths, o->path, &path);
	if (!err && !o->lost)
		err = outlier_tag(l, o, &one.tag);
	if (err)
		return err;
	memcpy(comm, task->process_comm, FT_COMM_LEN);
	name_flags(&o->kind, path, flags);
	one.subject = (char *)str_text(&subject);
	if (o->result > 0 && file_operation_has_bytes(o->kind.operation))
		one.bytes = o->result;
	if (l->cgroups)
		one.cgroup = (char *)cgroups_path(l->cgroups, task->cgroup_id);
	if (path->text)
		one.path = (char *)file_paths_string(l->paths, path->text);
	return latency_outliers_add(&l->latency->outliers, &one) ? no_memory() : 0;
}

int file_latency_outlier(struct file_latency *l, const struct ft_file_outlier *o)
{
	if (latency_outliers_wants(&l->latency->outliers, o->latency_ns))
		return outlier_add(l, o);
	l->latency->outliers.n_faster++;
	return 0;
}

static int on_outlier(void *ctx, void *data, size_t size)
{
	struct file_latency *l = ctx;
	const struct ft_file_outlier *o = data;

	if (size < sizeof(*o))
		return errf(-EIO, "the kernel passed up an outlier of %zu bytes", size);
	return file_latency_outlier(l, o);
}

int file_latency_tick(struct file_latency *l)
{
	int err = read_hists(l);

	if (!err && l->outliers) {
		err = ring_buffer__consume(l->outliers);
		err = err < 0 ? err : 0;
	}
	if (!err)
		latency_tick(l->latency, clock_ns(CLOCK_MONOTONIC));
	return err;
}

/* --- paths --------------------------------------------------------------------------------- */

int file_latency_add(struct file_latency *l, const struct file_path *path,
		     const struct ft_file_kind *kind, const struct ft_file_tally *tally)
{
	struct file_latency_path key = { .text = path->text, .operation = kind->operation };
	struct latency_counts more = {
		.operations = tally->n,
		.bytes = tally->bytes,
		.errors = tally->errors,
		.touched = kind->touched ? tally->n : 0,
	};
	struct file_latency_sums *sums;
	uint32_t i;
	int added = keyset_add(&l->by_path, &key, &i);

	if (added < 0 || array_reserve(l->sums, l->sums_cap, l->by_path.n))
		return no_memory();
	sums = &l->sums[i];
	if (added)
		*sums = (struct file_latency_sums){ 0 };
	latency_counts_add(&sums->counts, &more);
	sums->sum_ns += tally->total_ns;
	if (sums->max_ns < tally->max_ns)
		sums->max_ns = tally->max_ns;
	return 0;
}

static int by_time(const void *a, const void *b, void *ctx)
{
	const struct file_latency_sums *sums = ctx;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	if (sums[x].sum_ns != sums[y].sum_ns)
		return sums[x].sum_ns < sums[y].sum_ns ? 1 : -1;
	return x < y ? -1 : x > y;
}

static int add_path_row(struct file_latency *l, uint32_t i)
{
	const struct file_latency_path *path = keyset_key(&l->by_path, i);
	struct latency_key key = {
		.subject = file_paths_string(l->paths, path->text),
		.operation = file_operation_name(path->operation),
		.direction = file_operation_direction(path->operation),
	};
	uint32_t row;
	int err;

	if (!path->text)
		key.subject = "(not known)";
	err = latency_row(l->latency, LATENCY_BY_PATH, &key, &row);
	if (!err)
		err = latency_add_counts(l->latency, LATENCY_BY_PATH, row, &l->sums[i].counts);
	if (!err)
		err = latency_add_sum(l->latency, LATENCY_BY_PATH, row, 0, l->sums[i].sum_ns,
				      l->sums[i].max_ns);
	return err;
}

/* Only so many have rows of their own: those that took the most time. */
static int add_path_rows(struct file_latency *l)
{
	_cleanup_(freep) uint32_t *order = calloc(l->by_path.n + 1, sizeof(*order));
	uint32_t i;
	int err = 0;

	if (!order)
		return -ENOMEM;
	for (i = 0; i < l->by_path.n; i++)
		order[i] = i;
	qsort_r(order, l->by_path.n, sizeof(*order), by_time, l->sums);
	for (i = 0; i < l->by_path.n && !err; i++)
		err = add_path_row(l, order[i]);
	return err;
}

int file_latency_finish(struct file_latency *l, file_sample_fn fn, void *ctx, struct latency **ret)
{
	struct latency_outliers *outliers = &l->latency->outliers;
	int64_t tag;
	size_t i;

	if (add_path_rows(l))
		return no_memory();
	for (i = 0; i < outliers->n; i++) {
		if (!outliers->list[i].tag)
			continue;
		tag = fn(ctx, keyset_key(&l->outlier_keys, outliers->list[i].tag - 1));
		if (tag < 0)
			return tag;
		outliers->list[i].tag = tag;
	}
	latency_outliers_sort(outliers);
	*ret = take(l->latency);
	return 0;
}
