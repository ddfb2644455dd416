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

struct worker {
	struct folded_source *source;
	const struct folded_stream_options *options;
	struct flame_tree *tree;
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
	uint32_t *reversed;
	size_t reversed_cap;

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

static int reverse(struct worker *w, const uint32_t **frames, size_t n)
{
	size_t i;

	if (array_reserve(w->reversed, w->reversed_cap, n))
		return errf(-ENOMEM, "no memory for a stack of %zu frames", n);
	for (i = 0; i < n; i++)
		w->reversed[i] = (*frames)[n - 1 - i];
	*frames = w->reversed;
	return 0;
}

static int add_stack(struct worker *w, const struct folded_line *line)
{
	const struct piece *last = &w->pieces[w->n_pieces - 1];
	const uint32_t *frames = w->frames;
	size_t n = last->n;
	int err = 0;

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
	if (w->options->is_reversed)
		err = reverse(w, &frames, n);
	if (!err)
		err = flame_tree_add(w->tree, frames, n, line->count, line->before);
	w->n_stacks += !err;
	return err;
}

/* --- lines --------------------------------------------------------------------------------- */

static int add_line(struct worker *w, char *text, size_t len)
{
	const double factor = w->options->factor != 0 ? w->options->factor : 1;
	struct folded_line line;
	int err;

	if (len > FOLDED_MAX_LINE) {
		w->repairs.too_long++;
		return 0;
	}
	if (!len ||
	    !folded_line_parse(text, len, w->options->has_before, factor, &line, &w->repairs))
		return 0;
	/* In the place of the space behind it: every frame ends the same way then. */
	text[line.stack - text + line.stack_len] = ';';
	err = parse_stack(w, line.stack, line.stack_len + 1);
	return err ? err : add_stack(w, &line);
}

/* The last stack is compared with the next block's first. */
static int keep_last(struct worker *w)
{
	static const char padding[FOLDED_PADDING];

	if (!w->last)
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
	if (w->tree->n_nodes > FOLDED_STREAM_MAX_NODES)
		return errf(-EFBIG,
			    "the stacks have more than %u different frames below each other",
			    FOLDED_STREAM_MAX_NODES);
	if (w->cache->text_len > FOLDED_STREAM_MAX_NAMES / sizeof(*w->cache->text))
		return errf(-EFBIG, "the names of the frames are more than %llu bytes",
			    FOLDED_STREAM_MAX_NAMES);
	return 0;
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
		err = check_limits(w);
	return err ? err : keep_last(w);
}

/* --- workers ------------------------------------------------------------------------------- */

static int worker_init(struct worker *w, struct folded_source *source,
		       const struct folded_stream_options *options)
{
	int err;

	*w = (struct worker){ .source = source, .options = options };
	err = flame_tree_new(options->is_chart, &w->tree);
	if (!err)
		err = frame_cache_new(w->tree, options->encoding, &w->cache);
	return err;
}

/* What is only needed to read; the tree stays. */
static void worker_done(struct worker *w)
{
	frame_cache_free(take(w->cache));
	folded_block_release(&w->block);
	str_release(&w->kept);
	free(take(w->pieces));
	free(take(w->frames));
	free(take(w->reversed));
}

static int read_one(struct worker *w)
{
	int some = folded_source_read(w->source, &w->block);
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
	w->err = some;
	if (some)
		folded_source_stop(w->source);
	/* Sentences are a thread's own. */
	snprintf(w->sentence, sizeof(w->sentence), "%s", some ? err_text() : "");
	worker_done(w);
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
static void read_all(struct worker *workers, unsigned int n)
{
	unsigned int n_started = 1;
	int some = read_one(&workers[0]);

	workers[0].err = some < 0 ? some : 0;
	if (some > 0 && !folded_source_is_done(workers[0].source)) {
		for (; n_started < n; n_started++) {
			if (pthread_create(&workers[n_started].thread, NULL, work,
					   &workers[n_started]))
				break;
		}
	}
	if (some >= 0)
		work(&workers[0]);
	while (--n_started)
		pthread_join(workers[n_started].thread, NULL);
}

/* All trees as the first worker's. */
static int merge(struct worker *workers, unsigned int n)
{
	struct flame_tree *largest;
	unsigned int i, of = 0;
	int err = 0;

	for (i = 1; i < n; i++) {
		if (workers[i].tree->n_nodes > workers[of].tree->n_nodes)
			of = i;
	}
	largest = workers[of].tree;
	workers[of].tree = workers[0].tree;
	workers[0].tree = largest;
	for (i = 1; !err && i < n; i++) {
		err = flame_tree_merge(workers[0].tree, workers[i].tree);
		flame_tree_free(take(workers[i].tree));
		workers[0].n_stacks += workers[i].n_stacks;
		folded_repairs_add(&workers[0].repairs, &workers[i].repairs);
	}
	return err ? err : flame_tree_finish(workers[0].tree);
}

/* The error of the first worker that met one. */
static int first_error(const struct worker *workers, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (workers[i].err)
			return errf(workers[i].err, "%s", workers[i].sentence);
	}
	return 0;
}

static int read_with(struct worker *workers, unsigned int n, struct flame_tree **ret,
		     struct folded_repairs *ret_repairs)
{
	int err;

	read_all(workers, n);
	err = first_error(workers, n);
	if (!err)
		err = merge(workers, n);
	if (err)
		return err;
	*ret = take(workers[0].tree);
	*ret_repairs = workers[0].repairs;
	ret_repairs->too_long += workers[0].source->too_long;
	return workers[0].n_stacks ? 0
				   : errf(-ENODATA, "there are no stacks (lines of "
						    "'frame;frame COUNT')");
}

int folded_stream_read(char *const *paths, size_t n, const struct folded_stream_options *options,
		       struct flame_tree **ret, struct folded_repairs *ret_repairs)
{
	unsigned int n_workers = count_workers(options), i;
	struct worker workers[FOLDED_STREAM_MAX_WORKERS] = { 0 };
	struct folded_source source;
	int err = 0;

	if (!(options->factor >= 0) || isinf(options->factor))
		return errf(-EINVAL, "counts are multiplied by a factor above 0, not %g",
			    options->factor);
	folded_source_init(&source, paths, n,
			   options->block_bytes ? options->block_bytes : BLOCK_BYTES);
	for (i = 0; !err && i < n_workers; i++)
		err = worker_init(&workers[i], &source, options);
	if (!err)
		err = read_with(workers, n_workers, ret, ret_repairs);
	for (i = 0; i < n_workers; i++) {
		worker_done(&workers[i]);
		flame_tree_free(workers[i].tree);
	}
	folded_source_release(&source);
	return err;
}
