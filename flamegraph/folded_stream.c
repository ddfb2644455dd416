/* SPDX-License-Identifier: BSD-2-Clause */
#include "flamegraph/folded_stream.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "flamegraph/folded_source.h"
#include "flamegraph/frame_cache.h"
#include "user/base/array.h"
#include "user/base/err.h"
#include "user/base/str.h"

/* Blocks of this size are parsed where they have just been written: in a CPU's own cache. */
#define BLOCK_BYTES (256u << 10)

#define AT_A_TIME 32 /* frames */

/* Of the line before this one: a frame, and all to the left of it. */
struct piece {
	size_t end; /* offset behind its ';' */
	uint32_t n; /* frames that are not blank */
	bool is_mended;
};

/* What all workers work on. */
struct job {
	const struct folded_stream_options *options;
	struct folded_source source;
	struct flame_tree *tree;
	pthread_mutex_t frames_lock; /* of the tree's frames */
	pthread_mutex_t nodes_lock;  /* of all else of the tree */
};

/* A stack of a block, until the tree is free; its frames are behind those of the one before. */
struct parsed {
	size_t n;
	int64_t count, before;
};

struct worker {
	struct job *job;
	struct frame_cache *cache;
	struct folded_block block;
	struct folded_repairs repairs;
	uint64_t n_stacks;

	/* The stack parsed last, with a ';' at its end. */
	const char *last;
	size_t last_len;
	struct str kept; /* it, when its block is used for the next lines */
	struct piece *pieces;
	size_t n_pieces, pieces_cap;
	uint32_t *frames;
	size_t frames_cap;

	/* Of this block. */
	struct parsed *parsed;
	size_t n_parsed, parsed_cap;
	uint32_t *parsed_frames;
	size_t n_parsed_frames, parsed_frames_cap;

	pthread_t thread;
	int err;
	char sentence[1024];
};

/* --- a stack ------------------------------------------------------------------------------- */

/* Bytes that two texts have in common; 7 bytes behind either can be read. */
static size_t common_bytes(const char *a, const char *b, size_t max)
{
	uint64_t x, y;
	size_t i;

	for (i = 0; i < max; i += sizeof(x)) {
		memcpy(&x, a + i, sizeof(x));
		memcpy(&y, b + i, sizeof(y));
		if (x != y) {
			i += __builtin_ctzll(le64toh(x ^ y)) / 8;
			break;
		}
	}
	return i < max ? i : max;
}

/* How many pieces of the last stack this one begins with. */
static size_t common_pieces(const struct worker *w, const char *stack, size_t len)
{
	size_t max = len < w->last_len ? len : w->last_len;
	size_t bytes = common_bytes(w->last, stack, max), low = 0, high = w->n_pieces;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (w->pieces[middle].end <= bytes)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int add_piece(struct worker *w, const struct frame_key *key, const char *stack)
{
	struct piece piece = { .end = key->text + key->len + 1 - stack };
	const struct cached_frame *frame;
	int err;

	if (w->n_pieces) {
		piece.n = w->pieces[w->n_pieces - 1].n;
		piece.is_mended = w->pieces[w->n_pieces - 1].is_mended;
	}
	if (array_reserve(w->pieces, w->pieces_cap, w->n_pieces + 1) ||
	    array_reserve(w->frames, w->frames_cap, piece.n + 1))
		return errf(-ENOMEM, "no memory for a stack of %" PRIu32 " frames", piece.n);
	if (key->len) {
		err = frame_cache_find(w->cache, key, &frame);
		if (err)
			return err;
		piece.is_mended |= frame->is_mended;
		if (frame->frame != FRAME_CACHE_BLANK)
			w->frames[piece.n++] = frame->frame;
	}
	w->pieces[w->n_pieces++] = piece;
	return 0;
}

/* As many pieces from *at on as are asked for at a time; moves *at behind them. */
static int add_pieces(struct worker *w, const char *stack, size_t len, size_t *at)
{
	struct frame_key keys[AT_A_TIME];
	size_t n = 0, i;
	int err = 0;

	for (; n < AT_A_TIME && *at < len; *at += keys[n++].len + 1)
		frame_cache_key(w->cache, stack + *at, &keys[n]);
	for (i = 0; i < n; i++)
		frame_cache_ask(w->cache, &keys[i]);
	for (i = 0; !err && i < n; i++)
		err = add_piece(w, &keys[i], stack);
	return err;
}

/* Brings pieces and frames from the last stack to this one, which ends in ';'. */
static int parse_stack(struct worker *w, const char *stack, size_t len)
{
	size_t at;
	int err = 0;

	w->n_pieces = w->last ? common_pieces(w, stack, len) : 0;
	w->last = NULL;
	at = w->n_pieces ? w->pieces[w->n_pieces - 1].end : 0;
	while (!err && at < len)
		err = add_pieces(w, stack, len, &at);
	if (err)
		return err;
	w->last = stack;
	w->last_len = len;
	return 0;
}

static void copy_frames(uint32_t *to, const uint32_t *from, size_t n, bool is_reversed)
{
	size_t i;

	if (!is_reversed)
		memcpy(to, from, n * sizeof(*to));
	for (i = 0; is_reversed && i < n; i++)
		to[i] = from[n - 1 - i];
}

/* Puts the stack that was parsed last to those for the tree. */
static int keep_stack(struct worker *w, const struct folded_line *line)
{
	const struct piece *last = &w->pieces[w->n_pieces - 1];
	const uint32_t *frames = w->frames;
	size_t n = last->n;

	w->repairs.text += last->is_mended;
	/* Possible where an encoding has bytes that mean nothing. */
	if (!n) {
		w->repairs.empty_stack++;
		return 0;
	}
	if (n > PROFILE_MAX_DEPTH) {
		w->repairs.too_deep++;
		frames += n - PROFILE_MAX_DEPTH;
		n = PROFILE_MAX_DEPTH;
	}
	if (array_reserve(w->parsed, w->parsed_cap, w->n_parsed + 1) ||
	    array_reserve(w->parsed_frames, w->parsed_frames_cap, w->n_parsed_frames + n))
		return errf(-ENOMEM, "no memory for a stack of %zu frames", n);
	copy_frames(w->parsed_frames + w->n_parsed_frames, frames, n, w->job->options->is_reversed);
	w->n_parsed_frames += n;
	w->parsed[w->n_parsed++] =
		(struct parsed){ .n = n, .count = line->count, .before = line->before };
	return 0;
}

/* --- lines --------------------------------------------------------------------------------- */

static int add_line(struct worker *w, char *text, size_t len)
{
	const double factor = w->job->options->factor != 0 ? w->job->options->factor : 1;
	struct folded_line line;
	int err;

	if (len > FOLDED_MAX_LINE) {
		w->repairs.too_long++;
		return 0;
	}
	if (!len ||
	    !folded_line_parse(text, len, w->job->options->has_before, factor, &line, &w->repairs))
		return 0;
	/* In the place of the space behind it: every frame ends the same way then. */
	text[line.stack - text + line.stack_len] = ';';
	err = parse_stack(w, line.stack, line.stack_len + 1);
	return err ? err : keep_stack(w, &line);
}

/* The last stack is compared with the next block's first. */
static int keep_last(struct worker *w)
{
	static const char padding[FOLDED_PADDING];

	/* It may have been kept before: not every block has a stack. */
	if (!w->last || w->last == w->kept.data)
		return 0;
	str_clear(&w->kept);
	if (str_add_bytes(&w->kept, w->last, w->last_len) ||
	    str_add_bytes(&w->kept, padding, sizeof(padding)))
		return errf(-ENOMEM, "no memory for a stack of %zu bytes", w->last_len);
	w->last = w->kept.data;
	return 0;
}

static int check_limits(const struct worker *w)
{
	if (w->job->tree->n_nodes > FOLDED_STREAM_MAX_NODES)
		return errf(-EFBIG,
			    "the stacks have more than %u different frames below each other",
			    FOLDED_STREAM_MAX_NODES);
	if (w->cache->text_len > FOLDED_STREAM_MAX_NAMES / sizeof(*w->cache->text))
		return errf(-EFBIG, "the names of the frames are more than %llu bytes",
			    FOLDED_STREAM_MAX_NAMES);
	return 0;
}

/* While others parse. */
static int add_parsed(struct worker *w)
{
	const uint32_t *frames = w->parsed_frames;
	size_t i;
	int err;

	pthread_mutex_lock(&w->job->nodes_lock);
	err = check_limits(w);
	for (i = 0; !err && i < w->n_parsed; frames += w->parsed[i++].n)
		err = flame_tree_add(w->job->tree, frames, w->parsed[i].n, w->parsed[i].count,
				     w->parsed[i].before);
	pthread_mutex_unlock(&w->job->nodes_lock);
	w->n_stacks += w->n_parsed;
	w->n_parsed = w->n_parsed_frames = 0;
	return err;
}

static int add_block(struct worker *w)
{
	char *at = w->block.data, *end = at + w->block.len, *newline;
	int err = 0;

	/* Editors of Windows put a byte order mark before the first line. */
	if (w->block.begins_file && w->block.len >= 3 && !memcmp(at, "\xef\xbb\xbf", 3))
		at += 3;
	for (; !err && at < end; at = newline + 1) {
		newline = memchr(at, '\n', end - at);
		err = add_line(w, at, newline - at);
	}
	if (!err)
		err = add_parsed(w);
	return err ? err : keep_last(w);
}

/* --- workers ------------------------------------------------------------------------------- */

static int worker_init(struct worker *w, struct job *job)
{
	*w = (struct worker){ .job = job };
	return frame_cache_new(job->tree, &job->frames_lock, job->options->encoding, &w->cache);
}

static void worker_release(struct worker *w)
{
	frame_cache_free(w->cache);
	folded_block_release(&w->block);
	str_release(&w->kept);
	free(w->pieces);
	free(w->frames);
	free(w->parsed);
	free(w->parsed_frames);
}

/* 1, 0 at the end of the input, or -errno. */
static int read_one(struct worker *w)
{
	int some = folded_source_read(&w->job->source, &w->block);
	int err = some > 0 ? add_block(w) : some;

	return err ? err : some;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	int some;

	do
		some = read_one(w);
	while (some > 0);
	if (some) {
		w->err = some;
		/* Sentences are a thread's own. */
		snprintf(w->sentence, sizeof(w->sentence), "%s", err_text());
		folded_source_stop(&w->job->source);
	}
	return NULL;
}

static unsigned int count_workers(const struct folded_stream_options *options)
{
	unsigned int n = options->workers;
	cpu_set_t cpus;

	if (options->is_chart)
		return 1;
	if (!n)
		n = sched_getaffinity(0, sizeof(cpus), &cpus) ? 1 : CPU_COUNT(&cpus);
	return n < FOLDED_STREAM_MAX_WORKERS ? n : FOLDED_STREAM_MAX_WORKERS;
}

/* The first block tells whether others are worth it; those that cannot be had are done without. */
static int read_all(struct worker *workers, unsigned int n)
{
	int some = read_one(&workers[0]);
	unsigned int n_started = 1, i;

	if (some < 0)
		return some;
	if (folded_source_is_done(&workers[0].job->source))
		n = 1;
	for (; n_started < n; n_started++) {
		if (pthread_create(&workers[n_started].thread, NULL, work, &workers[n_started]))
			break;
	}
	work(&workers[0]);
	for (i = 1; i < n_started; i++)
		pthread_join(workers[i].thread, NULL);
	for (i = 0; i < n_started; i++) {
		if (workers[i].err)
			return errf(workers[i].err, "%s", workers[i].sentence);
	}
	return 0;
}

/* 0 or -errno; the stacks that were found and what was mended in any case. */
static int read_with_workers(struct job *job, unsigned int n, uint64_t *ret_n_stacks,
			     struct folded_repairs *ret_repairs)
{
	struct worker workers[FOLDED_STREAM_MAX_WORKERS] = { 0 };
	unsigned int i;
	int err = 0;

	for (i = 0; !err && i < n; i++)
		err = worker_init(&workers[i], job);
	if (!err)
		err = read_all(workers, n);
	for (i = 0; i < n; i++) {
		*ret_n_stacks += workers[i].n_stacks;
		folded_repairs_add(ret_repairs, &workers[i].repairs);
		worker_release(&workers[i]);
	}
	ret_repairs->too_long += job->source.too_long;
	return err;
}

static int run(struct job *job, struct flame_tree **ret, struct folded_repairs *ret_repairs,
	       uint64_t *ret_n_stacks)
{
	struct folded_repairs repairs = { 0 };
	uint64_t n_stacks = 0;
	int err = flame_tree_new(job->options->is_chart, &job->tree);

	if (!err)
		err = read_with_workers(job, count_workers(job->options), &n_stacks, &repairs);
	if (!err)
		err = flame_tree_finish(job->tree);
	if (err)
		return err;
	*ret = take(job->tree);
	*ret_repairs = repairs;
	if (ret_n_stacks)
		*ret_n_stacks = n_stacks;
	if (!n_stacks)
		return errf(-ENODATA, "there are no stacks (lines of 'frame;frame COUNT')");
	return 0;
}

int folded_stream_read(char *const *paths, size_t n, const struct folded_stream_options *options,
		       struct flame_tree **ret, struct folded_repairs *ret_repairs,
		       uint64_t *ret_n_stacks)
{
	struct job job = { .options = options };
	int err;

	if (!(options->factor >= 0) || isinf(options->factor))
		return errf(-EINVAL, "counts are multiplied by a factor above 0, not %g",
			    options->factor);
	pthread_mutex_init(&job.frames_lock, NULL);
	pthread_mutex_init(&job.nodes_lock, NULL);
	folded_source_init(&job.source, paths, n,
			   options->block_bytes ? options->block_bytes : BLOCK_BYTES);
	err = run(&job, ret, ret_repairs, ret_n_stacks);
	flame_tree_free(job.tree);
	folded_source_release(&job.source);
	pthread_mutex_destroy(&job.nodes_lock);
	pthread_mutex_destroy(&job.frames_lock);
	return err;
}
